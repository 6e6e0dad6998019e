"""Context built from the settings: who is asked, what is heard beside orders, what outlives a restart. Holds no rule.

Nothing here stands between an order and its alert: polls fill a memory, and an alert reads it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import httpx

from service.bureau.asked import Asked, Asker, Scene
from service.clock import Clock
from service.context.contract import Fresh
from service.context.desk import Desk
from service.context.etf.dropped import NAME as DROPPED
from service.context.etf.flows import Flows
from service.context.kept import Kept
from service.context.macro import Macro, read_meetings
from service.context.memory import Memory
from service.context.standing import FAULTS
from service.model import SECOND, Context, ContextReport, Instrument, Situation, SourceReport, Ticker
from service.pipeline import Beside
from service.settings import Settings

__all__ = ["Bureau", "Scene"]

#: Seconds on the clock between two notes of what stands, and between two files of it.
NOTE_S, KEEP_S = 60.0, 600.0
#: And in real seconds between two files at least.
KEEP_REAL_S = 30.0
#: Real seconds between two looks of the meters: scrapes come no more often.
METER_S = 10.0
#: Seconds on the clock until work that has fallen is taken up again.
AGAIN_S = 60.0
#: Whatever a source, a library or a slip of ours may raise; what ends a process is not among it.
FALLS: tuple[type[Exception], ...] = (*FAULTS, ArithmeticError, EOFError, LookupError, ExceptionGroup)

log = logging.getLogger("cascade.context")


class Bureau:
    """`tasks` are to be run until cancelled, `close` afterwards keeps what was learnt. Off, it knows nothing."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, clock: Clock, scene: Scene) -> None:
        knobs = settings.context
        self.enabled = knobs.enabled
        self._clock, self._assets = clock, knobs.assets
        rounds_ms = round(3 * knobs.every_s * SECOND)
        usual = Fresh()
        fresh = Fresh(
            oi_ms=max(usual.oi_ms, rounds_ms),
            funding_ms=max(usual.funding_ms, rounds_ms),
            mark_ms=max(usual.mark_ms, rounds_ms),
        )
        memory = Memory(scene.listing, fresh)
        flows, macro = Flows((DROPPED, *knobs.etf.sources)), Macro(read_meetings(knobs.rates.meetings))
        self.desk = Desk(memory, flows, macro, _unasked(settings))
        self._kept = Kept(
            settings.service.data_dir / "context", {"leverage": memory, "etf.json": flows, "rates.json": macro}
        )
        self._polls: dict[str, Asker] = {}
        if knobs.enabled:
            self._polls = Asked(settings, client, clock, self.desk).all(scene)
            memory.why = self._why

    def tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Name and work of each task; none when context is off."""
        if not self.enabled:
            return []
        works = {f"context {name}": poll.run for name, poll in self._polls.items()}
        works |= {"context memory": self._note, "context meters": self._meter}
        return [(name, self._kept_alive(name, work)) for name, work in works.items()]

    async def _kept_alive(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """What nobody foresaw costs this work a while, and nothing beside it."""
        while True:
            try:
                await work()
            except FALLS:
                log.exception("%s has fallen; it is taken up again in a minute", name)
            await self._clock.sleep(AGAIN_S)

    def beside(self, told: Situation) -> Context | None:
        """What stands beside an alert; None when context is off."""
        if not self.enabled:
            return None
        self._say_trouble()
        return self.desk.beside(told)

    def hear(self, tickers: Sequence[Ticker]) -> None:
        """What a control stream tells."""
        if self.enabled:
            self.desk.memory.hear(tickers)

    def price(self, coin: str, at: int) -> float | None:
        """A coin's mark price in dollars at `at` ms UTC; None while unknown."""
        return self.desk.memory.price(coin, at)

    def move(self, coin: str, since: int, now: int) -> tuple[float, float] | None:
        """One contract's marks at `since` and at `now`; None where they are not known at both."""
        return self.desk.memory.move(coin, since, now)

    def mark(self, instrument: Instrument) -> float | None:
        """A contract's fresh mark price."""
        return self.desk.memory.mark(instrument, self._clock.now())

    def report(self, asset: str) -> ContextReport | None:
        """All the context of an asset as it stands; None when context is off."""
        if not self.enabled:
            return None
        self._say_trouble()
        return self.desk.report(asset, self._clock.now(), self.sources())

    def sources(self) -> list[SourceReport]:
        """Everybody who is asked, as they stand."""
        return [poll.report for poll in self._polls.values()]

    def load(self) -> None:
        """Take up what an earlier run has kept."""
        if self.enabled:
            self._kept.load()
            self.desk.memory.forget_after(self._clock.now())

    def close(self) -> None:
        """Keep what was learnt for the next start."""
        if self.enabled:
            self._kept.save()

    async def _note(self) -> None:
        kept_at = time.monotonic()
        while True:
            await self._clock.sleep(NOTE_S)
            self.desk.memory.remember(self._assets, self._clock.now())
            # however fast a rehearsal's clock runs, the disk is not its toy
            if time.monotonic() - kept_at >= max(KEEP_S / self._clock.speed, KEEP_REAL_S):
                self.desk.memory.forget(self._clock.now())
                await self._kept.keep()
                kept_at = time.monotonic()

    async def _meter(self) -> None:
        meters = Beside(self.report, self._assets)
        while True:
            for (
                asset
            ) in self._assets:  # ranks are worked out once a minute: one coin after the other, others in between
                self.report(asset)
                await asyncio.sleep(0)
            meters.show()
            await asyncio.sleep(METER_S)

    def _say_trouble(self) -> None:
        """What is wrong with those who are asked for flows: a day that is late is late for a reason."""
        for name, poll in self._polls.items():
            kind, _, rest = name.partition(" ")
            source, _, asset = rest.partition(" ")
            if kind == "etf":
                for one in [asset] if asset else self.desk.flows.assets:
                    self.desk.flows.hinder(source, one, poll.report.reason)

    def _why(self, venue: str) -> str:
        """Why a venue tells nothing, in words."""
        poll = self._polls.get(f"tickers {venue}")
        if poll is None:
            return "it is not asked: it publishes none"
        return poll.report.reason


def _unasked(settings: Settings) -> frozenset[str]:
    """Pieces that are switched off."""
    knobs = settings.context
    etf = bool(knobs.etf.sources or knobs.etf.file)
    return frozenset(name for name, asked in (("etf", etf), ("rates", bool(knobs.rates.sources))) if not asked)
