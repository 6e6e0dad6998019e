"""Which rule a feed follows, from half an hour of its orders, the documented one being the prior. Pages can be wrong.

    complete   one contract (or side of it) shows two orders in one second, more than now and then
    first      orders often come within three seconds of one another and never within one, at any time of the second
    latest     times pile up at one place of the second: the last of many orders comes late, wherever a second begins.
               With a rate lambda a slot the first harmonic of the times is lambda / sqrt(lambda^2 + 4 pi^2); there is
               latest above half of it, and no latest below, once that much
               could not be chance. Three times as much is an engine that works once a second, and tells nothing
    largest    sizes rise with the orders of the venue around them (z > 3): of many the largest is larger. Or a full
               second shows no trace of any other rule
    batches    a second is followed by a taken one less often than by one some seconds later; orders that cause each
               other come the sooner the likelier, so no market does this, an engine that works in rounds does

In rounds all times are alike and one round is as full as the next: latest and largest look the same, the page stands.
Detection study, E, "Consequences"; the harmonic and the test for rounds are ours.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import cos, hypot, log, pi, sin, sqrt

from service.detector.undercount.feeds import SLOT_MS, Feed
from service.detector.undercount.groups import Books
from service.model import FeedRule, Liquidation, Record

#: Orders below which nothing is said, and how sure a test must be, in standard deviations.
FEWEST, _SURE, _PLAIN = 60, 3.0, 5.0
#: Part of taken seconds that may show two orders by chance of where a second begins.
_TWICE = 0.03
_CLOSE_MS, _CLOSE_PAIRS = 3 * SLOT_MS, 30
#: Rounds that are looked for, in seconds, and how near two orders are in time to count as one burst.
_ROUNDS, _AROUND_S = range(3, 31), 3
#: Of the harmonic that is due: above the first it is latest, above the second the market's own rhythm.
_HALF, _RHYTHM = 0.5, 3.0


class Identified(Record, frozen=True, kw_only=True):
    """What the data says of one feed."""

    venue: str
    feed: Feed
    documented: FeedRule
    orders: int
    told: bool
    """Whether the orders said it; else the rule is the documented one."""
    because: str


def identify(orders: Sequence[Liquidation], documented: Feed) -> Identified | None:
    """The rule behind half an hour of one venue's orders; None for no order at all."""
    if not orders:
        return None
    venue = orders[0].venue
    whole = Books(orders, {venue: Feed(rule=FeedRule.UNKNOWN, by_side=documented.by_side)})
    slots = list(whole.shown.values())
    beat = period_s(order.at for order in orders)
    rule, because = _rule(slots, beat)
    if beat:
        because += f"; orders come in rounds of {beat} s"
    return Identified(
        venue=venue,
        feed=Feed(rule=rule or documented.rule, by_side=documented.by_side, fills=documented.fills, batch_s=beat),
        documented=documented.rule,
        orders=len(orders),
        told=rule is not None or beat > 0,
        because=because,
    )


