"""A first memory of records from the ledger's clock hours, for a market whose own memory is not stored.

Owns what clock hours can tell: calendar days exactly; rolling peaks only as they stood at full hours, so as lower
bounds that are marked (`Board.rough_until`). A clock hour shows a half to all of the rolling hour (detection study,
A.1).
"""

from collections.abc import Callable, Mapping
from itertools import accumulate

from service.detector.records import DAY, MEASURES, SLACK, Board, Stack, noted
from service.model import HOUR, Totals, to_units, to_usd

_Sum = Callable[[int, int], Totals]


def seed(hours: Mapping[int, Totals], until: int, regime: str) -> Board:
    """A board from totals by the start of their hour (ms UTC) that ended by `until`, counted by `regime`."""
    done = sorted(start for start in hours if start + HOUR <= until)
    if not done:
        return Board()
    last = min(done[-1] + DAY, until - HOUR)  # a rolling day may be larger in a quiet hour than what overlaps its peak
    held, stacks = _summing(hours, range(done[0], last + 1, HOUR)), dict[str, Stack]()
    for start in range(done[0], last + 1, HOUR):
        end = start + HOUR
        for name, since in {"hour": start, "day": start // DAY * DAY, "24h": end - DAY}.items():
            stacks |= noted(stacks, name, held(since, end), end - 1, end - MEASURES[name].span - SLACK)
    return Board(first_at=done[0], regime=regime, heard_until=last, rough_until=until, stacks=stacks)


def sum_of(hours: Mapping[int, Totals]) -> Totals:
    """Clock hours together: those since midnight (UTC) are the calendar day so far."""
    return Totals(
        long_usd=to_usd(sum(to_units(one.long_usd) for one in hours.values())),
        short_usd=to_usd(sum(to_units(one.short_usd) for one in hours.values())),
        long_count=sum(one.long_count for one in hours.values()),
        short_count=sum(one.short_count for one in hours.values()),
    )


def _summing(hours: Mapping[int, Totals], grid: range) -> _Sum:
    """Dollars of any stretch of full hours in two subtractions; what lies before the grid is nothing."""
    none, first = Totals(), grid.start // HOUR
    rows = [hours.get(start, none) for start in grid]
    longs = [0, *accumulate(to_units(one.long_usd) for one in rows)]
    shorts = [0, *accumulate(to_units(one.short_usd) for one in rows)]

    def held(since: int, until: int) -> Totals:
        low, high = max(0, since // HOUR - first), until // HOUR - first
        return Totals(long_usd=to_usd(longs[high] - longs[low]), short_usd=to_usd(shorts[high] - shorts[low]))

    return held
