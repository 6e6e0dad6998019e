"""The whole invented market: background and cascades in one stream, day by day, with the truth told when it is known.

Owns the order of the days, cascades over midnight, and the true rolling hour. Memory is that of a day and of the
cascades under way.
"""

from collections.abc import Iterator

import numpy as np

from service.lab.background import Background
from service.lab.cascades import Cascades, Truth
from service.lab.day import Day, merge
from service.lab.law import HOUR_S, Floats, Ints, Law

#: The hour the press counts: its passing is what a warning should precede.
HOUR_USD = 100e6


class Market:
    """One seed's market. `days` yields days; `truths` fills as cascades end."""

    def __init__(self, law: Law, seed: int) -> None:
        self._background = Background(law, seed)
        self._cascades = Cascades(law, seed)
        self._under_way: list[Truth] = []
        self._left: list[Day] = []
        self._hour: Floats = np.zeros(HOUR_S)
        self._high = False
        self.truths: list[Truth] = []

    def days(self, count: int) -> Iterator[Day]:
        """The next `count` days, all orders, each with its cause."""
        for number in range(count):
            background = self._background.day(number)
            end = background.end
            for cascade in self._cascades.until(end):
                self._under_way.append(cascade.truth)
                self._left.append(cascade.orders)
            today = merge([background, *(_within(orders, background.start, end) for orders in self._left)])
            self._left = [orders for orders in self._left if orders.at[-1] >= end]
            self._learn(today)
            yield today

    def close(self) -> None:
        """No further day comes: what was under way is told as far as it went."""
        self.truths += self._under_way
        self._under_way = []

    def _learn(self, today: Day) -> None:
        dollars = np.concatenate([self._hour, today.usd_by_s])
        total = np.concatenate([[0.0], np.cumsum(dollars)])
        rolling = total[HOUR_S + 1 :] - total[1:-HOUR_S]
        self._hour = today.usd_by_s[-HOUR_S:]
        high = rolling >= HOUR_USD
        risen = np.flatnonzero(high & ~np.concatenate([[self._high], high[:-1]]))
        self._high = bool(high[-1])
        self._under_way = [_timed(truth, today.start + (risen + 1) * 1_000) for truth in self._under_way]
        self.truths += [truth for truth in self._under_way if truth.end < today.end]
        self._under_way = [truth for truth in self._under_way if truth.end >= today.end]


def _timed(truth: Truth, risen: Ints) -> Truth:
    if truth.hour_at is not None:
        return truth
    for at in risen[(risen > truth.onset) & (risen <= truth.end + 1_000)].tolist():
        if truth.gone(at) * truth.usd >= HOUR_USD / 2:
            return truth.with_hour(at)
    return truth


def _within(orders: Day, start: int, end: int) -> Day:
    low, high = np.searchsorted(orders.at, [start, end])
    part = orders.take(np.arange(low, high))
    return Day(start, part.at, part.usd, part.short, part.venue, part.symbol, part.cause)
