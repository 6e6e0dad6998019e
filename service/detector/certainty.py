"""How far a share of shorts can be trusted: order sizes have heavy tails, thousands may say as much as twenty.

Owns the effective number of orders, the interval and the type; decides nothing about an episode. Source: detection
study, A.2.

    n_eff      (sum of dollars)^2 / sum of squares                    Kish's effective sample size
    interval   Wilson's for the share p of n_eff orders, z = 1.96     E. B. Wilson, 1927
    whale      the largest order holds 35 % of the dollars, or n_eff < 5: named first, whatever p
    one_sided  p >= 0.80 with the lower end >= 0.65, or the mirror of it
    two_sided  the smaller side holds 30 % and the interval lies inside [0.2, 0.8]
    mixed      everything else
"""

from collections.abc import Iterable
from math import sqrt

from service.model import Certainty

#: 95 % of a normal distribution lie within so many standard deviations.
Z = 1.959964
ONE_SIDED, ONE_SIDED_LOW = 0.80, 0.65
SMALLER_SIDE, TWO_SIDED = 0.30, (0.2, 0.8)
WHALE_SHARE, FEWEST = 0.35, 5.0
_DIGITS = 6


def certainty(orders: Iterable[tuple[float, bool]]) -> Certainty | None:
    """What (dollars, whether a short was closed) of each order say together; None where there are no dollars."""
    short = total = squares = largest = 0.0
    for usd, is_short in orders:
        total += usd
        squares += usd * usd
        largest = max(largest, usd)
        if is_short:
            short += usd
    return of_sums(short, total, squares, largest)


def of_sums(short: float, total: float, squares: float, largest: float) -> Certainty | None:
    """The same from running sums of a window: dollars of shorts, of all, their squares, the largest order."""
    if total <= 0 or squares <= 0:
        return None
    share = min(1.0, short / total)
    n_eff = max(1.0, total * total / squares)
    low, high = wilson(share, n_eff)
    return Certainty(
        type=_type(share, low, high, n_eff, largest / total),
        low=round(low, _DIGITS),
        high=round(high, _DIGITS),
        n_eff=round(n_eff, 2),
    )


def wilson(share: float, number: float) -> tuple[float, float]:
    """The interval of a share seen in `number` draws, which need not be whole; always inside [0, 1]."""
    slack = Z * Z / number
    middle = (share + slack / 2) / (1 + slack)
    half = Z * sqrt(share * (1 - share) / number + slack / (4 * number)) / (1 + slack)
    return max(0.0, middle - half), min(1.0, middle + half)


def is_whale(largest: float, n_eff: float) -> bool:
    """Whether one order carries the total: its part of it (0 to 1), or too few that weigh anything."""
    return largest >= WHALE_SHARE or n_eff < FEWEST


def _type(share: float, low: float, high: float, n_eff: float, largest: float) -> str:
    if is_whale(largest, n_eff):
        return "whale"
    shorts = share >= ONE_SIDED and low >= ONE_SIDED_LOW
    longs = 1 - share >= ONE_SIDED and 1 - high >= ONE_SIDED_LOW
    if shorts or longs:
        return "one_sided"
    if min(share, 1 - share) >= SMALLER_SIDE and low >= TWO_SIDED[0] and high <= TWO_SIDED[1]:
        return "two_sided"
    return "mixed"
