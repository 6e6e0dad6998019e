"""What is usual, for the comparators: orders a second by time of day, and the middle order. Looks back only.

    m(t) = tod(half-hour) x EWMA_6h(count / tod) as it was 15 min ago

`tod` is the median count of a half-hour over the days heard divided by its mean, floored at 0.2; weekends apart once
there are 16 weekend days (detection study, B). Lagged, so that an event cannot lift its own bar.
"""

import numpy as np

from service.lab.day import Day
from service.lab.law import DAY_S, Floats

_HALVES = 48
_MINUTES = DAY_S // 60
_EWMA_MIN = 360
_LAG_MIN = 15
_TOD_LEAST = 0.2
_DAYS_LEAST = 30
_DAYS_MOST = 60
_WEEKEND_DAYS = 16
#: Before anything was heard; forgotten within a day.
_COLD_PER_S = 1.2
_COLD_USD = 500.0
_PACE_LEAST = 1e-4


class Scale:
    """Learns day by day; what it says of a day rests on earlier minutes alone."""

    def __init__(self, *, by_hour: bool = True) -> None:
        self._by_hour = by_hour
        self._seen: dict[bool, list[Floats]] = {False: [], True: []}
        self._days = 0
        self._pace = _COLD_PER_S
        self._tail = [_COLD_PER_S] * _LAG_MIN
        self._sizes: list[tuple[float, float]] = []

    def day(self, day: Day) -> Floats:
        """Expected orders a second, for each second of the day."""
        weekend = day.start // (DAY_S * 1_000) % 7 in {2, 3}  # 1970-01-01 was a Thursday
        tod = np.repeat(self._tod(weekend), _MINUTES // _HALVES)
        minutes = day.count_by_s.reshape(_MINUTES, 60).sum(axis=1)
        kept = float(np.exp(-1 / _EWMA_MIN))
        paces = list(self._tail)
        for rate in (minutes / 60 / tod).tolist():
            self._pace = self._pace * kept + rate * (1 - kept)
            paces.append(self._pace)
        self._tail = paces[-_LAG_MIN:]
        self._days += 1
        self._seen[weekend] = [*self._seen[weekend], minutes.reshape(_HALVES, -1).sum(axis=1)][-_DAYS_MOST:]
        pace = np.maximum(np.array(paces[:_MINUTES]) * tod, _PACE_LEAST)
        return np.repeat(pace, 60).astype(np.float64)

    def sizes(self, day: Day) -> tuple[float, float]:
        """The middle order and the 99th percentile, dollars, of the last seven days before this one."""
        known = self._sizes or [(_COLD_USD, 100 * _COLD_USD)]
        if len(day.usd):
            middle, high = np.quantile(day.usd, [0.5, 0.99]).tolist()
            self._sizes = [*self._sizes, (middle, high)][-7:]
        middle, high = np.median(np.array(known), axis=0).tolist()
        return middle, high

    def _tod(self, weekend: bool) -> Floats:
        if self._days < _DAYS_LEAST or not self._by_hour:
            return np.ones(_HALVES)
        apart = len(self._seen[True]) >= _WEEKEND_DAYS
        rows = self._seen[weekend] if apart else self._seen[False] + self._seen[True]
        usual = np.median(np.array(rows), axis=0)
        return np.asarray(np.maximum(usual / max(usual.mean(), 1e-9), _TOD_LEAST), dtype=np.float64)
