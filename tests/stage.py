"""A service for the HTTP door to look at: a real ledger, a clock that is set by hand, and a real server on loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import uvicorn

from service import api
from service.bell import Bell
from service.detector import Board
from service.ledger import LedgerError
from service.ledger.live import window
from service.ledger.memory import MemoryLedger
from service.model import (
    HOUR,
    Alert,
    Completeness,
    ContextReport,
    Coverage,
    Depth,
    Episode,
    FeedState,
    Kind,
    Phase,
    SecondOpinion,
    Severity,
    Side,
    SinkReport,
    SocketHealth,
    VenueReport,
    Words,
)
from service.sinks import Courier, reports

NOW = 1_768_341_600_000
VENUES = ("binance", "bybit", "okx")


class HandClock:
    """Stands until it is moved."""

    speed = 1.0

    def __init__(self, now: int = NOW) -> None:
        self.moment = now

    def now(self) -> int:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0 * seconds)

    def grace(self, seconds: float) -> float:
        return seconds


class FickleLedger(MemoryLedger):
    """A real ledger that can be told not to answer, and counts who asks for alerts."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.asked: list[tuple[str | None, int]] = []

    def __getattribute__(self, name: str) -> Any:
        calls = ("read", "detail", "assets", "live_share", "slots", "alert", "alerts", "kept", "ping", "pending")
        if name in calls and super().__getattribute__("down"):
            return self._refuse
        return super().__getattribute__(name)

    async def _refuse(self, *_: Any, **__: Any) -> None:
        await asyncio.sleep(0)
        raise LedgerError("no answer")

    async def alerts(self, since: str | None, limit: int) -> list[tuple[str, Alert]]:
        self.asked.append((since, limit))
        await asyncio.sleep(0)
        return await super().alerts(since, limit)


class Stage:
    """What the door may see."""

    def __init__(self, *, simulated: bool = False) -> None:
        self.ledger = FickleLedger()
        self.clock = HandClock()
        self.simulated = simulated
        self.started_at = NOW - HOUR
        self.stopping = False
        self.config: Mapping[str, Any] = {"detector": {"floors": {"ALL": 1e8, "BTC": 3e7, "default": 5e6}}}
        self.bell = Bell()
        self.open: list[Episode] = []
        self.reports = [report(name) for name in VENUES]
        self.reasons: list[str] = []
        self.opinion: SecondOpinion | None = None
        self.zone: tzinfo = ZoneInfo("Asia/Shanghai")
        self.boards: dict[str, Board] = {}
        self.beside: dict[str, ContextReport] = {}
        self.couriers: list[Courier] = []
        self._token: int | None = None

    def watching(self) -> dict[str, int]:
        return {"BTC": NOW - 60_000}

    async def depth(self, _asset: str, _span: str, _now: int) -> Depth:
        return Depth()

    async def coverage(self, _asset: str, span: str, now: int) -> Coverage:
        names = [one.name for one in self.reports]
        slots = await self.ledger.slots(names, now)
        shares = slots.shares(names, window(span, now))
        return Coverage(
            venues_live=sum(one.state is FeedState.LIVE for one in self.reports),
            venues=len(names),
            seconds_share=shares and shares[0],
            leaving_out=tuple(one.name for one in self.reports if one.completeness is not Completeness.COMPLETE),
        )

    async def venues(self) -> Sequence[VenueReport]:
        return self.reports

    async def sinks(self) -> Sequence[SinkReport]:
        return await reports(self.couriers)

    def episodes(self) -> Sequence[Episode]:
        return self.open

    def second_opinion(self) -> SecondOpinion | None:
        return self.opinion

    def records(self, asset: str) -> Board | None:
        return self.boards.get(asset)

    def context(self, asset: str) -> ContextReport | None:
        return self.beside.get(asset)

    def problems(self) -> Sequence[str]:
        return self.reasons

    async def changed(self, timeout_s: float) -> None:
        await self.bell.wait(timeout_s)

    async def say(self, *alerts: Alert, ring: bool = True) -> None:
        """Append alerts; without a ring as another replica would."""
        self._token = self._token or await self.ledger.lease("stage", 600_000)
        assert self._token is not None
        await self.ledger.commit(self._token, {}, alerts)
        if ring:
            self.bell.ring()


def report(name: str, **changes: Any) -> VenueReport:
    """A live venue that shows everything."""
    health = SocketHealth(venue=name, socket="all", state=FeedState.LIVE, since=NOW - HOUR)
    fields = {
        "state": FeedState.LIVE,
        "completeness": Completeness.COMPLETE,
        "about": "Shows everything.",
        "docs": "https://docs.example.org",
        "sockets": (health,),
        "instruments": 500,
        "parked": 0,
        "last_order_at": NOW,
        "live_share_1h": 1.0,
    }
    return VenueReport(name=name, **{**fields, **changes})


def alert(number: int, **changes: Any) -> Alert:
    """An alert with a number in its id; its episode is its own unless given."""
    fields: dict[str, Any] = {
        "id": f"BTC-short-{number}.1",
        "episode": f"BTC-short-{number}",
        "kind": Kind.SHORT_SQUEEZE,
        "phase": Phase.OPENED,
        "severity": Severity.WATCH,
        "asset": "BTC",
        "side": Side.SHORT,
        "span": "1h",
        "started_at": NOW,
        "at": NOW + number,
        "long_usd": 1e6,
        "short_usd": 39e6,
        "share": 0.975,
        "at_least": True,
        "peak_usd": 40e6,
        "venues": {"bybit": 40e6},
        "symbols": {"BTCUSDT": 40e6},
        "why": Words(en="Shorts were squeezed.", zh="空头被挤压。"),
    }
    return Alert(**{**fields, **changes})


def episode(id: str) -> Episode:
    """An open episode."""
    return msgspec.convert(
        {
            "id": id,
            "kind": "short_squeeze",
            "side": "short",
            "asset": "BTC",
            "severity": "watch",
            "started_at": NOW,
            "at": NOW,
            "long_usd": 1e6,
            "short_usd": 39e6,
            "share": 0.975,
            "peak_usd": 40e6,
            "peak_at": NOW,
            "alerts": 1,
            "onset": NOW - 60_000,
            "rule": "early",
            "grade": 1,
            "stage": "running",
            "parent": None,
        },
        Episode,
    )


def inside(stage: Stage) -> httpx.AsyncClient:
    """A client of the door without a socket between them."""
    transport = httpx.ASGITransport(api.build(stage), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://door")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """The door on a loopback port; afterwards it has left in order."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        api.build(stage), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            yield client
    finally:
        stage.stopping = True
        stage.bell.ring()
        server.should_exit = True
        await serving
