"""Who went first. Owns when a leader may be named; must not call coincidence a cause.

Source: detection study, section D. First ticks and 10 % points are bad witnesses (a sampled feed flattens its curve and
moves them), so whole curves are laid over each other (`align`). A leader is named only if it is ahead of every other
venue by more than

    max(2 x spread, the clock errors of both feeds together, 3 s),   spread^2 = halves^2 + noise^2 + doubt^2

where `halves` is half of what the offsets from two random halves of every venue's orders differ by (two halves vary
four times as much as the whole), root mean square of three splits, `noise` is what halves cannot show, and `doubt` is
how far the two venues' own lag lies from what all pairs together say. Otherwise they went together. The seconds
themselves come out too small: the order is to be read, not the number.

Cost is bounded by the grid and not by the orders: at most half an hour after the onset is looked at.
"""

import math
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import sub
from types import MappingProxyType

from service.detector import align
from service.model import MINUTE, SECOND, Lead, Liquidation

#: A venue with fewer orders has no curve.
LEAST_ORDERS = 150
#: Sooner after the onset the curves are one rising edge: cut at 2.5 min, 4 in 100 invented cascades without a leader
#: got one; cut here, 2.5.
LEAST_SPAN = 3 * MINUTE
#: What counts as together whatever the spread says, seconds.
FLOOR_S = 3.0
#: How wrong a venue's clock may be where nobody knows better, seconds.
CLOCK_ERROR_S = 1.0
#: The stretch that is looked at: from this long before the onset to this long after it, ms.
BEFORE, AFTER = 2 * MINUTE, 30 * MINUTE
#: How many curves it takes to follow each other.
_LEAST_VENUES = 2
_SPLITS = 3
_EARLY = 0.1

Venues = Mapping[str, Sequence[Liquidation]]


def lead(
    orders: Sequence[Liquidation],
    onset: int,
    until: int,
    clock_error_s: Mapping[str, float] = MappingProxyType({}),
) -> Lead | None:
    """Who led from `onset` to `until` (ms UTC), or how close together they went; None where nobody can say.

    Nobody can say in the first three minutes, with fewer than two venues of `LEAST_ORDERS`, or when a curve has nothing
    in common with the first. `orders` are those of one market and side, best from two minutes before the onset on: an
    edge that cuts all venues at once hides a lead. `at` is the leader's own onset, the last second before its peak that
    stood below a tenth of it (None when that was before all of this); `share` its part of the dollars from `onset` to
    `until`. `clock_error_s` is seconds by venue, `CLOCK_ERROR_S` for every venue it does not name.
    """
    since, end = onset - BEFORE, min(until, onset + AFTER)
    heard = _heard(orders, since, end)
    if until - onset < LEAST_SPAN or len(heard) < _LEAST_VENUES:
        return None
    smooth, halves = _curves(heard, since, (end - since) // SECOND + 1)
    curves = {name: align.rooted(curve) for name, curve in smooth.items()}
    pairs = align.lags(curves)
    late = align.offsets(pairs)
    first = min(late, key=late.__getitem__)
    ahead = {name: late[name] - late[first] for name in late if name != first}
    least = {}
    for name, lag in ahead.items():
        pair = pairs[first, name]
        noise = align.noise(curves[first], curves[name], pair)
        spread = math.hypot(_split_error(halves, first, name), noise, pair - lag)
        clocks = clock_error_s.get(first, CLOCK_ERROR_S) + clock_error_s.get(name, CLOCK_ERROR_S)
        least[name] = max(2 * spread, clocks, FLOOR_S)
    early = _first_to_a_tenth(heard, onset)
    unsure = [least[name] for name in ahead if ahead[name] <= least[name]]
    if unsure:
        within = max(*unsure, *ahead.values())
        return _together(within, early) if math.isfinite(within) else None
    return _named(first, [order for order in orders if onset <= order.at <= until], since, smooth[first], early)


def _heard(orders: Sequence[Liquidation], since: int, end: int) -> Venues:
    venues: dict[str, list[Liquidation]] = defaultdict(list)
    for order in orders:
        if since <= order.at <= end:
            venues[order.venue].append(order)
    return {name: rows for name, rows in sorted(venues.items()) if len(rows) >= LEAST_ORDERS}


def _curves(venues: Venues, since: int, length: int) -> tuple[dict[str, list[int]], list[dict[str, float]]]:
    """Smoothed counts by venue, and for each split how far the offsets of its two halves lie apart, in seconds."""
    seconds = {name: [(order.at - since) // SECOND for order in rows] for name, rows in venues.items()}
    coins = {name: [_coin(order.id) for order in rows] for name, rows in venues.items()}
    whole = {name: align.smoothed(rows, length) for name, rows in seconds.items()}
    apart = []
    for bit in range(_SPLITS):
        one = {
            name: align.smoothed([at for at, coin in zip(rows, coins[name], strict=True) if coin >> bit & 1], length)
            for name, rows in seconds.items()
        }
        two = {name: list(map(sub, whole[name], one[name])) for name in whole}
        a, b = (
            align.offsets(align.lags({name: align.rooted(curve) for name, curve in half.items()}))
            for half in (one, two)
        )
        apart.append({name: a[name] - b[name] for name in whole})
    return whole, apart


def _coin(text: str) -> int:
    """Sixteen random bits that are the same in every process and on every replica."""
    return (zlib.crc32(text.encode()) * 0x9E3779B1 & 0xFFFFFFFF) >> 16


def _split_error(halves: Sequence[Mapping[str, float]], one: str, two: str) -> float:
    return math.sqrt(math.fsum((half[two] - half[one]) ** 2 for half in halves) / len(halves)) / 2


def _together(within_s: float, early: str | None) -> Lead:
    return Lead(venue=None, symbol=None, at=None, share=None, within_s=float(math.ceil(within_s)), first_venue=early)


def _named(name: str, orders: Sequence[Liquidation], since: int, smooth: Sequence[int], early: str | None) -> Lead:
    contracts: dict[str, float] = defaultdict(float)
    for order in orders:
        if order.venue == name:
            contracts[order.symbol] += order.usd
    total = math.fsum(order.usd for order in orders)
    return Lead(
        venue=name,
        symbol=max(contracts, key=contracts.__getitem__) if contracts else None,
        at=None if (rise := _rise(smooth)) is None else since + rise * SECOND,
        share=round(math.fsum(contracts.values()) / total, 4) if total else None,
        within_s=None,
        first_venue=early,
    )


def _rise(smooth: Sequence[int]) -> int | None:
    """The last second before a curve's peak in which it stood below a tenth of it; None when it never did."""
    peak = max(range(len(smooth)), key=smooth.__getitem__)
    low = _EARLY * smooth[peak]
    return next((at for at in range(peak, -1, -1) if smooth[at] < low), None)


def _first_to_a_tenth(venues: Venues, onset: int) -> str | None:
    """The venue that had a tenth of its own dollars since the onset first."""
    when: dict[str, int] = {}
    for name, orders in venues.items():
        rows = sorted((order.at, order.usd) for order in orders if order.at >= onset)
        sums = list(accumulate(usd for _, usd in rows))
        if rows:
            when[name] = rows[bisect_left(sums, _EARLY * sums[-1])][0]
    return min(when, key=when.__getitem__) if when else None
