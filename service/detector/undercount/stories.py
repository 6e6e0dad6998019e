"""How many orders came, going by how much was searched before one was seen: three stories of their rate.

A second that shows its largest order x tells that nothing above x came: it was searched only as far as S(x), the part
of all orders above x. An empty second was searched wholly. With e the exposure of a slot (S(x), or 1), the chance of
what was seen is lambda f(x) exp(-lambda e), or exp(-lambda e). So (detection study, E)

    one      one rate:                 lambda = K / sum(e)
    gamma    rates of Gamma(a, b):     chance a b^a / (b + e)^(a+1), or (b / (b + 1))^a; lambda_j = (a + 1) / (b + e_j)
    silent   the same, or one rate, in some slots, and nothing ever in the others (an engine that works in batches):
             occupied slots given that they are, chance over 1 - (b / (b + 1))^a; how many there are tells nothing

Each is a part of the next; the simplest stands unless the next is better by `WORTH` units of log-likelihood. b is found
by Newton's steps in its logarithm for each a of a grid. Pure arithmetic.
"""

from collections.abc import Callable, Sequence
from math import exp, expm1, inf, log, log1p, prod
from typing import NamedTuple

#: Log-likelihood a richer story must gain, and how far below the best one a story still counts for the interval.
WORTH, STILL = 2.5, 4.0
#: How unequal rates may be, most first; equal rates are a story of their own.
_GRID = (0.3, 0.8, 2.0, 5.0)
_STEPS, _ENOUGH, _FAR = 8, 0.02, 1.5
_LEAST, _MOST = 1e-4, 1e4
#: Occupied slots in one product: more of them could leave the range of a float.
_CHUNK = 50


class Story(NamedTuple):
    """Rates are (shape + 1) / (b + e), or `rate` alone where a is infinite."""

    likelihood: float
    a: float
    b: float
    rate: float


def stories(exposures: Sequence[float], empty: float) -> list[Story]:
    """The story that stands first, then the others that still count."""
    count, whole = len(exposures), sum(exposures)
    rate = count / (whole + empty)
    one = Story(count * log(rate) - count, inf, inf, rate)
    found = [one, _unequal(exposures, empty, rate)]
    if empty:
        found.append(_silent(exposures, empty, whole))
    best = found[0]
    for story in found[1:]:
        best = story if story.likelihood > best.likelihood + WORTH else best
    top = max(story.likelihood for story in found)
    return [best, *(story for story in found if story is not best and story.likelihood > top - STILL)]


def _unequal(exposures: Sequence[float], empty: float, rate: float) -> Story:
    # the slope of the likelihood where rates begin to differ: below 0 none of them is better
    score = sum([(1 - rate * e) ** 2 - 1 for e in exposures]) + empty * rate * rate
    if score <= 0 or len(exposures) == 1:
        return Story(-inf, inf, inf, rate)

    def slope(a: float, b: float) -> tuple[float, float]:
        return empty * a / (b * (b + 1)), empty * a * (1 / (b + 1) ** 2 - 1 / b**2)

    def extra(a: float, b: float) -> float:
        return -empty * a * log1p(1 / b)

    return _best(exposures, rate, slope, extra)


def _silent(exposures: Sequence[float], empty: float, whole: float) -> Story:
    """Slots that can be occupied are all as the occupied ones; the others stay out."""
    count = len(exposures)
    taken = count / (count + empty)
    split = count * log(count / (count + empty)) + empty * log(empty / (count + empty))
    rate = _truncated(whole / count)
    if count == 1 or -expm1(-rate) < taken:
        return Story(-inf, inf, inf, rate)  # slots can be silent, they cannot be busier than all of them
    one = Story(count * (log(rate) - log(-expm1(-rate))) - rate * whole + split, inf, inf, rate)

    def slope(a: float, b: float) -> tuple[float, float]:
        none = exp(-a * log1p(1 / b))
        odds, step = none / (1 - none), a / (b * (b + 1))
        bend = odds * (1 + odds) * step * step - odds * a * (2 * b + 1) / (b * (b + 1)) ** 2
        return count * odds * step, count * bend

    def extra(a: float, b: float) -> float:
        return split - count * log(-expm1(-a * log1p(1 / b)))

    unequal = _best(exposures, rate, slope, extra)
    if unequal.likelihood <= one.likelihood + WORTH or -expm1(-unequal.a * log1p(1 / unequal.b)) < taken:
        return one
    return unequal


def _truncated(mean: float) -> float:
    """The rate at which exposures of occupied slots have this mean: 1 / rate - 1 / (e^rate - 1)."""
    rate = 1 / mean
    if mean >= 0.5:  # noqa: PLR2004  # a rate of nothing leaves exposures spread evenly over 0 to 1
        return _LEAST
    for _ in range(_STEPS):
        grown = expm1(min(rate, 300.0))
        value = 1 / rate - 1 / grown - mean
        bend = -1 / rate**2 + (grown + 1) / grown**2
        step = value / bend
        rate = max(rate / 4, rate - step)
        if abs(step) < _ENOUGH * rate:
            break
    return max(rate, _LEAST)


def _best(
    exposures: Sequence[float],
    rate: float,
    slope: Callable[[float, float], tuple[float, float]],
    extra: Callable[[float, float], float],
) -> Story:
    best, b, count = Story(-inf, inf, inf, rate), _GRID[0] / rate, len(exposures)
    last = _GRID[0]
    for a in _GRID:
        b = _solve(exposures, a, b * a / last, slope)
        last = a
        logs = sum(log(prod([b + e for e in exposures[at : at + _CHUNK]])) for at in range(0, count, _CHUNK))
        likelihood = count * (log(a) + a * log(b)) - (a + 1) * logs + extra(a, b)
        if likelihood < best.likelihood:
            break
        best = Story(likelihood, a, b, rate)
    return best


def _solve(
    exposures: Sequence[float], a: float, b: float, slope: Callable[[float, float], tuple[float, float]]
) -> float:
    """The b of the largest likelihood, by Newton's steps in ln b, none of them wild."""
    count = len(exposures)
    for _ in range(_STEPS):
        parts = [1 / (b + e) for e in exposures]
        first, second = slope(a, b)
        first += count * a / b - (a + 1) * sum(parts)
        second += (a + 1) * sum([part * part for part in parts]) - count * a / (b * b)
        uphill, bend = b * first, b * b * second + b * first
        step = -uphill / bend if bend < 0 else (_FAR if uphill > 0 else -_FAR)
        step = min(max(step, -_FAR), _FAR)
        b = min(max(b * exp(step), _LEAST), _MOST)
        if abs(step) < _ENOUGH:
            break
    return b
