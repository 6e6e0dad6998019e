"""Dollars a feed of largest orders left out of a stretch of slots, and how far they can be trusted.

    hidden   sum over occupied slots of lambda_j G(x_j): all that is unseen in a slot is smaller than what was seen
    bounds   hidden x exp(-+1.645 s), the widest over every story that still counts,
             s^2 = variance / hidden^2 (at most 1) + 3 (1 + 1/a) / K + spread^2

Variance is that of the unseen dollars given the rates, and of the rates. The factor 3 and the least spread, 0.15, are
the detection study's (E): sizes of a law learned elsewhere, slots that are not independent.
"""

from collections.abc import Sequence
from math import exp, expm1, inf, sqrt
from typing import NamedTuple

from service.detector.undercount.sizes import Below
from service.detector.undercount.stories import Story, stories

#: Half of the width of a 90 % interval, in standard deviations.
_Z = 1.645
_DEPENDENCE = 3.0


class Hidden(NamedTuple):
    """Dollars that were not shown, 90 % of the time inside [low, high]."""

    usd: float
    low: float
    high: float
    orders: float
    """How many orders that is."""
    variance: float
    """Of the dollars, had the rates been known."""


NOTHING = Hidden(0.0, 0.0, 0.0, 0.0, 0.0)


def hidden(shown: Sequence[Below], slots: float, spread: float) -> list[Hidden]:
    """What each of the shown orders' slots hides, in their order; `slots` is how many there were, empty ones too."""
    count = len(shown)
    if not count:
        return []
    found = stories([one.above for one in shown], max(slots - count, 0.0))
    rates = _rates(shown, found[0], slots)
    parts = [rate * one.usd for rate, one in zip(rates, shown, strict=True)]
    total = sum(parts)
    if not total:
        return [NOTHING] * count
    low, high = inf, 0.0
    for place, story in enumerate(found):
        usd = sum([r * one.usd for r, one in zip(_rates(shown, story, slots), shown, strict=True)]) if place else total
        wide = exp(_Z * _deviation(shown, story, usd, spread))
        low, high = min(low, usd / wide), max(high, usd * wide)
    low, high = low / total, high / total
    return [
        Hidden(part, part * low, part * high, rate * (1 - one.above), rate * one.square)
        for part, rate, one in zip(parts, rates, shown, strict=True)
    ]


def _rates(shown: Sequence[Below], story: Story, slots: float) -> list[float]:
    if story.a == inf:
        rate = story.rate * _shrink(story, len(shown), slots)
        return [rate] * len(shown)
    above, b = story.a + 1, story.b
    return [above / (b + one.above) for one in shown]


def _shrink(story: Story, count: int, slots: float) -> float:
    """The mean of 1 / exposure is above the rate where every slot is full: by 1 in K, and by nothing where few are."""
    full = min(-expm1(-story.rate), count / slots) if count < slots else 1.0
    return 1 - full / count if count > 1 else 1.0


def _deviation(shown: Sequence[Below], story: Story, usd: float, spread: float) -> float:
    if story.a == inf:
        unseen = story.rate * sum([one.square for one in shown])
        unequal = 1.0
    else:
        above, b = story.a + 1, story.b
        rates = [above / (b + one.above) for one in shown]
        unseen = sum([rate * one.square for rate, one in zip(rates, shown, strict=True)])
        unseen += sum([(rate * one.usd) ** 2 for rate, one in zip(rates, shown, strict=True)]) / above
        unequal = 1 + 1 / story.a
    chance = min(unseen / usd**2, 1.0) if usd else 1.0
    return sqrt(chance + _DEPENDENCE * unequal / len(shown) + spread * spread)
