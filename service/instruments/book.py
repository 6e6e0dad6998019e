"""One venue's contracts over time: what is known, what is listed, and what an order was worth."""

import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import httpx
import msgspec

from service.clock import Clock
from service.instruments import cache as files
from service.instruments.parking import Parking
from service.instruments.source import InstrumentsError, Source
from service.metrics import BAD_FRAMES, INSTRUMENTS, INSTRUMENTS_AGE
from service.model import Contract, DecodeError, Instrument, Liquidation, Print
from service.venues.base import Venue, settle

log = logging.getLogger("cascade.instruments")

#: Seconds on the clock. A refresh is due every hour, give or take a tenth ...
REFRESH_S = 3600.0
#: ... but a minute after an order was parked, and then after twice as long each time it did not help.
EARLY_S = 60.0
#: First and longest pause after an error.
RETRY_S = (5.0, 600.0)
#: A venue's own wish is honoured up to three days, the longest ban any of them documents.
LONGEST_WISH_S = 3 * 24 * 3600.0

Changed = Callable[[Sequence[Instrument]], Awaitable[None]]
Release = Callable[[list[Liquidation]], Awaitable[None]]

#: A mark is taken for a price within this factor of the one the metadata tells.
_NEAR = 2.0


class Book:
    """All contracts of one venue. `cache` is the file that outlives the process, if any."""

    def __init__(
        self, venue: Venue, endpoints: Mapping[str, str], cache: Path | None, clock: Clock, client: httpx.AsyncClient
    ) -> None:
        self._venue, self._cache, self._clock = venue, cache, clock
        self._source = Source(venue, endpoints, clock, client)
        self._parking = Parking(venue.name)
        self._nameless = not venue.catalogue(venue.endpoints)
        """The venue has no metadata to fetch: its names tell all there is."""
        self._known: dict[str, Instrument] = {}
        self._listed: tuple[Instrument, ...] = ()
        self._fetched_at = 0
        self._loaded = False
        self._early_s = EARLY_S
        self.marked: Callable[[Instrument], float | None] = lambda _instrument: None
        """A contract's mark price, fresher than the metadata's, for orders that tell no price; None while unknown."""

    @property
    def known(self) -> Mapping[str, Instrument]:
        """Every contract ever seen, by symbol: one that was delisted may still be liquidated."""
        return MappingProxyType(self._known)

    @property
    def listed(self) -> Sequence[Instrument]:
        """What the venue lists now, in order of first sight."""
        return self._listed

    @property
    def parked(self) -> int:
        """Orders that wait for their contract."""
        return len(self._parking)

    @property
    def dropped(self) -> int:
        """Orders that waited and were lost, because too many did."""
        return self._parking.dropped

    def load(self) -> None:
        """Take over what the cache knows and the orders that waited at the last stop, if they can be read."""
        self._loaded = True
        if self._cache is None:
            return
        cached = files.load(self._cache, self._venue.name)
        if cached:
            self._adopt(cached.known, cached.listed, cached.fetched_at)
        waiting = files.load_parked(self._cache, self._venue.name)
        for order in waiting:
            self._parking.park(order)
        if waiting:
            log.info("%s: %d parked orders of the last run are taken up", self._venue.name, len(waiting))

    def close(self) -> None:
        """Keep the orders that still wait for the next `load`; without a cache they are lost, counted and said."""
        if not self._loaded:
            self.load()  # what an earlier run has kept must not be overwritten
        if self._keep_parked():
            if self.parked:
                log.info("%s: %d parked orders are kept for the next start", self._venue.name, self.parked)
        else:
            BAD_FRAMES.labels(self._venue.name, "parked").inc(self.parked)
            log.error("%s: %d orders of unknown contracts are lost at the stop", self._venue.name, self.parked)

    def _keep_parked(self) -> bool:
        if self._cache is None:
            return not self.parked
        return files.save_parked(self._cache, files.Parked(venue=self._venue.name, orders=self._parking.waiting()))

    async def refresh(self) -> None:
        """Fetch all metadata, then change the book at once. Raises InstrumentsError and changes nothing."""
        found = await self._source.fetch()
        self._adopt(found.values(), found, self._clock.now())
        if self._cache:
            listed = [row.symbol for row in self._listed]
            known = tuple(self._known.values())
            cached = files.Cached(venue=self._venue.name, fetched_at=self._fetched_at, known=known, listed=listed)
            files.save(self._cache, cached)

    def settle(self, order: Print) -> Liquidation | None:
        """Dollars of an order; None while its contract is unknown: it is parked. Raises DecodeError for no sane sum."""
        instrument = self._known.get(order.symbol) or (self._venue.implied(order.symbol) if self._nameless else None)
        mark = self._mark(instrument) if instrument is not None and order.price is None else None
        if instrument is None or (self._aged and _priced_here(order, instrument, mark)):
            if self._parking.park(order):
                self._early_s = EARLY_S
            return None
        return settle(order, msgspec.structs.replace(instrument, mark=mark) if mark else instrument)

    def _mark(self, instrument: Instrument) -> float | None:
        """A fresh mark, where the metadata's price does not call it absurd: a slip there must not be worth billions."""
        mark, known = self.marked(instrument), instrument.mark
        return mark if mark and known and known / _NEAR < mark < known * _NEAR else None

    @property
    def _aged(self) -> bool:
        """Whether prices and rates of the metadata are too old to value an order by."""
        return self._clock.now() - self._fetched_at > 2 * REFRESH_S * 1_000

    async def run(self, changed: Changed, release: Release) -> None:
        """Keep the book until cancelled: tell `changed` every new listing, hand freed orders to `release`."""
        if not self._loaded:
            self.load()
        told = await self._tell((), changed, release)
        failures = 0
        while True:
            try:
                await self.refresh()
            except InstrumentsError as error:
                pause = max(_backoff(failures), min(error.retry_after or 0.0, LONGEST_WISH_S))
                failures += 1
                log.warning("%s; next try in %.0f s", error, pause)
                await self._clock.sleep(pause)
            else:
                failures = 0
                told = await self._tell(told, changed, release)
                await self._rest()

    async def _tell(self, told: Sequence[Instrument], changed: Changed, release: Release) -> Sequence[Instrument]:
        if self._listed != told:
            await changed(self._listed)
        ready = self._parking.ready(self._known)
        if ready:
            # handed over first, freed afterwards: a stop in between keeps them all, and an id counts once anyway
            await release(list(self._settled(ready)))
            self._parking.free(ready)
            self._keep_parked()
            log.info("%s: %d parked orders are freed, %d still wait", self._venue.name, len(ready), self.parked)
        return self._listed

    def _settled(self, orders: Iterable[Print]) -> Iterator[Liquidation]:
        for order in orders:
            try:
                yield settle(order, self._known[order.symbol])
            except DecodeError as error:
                BAD_FRAMES.labels(order.venue, "amount").inc()
                log.warning("order %s is not counted: %s", order.id, error)

    async def _rest(self) -> None:
        """Until the next refresh is due, or sooner for parked orders."""
        due, waited = REFRESH_S * random.uniform(0.9, 1.1), 0.0  # noqa: S311  # jitter, no secret
        while waited < due:
            await self._clock.sleep(EARLY_S)
            waited += EARLY_S
            if self.parked and waited >= self._early_s:
                self._early_s = min(2 * self._early_s, REFRESH_S)
                return

    def _adopt(self, instruments: Iterable[Instrument], listed: Iterable[str], fetched_at: int) -> None:
        name, names = self._venue.name, frozenset(listed)
        for instrument in instruments:
            old = self._known.get(instrument.symbol)
            if old is not None and _terms(old) != _terms(instrument):
                log.warning("%s: contract changed from %s to %s", name, old, instrument)
            self._known[instrument.symbol] = instrument
        self._listed = tuple(row for row in self._known.values() if row.symbol in names)
        self._fetched_at = fetched_at
        INSTRUMENTS.labels(name).set(len(self._known))
        INSTRUMENTS_AGE.labels(name).set_function(lambda: (self._clock.now() - self._fetched_at) / 1_000)
        log.info("%s: %d contracts listed, %d known", name, len(self._listed), len(self._known))


def _priced_here(order: Print, instrument: Instrument, mark: float | None) -> bool:
    """Whether the order's dollars rest on a price or a rate of the metadata."""
    unpriced = order.price is None and mark is None and instrument.contract is not Contract.INVERSE
    return unpriced or (instrument.rate != 1.0 and order.rate is None)


def _terms(instrument: Instrument) -> Instrument:
    """A contract without what moves by the hour: its price and its rate."""
    return msgspec.structs.replace(instrument, rate=1.0, mark=None)


def _backoff(failures: int) -> float:
    first, most = RETRY_S
    return min(first * 2.0 ** min(failures, 20), most) * random.uniform(0.8, 1.2)  # noqa: S311  # jitter, no secret
