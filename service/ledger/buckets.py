"""The arithmetic of rolling windows over time buckets, for both stores. Pure integers; knows no store and no clock.

A slot is a bucket's number: its start divided by its width. A window at `now` is every bucket that starts after
`now - span`, and no later than a minute after `now`. So the bucket that straddles the old edge is left out: a total is
a lower bound and never holds anything older than the span. scripts/windows.lua does the same sums in Lua.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from service.model import HOUR, MINUTE, SECOND, SPANS, Reading, Record, Totals, to_usd

#: Windows move in ticks: nothing changes between two of them but by new orders.
TICK = 10 * SECOND
#: Widths of the buckets, each a multiple of the one before.
WIDTHS = (TICK, MINUTE, HOUR)
#: An order this far ahead of `now` counts at once (venues' clocks differ); a later one when its bucket is due.
AHEAD = MINUTE
#: Buckets in one stored chunk: 20 minutes, 2 hours, 5 days.
CHUNK = 120
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
#: Sum of the buckets `first` to `last`, both included, of a width.
Total = Callable[[int, int, int], Tally]


class Window(Record, frozen=True):
    """One span as slots of its width: `slots` of them up to the current one, `ahead` of them after it."""

    width: int
    slots: int
    ahead: int

    def first(self, tick: int) -> int:
        """The oldest slot inside, when the clock stands in `tick`."""
        return tick * TICK // self.width - self.slots + 1

    def last(self, tick: int) -> int:
        """The newest slot inside."""
        return tick * TICK // self.width + self.ahead


def _window(span: int) -> Window:
    width = TICK if span <= HOUR else MINUTE
    return Window(width=width, slots=span // width, ahead=AHEAD // width)


WINDOWS: Mapping[str, Window] = {name: _window(span) for name, span in SPANS.items()}


def cover(span: str, now: int) -> Iterator[tuple[int, int]]:
    """The fewest (width, slot) that make up a window: ticks and minutes at its edges, hours between."""
    window = WINDOWS[span]
    start = window.first(now // TICK) * window.width
    end = (window.last(now // TICK) + 1) * window.width
    while start < end:
        width = max(w for w in WIDTHS if start % w == 0 and start + w <= end)
        yield width, start // width
        start += width


class Sums:
    """Running sums of one asset over all spans. They only move forward: an older `tick` changes nothing."""

    def __init__(self) -> None:
        self.tick: int | None = None
        self.spans: list[Tally] = [[0, 0, 0, 0] for _ in WINDOWS]
        self._reach: list[tuple[Tally, int, int, int]] = []
        """Each span's tally with its width, first and last slot."""

    def advance(self, tick: int, total: Total) -> int:
        """Let buckets out at the old edge and in at the new one; a jump of a whole span adds up afresh.

        Returns the tick the sums now stand at.
        """
        before = self.tick
        if before is not None and tick <= before:
            return before
        self.tick = tick
        self._reach = []
        for tally, window in zip(self.spans, WINDOWS.values(), strict=True):
            first, last = window.first(tick), window.last(tick)
            self._reach.append((tally, window.width, first, last))
            if before is None or first - window.first(before) >= window.slots:
                tally[:] = total(window.width, first, last)
                continue
            if any(tally):
                plus(tally, total(window.width, window.first(before), first - 1), -1)
            plus(tally, total(window.width, window.last(before) + 1, last))
        return tick

    def count(self, at: int, tally: Sequence[int]) -> None:
        """Add what happened at `at` (ms) to each span that reaches it; without a time yet none does."""
        for sums, width, first, last in self._reach:
            if first <= at // width <= last:
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
