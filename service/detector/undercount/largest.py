"""What feeds of largest orders left out of a span: orders batched by minutes, each batch told its own story.

A batch is a minute of one contract, joined with the next ones while it has fewer than `ENOUGH` orders, up to five. What
is still too small for a story of its own shares one with the other small batches of its venue: an exposure is a part of
a slot, whatever the contract. Minutes without an order belong to no batch; they hide nothing that could be counted.
"""

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from service.detector.undercount.feeds import SLOT_MS
from service.detector.undercount.groups import Books, Group, shorts
from service.detector.undercount.hidden import hidden
from service.detector.undercount.laws import Laws, Source
from service.detector.undercount.sizes import Below
from service.model import MINUTE, FeedRule, Liquidation

#: Orders that make a batch, minutes it may last, and orders a story needs.
ENOUGH, LONGEST, FEWEST = 24, 5, 8
#: With fewer hidden orders than this, there are none in one case of twenty or more.
_SOME, _Z = 3.0, 1.645


class Part(NamedTuple):
    """Hidden dollars of one venue's span: of both sides, and of shorts."""

    usd: float = 0.0
    low: float = 0.0
    high: float = 0.0
    short: float = 0.0
    orders: float = 0.0
    variance: float = 0.0

    def plus(self, other: "Part") -> "Part":
        """Both; the bounds are added, as if they were always wrong to the same side."""
        return Part(*(one + two for one, two in zip(self, other, strict=True)))


class _Batch(NamedTuple):
    shown: list[Below]
    orders: Sequence[Liquidation]
    slots: float


def largest(books: Books, laws: Laws, since: int, now: int, spread: float) -> tuple[dict[str, Part], set[Source]]:
    """Hidden dollars by venue over [since, now), and where the sizes came from."""
    found: dict[str, Part] = {}
    sources: set[Source] = set()
    small: dict[str, list[_Batch]] = {}
    for group, orders in books.shown.items():
        if books.feeds[group.venue].rule is not FeedRule.LARGEST or orders[-1].at < since:
            continue
        found.setdefault(group.venue, Part())
        for batch in _batches(group, orders, laws, (since, now), sources):
            if len(batch.orders) < FEWEST:
                small.setdefault(group.venue, []).append(batch)
            else:
                found[group.venue] = found[group.venue].plus(_part(batch, since, spread))
    for venue, batches in small.items():
        joined = _Batch(
            [one for batch in batches for one in batch.shown],
            [order for batch in batches for order in batch.orders],
            sum(batch.slots for batch in batches),
        )
        found[venue] = found[venue].plus(_part(joined, since, spread))
    return {venue: _by_chance(part) for venue, part in found.items()}, sources


def _batches(
    group: Group, orders: Sequence[Liquidation], laws: Laws, span: tuple[int, int], sources: set[Source]
) -> Iterator[_Batch]:
    """Minutes that touch the span, whole: a story wants all of a minute, the sum takes only what is inside."""
    since, now = span[0] // MINUTE, span[1]
    start = next(place for place, order in enumerate(orders) if order.at // MINUTE >= since)
    while start < len(orders):
        first = last = orders[start].at // MINUTE
        end, minutes = start, 0
        while end < len(orders):
            minute = orders[end].at // MINUTE
            if minute != last and (end - start >= ENOUGH or minute - first >= LONGEST):
                break
            minutes += minute != last
            last, end = minute, end + 1
        law, source = laws.of(group, orders[start].at)
        sources.add(source)
        mine = orders[start:end]
        left_ms = max((last + 1) * MINUTE - now, 0)  # of the running minute only what has passed
        slots = ((minutes + 1) * MINUTE - left_ms) / SLOT_MS
        yield _Batch([law.below(order.usd) for order in mine], mine, slots)
        start = end


def _by_chance(part: Part) -> Part:
    """Where few orders are hidden there may be none, or a large one: the bounds must hold both."""
    low = part.low if part.orders > _SOME else 0.0
    return part._replace(low=low, high=max(part.high, part.usd + _Z * sqrt(part.variance)))


def _part(batch: _Batch, since: int, spread: float) -> Part:
    """The batch's hidden dollars inside the span; those of a slot have the sides of all that was shown."""
    inside = [
        one for one, order in zip(hidden(batch.shown, batch.slots, spread), batch.orders, strict=True)
        if order.at >= since
    ]  # fmt: skip
    usd = sum(one.usd for one in inside)
    short = usd * shorts(batch.orders) / len(batch.orders)
    return Part(
        usd,
        sum(one.low for one in inside),
        sum(one.high for one in inside),
        short,
        sum(one.orders for one in inside),
        sum(one.variance for one in inside),
    )
