"""Context built from the settings: who is asked, what is heard beside orders, what outlives a restart. Holds no rule.

Nothing here stands between an order and its alert: polls fill a memory, and an alert reads it.
"""

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from service.clock import Clock
from service.context.asking import Market, TickerPoll
from service.context.desk import Desk
from service.context.etf.flows import Flows
from service.context.kept import Kept
from service.context.macro.fomc import read_meetings
from service.context.macro.fred import Fred
from service.context.macro.rates import Macro
from service.context.memory import Memory
from service.context.poll import Poll
from service.context.source import Source
from service.model import Context, ContextReport, Instrument, Situation, SourceReport, Ticker
from service.settings import Settings
from service.venues import VENUES

#: Seconds on the clock between two notes of what stands, and between two files of it.
NOTE_S, KEEP_S = 60.0, 600.0


@dataclass(frozen=True)
class Scene:
    """What the street knows: each venue's contracts, the venues that list an asset, assets with an open episode."""

    listed: Mapping[str, Callable[[], Sequence[Instrument]]]
    listing: Callable[[str], Iterable[str]]
    running: Callable[[], Collection[str]]


class Bureau:
    """`tasks` are to be run until cancelled, `close` afterwards keeps what was learnt. Off, it knows nothing."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, clock: Clock, scene: Scene) -> None:
        knobs = settings.context
        self.enabled = knobs.enabled
        self._clock, self._assets = clock, knobs.assets
        memory = Memory(scene.listing)
        flows, macro = Flows(), Macro(read_meetings(knobs.rates.meetings))
        self.desk = Desk(memory, flows, macro, _unasked(settings))
        self._kept = Kept(
            settings.service.data_dir / "context", {"leverage": memory, "etf.json": flows, "rates.json": macro}
        )
        self._polls: dict[str, TickerPoll | Poll] = {}
        if knobs.enabled:
            self._polls = self._venues(settings, client, scene) | self._slow(settings, client)
            memory.why = self._why

    def _venues(self, settings: Settings, client: httpx.AsyncClient, scene: Scene) -> dict[str, TickerPoll | Poll]:
        def coins() -> set[str]:
            return {*self._assets, *scene.running()}

        found: dict[str, TickerPoll | Poll] = {}
        for name in settings.venues.names:
            if VENUES[name].tickers is not None:
                market = Market(listed=scene.listed[name], coins=coins, hear=self.desk.memory.hear)
                endpoints = settings.venues.endpoints(name)
                found[f"tickers {name}"] = TickerPoll(VENUES[name], endpoints, market, self._clock, client)
        return found

    def _slow(self, settings: Settings, client: httpx.AsyncClient) -> dict[str, TickerPoll | Poll]:
        knobs = settings.context
        sources: list[Source] = []
        if knobs.rates.enabled:
            sources.append(Fred(self.desk.macro, knobs.rates.fred_url))
        return {source.name: Poll(source, self._clock, client) for source in sources}

    def tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Name and work of each task; none when context is off."""
        if not self.enabled:
            return []
        return [*((f"context {name}", poll.run()) for name, poll in self._polls.items()), ("context", self._note())]

    def beside(self, told: Situation) -> Context | None:
        """What stands beside an alert; None when context is off."""
        return self.desk.beside(told) if self.enabled else None

    def hear(self, tickers: Sequence[Ticker]) -> None:
        """What a control stream tells."""
        if self.enabled:
            self.desk.memory.hear(tickers)

    def price(self, coin: str, at: int) -> float | None:
        """A coin's mark price in dollars at `at` ms UTC."""
        return self.desk.memory.price(coin, at)

    def mark(self, instrument: Instrument) -> float | None:
        """A contract's fresh mark price."""
        return self.desk.memory.mark(instrument, self._clock.now())

    def report(self, asset: str) -> ContextReport | None:
        """All the context of an asset as it stands; None when context is off."""
        return self.desk.report(asset, self._clock.now(), self.sources()) if self.enabled else None

    def sources(self) -> list[SourceReport]:
        """Everybody who is asked, as they stand."""
        return [poll.report for poll in self._polls.values()]

    def load(self) -> None:
        """Take up what an earlier run has kept."""
        if self.enabled:
            self._kept.load()

    def close(self) -> None:
        """Keep what was learnt for the next start."""
        if self.enabled:
            self._kept.save()

    async def _note(self) -> None:
        rounds = 0
        while True:
            await self._clock.sleep(NOTE_S)
            self.desk.memory.remember(self._assets)
            rounds += 1
            if rounds % round(KEEP_S / NOTE_S) == 0:
                await self._kept.keep()

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
    return frozenset(name for name, asked in (("etf", etf), ("rates", knobs.rates.enabled)) if not asked)
