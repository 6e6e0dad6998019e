"""When a burst began: the last moment at which nothing spoke for it (detection study, A.3).

The count CUSUM against four times the usual rate: S <- max(0, S + n ln 4 - 3 m) each second. Its last zero before an
alarm is the maximum-likelihood change point of a Poisson flow that jumps from m to 4 m (Page 1954; Lorden 1971). It
dates what was noticed; it raises no alarm itself.
"""

from math import log

import msgspec

_STEP = log(4)


class Onset(msgspec.Struct):
    """The sum as it stood in `second`, and the second it last rose from zero."""

    second: int = 0
    sum: float = 0.0
    since: int = 0

    def update(self, second: int, orders: int, usual: float) -> None:
        """Count the orders of a later second; `usual` orders a second."""
        left = self.sum - 3 * usual * (second - self.second)
        if left <= 0:
            left, self.since = 0.0, second
        self.sum = left + orders * _STEP
        self.second = second
