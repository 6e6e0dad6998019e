"""Levels with a stated budget of false alarms: a generalised Pareto tail over block maxima (detection study, B).

Values are maxima of blocks of 15 minutes, so that one burst is one value. Over the last 90 days the top 2 % (at least
30 of them) are excesses above u, of those within an hour only the largest, fitted by the posterior mean of Zhang and
Stephens (2009), which needs no iteration; xi is pulled towards 0.5 with the weight of ten points, and kept in
[0.05, 1.3].

    level(q) = u + sigma/xi ((q/p_u)^(-xi) - 1)          q = budget per 30 days / 2880
    period(y) = 1 / (p_u (1 + xi (y - u)/sigma)^(-1/xi))  blocks, never more than three times the history

What belongs to an episode is no quiet and is not learnt, from its onset to its end. An episode that came to nothing was
a false alarm: it is learnt as one block clipped at the level. Left out, it would let the level sink; whole, it would
lift it. And since a missed cascade would lift the level, so that the next one is missed too (the laboratory ran away
like that), the largest two clusters a month count with the size of the next one only.

Cold start: the settings' level until 3 days are known, a log-linear slide to the fitted one until 30 days.
"""

from bisect import insort
from collections.abc import Sequence
from math import ceil, exp, floor, inf, log, sqrt

import msgspec

#: A block, in seconds, and how many make a day, a month, the memory.
BLOCK_S = 900
A_DAY, A_MONTH, MEMORY = 96, 2880, 8640
#: The part of all blocks that is tail, and the fewest excesses a fit needs.
TAIL, LEAST = 0.02, 30
#: The largest so many clusters of a month may be events that were missed: they count, but not with their size.
UNNOTICED = 2
#: Excesses no more than so many blocks apart are one event, which would alarm once.
TOGETHER = 4
#: Room for more than the tail, since old values leave.
_KEPT = 400
_XI_PRIOR, _XI_WEIGHT, _XI_LOW, _XI_HIGH = 0.5, 10.0, 0.05, 1.3
_KNOWN_DAYS, LEARNT_DAYS = 3.0, 30.0
#: Never call anything rarer than this many times the history.
_BEYOND = 3.0


class Fit(msgspec.Struct, frozen=True):
    """A fitted tail: values above `u` come in the part `p` of all blocks."""

    u: float
    sigma: float
    xi: float
    p: float

    def level(self, q: float) -> float:
        """The value that is exceeded in the part `q` of all blocks."""
        return self.u + self.sigma / self.xi * (exp(-self.xi * log(min(q, self.p) / self.p)) - 1)

    def period(self, value: float) -> float:
        """Blocks from one such value to the next; for values inside the body the shortest that can be told."""
        return exp(log(1 + self.xi * max(0.0, value - self.u) / self.sigma) / self.xi) / self.p


class Tail(msgspec.Struct):
    """The largest block maxima of the last 90 days as (value, block), smallest first."""

    blocks: int = 0
    top: list[tuple[float, int]] = []
    fit: Fit | None = None

    def push(self, value: float, block: int) -> None:
        """A block has ended and is known to be quiet, or a false alarm that was clipped at its level."""
        self.blocks += 1
        if len(self.top) < _KEPT or value > self.top[0][0]:
            insort(self.top, (value, block))
            if len(self.top) > _KEPT:
                del self.top[0]

    def refit(self, block: int) -> None:
        """Fit the tail anew and forget what is older than 90 days; some milliseconds."""
        self.top = [row for row in self.top if row[1] > block - MEMORY]
        known = min(self.blocks, MEMORY)
        excesses = min(len(self.top) - 1, max(LEAST, ceil(TAIL * known)))
        if excesses < LEAST:
            self.fit = None
            return
        u = max(0.0, self.top[-excesses - 1][0])  # growth is zero in most blocks: then all that is not is tail
        over = [value - u for value in clustered(self.top[-excesses:]) if value > u]
        unnoticed = ceil(UNNOTICED * known / A_MONTH)
        if len(over) > 2 * unnoticed:
            over[-unnoticed:] = [over[-unnoticed - 1]] * unnoticed
        fitted = pareto(over) if len(over) >= LEAST // 2 else None
        self.fit = Fit(u=u, sigma=fitted[0], xi=fitted[1], p=len(over) / known) if fitted else None

    @property
    def days(self) -> float:
        """How much has been learnt from."""
        return self.blocks / A_DAY

    def level(self, q: float, configured: float) -> float:
        """The value that alarms in the part `q` of quiet blocks; the configured one while too little is known."""
        slide = min(1.0, (self.days - _KNOWN_DAYS) / (LEARNT_DAYS - _KNOWN_DAYS))
        if self.fit is None or slide <= 0:
            return configured
        return exp((1 - slide) * log(configured) + slide * log(max(self.fit.level(q), 1e-9)))

    def rarity_days(self, value: float) -> float | None:
        """Days from one such block to the next; None while that is not known."""
        if self.fit is None or self.days < LEARNT_DAYS:
            return None
        return min(self.fit.period(value), _BEYOND * min(self.blocks, MEMORY)) / A_DAY


def clustered(rows: Sequence[tuple[float, int]]) -> list[float]:
    """The largest value of each cluster of (value, block) that lie within `TOGETHER` blocks, ascending."""
    found: list[float] = []
    last = -inf
    for value, block in sorted(rows, key=lambda row: row[1]):
        if block - last <= TOGETHER:
            found[-1] = max(found[-1], value)
        else:
            found.append(value)
        last = block
    return sorted(found)


def pareto(excesses: Sequence[float]) -> tuple[float, float] | None:
    """(sigma, xi) of positive, ascending excesses; None where they are all alike."""
    count, largest = len(excesses), excesses[-1]
    quartile = excesses[max(0, floor(count / 4 + 0.5) - 1)]
    if quartile <= 0 or largest <= 0:
        return None
    steps = 20 + floor(sqrt(count))
    thetas = [1 / largest + (1 - sqrt(steps / (step + 0.5))) / (3 * quartile) for step in range(steps)]
    scores = [count * (log(theta / k) + k - 1) if k else -inf for theta, k in ((t, _k(t, excesses)) for t in thetas)]
    best = max(scores)
    weights = [exp(score - best) for score in scores]
    theta = sum(weight * one for weight, one in zip(weights, thetas, strict=True)) / sum(weights)
    k = _k(theta, excesses)
    if not k or not theta:
        return None
    xi = (count * -k + _XI_WEIGHT * _XI_PRIOR) / (count + _XI_WEIGHT)
    return k / theta, min(max(xi, _XI_LOW), _XI_HIGH)


def _k(theta: float, excesses: Sequence[float]) -> float:
    return -sum(log(1 - theta * x) for x in excesses) / len(excesses)
