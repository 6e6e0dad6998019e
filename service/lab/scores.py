"""The comparators of the study's table (C.2), each a score by second. Owns their formulas, not how they are judged.

    hour      dollars of the rolling hour                five      dollars of the rolling 5 min
    calendar  dollars of the last whole clock hour       log       z of log dollars of the rolling minute
    cusum     count CUSUM for a fourfold rate            scaled    5 min dollars / (300 m x), m and x from `scale`
    capped    the same with each order capped at its 99th percentile (the study's Y)
    growth    R x breadth (the study's E), written anew here so that the service's own can be held against it

CUSUM of a Poisson rate m against r m (Lorden 1971): S <- max(0, S + n ln r - (r - 1) m).
"""

import numpy as np

from service.lab.day import Day, by_second
from service.lab.law import DAY_S, HOUR_S, Floats
from service.lab.scale import Scale

_FIVE_S = 300
#: Orders in a minute below which growth is not looked at.
_ENOUGH = 30


class Rolling:
    """The sum of the last `span` seconds."""

    def __init__(self, span: int) -> None:
        self._span = span
        self._tail: Floats = np.zeros(span)

    def of(self, values: Floats) -> Floats:
        """For each second of the day, the sum of it and the span - 1 before it."""
        total = np.concatenate([[0.0], np.cumsum(np.concatenate([self._tail, values]))])
        self._tail = values[-self._span :]
        return np.asarray(np.maximum(total[self._span + 1 :] - total[1 : -self._span], 0.0), dtype=np.float64)


class Dollars:
    """Dollars of a rolling span."""

    def __init__(self, span: int) -> None:
        self._rolling = Rolling(span)

    def day(self, day: Day) -> Floats:
        """Dollars, both sides."""
        return self._rolling.of(day.usd_by_s)


class CalendarHour:
    """Dollars of the last whole clock hour: what can be said when the hour is over."""

    def __init__(self) -> None:
        self._last = 0.0

    def day(self, day: Day) -> Floats:
        """The last whole hour's dollars; the second that ends an hour knows them."""
        hours = day.usd_by_s.reshape(-1, HOUR_S).sum(axis=1)
        score = np.repeat(np.concatenate([[self._last], hours[:-1]]), HOUR_S)
        score[HOUR_S - 1 :: HOUR_S] = hours
        self._last = float(hours[-1])
        return score


class LogMinute:
    """How many usual deviations the log dollars of the last minute lie above their mean (12 h memory, 15 min lag)."""

    _KEPT, _LAG = float(np.exp(-1 / 720)), 15

    def __init__(self) -> None:
        self._minute = Rolling(60)
        self._mean, self._square = 8.0, 70.0
        self._past = [(self._mean, 2.0)] * self._LAG

    def day(self, day: Day) -> Floats:
        """Deviations."""
        log = np.log1p(self._minute.of(day.usd_by_s))
        known = list(self._past)
        for value in log[59::60].tolist():
            self._mean = self._KEPT * self._mean + (1 - self._KEPT) * value
            self._square = self._KEPT * self._square + (1 - self._KEPT) * value * value
            known.append((self._mean, max(self._square - self._mean**2, 0.01) ** 0.5))
        self._past = known[-self._LAG :]
        usual = np.repeat(np.array(known[: DAY_S // 60]), 60, axis=0)
        return np.asarray((log - usual[:, 0]) / usual[:, 1], dtype=np.float64)


class Cusum:
    """Evidence, in nats, that orders come `times` as fast as usual."""

    def __init__(self, times: float = 4.0) -> None:
        self._times = times
        self._scale = Scale()
        self._at = 0.0

    def day(self, day: Day) -> Floats:
        """Nats."""
        step = day.count_by_s * np.log(self._times) - (self._times - 1) * self._scale.day(day)
        walk = self._at + np.cumsum(step)
        score = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
        self._at = float(score[-1])
        return np.asarray(score, dtype=np.float64)


class Scaled:
    """Five minutes' dollars in usual dollars of five minutes; `capped` at the 99th percentile of an order, or not."""

    def __init__(self, *, capped: bool, by_hour: bool = True) -> None:
        self._capped = capped
        self._scale = Scale(by_hour=by_hour)
        self._rolling = Rolling(_FIVE_S)
        self.pace: Floats = np.zeros(DAY_S)
        """Usual orders a second of the last day asked for."""

    def day(self, day: Day) -> Floats:
        """Multiples of usual."""
        self.pace = self._scale.day(day)
        middle, high = self._scale.sizes(day)
        usd = np.minimum(day.usd, high) if self._capped else day.usd
        dollars = self._rolling.of(by_second(day, usd))
        return dollars / (_FIVE_S * self.pace * middle)


class Growth:
    """Certainty that the reproduction number is above one, times the log of the capped multiple (study, C.1)."""

    def __init__(self) -> None:
        self._breadth = Scaled(capped=True)
        self._minute = Rolling(60)
        self._a = [0.0, 0.0, 0.0]
        self._gamma = (0.0, 0.0)

    def day(self, day: Day) -> Floats:
        """The score E; 0 with fewer than thirty orders in a minute."""
        breadth = np.log(np.maximum(self._breadth.day(day), 1.0))
        growth = self._growth(day.count_by_s.tolist(), (0.4 * self._breadth.pace).tolist())
        enough = self._minute.of(day.count_by_s) >= _ENOUGH
        return np.asarray(np.maximum(growth + 1, 0) * breadth * enough, dtype=np.float64)

    def _growth(self, counts: list[float], exogenous: list[float]) -> Floats:
        """z_R by second: a Gamma posterior of R that forgets over 90 s, with the prior 3 of 5."""
        k1, k2, k3 = (float(np.exp(-1 / tau)) for tau in (2, 20, 180))
        w1, w2, w3 = 0.4 * (1 - k1), 0.4 * (1 - k2), 0.2 * (1 - k3)
        kept = float(np.exp(-1 / 90))
        (a1, a2, a3), (a, b), z = self._a, self._gamma, list[float]()
        for n, mu in zip(counts, exogenous, strict=True):
            due = w1 * a1 + w2 * a2 + w3 * a3
            r = (a + 3) / (b + 5)
            a = a * kept + n * r * due / (mu + r * due)
            b = b * kept + due
            a1, a2, a3 = k1 * a1 + n, k2 * a2 + n, k3 * a3 + n
            z.append(((a + 3) / (b + 5) - 1) * (b + 5) / (a + 3) ** 0.5)
        self._a, self._gamma = [a1, a2, a3], (a, b)
        return np.array(z)
