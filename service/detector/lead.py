"""Who went first: the venues' curves laid over each other. Owns the alignment; must not call coincidence a cause.

Source: detection study, section D. First ticks and 10 % points are bad witnesses (a sampled feed flattens its curve and
moves them), so whole curves are aligned:

    v_k    = sqrt(counts in 1 s, smoothed by three running means of 15, 17 and 17 s: a Gaussian of 8.2 s)
    lag_jk = where the correlation of v_j with the shifted v_k is largest, Pearson over the overlap, parabola at the peak
    o_k    = mean of lag_jk over all j: the least squares offsets over all pairs, sum zero
    spread = how far offsets from two random halves of every venue's orders lie apart, halved: two halves vary four times
             as much as the whole does

A leader is named only if it leads the next venue by more than twice the spread, the clock errors of both feeds together
and 3 s. The seconds themselves come out too small (a smoothed curve remembers its past): the order is to be read, not
the number.

Cost is bounded by the grid, not by the orders: at most half an hour after the onset is looked at, lags up to two minutes,
first every 8 s and then every 4 s around the peak.
"""

import math
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, combinations, pairwise
from operator import mul, sub
from types import MappingProxyType

from service.model import MINUTE, SECOND, Lead, Liquidation

#: A venue with fewer orders has no curve.
LEAST_ORDERS = 150
#: What counts as together whatever the spread says, seconds.
FLOOR_S = 3.0
#: How wrong a venue's clock may be where nobody knows better, seconds.
CLOCK_ERROR_S = 1.0
#: The stretch that is looked at: from this long before the onset to this long after it, ms.
BEFORE, AFTER = 2 * MINUTE, 30 * MINUTE
#: Largest lag, seconds.
MOST_LAG_S = 120
_BOXES = (15, 17, 17)
_COARSE_S, _FINE_S = 8, 4
_SPLITS = 3
_EARLY = 0.1
_MEMORY = 10

Curve = list[float]
Curves = Mapping[str, Curve]


def lead(
    orders: Sequence[Liquidation],
    onset: int,
    until: int,
    clock_error_s: Mapping[str, float] = MappingProxyType({}),
) -> Lead | None:
    """Who led from `onset` to `until` (ms UTC), or how close together they went; None with fewer than two curves.

    `orders` are those of one market and side, best from two minutes before the onset on: a cut edge is the same for
    all venues and hides a lead. Dollars of `share` are those between onset and `until`.
    """
    since, end = onset - BEFORE, min(until, onset + AFTER)
    seconds = (end - since) // SECOND + 1
    venues: dict[str, list[Liquidation]] = defaultdict(list)
    for order in orders:
        if since <= order.at <= end:
            venues[order.venue].append(order)
    heard = {name: rows for name, rows in sorted(venues.items()) if len(rows) >= LEAST_ORDERS}
    if len(heard) < 2:  # noqa: PLR2004  # it takes two to follow each other
        return None
    whole = {name: _smooth(_counts(rows, since, seconds)) for name, rows in heard.items()}
    curves = {name: _rooted(curve) for name, curve in whole.items()}
    offsets = _offsets(curves)
    first = min(offsets, key=offsets.__getitem__)
    halves = _halves(heard, whole, since)
    ahead = {name: late - offsets[first] for name, late in offsets.items() if name != first}
    least = {
        name: max(
            2 * math.hypot(_split_error(halves, first, name), _own_noise(curves[first], curves[name], ahead[name])),
            clock_error_s.get(first, CLOCK_ERROR_S) + clock_error_s.get(name, CLOCK_ERROR_S),
            FLOOR_S,
        )
        for name in ahead
    }
    early = _first_to_a_tenth(heard, onset)
    if any(ahead[name] <= least[name] for name in ahead):
        within = max(*ahead.values(), *(least[name] for name in ahead if ahead[name] <= least[name]))
        return Lead(venue=None, symbol=None, at=None, share=None, within_s=round(within, 1), first_venue=early)
    return _named(first, [order for order in orders if onset <= order.at <= until], since, whole[first], early)


def _named(name: str, orders: Sequence[Liquidation], since: int, curve: Sequence[int], early: str) -> Lead:
    contracts: dict[str, float] = defaultdict(float)
    for order in orders:
        if order.venue == name:
            contracts[order.symbol] += order.usd
    total = math.fsum(order.usd for order in orders)
    return Lead(
        venue=name,
        symbol=max(contracts, key=contracts.__getitem__) if contracts else None,
        at=since + _rise(curve) * SECOND,
        share=round(math.fsum(contracts.values()) / total, 4) if total else None,
        within_s=None,
        first_venue=early,
    )


def _rise(curve: Sequence[int]) -> int:
    """The last second before a curve's peak in which it stood below a tenth of it."""
    peak = max(range(len(curve)), key=curve.__getitem__)
    low = _EARLY * curve[peak]
    return next((at for at in range(peak, -1, -1) if curve[at] < low), 0)


def _first_to_a_tenth(venues: Mapping[str, Sequence[Liquidation]], onset: int) -> str:
    """The venue that had a tenth of its own dollars since the onset first."""

    def when(name: str) -> tuple[float, str]:
        rows = sorted((order.at, order.usd) for order in venues[name] if order.at >= onset)
        sums = list(accumulate(usd for _, usd in rows))
        return next((at for (at, _), so_far in zip(rows, sums, strict=True) if so_far >= _EARLY * sums[-1]), math.inf), name

    return min(map(when, venues))[1]


