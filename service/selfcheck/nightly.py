"""The task of the service: identify feeds every half hour, check the estimate a little after midnight UTC.

A rule that the data contradicts takes the page's place only when two half hours in a row say the same, and is said
once. In a rehearsal, whose nights last seconds, nothing is looked at and the pages stand. Computes in a thread: a
night's check takes seconds of a processor, and the street must not wait for it.
"""

import asyncio
import logging
from collections.abc import Sequence

from service import metrics
from service.clock import Clock
from service.detector.undercount import SPREAD, Checked, Feed, Feeds, Identified, check, identify, spread_of
from service.ledger import Ledger, LedgerError
from service.model import HOUR, MINUTE, SECOND, Liquidation
from service.pipeline.shown import documented
from service.selfcheck.table import is_fine, table
from service.venues.base import Venue

log = logging.getLogger("cascade.selfcheck")

EVERY_MS, DAY_MS = 30 * MINUTE, 24 * HOUR
#: Orders are asked for this long after they happened: what a history tells late is then mostly there.
LATE_MS = 5 * MINUTE


class SelfCheck:
    """What is known of the feeds by now; every replica finds out for itself."""

    def __init__(self, ledger: Ledger, clock: Clock, venues: Sequence[Venue]) -> None:
        self._ledger, self._clock, self._venues = ledger, clock, venues
        self._seen: dict[str, Feed] = {}
        self._found: dict[str, Feed] = {}
        self._next = (clock.now() // EVERY_MS + 1) * EVERY_MS
        self._going = True
        self.checked: tuple[Checked, ...] = ()
        """Last night's check; empty before the first."""

    @property
    def spread(self) -> float:
        """How far sizes on one venue lie from those on another (in logarithms), measured or assumed."""
        return spread_of(self.checked) if self.checked else SPREAD

    def feeds(self) -> Feeds:
        """Every venue's rule: as found, else as documented."""
        return {**documented(self._venues, self._clock.now()), **self._found}

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while self._clock.speed == 1:
                await self._clock.sleep((self._next + LATE_MS - self._clock.now()) / SECOND)
                end, self._next = self._next, self._next + EVERY_MS
                await self.look(end)
        finally:
            self._going = False

    async def look(self, end: int) -> None:
        """Everything that is due at `end` (ms UTC): a half hour, and at midnight the day."""
        try:
            orders = await self._ledger.recall([venue.name for venue in self._venues], end - EVERY_MS, end)
            self._learn(await asyncio.to_thread(self._identify, orders))
            if end % DAY_MS == 0:
                await self._check(end)
        except LedgerError as error:
            log.warning("feeds were not looked at: %s", error)

    def _identify(self, orders: Sequence[Liquidation]) -> list[Identified]:
        feeds = documented(self._venues, self._clock.now())
        by_venue = {name: [order for order in orders if order.venue == name] for name in feeds}
        found = [identify(rows, feeds[name]) for name, rows in by_venue.items() if self._going]
        return [one for one in found if one is not None]

    def _learn(self, found: Sequence[Identified]) -> None:
        for one in found:
            if not one.told:
                continue
            before, self._seen[one.venue] = self._seen.get(one.venue), one.feed
            if one.feed != before or one.feed == self._found.get(one.venue):
                continue
            self._found[one.venue] = one.feed
            if one.feed.rule is not one.documented or one.feed.batch_s:
                log.warning(
                    "%s: its feed is documented as %s and looks like %s: %s",
                    one.venue, one.documented, one.feed.rule, one.because,
                )  # fmt: skip

    async def _check(self, end: int) -> None:
        feeds = self.feeds()
        orders = await self._ledger.recall(list(feeds), end - DAY_MS, end)
        found = await asyncio.to_thread(check, orders, feeds, go_on=lambda: self._going)
        self.checked = tuple(found)
        for one in found:
            if one.fine is not None and not one.feed.batch_s and one.ratio is not None:
                metrics.UNDERCOUNT_RATIO.labels(one.venue).set(one.ratio)
        if is_fine(found):
            log.info("what sampled feeds hide is estimated well: %d trials on yesterday's orders", len(found))
        else:
            log.warning("what sampled feeds hide is estimated badly:\n%s", table(found))
