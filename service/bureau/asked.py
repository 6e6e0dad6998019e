"""Who is asked for context, by the settings: one poll for each venue and each source. Keeps nothing, judges nobody."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from service.clock import Clock
from service.context.asking import Market, TickerPoll
from service.context.desk import Desk
from service.context.etf.coinglass import CoinGlass
from service.context.etf.dropped import Dropped
from service.context.etf.farside import Farside
from service.context.etf.sosovalue import SoSoValue
from service.context.macro import Fred, NewYork, Treasury
from service.context.past import VENUE as PAST_OF
from service.context.poll import Poll
from service.context.risk import Point
from service.context.seed import Past
from service.context.source import Source
from service.context.watching import FileWatch
from service.fetch import is_loopback
from service.instruments import Book
from service.model import Instrument, Ticker
from service.settings import Settings
from service.venues import VENUES

Asker = TickerPoll | Poll | FileWatch


@dataclass(frozen=True)
class Scene:
    """What the street knows: each venue's contracts, the venues that list an asset, assets with an open episode."""

    books: Mapping[str, Book]
    listing: Callable[[str], Iterable[str]]
    running: Callable[[], Collection[str]]


class Asked:
    """Makes the polls, each of which writes into the desk."""

    def __init__(self, settings: Settings, client: httpx.AsyncClient, clock: Clock, desk: Desk) -> None:
        self._settings, self._client, self._clock, self._desk = settings, client, clock, desk

    def all(self, scene: Scene) -> dict[str, Asker]:
        """Every poll by the name of its source."""
        sources = [*self._rates(), *self._etf(), *self._past(scene)]
        found: dict[str, Asker] = {f"tickers {name}": poll for name, poll in self._venues(scene)}
        found |= {source.name: Poll(source, self._clock, self._client) for source in sources}
        if file := self._settings.context.etf.file:
            dropped = Dropped(Path(file), self._desk.flows)
            found[dropped.name] = FileWatch(dropped, self._clock)
        return found

    def _venues(self, scene: Scene) -> Iterator[tuple[str, TickerPoll]]:
        knobs = self._settings.context

        def coins() -> set[str]:
            return {*knobs.assets, *scene.running()}

        for name in self._settings.venues.names:
            endpoints = self._settings.venues.endpoints(name)
            urls = [url for url in endpoints.values() if url.startswith("http")]
            if VENUES[name].tickers is None or not all(map(self._may_ask, urls)):
                continue
            listed = partial(getattr, scene.books[name], "listed")
            market = Market(listed=listed, coins=coins, hear=self._desk.memory.hear, every_s=knobs.every_s)
            yield name, TickerPoll(VENUES[name], endpoints, market, self._clock, self._client)

    def _rates(self) -> list[Source]:
        rates, macro = self._settings.context.rates, self._desk.macro
        # a rehearsal asks this machine only, and what its pages tell is ours to keep
        made: dict[str, tuple[str, Callable[[str], Source]]] = {
            "newyork": (rates.newyork_url, partial(NewYork, macro)),
            "treasury": (rates.treasury_url, partial(Treasury, macro)),
            "fred": (rates.fred_url, partial(Fred, macro, keep=self._settings.simulated)),
        }
        return [make(url) for name in rates.sources for url, make in [made[name]] if self._may_ask(url)]

    def _etf(self) -> Iterator[Source]:
        knobs, flows, glass = self._settings.context.etf, self._desk.flows, self._settings.second_opinion
        soso, key = knobs.sosovalue_key.get_secret_value(), glass.coinglass_key.get_secret_value()
        urls = {"farside": knobs.farside_url, "sosovalue": knobs.sosovalue_url, "coinglass": glass.coinglass_url}
        made: dict[str, Callable[[str], Source]] = {
            "farside": lambda asset: Farside(asset, flows, f"{knobs.farside_url}/{asset.lower()}/"),
            "sosovalue": lambda asset: SoSoValue(asset, flows, soso, knobs.sosovalue_url),
            "coinglass": lambda asset: CoinGlass(asset, flows, key, glass.coinglass_url),
        }
        keyless = {name for name, word in (("sosovalue", soso), ("coinglass", key)) if not word}
        for name in filter(lambda one: self._may_ask(urls[one]), knobs.sources):
            for asset in flows.assets:
                if name in keyless:
                    flows.hinder(name, asset, "it needs a key, and none is set")
                else:
                    yield made[name](asset)

    def _past(self, scene: Scene) -> list[Source]:
        knobs, venues = self._settings.context, self._settings.venues
        if not knobs.past or PAST_OF not in venues.names:
            return []
        rest, listed = venues.endpoints(PAST_OF)["um_rest"], partial(getattr, scene.books[PAST_OF], "listed")
        return [Past(rest, listed, lambda: knobs.assets, self._recall)] if self._may_ask(rest) else []

    def _recall(self, contract: Instrument, points: Sequence[Point]) -> None:
        ticker = Ticker(venue=contract.venue, symbol=contract.symbol, asset=contract.asset, at=0, seen=0)
        self._desk.memory.recall(ticker, points)

    def _may_ask(self, url: str) -> bool:
        """A rehearsal lives on another clock: it asks nobody but servers of this machine."""
        return not self._settings.simulated or is_loopback(url)