def _counts(orders: Sequence[Liquidation], since: int, seconds: int) -> list[int]:
    counts = [0] * seconds
    for order in orders:
        counts[(order.at - since) // SECOND] += 1
    return counts


def _smooth(counts: list[int]) -> list[int]:
    """Three running means without their division: integers, so that two halves add up to the whole exactly."""
    for width in _BOXES:
        edge = [0] * (width // 2)
        sums = list(accumulate([*edge, *counts, *edge], initial=0))
        counts = list(map(sub, sums[width:], sums))
    return counts


def _rooted(curve: Sequence[int]) -> Curve:
    """The square root evens out the noise: a count varies as much as it is large."""
    return list(map(math.sqrt, curve[::_FINE_S]))


def _offsets(curves: Curves) -> dict[str, float]:
    """Seconds by which each venue is late against their mean."""
    finer = {name: _Sums(curve) for name, curve in curves.items()}
    coarse = {name: _Sums(curve[:: _COARSE_S // _FINE_S]) for name, curve in curves.items()}
    offsets = dict.fromkeys(curves, 0.0)
    for one, two in combinations(curves, 2):
        lag = _lag(coarse[one], coarse[two], finer[one], finer[two])
        offsets[two] += lag / len(curves)
        offsets[one] -= lag / len(curves)
    return offsets


def _halves(
    venues: Mapping[str, Sequence[Liquidation]], whole: Mapping[str, Sequence[int]], since: int
) -> list[dict[str, float]]:
    """Offsets of one random half of the orders less those of the other, for every split, in seconds."""
    found = []
    for bit in range(_SPLITS):
        one = {
            name: _smooth(_counts([o for o in rows if _coin(o.id) >> bit & 1], since, len(whole[name])))
            for name, rows in venues.items()
        }
        two = {name: list(map(sub, whole[name], one[name])) for name in venues}
        a, b = (_offsets({name: _rooted(curve) for name, curve in half.items()}) for half in (one, two))
        found.append({name: a[name] - b[name] for name in venues})
    return found


def _split_error(halves: Sequence[Mapping[str, float]], one: str, two: str) -> float:
    """Standard error of the whole's lead: two halves differ by twice that."""
    return math.sqrt(math.fsum((half[two] - half[one]) ** 2 for half in halves) / len(halves)) / 2


def _own_noise(one: Curve, two: Curve, lag_s: float) -> float:
    """Standard error of the lag of `two` on `one` from what is left of `two` when `one` has been laid over it, seconds."""
    lag = round(lag_s / _FINE_S)
    a, b = (one[: len(one) - lag], two[lag:]) if lag >= 0 else (one[-lag:], two[:lag])
    n = len(a)
    mean_a, mean_b = math.fsum(a) / n, math.fsum(b) / n
    slope = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True)) / sum((x - mean_a) ** 2 for x in a)
    rest = [y - mean_b - slope * (x - mean_a) for x, y in zip(a, b, strict=True)]
    steep = _slopes(a)
    score = list(map(mul, rest[1:-1], steep))
    total = math.fsum(map(mul, score, score))
    for step in range(1, _MEMORY + 1):
        total += 2 * (1 - step / (_MEMORY + 1)) * math.fsum(map(mul, score, score[step:]))
    shared = math.fsum(map(mul, steep, _slopes(b)))
    return math.sqrt(max(0.0, total)) / shared * _FINE_S if shared > 0 else math.inf


def _slopes(curve: Curve) -> Curve:
    return [(after - before) / 2 for before, after in zip(curve, curve[2:], strict=False)]


def _coin(text: str) -> int:
    """Random bits that are the same in every process and on every replica."""
    return (zlib.crc32(text.encode()) * 0x9E3779B1 & 0xFFFFFFFF) >> 16


class _Sums:
    """A curve with its running sums, so that the mean and variance of any stretch cost nothing."""

    def __init__(self, values: Curve) -> None:
        self.values = values
        self.sums = list(accumulate(values, initial=0.0))
        self.squares = list(accumulate(map(mul, values, values), initial=0.0))

    def deviation(self, start: int, stop: int) -> float:
        total = self.sums[stop] - self.sums[start]
        return math.sqrt(max(0.0, self.squares[stop] - self.squares[start] - total * total / (stop - start)))


def _correlation(one: _Sums, two: _Sums, lag: int) -> float:
    """Pearson's r of one[i] and two[i + lag] over their overlap; 0 where one of them does not move."""
    n = len(one.values) - abs(lag)
    if n < 3:  # noqa: PLR2004  # two points always lie on a line
        return 0.0
    i, k = max(0, -lag), max(0, lag)
    spread = one.deviation(i, i + n) * two.deviation(k, k + n)
    if spread <= 0:
        return 0.0
    products = sum(map(mul, one.values[i : i + n], two.values[k : k + n]))
    return (products - (one.sums[i + n] - one.sums[i]) * (two.sums[k + n] - two.sums[k]) / n) / spread


def _lag(coarse_one: _Sums, coarse_two: _Sums, one: _Sums, two: _Sums) -> float:
    """Seconds by which `two` is late against `one`."""
    most = MOST_LAG_S // _COARSE_S
    near = max(range(-most, most + 1), key=lambda lag: (_correlation(coarse_one, coarse_two, lag), -abs(lag)))
    ratio = _COARSE_S // _FINE_S
    tried = range(near * ratio - ratio - 1, near * ratio + ratio + 2)
    scores = [_correlation(one, two, lag) for lag in tried]
    best = max(range(1, len(scores) - 1), key=scores.__getitem__)
    before, peak, after = scores[best - 1 : best + 2]
    bend = before - 2 * peak + after
    shift = (before - after) / (2 * bend) if bend < 0 else 0.0
    return (tried[best] + max(-0.5, min(0.5, shift))) * _FINE_S
