"""The arithmetic of rolling windows over time buckets, for both stores. Pure integers; knows no store and no clock.

A slot is a bucket's number: its start divided by its width. A window at `now` is every bucket that starts after
`now - span`, and no later than a minute after `now`. So the bucket that straddles the old edge is left out: a total is
a lower bound and never holds anything older than the span. scripts/windows.lua does the same sums in Lua.

    lo = total <= truth <= hi = total + the straddling bucket        mid = total + its part inside x the bucket

Claims rest on lo, displays may show mid. Source: detection study, A.1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from service.model import HOUR, MINUTE, SECOND, SPANS, Reading, Record, Totals, to_usd

#: Windows move in ticks: nothing changes between two of them but by new orders.
TICK = 10 * SECOND
#: Widths of the buckets, each a multiple of the one before.
WIDTHS = (TICK, MINUTE, HOUR)
#: An order this far ahead of `now` counts at once (venues' clocks differ); a later one when its bucket is due.
AHEAD = MINUTE
#: Ids are remembered in sets per this much venue time ...
SEEN_WIDTH = 10 * MINUTE
#: ... for so long after writing: longer than the street lets an order be late, or a late one could count twice.
SEEN_KEEP = 74 * HOUR
#: An advancing window takes back buckets up to two spans old: 2 x 1 h, 2 x 24 h. Hours are history.
BUCKET_KEEP = {TICK: 3 * HOUR, MINUTE: 50 * HOUR, HOUR: 5 * 365 * 24 * HOUR}
#: Breakdowns are only read at the span itself: 1 h of ticks, 24 h of minutes and hours.
DETAIL_KEEP = {TICK: 2 * HOUR, MINUTE: 26 * HOUR, HOUR: 26 * HOUR}
#: A breakdown names this many symbols at most.
TOP_SYMBOLS = 50

#: Long and short units (1/10,000 USD), long and short orders.
Tally = list[int]
#: Sum of what happened from one moment up to before another, both on the edge of a tick.
Total = Callable[[int, int], Tally]


class Window(Record, frozen=True):
    """One span in ms, and the width of the buckets at its edges."""

    span: int
    width: int

    def edge(self, now: int) -> tuple[int, float]:
        """The slot of the bucket a span that ends at `now` runs through, and the part of it that is still inside."""
        start, _ = self.reach(now // TICK)
        return start // self.width - 1, (start - now + self.span) / self.width

    def reach(self, tick: int) -> tuple[int, int]:
        """The first moment inside and the first one after it (ms), when the clock stands in `tick`."""
        now = tick * TICK // self.width * self.width
        return now + self.width - self.span, now + self.width + AHEAD


WINDOWS: Mapping[str, Window] = {
    name: Window(span=span, width=TICK if span <= HOUR else MINUTE) for name, span in SPANS.items()
}


def cover(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """The fewest (width, slot) that make up [start, stop): ticks and minutes at the edges, hours between."""
    while start < stop:
        width = next((w for w in (HOUR, MINUTE) if start % w == 0 and start + w <= stop), TICK)
        yield width, start // width
        start += width


class Sums:
    """Running sums of one asset over all spans. They only move forward: an older `tick` changes nothing."""

    def __init__(self) -> None:
        self.tick: int | None = None
        self.spans: list[Tally] = [[0, 0, 0, 0] for _ in WINDOWS]
        self._reach: list[tuple[int, int]] = []

    def advance(self, tick: int, total: Total) -> int:
        """Let buckets out at the old edge and in at the new one; a jump of a whole span adds up afresh.

        Returns the tick the sums now stand at.
        """
        if self.tick is not None and tick <= self.tick:
            return self.tick
        before, self._reach = self._reach, [window.reach(tick) for window in WINDOWS.values()]
        self.tick = tick
        for number, (window, tally) in enumerate(zip(WINDOWS.values(), self.spans, strict=True)):
            start, stop = self._reach[number]
            old_start, old_stop = before[number] if before else (start - window.span, 0)
            if start - old_start >= window.span:
                tally[:] = total(start, stop)
                continue
            plus(tally, total(old_start, start), -1)
            plus(tally, total(old_stop, stop))
        return tick

    def count(self, at: int, tally: Sequence[int]) -> None:
        """Add what happened at `at` (ms) to each span that reaches it; without a time yet none does."""
        for sums, (start, stop) in zip(self.spans, self._reach, strict=False):
            if start <= at < stop:
                plus(sums, tally)


def reading(asset: str, now: int, tick: int, tallies: Sequence[Sequence[int]]) -> Reading:
    """Sums as a record. Its `now` is the moment they stand for, later than asked when the sums were already ahead."""
    spans = {name: totals(tally) for name, tally in zip(WINDOWS, tallies, strict=True)}
    return Reading(asset=asset, now=max(now, tick * TICK), spans=spans)


def totals(tally: Sequence[int]) -> Totals:
    """A tally in dollars."""
    long, short, long_count, short_count = tally
    return Totals(long_usd=to_usd(long), short_usd=to_usd(short), long_count=long_count, short_count=short_count)


def plus(into: Tally, tally: Sequence[int], sign: int = 1) -> None:
    """Add a tally into another, or with -1 take it away."""
    into[0] += sign * tally[0]
    into[1] += sign * tally[1]
    into[2] += sign * tally[2]
    into[3] += sign * tally[3]
