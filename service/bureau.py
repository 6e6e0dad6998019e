"""Context built from the settings: who is asked, what is heard beside orders, what outlives a restart. Holds no rule.

Nothing here stands between an order and its alert: polls fill a memory, and an alert reads it.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import httpx

from service.clock import Clock
from service.context.asking import Market, TickerPoll
from service.context.contract import Fresh
from service.context.desk import Desk
from service.context.etf.coinglass import CoinGlass
from service.context.etf.dropped import NAME as DROPPED
from service.context.etf.dropped import Dropped
from service.context.etf.farside import Farside
from service.context.etf.flows import Flows
from service.context.etf.sosovalue import SoSoValue
from service.context.kept import Kept
from service.context.macro import Fred, Macro, NewYork, Treasury, read_meetings
from service.context.memory import Memory
from service.context.past import VENUE as PAST_OF
from service.context.poll import Poll
from service.context.risk import Point
from service.context.seed import Past
from service.context.source import Source
from service.context.watching import FileWatch
from service.fetch import is_loopback
from service.instruments import Book
from service.model import SECOND, Context, ContextReport, Instrument, Situation, SourceReport, Ticker
from service.pipeline import Beside
from service.settings import Settings
from service.venues import VENUES

#: Seconds on the clock between two notes of what stands, and between two files of it.
NOTE_S, KEEP_S = 60.0, 600.0
#: Real seconds between two looks of the meters: scrapes come no more often.
METER_S = 10.0


Asker = TickerPoll | Poll | FileWatch


@dataclass(frozen=True)
class Scene:
    """What the street knows: each venue's contracts, the venues that list an asset, assets with an open episode."""

    books: Mapping[str, Book]
    listing: Callable[[str], Iterable[str]]
    running: Callable[[], Collection[str]]


class Bureau:
    """`tasks` are to be run until cancelled, `close` afterwards keeps what was learnt. Off, it knows nothing."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, clock: Clock, scene: Scene) -> None:
        knobs = settings.context
        self.enabled = knobs.enabled
        self._clock, self._assets = clock, knobs.assets
        rounds_ms = round(3 * knobs.every_s * SECOND)
        fresh = Fresh(oi_ms=max(Fresh().oi_ms, rounds_ms), mark_ms=max(Fresh().mark_ms, rounds_ms))
        memory = Memory(scene.listing, fresh)
        flows, macro = Flows((DROPPED, *knobs.etf.sources)), Macro(read_meetings(knobs.rates.meetings))
        self.desk = Desk(memory, flows, macro, _unasked(settings))
        self._kept = Kept(
            settings.service.data_dir / "context", {"leverage": memory, "etf.json": flows, "rates.json": macro}
        )
        self._polls: dict[str, Asker] = {}
        if knobs.enabled:
            self._polls = self._venues(settings, client, scene) | self._slow(settings, client, scene)
            memory.why = self._why

    def _venues(self, settings: Settings, client: httpx.AsyncClient, scene: Scene) -> dict[str, Asker]:
        def coins() -> set[str]:
            return {*self._assets, *scene.running()}

        found: dict[str, Asker] = {}
        for name in settings.venues.names:
            if VENUES[name].tickers is not None:
                market = Market(
                    listed=partial(getattr, scene.books[name], "listed"),
                    coins=coins,
                    hear=self.desk.memory.hear,
                    every_s=settings.context.every_s,
                )
                endpoints = settings.venues.endpoints(name)
                found[f"tickers {name}"] = TickerPoll(VENUES[name], endpoints, market, self._clock, client)
        return found

    def _slow(self, settings: Settings, client: httpx.AsyncClient, scene: Scene) -> dict[str, Asker]:
        sources = [*self._rates(settings), *self._etf(settings), *self._past(settings, scene)]
        found: dict[str, Asker] = {source.name: Poll(source, self._clock, client) for source in sources}
        if settings.context.etf.file:
            dropped = Dropped(Path(settings.context.etf.file), self.desk.flows)
            found[dropped.name] = FileWatch(dropped, self._clock)
        return found

    def _rates(self, settings: Settings) -> list[Source]:
        rates, macro = settings.context.rates, self.desk.macro
        made: dict[str, Callable[[], Source]] = {
            "newyork": lambda: NewYork(macro, rates.newyork_url),
            "treasury": lambda: Treasury(macro, rates.treasury_url),
            "fred": lambda: Fred(macro, rates.fred_url),
        }
        urls = {"newyork": rates.newyork_url, "treasury": rates.treasury_url, "fred": rates.fred_url}
        return [made[name]() for name in rates.sources if _may_ask(settings, urls[name])]

    def _etf(self, settings: Settings) -> list[Source]:
        knobs, flows, glass = settings.context.etf, self.desk.flows, settings.second_opinion
        keys = {
            "sosovalue": knobs.sosovalue_key.get_secret_value(),
            "coinglass": glass.coinglass_key.get_secret_value(),
        }
        sources: list[Source] = []
        for name, asset in product(knobs.sources, flows.assets):
            if not keys.get(name, "none needed"):
                flows.hinder(name, asset, "it needs a key, and none is set")
            elif name == "farside" and _may_ask(settings, knobs.farside_url):
                sources.append(Farside(asset, flows, f"{knobs.farside_url}/{asset.lower()}/"))
            elif name == "sosovalue" and _may_ask(settings, knobs.sosovalue_url):
                sources.append(SoSoValue(asset, flows, keys[name], knobs.sosovalue_url))
            elif name == "coinglass" and _may_ask(settings, glass.coinglass_url):
                sources.append(CoinGlass(asset, flows, keys[name], glass.coinglass_url))
        return sources

    def _past(self, settings: Settings, scene: Scene) -> list[Source]:
        if not settings.context.past or PAST_OF not in settings.venues.names:
            return []
        rest, book = settings.venues.endpoints(PAST_OF)["um_rest"], scene.books[PAST_OF]
        if not _may_ask(settings, rest):
            return []
        return [Past(rest, partial(getattr, book, "listed"), lambda: self._assets, self._recall)]

    def _recall(self, contract: Instrument, points: Sequence[Point]) -> None:
        ticker = Ticker(venue=contract.venue, symbol=contract.symbol, asset=contract.asset, at=0, seen=0)
        self.desk.memory.recall(ticker, points)

    def tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Name and work of each task; none when context is off."""
        if not self.enabled:
            return []
        polls = [(f"context {name}", poll.run()) for name, poll in self._polls.items()]
        return [*polls, ("context memory", self._note()), ("context meters", self._meter())]

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
        """A coin's mark price in dollars at `at` ms UTC."""
        return self.desk.memory.price(coin, at)

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

    async def _meter(self) -> None:
        meters = Beside(self.report, self._assets)
        while True:
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


def _may_ask(settings: Settings, url: str) -> bool:
    """A rehearsal lives on another clock: it asks nobody but servers of this machine."""
    return not settings.simulated or is_loopback(url)


def _unasked(settings: Settings) -> frozenset[str]:
    """Pieces that are switched off."""
    knobs = settings.context
    etf = bool(knobs.etf.sources or knobs.etf.file)
    return frozenset(name for name, asked in (("etf", etf), ("rates", bool(knobs.rates.sources))) if not asked)
