"""Curves laid over each other: who is late by how much, and how sure that is. Owns the arithmetic, names nobody.

A curve is the square root of counts in 1 s, smoothed by three running means of 15, 17 and 17 s (a Gaussian of 8.2 s):
the root evens out the noise, since a count varies as much as it is large.

    lag_jk  = where Pearson's r of v_j and the shifted v_k over their overlap is largest, parabola at the peak
    o_k     = mean of lag_jk over all j: least squares over all pairs, sum zero
    noise   = sqrt(Newey-West sum of e_i v'_i) / sum of v'_i w'_i, with e what is left of w when v has been laid over it

The noise is that of the market's own wobble at one venue, which two halves of its orders share and therefore do not
show. The curvature in its denominator is that of the two curves' common part; the slope of one curve alone holds its
noise too and would make the error half of what it is.

Source of the alignment: detection study, section D. Lags are tried up to two minutes, first every 8 s and then every
4 s around the peak; a curve smoothed this much holds nothing finer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, combinations
from operator import mul, sub

#: Largest lag, seconds.
MOST_LAG_S = 120
_BOXES = (15, 17, 17)
_COARSE_S, _FINE_S = 8, 4
_RATIO = _COARSE_S // _FINE_S
#: How far a venue's own wobble is remembered, in fine steps: 40 s.
_MEMORY = 10
#: Two points always lie on a line.
_LEAST_OVERLAP = 3

Curve = list[float]


def smoothed(seconds: Iterable[int], length: int) -> list[int]:
    """Events in the seconds 0 to `length` - 1, smoothed but not divided: integers, so that halves add up exactly."""
    counts = [0] * length
    for second in seconds:
        counts[second] += 1
    for width in _BOXES:
        edge = [0] * (width // 2)
        sums = list(accumulate([*edge, *counts, *edge], initial=0))
        counts = list(map(sub, sums[width:], sums))
    return counts


def rooted(smooth: Sequence[int]) -> Curve:
    """The curve of smoothed counts."""
    return list(map(math.sqrt, smooth[::_FINE_S]))


def lags(curves: Mapping[str, Curve]) -> dict[tuple[str, str], float]:
    """Seconds by which the second of each pair is late against the first, both ways; curves are of one length."""
    fine = {name: _Sums(curve) for name, curve in curves.items()}
    coarse = {name: _Sums(curve[::_RATIO]) for name, curve in curves.items()}
    found = {}
    for one, two in combinations(curves, 2):
        found[one, two] = _peak(fine[one], fine[two], _near(coarse[one], coarse[two]))
        found[two, one] = -found[one, two]
    return found


def offsets(pairs: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """Seconds by which each curve is late against the mean of all, from the lags of all pairs."""
    names = dict.fromkeys(name for name, _ in pairs)
    return {two: sum(pairs[one, two] for one in names if one != two) / len(names) for two in names}


def noise(one: Curve, two: Curve, lag_s: float) -> float:
    """Standard error, in seconds, of `two` being late against `one` by `lag_s`; infinite where they share nothing."""
    lag = round(lag_s / _FINE_S)
    a, b = (one[: len(one) - lag], two[lag:]) if lag >= 0 else (one[-lag:], two[:lag])
    if len(a) < _LEAST_OVERLAP:
        return math.inf
    a, b = _centred(a), _centred(b)
    scale = math.fsum(map(mul, a, b)) / (math.fsum(map(mul, a, a)) or math.inf)
    left = [y - scale * x for x, y in zip(a, b, strict=True)]
    steep = [scale * slope for slope in _slopes(a)]
    score = list(map(mul, left[1:-1], steep))
    total = math.fsum(map(mul, score, score))
    for step in range(1, _MEMORY + 1):
        total += 2 * (1 - step / (_MEMORY + 1)) * math.fsum(map(mul, score, score[step:]))
    shared = math.fsum(map(mul, steep, _slopes(b)))
    return math.sqrt(max(0.0, total)) / shared * _FINE_S if shared > 0 else math.inf


def _centred(curve: Curve) -> Curve:
    mean = math.fsum(curve) / len(curve)
    return [value - mean for value in curve]


def _slopes(curve: Curve) -> Curve:
    return [(after - before) / 2 for before, after in zip(curve, curve[2:], strict=False)]


class _Sums:
    """A curve with its running sums, so that mean and variance of any stretch cost nothing."""

    def __init__(self, values: Curve) -> None:
        self.values = values
        self.sums = list(accumulate(values, initial=0.0))
        self.squares = list(accumulate(map(mul, values, values), initial=0.0))

    def deviation(self, start: int, stop: int) -> float:
        """Root of the squared deviations from the stretch's own mean."""
        total = self.sums[stop] - self.sums[start]
        return math.sqrt(max(0.0, self.squares[stop] - self.squares[start] - total * total / (stop - start)))


def _r(one: _Sums, two: _Sums, lag: int) -> float:
    """Pearson's r of one[i] and two[i + lag] over their overlap; 0 where one of them does not move."""
    n = len(one.values) - abs(lag)
    if n < _LEAST_OVERLAP:
        return 0.0
    i, k = max(0, -lag), max(0, lag)
    spread = one.deviation(i, i + n) * two.deviation(k, k + n)
    if spread <= 0:
        return 0.0
    products: float = sum(map(mul, one.values[i : i + n], two.values[k : k + n]))
    expected = (one.sums[i + n] - one.sums[i]) * (two.sums[k + n] - two.sums[k]) / n
    return (products - expected) / spread


def _near(one: _Sums, two: _Sums) -> int:
    """The best lag in coarse steps; of equal ones the smallest."""
    most = MOST_LAG_S // _COARSE_S
    return max(range(-most, most + 1), key=lambda lag: (_r(one, two, lag), -abs(lag)))


def _peak(one: _Sums, two: _Sums, near: int) -> float:
    """Seconds by which `two` is late, from the fine steps around the best coarse one."""
    tried = range((near - 1) * _RATIO - 1, (near + 1) * _RATIO + 2)
    scores = [_r(one, two, lag) for lag in tried]
    best = max(range(1, len(scores) - 1), key=scores.__getitem__)
    before, peak, after = scores[best - 1 : best + 2]
    bend = before - 2 * peak + after
    shift = (before - after) / (2 * bend) if bend < 0 else 0.0
    return (tried[best] + max(-0.5, min(0.5, shift))) * _FINE_S
