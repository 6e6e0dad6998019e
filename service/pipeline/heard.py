"""What was heard, as spans of time: only up to a venue's last sign of life, and never across a silence of ours.

Owns the spans until the ledger has them. A venue that died counts as heard up to its last frame or pong, not to the
moment its death was noticed, and a little less: venues tell in batches, so what happened in the last moments may have
been on its way when the line went dead. A suspended or stalled process has heard nothing meanwhile.
"""

from collections.abc import Callable, Iterable

from service.ledger import Ledger
from service.model import SECOND

#: Longest step between two signs of life that counts as heard: control streams and pings come more often. On a fast
#: clock, what two real seconds are there.
BRIDGE_MS = 30 * SECOND
BRIDGE_REAL_MS = 2 * SECOND
#: Orders are told within a second of their happening where feeds are batched, and travel; on a fast clock, what the
#: venue servers of a rehearsal may be late by (real ms).
ON_ITS_WAY_MS = 2 * SECOND
ON_ITS_WAY_REAL_MS = 600
_SLOT = 10 * SECOND

HeardAt = Callable[[str, int], tuple[int, int] | None]
"""(venue, now) -> since when without a break, and the last sign of life, ms UTC; None when no connection works."""

Span = tuple[str, int, int]


class Heard:
    """Spans of live venues, grown by `beat` and handed over by `write`."""

    def __init__(self, heard_at: HeardAt, speed: float = 1.0) -> None:
        self._heard_at = heard_at
        self._bridge = max(BRIDGE_MS, int(BRIDGE_REAL_MS * speed))
        self._on_its_way = max(ON_ITS_WAY_MS, int(ON_ITS_WAY_REAL_MS * speed))
        self._open: dict[str, tuple[int, int]] = {}
        self._done: list[Span] = []

    def begin(self, venue: str, since: int) -> None:
        """The venue is live; no news when it was."""
        self._open.setdefault(venue, (since, since))

    def end(self, venue: str) -> None:
        """The venue is not live; no news when it was not."""
        if venue in self._open:
            self._done.append((venue, *self._open.pop(venue)))

    def deafen(self, venue: str, since: int) -> None:
        """What was believed heard of the venue from `since` on was not: nothing of it is handed over any more."""
        self.end(venue)
        done = [span for span in self._done if span[0] != venue]
        kept = [(name, first, min(until, since)) for name, first, until in self._done if name == venue]
        self._done = done + [span for span in kept if span[1] < span[2]]

    def beat(self, now: int) -> None:
        """Look for signs of life; about once a second, whatever the ledger does."""
        for venue, (since, until) in list(self._open.items()):
            found = self._heard_at(venue, now)
            if found is None or found[1] <= until:
                continue
            unbroken, heard = found[0], min(found[1], now)
            if heard - until <= self._bridge and unbroken <= max(since, until):
                self._open[venue] = (since, heard)
            else:  # a line may die and come back before the queue tells of it
                self._done.append((venue, since, until))
                start = min(unbroken, heard) if unbroken > until else heard
                self._open[venue] = (start, heard)

    async def write(self, ledger: Ledger) -> None:
        """Hand the spans over; on a LedgerError nothing is forgotten, and what is said twice counts once."""
        done = list(self._done)
        going = [(venue, *span) for venue, span in self._open.items()]
        for (since, until), venues in _by_span([*done, *going]).items():
            await ledger.mark_live(venues, since, until - self._on_its_way)
        del self._done[: len(done)]
        for venue, since, until in going:
            if venue in self._open and self._open[venue][0] == since:
                # a 10 s slot counts only when it was heard whole: keep the one that is not over
                edge = until - self._on_its_way
                self._open[venue] = (max(since, edge - edge % _SLOT), self._open[venue][1])


def _by_span(spans: Iterable[Span]) -> dict[tuple[int, int], list[str]]:
    found: dict[tuple[int, int], list[str]] = {}
    for venue, since, until in spans:
        found.setdefault((since, until), []).append(venue)
    return found
