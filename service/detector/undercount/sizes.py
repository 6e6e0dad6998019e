"""How large orders are: the part of them above a size, and the dollars below it. Knows no venue and no rate.

    S(x) = P(X > x)      G(x) = E[X; X < x]      G2(x) = E[X^2; X < x]

From a sample: its own steps (halves at a tie) up to its 90 % quantile u, a Pareto tail above, whose exponent is Hill's,
held within 0.6 and 3. A law of few sizes would otherwise call everything above its largest impossible.

The law used when nothing better is at hand (`usual`) is the shape of 1,213 forced orders in captures of 2024-08 to
2026-04, each over the median of its own contract, and medians of the same captures: BTC 1,600, ETH 720, others 260 USD.
Those captures were of a sampled feed in quiet hours, where a second rarely held two orders.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate
from math import log
from typing import NamedTuple

#: The tail begins here, with at least so many sizes in it, and is no heavier or lighter than this.
_BODY, _FEWEST, _HEAVIEST, _LIGHTEST = 0.9, 10, 0.6, 3.0
_NEAR = 1e-6
#: Size over the contract's median at the middle of twenty equal parts of all orders.
_SHAPE = (
    0.025, 0.052, 0.085, 0.13, 0.19, 0.25, 0.35, 0.48, 0.66, 0.88,
    1.14, 1.45, 1.85, 2.4, 3.2, 4.3, 6.1, 9.2, 15.0, 50.0,
)  # fmt: skip
_MEDIAN_USD = {"BTC": 1_600.0, "ETH": 720.0}
_OTHERS_USD = 260.0


class Below(NamedTuple):
    """What lies around a size: the part of all orders above it, first and second moment of those below it."""

    above: float
    usd: float
    square: float


class Law:
    """The law of a sample of sizes in dollars, none of them 0."""

    def __init__(self, sizes: Iterable[float]) -> None:
        self._sizes = found = sorted(sizes)
        count = len(found)
        self._first = [0.0, *accumulate(found)]
        self._second = [0.0, *accumulate(size * size for size in found)]
        body = min(int(count * _BODY), count - 1)
        if count - body < _FEWEST:
            body = max(count - _FEWEST, count // 2)
        self._from = found[body]
        self._edge = self._within(self._from)  # the tail goes on where the steps end
        tail = found[body + 1 :]
        logs = sum(log(size / self._from) for size in tail)
        self._alpha = min(max(len(tail) / logs if logs > 0 else _LIGHTEST, _HEAVIEST), _LIGHTEST)

    def below(self, size: float) -> Below:
        """S, G and G2 at a size."""
        if size <= self._from:
            return self._within(size)
        edge, ratio = self._edge, self._from / size
        return Below(
            edge.above * ratio**self._alpha,
            edge.usd + edge.above * self._from * self._moment(1, ratio),
            edge.square + edge.above * self._from**2 * self._moment(2, ratio),
        )

    def _within(self, size: float) -> Below:
        """By the sample's own steps, halves at a tie."""
        count = len(self._sizes)
        low, high = bisect_left(self._sizes, size), bisect_right(self._sizes, size)
        return Below(
            1 - (low + high) / 2 / count,
            (self._first[low] + self._first[high]) / 2 / count,
            (self._second[low] + self._second[high]) / 2 / count,
        )

    def _moment(self, power: int, ratio: float) -> float:
        """The power's moment of a Pareto tail from 1 up to 1 / ratio."""
        gap = power - self._alpha
        if abs(gap) < _NEAR:
            return -self._alpha * log(ratio)
        grown: float = ratio**-gap
        return self._alpha * (grown - 1) / gap


def usual(asset: str) -> Law:
    """What orders of an asset usually look like."""
    median = _MEDIAN_USD.get(asset, _OTHERS_USD)
    return Law(median * part for part in _SHAPE)