def period_s(times: Iterable[int]) -> int:
    """How many seconds lie between the rounds of an engine that works in batches; 0 where it does not."""
    seconds = sorted({at // SLOT_MS for at in times})
    gaps = Counter(later - earlier for earlier, later in pairwise(seconds))
    best = max(_ROUNDS, key=lambda gap: gaps[gap])
    sure = gaps[best] - gaps[1] - gaps[2] > _SURE * sqrt(gaps[best] + gaps[1] + gaps[2])
    return best if sure and gaps[best] >= _CLOSE_PAIRS // 3 else 0


def _rule(slots: Sequence[Sequence[Liquidation]], beat: int) -> tuple[FeedRule | None, str]:
    count = sum(len(orders) for orders in slots)
    if count < FEWEST:
        return None, f"{count} orders say nothing: as documented"
    twice = _twice(slots)
    if twice > _TWICE:
        return FeedRule.COMPLETE, f"{twice:.0%} of taken seconds show more than one order of a contract"
    near, closest = _near(slots)
    if near >= _CLOSE_PAIRS and closest >= SLOT_MS and _piled(slots) < _HALF:
        return FeedRule.FIRST, f"{near} pairs within 3 s, none within 1 s"
    rising = _rising(slots)
    if rising > _SURE:
        return FeedRule.LARGEST, f"sizes rise with the orders around them (z = {rising:.1f})"
    if beat:
        return None, "rounds hide the rule: as documented"
    return _by_time(slots, count)


def _by_time(slots: Sequence[Sequence[Liquidation]], count: int) -> tuple[FeedRule | None, str]:
    taken, piled = _taken(slots), _piled(slots)
    rate = -log(1 - min(taken, 0.99))
    due = rate / hypot(rate, 2 * pi)
    if due * sqrt(2 * count) < _PLAIN:
        return None, "seconds are too empty to tell one rule from another: as documented"
    if piled > _RHYTHM * due:
        return None, "times have a rhythm of their own, which hides the rule: as documented"
    if piled > _HALF * due:
        return FeedRule.LATEST, f"times pile up in the second ({piled:.2f}, {due:.2f} were due of a latest order)"
    return (
        FeedRule.LARGEST,
        f"full seconds, and times spread evenly ({piled:.2f}, {due:.2f} were due of a latest order)",
    )


def _twice(slots: Sequence[Sequence[Liquidation]]) -> float:
    taken = [Counter(order.at // SLOT_MS for order in orders) for orders in slots]
    return sum(count > 1 for counts in taken for count in counts.values()) / sum(len(counts) for counts in taken)


def _near(slots: Sequence[Sequence[Liquidation]]) -> tuple[int, int]:
    gaps = [later.at - earlier.at for orders in slots for earlier, later in pairwise(orders)]
    near = [gap for gap in gaps if gap < _CLOSE_MS]
    return len(near), min(near, default=0)


def _taken(slots: Sequence[Sequence[Liquidation]]) -> float:
    """Part of its seconds a contract takes in those minutes in which an average order stands."""
    found = []
    for orders in slots:
        counts = Counter(order.at // (60 * SLOT_MS) for order in orders)
        found += [count / 60 for count in counts.values() for _ in range(count)]
    return sum(found) / len(found)


def _piled(slots: Sequence[Sequence[Liquidation]]) -> float:
    angles = [2 * pi * (order.at % SLOT_MS) / SLOT_MS for orders in slots for order in orders]
    return hypot(sum(map(cos, angles)), sum(map(sin, angles))) / len(angles)


def _rising(slots: Sequence[Sequence[Liquidation]]) -> float:
    """Rank correlation of sizes and the venue's orders around them, contract by contract, in standard deviations."""
    busy = Counter(order.at // SLOT_MS for orders in slots for order in orders)
    around: dict[int, int] = defaultdict(int)
    for second, count in busy.items():
        for other in range(second - _AROUND_S, second + _AROUND_S + 1):
            around[other] += count
    product = square = other_square = 0.0
    for orders in slots:
        sizes = _ranks([order.usd for order in orders])
        crowds = _ranks([around[order.at // SLOT_MS] for order in orders])
        product += sum(one * two for one, two in zip(sizes, crowds, strict=True))
        square += sum(one * one for one in sizes)
        other_square += sum(one * one for one in crowds)
    count = sum(len(orders) - 1 for orders in slots)
    return product / sqrt(square * other_square) * sqrt(count) if square and other_square else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """Places in order of size, ties in their middle, over the number of values, around 0."""
    places: dict[float, list[int]] = defaultdict(list)
    for place, value in enumerate(sorted(values)):
        places[value].append(place)
    middle = {value: (found[0] + found[-1]) / 2 for value, found in places.items()}
    half = (len(values) - 1) / 2
    return [(middle[value] - half) / len(values) for value in values]
