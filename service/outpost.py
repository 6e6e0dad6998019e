"""One enabled venue at work: its contracts, its sockets and its history, all onto the one queue. Holds no rule."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from service.backfill import Backfill
from service.backfill import Knobs as BackfillKnobs
from service.backfill import Parts as BackfillParts
from service.clock import Clock
from service.feed import Feeds
from service.feed import Knobs as FeedKnobs
from service.instruments import Book
from service.ledger import Ledger
from service.model import Instrument, Liquidation, Ticker
from service.pipeline import Item
from service.settings import Settings
from service.venues.base import Venue


def book_of(settings: Settings, venue: Venue, clock: Clock, client: httpx.AsyncClient) -> Book:
    """A venue's contracts, cached in the data directory."""
    cache = settings.service.data_dir / "instruments" / f"{venue.name}.json"
    return Book(venue, settings.venues.endpoints(venue.name), cache, clock, client)


@dataclass(frozen=True)
class Tools:
    """What every outpost works with. `live` tells whether all sockets of a venue are.

    `hear` takes what control streams tell of open interest, funding and marks, `marked` gives a contract's fresh mark.
    """

    queue: "asyncio.Queue[Item]"
    ledger: Ledger
    clock: Clock
    client: httpx.AsyncClient
    feed: FeedKnobs
    backfill: BackfillKnobs
    live: Callable[[str], bool]
    hear: Callable[[Sequence[Ticker]], object] = lambda _tickers: None
    marked: Callable[[Instrument], float | None] = lambda _instrument: None


class Outpost:
    """`tasks` are to be run until cancelled; `close` afterwards keeps what still waits for its contract."""

    def __init__(self, venue: Venue, endpoints: Mapping[str, str], book: Book, tools: Tools) -> None:
        self.venue, self.book = venue, book
        self._queue = tools.queue
        jitter = random.Random()  # noqa: S311  # no secret
        self._feeds = Feeds(venue, endpoints, tools.queue, tools.clock, tools.feed, jitter)
        self._feeds.tell, book.marked = tools.hear, tools.marked
        self._backfill: Backfill | None = None
        if venue.history is not None and tools.backfill.enabled:
            parts = BackfillParts(
                ledger=tools.ledger,
                queue=tools.queue,
                clock=tools.clock,
                client=tools.client,
                knobs=tools.backfill,
                listed=lambda: book.listed,
                live=lambda: tools.live(venue.name),
            )
            self._backfill = Backfill(venue, venue.history, endpoints, parts)

    def heard(self) -> tuple[int, int] | None:
        """Since and up to when (ms UTC) the sockets were heard; None while one is not, and for a venue without any."""
        return self._feeds.heard()

    def tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Name and work of each task."""
        name = self.venue.name
        found = [(f"feeds {name}", self._feeds.run()), (f"book {name}", self._keep_book())]
        if self._backfill is not None:
            found.append((f"backfill {name}", self._backfill.run()))
        return found

    async def _keep_book(self) -> None:
        async def release(orders: Sequence[Liquidation]) -> None:
            for order in orders:
                await self._queue.put(order)

        await self.book.run(self._feeds.replan, release)


class Listings:
    """Which of the enabled venues list an asset; grows with their metadata."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self._books = books
        self._known: dict[str, tuple[Sequence[Instrument], frozenset[str]]] = {}

    def venues(self, asset: str) -> list[str]:
        """In table order; empty when no venue's metadata names the asset. A venue without metadata may list it."""
        assets = {name: self._assets(name) for name in self._books}
        naming = [name for name, known in assets.items() if asset in known]
        return [name for name, known in assets.items() if asset in known or not known] if naming else []

    def _assets(self, name: str) -> frozenset[str]:
        listed = self._books[name].listed
        known = self._known.get(name)
        if known is None or known[0] is not listed:
            known = self._known[name] = listed, frozenset(row.asset for row in listed)
        return known[1]
