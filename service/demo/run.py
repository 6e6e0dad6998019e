"""One demo from curtain to curtain: stage, history, service, screen. Picks up where a killed demo stopped.

The place in time is written down every second, a little behind the truth; a demo that was killed goes on from there and
the orders it plays again are counted once, so its sums end where an uninterrupted run's do.
"""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from itertools import chain, dropwhile
from pathlib import Path
from typing import Any

import httpx
import msgspec

from service import board, fetch, tape
from service.app import App
from service.clock import Clock, ScaledClock
from service.demo.rehearsal import TAG, Stage, settings_toml
from service.demo.screen import Screen
from service.ledger import Ledger, place
from service.ledger.open import open_ledger
from service.masking import scrub, secrets_of
from service.model import ALL, HOUR, MINUTE, Alert, Phase, Record
from service.settings import Settings, load
from service.simulator import Market, scenario
from service.simulator.slow import SlowPages, etf
from service.tape import Row

VENUES = ("binance", "bybit", "okx")
#: The written place lags by at least this much, so that what was on its way when the process died is played again.
BEHIND_MS = MINUTE
#: And the tape restarts this far before the place.
AGAIN_MS = 10 * MINUTE
_PLACE = "place.json"
#: The store forgets its buckets by real time, so a demo that lay longer cannot be gone on with.
_STALE_S = 2 * 3600
_BATCH = 500
_REAL = ("REDIS_URL", "CASCADE_SINKS__", "CASCADE_CONTEXT__")
#: The episode of the evening must have closed by then, else something is broken.
CURTAIN = scenario.START + 4 * HOUR


class _Place(Record, frozen=True, kw_only=True):
    at: int


class DemoError(Exception):
    """The demo did not show what it promises."""


class Plan(Record, frozen=True, kw_only=True):
    """How to play: where the demo lives, how fast, and when it ends."""

    home: Path
    speed: float
    once: bool = False
    """End after the evening's episode has closed and its alerts were served."""
    fresh: bool = False
    """Start anew even if a killed demo could go on."""
    keep: bool = False
    """Leave the data where it is at the end."""


async def demo(plan: Plan, screen: Screen, stop: asyncio.Event) -> None:
    """Play until `stop`, or with `once` until the evening's episode has closed. Raises DemoError, StartError."""
    origin = _take_up(plan)
    night = scenario.day()
    async with _store(plan.home) as ledger:
        await _seed(ledger, night)
        clock = ScaledClock(origin, plan.speed)
        async with (
            Market(VENUES, clock, symbols=scenario.SYMBOLS) as market,
            SlowPages(clock, etf.page) as slow,
            fetch.client(trust_env=False) as client,
        ):
            scenario.lend(market.servers.values())
            stage = Stage(
                endpoints=market.endpoints,
                origin=origin,
                wall_origin=None,
                speed=plan.speed,
                slow=slow.endpoints,
                home=str(plan.home),
            )
            settings = _settings(plan, stage)
            app = App(settings, ledger, clock, client)
            screen.opening(app, origin, resumed=origin != scenario.START)
            rows = _rows(night, origin - AGAIN_MS)
            beside = [
                market.play(rows),
                _note_place(plan.home, clock, lambda venue: app.roster.last_order_at.get(venue, origin)),
                screen.run(app),
            ]
            if plan.once:
                beside.append(_until_closed(settings.api.port, clock, screen, stop))
            await _together(app.run(stop, board.dressed), beside)
    if not plan.keep:
        shutil.rmtree(plan.home, ignore_errors=True)
    screen.closing(plan.home, kept=plan.keep)


async def _together(main: Coroutine[Any, Any, None], beside: Sequence[Coroutine[Any, Any, object]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        side = [tasks.create_task(work) for work in beside]
        await main
        for task in side:
            task.cancel()


def _settings(plan: Plan, stage: Stage) -> Settings:
    file = plan.home / "demo.toml"
    file.write_text(settings_toml(stage))
    # a simulation touches no real store and speaks to no real people, whatever the environment says
    settings = load(file, {name: value for name, value in os.environ.items() if not name.startswith(_REAL)})
    scrub(secrets_of(settings))
    return settings


def _take_up(plan: Plan) -> int:
    """Where the clock starts; a home that cannot be gone on with is emptied."""
    try:
        place.lock(plan.home).close()
    except place.InUseError as error:
        raise DemoError(
            f"{error}".partition(";")[0] + "; stop that demo, or run this one in another directory and with another "
            "CASCADE_API__PORT"
        ) from None
    origin = None if plan.fresh else _place_of(plan)
    if origin is None:
        shutil.rmtree(plan.home, ignore_errors=True)
        plan.home.mkdir(parents=True, mode=0o700)
    return max(scenario.START, origin or 0)


def _place_of(plan: Plan) -> int | None:
    """Where the last demo was killed; None when nobody can go on from there."""
    file = plan.home / _PLACE
    with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
        at = msgspec.json.decode(file.read_bytes(), type=_Place).at
        fresh = time.time() - file.stat().st_mtime < _STALE_S
        return at if fresh and not (plan.once and at > CURTAIN) else None
    return None


async def _note_place(home: Path, clock: Clock, counted: Callable[[str], int]) -> None:
    """Write down where to go on: not behind the last order of any venue that is counted, whatever the clock says."""
    behind = max(BEHIND_MS, int(2_000 * clock.speed))
    fresh = home / f"{_PLACE}.new"
    while True:
        at = min(clock.now() - behind, *(counted(venue) for venue in VENUES))
        fresh.write_text(msgspec.json.encode(_Place(at=at)).decode())
        fresh.rename(home / _PLACE)
        await asyncio.sleep(1)


@contextlib.asynccontextmanager
async def _store(home: Path) -> AsyncIterator[Ledger]:
    ledger = await open_ledger(None, home, tag=TAG)
    try:
        yield ledger
    finally:
        await ledger.close()


async def _seed(ledger: Ledger, night: Sequence[Row]) -> None:
    """The hours before the curtain as history, heard in full; seeding twice counts once."""
    orders = [tape.liquidation(row) for row in scenario.history(night)]
    for start in range(0, len(orders), _BATCH):
        await ledger.add(orders[start : start + _BATCH], scenario.START)
    await ledger.mark_live(VENUES, scenario.START - 24 * HOUR, scenario.START)


def _rows(night: Sequence[Row], since: int) -> Iterator[Row]:
    live = scenario.live(night)
    endless = chain(live, scenario.quiet(live[-1].at))
    return dropwhile(lambda row: row.at < since, endless)


async def _until_closed(port: int, clock: Clock, screen: Screen, stop: asyncio.Event) -> None:
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base, timeout=40, trust_env=False) as client:
        since = ""
        served: list[Alert] = []
        while not any(alert.asset == ALL and alert.phase is Phase.CLOSED for alert in served):
            if clock.now() > CURTAIN:
                raise DemoError("the evening's episode did not close in time")
            page = await _page(client, since)
            served += page[0]
            since = page[1]
    screen.served(served)
    stop.set()


async def _page(client: httpx.AsyncClient, since: str) -> tuple[list[Alert], str]:
    query = {"wait": "1", "since": since or "0-0"}
    while True:
        try:
            answer = await client.get("/alerts", params=query)
        except httpx.TransportError:
            await asyncio.sleep(0.1)  # the door is not open yet
            continue
        answer.raise_for_status()
        page = msgspec.json.decode(answer.content)
        return [msgspec.convert(alert, Alert) for alert in page["alerts"]], page["next"]
