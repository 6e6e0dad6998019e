"""How large orders usually are: a running median and a running 99th percentile (detection study, B).

Steps on the logarithm, up when an order is above and down when it is below, so that multiplying all dollars changes
nothing. Sizes are so heavy-tailed that a mean of them is one whale's; the median scales a market, the percentile caps
its orders. Only as many orders a minute as are usual move them: a storm must not teach what is normal.
"""

from collections.abc import Sequence
from math import exp, inf, log

import msgspec

#: The cap's quantile.
CAP = 0.99
_MEDIAN_STEP, _CAP_STEP = 0.01, 0.05
#: The first order says nothing of the tail: the cap starts this far above it (in logs).
_START = log(30)


class Sizes(msgspec.Struct):
    """Logarithms of the median and of the cap, in dollars, and how many orders they have seen."""

    median_log: float = 0.0
    cap_log: float = 0.0
    seen: int = 0
    cap: float = inf
    """Dollars above which an order counts no further."""

    @property
    def median(self) -> float:
        """Dollars of the usual order."""
        return exp(self.median_log)

    def learn(self, orders: Sequence[tuple[float, bool]]) -> None:
        """Take note of orders (dollars, short), in an order that does not depend on how they arrived."""
        if not orders:
            return
        if not self.seen:
            self.median_log = log(orders[0][0])
            self.cap_log = self.median_log + _START
        median, cap = self.median_log, self.cap_log
        self.seen += len(orders)
        step, cap_step = max(_MEDIAN_STEP, 1 / (self.seen + 4)), max(_CAP_STEP, 5 / (self.seen + 10))
        up, down = cap_step * CAP, cap_step * (CAP - 1)
        for usd, _ in orders:
            size = log(usd)
            median += step if size > median else -step
            cap += up if size > cap else down
        self.median_log, self.cap_log, self.cap = median, cap, exp(cap)
