"""One venue's gaps, found in what was heard and filled from its history. Owns when a gap counts as healed.

What was heard stands in the ledger, so gaps of a stopped service, of a crash and of a lost socket are the same thing,
and two replicas that fill the same gap count nothing twice.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from service import metrics
from service.backfill.asking import Asking, UntoldError
from service.backfill.gaps import due
from service.backfill.knobs import Knobs
from service.backfill.twins import Twins
from service.clock import Clock
from service.ledger import Ledger, LedgerError
from service.model import MINUTE, SECOND, BadFrame, FeedState, Gap, Healed, Instrument, Print, SocketHealth
from service.venues.base import BUGS, History, Venue

log = logging.getLogger("cascade.backfill")

#: How often (clock) to look for gaps, and the least real seconds between two looks.
LOOK_S, LOOK_REAL_S = 10.0, 0.5
#: Asked for beyond either end of a gap: clocks differ, and what comes twice counts once.
MARGIN_MS = MINUTE
#: What a socket told so long ago is in the ledger: rows that are known by likeness alone must not be older than it.
SETTLED_MS = 30 * SECOND
SETTLED_REAL_MS = 1_500
#: A gap that was not told is left alone this long (clock).
LATER_S = 300.0
#: The name of a venue's history among its sockets, where it is the only feed.
SOCKET = "rest"


class Queue(Protocol):
    """The near end of the street's queue."""

    async def put(self, item: Print | Healed | SocketHealth | BadFrame, /) -> None:
        """Wait for room, then enqueue."""
        ...


@dataclass(frozen=True)
class Parts:
    """What a venue's backfill works with. `listed` are its contracts, `live` says whether its sockets are live now."""

    ledger: Ledger
    queue: Queue
    clock: Clock
    client: httpx.AsyncClient
    knobs: Knobs
    listed: Callable[[], Sequence[Instrument]]
    live: Callable[[], bool]


class Backfill:
    """Run `run` in one task until cancelled."""

    def __init__(self, venue: Venue, history: History, endpoints: Mapping[str, str], parts: Parts) -> None:
        self._name, self._history, self._endpoints, self._parts = venue.name, history, endpoints, parts
        self._asking = Asking(venue.name, history, parts.clock, parts.client, parts.queue.put)
        self._told: list[Gap] = []
        self._not_before = 0
        """When the history may be asked again after it did not tell a gap, ms on the clock."""
        self._settled_ms = max(SETTLED_MS, int(SETTLED_REAL_MS * parts.clock.speed))
        self._shown: FeedState | None = None

    async def run(self) -> None:
        """Look for gaps and fill them, the latest first."""
        pause = self._history.poll_s or LOOK_S
        while True:
            try:
                for gap in reversed(await self._due()):
                    await self._fill(gap)
            except LedgerError as error:  # the street says so loudly; here it only costs time
                log.info("%s: gaps cannot be looked up now: %s", self._name, error)
            await self._parts.clock.sleep(max(pause, LOOK_REAL_S * self._parts.clock.speed))

    async def _due(self) -> list[Gap]:
        parts = self._parts
        now = parts.clock.now()
        deaf = self._history.poll_s is None and not parts.live()
        if now < self._not_before or deaf or not parts.listed():
            return []
        slots = await parts.ledger.slots([self._name], now)
        gaps = due(self._name, self._history, slots, parts.knobs.horizon_h * 3600, now)
        self._told = [told for told in self._told if told.until > now - int(self._history.reach_s * SECOND)]
        return [gap for gap in gaps if not self._known(gap)]

    def _known(self, gap: Gap) -> bool:
        return any(told.since <= gap.since and gap.until <= told.until for told in self._told)

    async def _fill(self, gap: Gap) -> None:
        parts, history = self._parts, self._history
        asked_at = parts.clock.now()
        since, until = gap.since - MARGIN_MS, max(gap.until, min(gap.until + MARGIN_MS, asked_at - self._settled_ms))
        try:
            count = await self._ask(since, until)
        except UntoldError as error:
            self._not_before = parts.clock.now() + int(LATER_S * SECOND)
            log.warning("%s: its history did not tell %s: %s", self._name, _words(gap), error)
            await self._show(FeedState.DOWN, str(error))
            return
        self._told.append(gap)
        await self._show(FeedState.LIVE, "")
        if self._asking.spoilt:
            log.warning(
                "%s: %d rows of %s cannot be read: it stays a gap", self._name, self._asking.spoilt, _words(gap)
            )
            return
        sure_since = max(gap.since, asked_at - int(history.reach_s * SECOND))
        await parts.queue.put(Healed(venue=self._name, since=sure_since, until=gap.until))
        level = logging.INFO if history.poll_s is None else logging.DEBUG
        log.log(level, "%s: its history told %s: %d orders", self._name, _words(gap), count)

    async def _ask(self, since: int, until: int) -> int:
        parts, count = self._parts, 0
        try:
            urls = self._history.asks(self._endpoints, parts.listed(), since, until)
        except BUGS as error:
            raise UntoldError(f"it cannot be asked: {error!r}") from None
        known = await parts.ledger.recall([self._name], since - MARGIN_MS, until + MARGIN_MS)
        twins = Twins(self._history, known)
        async for orders in self._asking.orders(urls):
            # some histories have no window: what lies outside ours is asked for when it is due, beside its own twins
            for order in twins.strangers(order for order in orders if since <= order.at < until):
                await parts.queue.put(order)
                metrics.BACKFILL_ORDERS.labels(self._name).inc()
                count += 1
        return count

    async def _show(self, state: FeedState, reason: str) -> None:
        """A venue without sockets is as well as its history."""
        if self._history.poll_s is None or state is self._shown:
            return
        self._shown = state
        now = self._parts.clock.now()
        await self._parts.queue.put(
            SocketHealth(venue=self._name, socket=SOCKET, state=state, since=now, reason=reason)
        )


def _words(gap: Gap) -> str:
    return f"a gap of {(gap.until - gap.since) / SECOND:.0f} s"
