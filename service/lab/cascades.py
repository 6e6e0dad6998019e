"""Cascades with known truth: when they begin, how they grow, what they cost. Owns growth and its record.

Renewal growth with burning fuel, second by second:

    n(t) ~ Poisson( R0 (1 - burnt/fuel) sum_k w_k (1 - d_k) A_k )
    A_k <- d_k A_k + n,   d_k = exp(-1 / (stretch tau_k))

Final size of such growth is the root of 1 - z = exp(-R0 z) (Kermack and McKendrick 1927), so fuel = wanted orders / z.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace

import numpy as np

from service.lab.day import Day
from service.lab.law import CASCADE_KERNEL, DAY_S, EPOCH, Floats, Ints, Law, Sizes, log_uniform, zipf

_LONGEST_S = 12 * 3_600
_TRIES = 25
#: Growth has ended when fewer orders than this are still to come of those before.
_SPENT = 0.05
_MONTH_S = 30 * DAY_S
#: Density of the wanted dollars ~ D^-(1+a).
_DOLLARS_TAIL = 0.3


@dataclass(frozen=True)
class Truth:
    """One cascade as it was. Times ms UTC; `end` is its last order.

    `hour_at` is when the true rolling hour of all orders rose past $100M, half of it at least its own: None if never.
    """

    number: int
    onset: int
    end: int
    short: bool
    usd: float
    orders: int
    reproduction: float
    stretch: float
    seconds: tuple[int, ...]
    """Seconds (their ends, ms UTC) in which it had orders ..."""
    gone_usd: tuple[float, ...]
    """... and its dollars up to then."""
    hour_at: int | None = None

    def gone(self, at: int) -> float:
        """The part of its dollars that had fallen by `at`."""
        place = bisect_right(self.seconds, at)
        return self.gone_usd[place - 1] / self.usd if place else 0.0

    def with_hour(self, at: int) -> "Truth":
        """The same, its hour known."""
        return replace(self, hour_at=at)


@dataclass(frozen=True)
class Cascade:
    """A cascade's truth and its orders; `start` of the orders' columns is the midnight before its onset."""

    truth: Truth
    orders: Day


class Cascades:
    """Deals cascades one after another, none within hours of another's end."""

    def __init__(self, law: Law, seed: int) -> None:
        self._law = law
        self._seed = seed
        self._number = 0
        self._symbols = zipf(law.symbols)
        self._free_at = EPOCH
        self._next: int | None = self._gap(np.random.default_rng([seed, 3]))

    def until(self, end: int) -> list[Cascade]:
        """All whose onset lies before `end` and that were not dealt yet."""
        dealt = []
        while self._next is not None and self._next < end:
            rng = np.random.default_rng([self._seed, 4, self._number])
            dealt.append(self._deal(rng, self._next))
            self._free_at = dealt[-1].truth.end
            self._number += 1
            self._next = self._gap(rng)
        return dealt

    def _gap(self, rng: np.random.Generator) -> int | None:
        if not self._law.cascades_per_month:
            return None
        rest = self._law.rest_hours * 3_600
        mean = _MONTH_S / self._law.cascades_per_month
        return int(self._free_at + (rest + rng.exponential(max(1.0, mean - rest))) * 1_000)

    def _deal(self, rng: np.random.Generator, onset: int) -> Cascade:
        law = self._law
        r0, stretch = float(rng.uniform(*law.reproduction)), log_uniform(rng, law.stretch)
        mean = law.mean_usd * rng.uniform(*law.cascade_mean)
        sizes = Sizes.with_mean(mean, rng.uniform(*law.cascade_tail), law.cap_usd)
        low, high = (bound**-_DOLLARS_TAIL for bound in law.cascade_usd)
        wanted = (low - rng.random() * (low - high)) ** (-1 / _DOLLARS_TAIL) / sizes.mean
        seeds = np.sort(rng.exponential(log_uniform(rng, law.seed_s) * stretch, round(log_uniform(rng, law.seeds))))
        per_second = _grown(rng, r0, stretch, wanted, np.bincount((seeds - seeds[0]).astype(np.int64)).tolist())
        second = np.repeat(np.arange(len(per_second)), per_second)
        at: Ints = np.sort(onset + second * 1_000 + rng.integers(0, 1_000, len(second)))
        orders = self._dressed(rng, at, sizes.draw(rng, len(at)))
        return Cascade(self._truth(orders, r0, stretch), orders)

    def _dressed(self, rng: np.random.Generator, at: Ints, usd: Floats) -> Day:
        """Sides, venues and contracts; each cascade leans to its own venues and contracts."""
        law, count = self._law, len(at)
        venues = rng.dirichlet(np.array(law.venues) * 8)
        symbols = rng.dirichlet(self._symbols * 8 + 1e-3)
        side, share = bool(rng.integers(2)), rng.uniform(*law.one_sided)
        return Day(
            int(at[0] - at[0] % (DAY_S * 1_000)),
            at,
            usd,
            (rng.random(count) < share) == side,
            rng.choice(len(venues), count, p=venues).astype(np.int8),
            rng.choice(len(symbols), count, p=symbols).astype(np.int16),
            np.full(count, self._number, np.int32),
        )

    def _truth(self, orders: Day, r0: float, stretch: float) -> Truth:
        seconds, first = np.unique(orders.at // 1_000, return_index=True)
        return Truth(
            number=self._number,
            onset=int(orders.at[0]),
            end=int(orders.at[-1]),
            short=bool(orders.usd[orders.short].sum() > orders.usd.sum() / 2),
            usd=float(orders.usd.sum()),
            orders=len(orders.at),
            reproduction=r0,
            stretch=stretch,
            seconds=tuple(((seconds + 1) * 1_000).tolist()),
            gone_usd=tuple(np.cumsum(np.add.reduceat(orders.usd, first)).tolist()),
        )


def final_size(r0: float) -> float:
    """The part of the fuel that burns in the end: the root of 1 - z = exp(-r0 z) above 0. r0 above 1."""
    z = 1.0
    for _ in range(400):
        z = 1 - float(np.exp(-r0 * z))
    return z


def _grown(rng: np.random.Generator, r0: float, stretch: float, wanted: float, seeds: list[int]) -> list[int]:
    """Orders by second from the first seed on; `seeds` by second. Growth that dies at once is tried again."""
    best: list[int] = []
    for _ in range(_TRIES):
        grown = _growth(rng, r0, stretch, wanted / final_size(r0), seeds)
        best = max(best, grown, key=sum)
        if sum(best) >= wanted / 2:
            break
    return best


def _growth(rng: np.random.Generator, r0: float, stretch: float, fuel: float, seeds: list[int]) -> list[int]:
    (s1, t1), (s2, t2), (s3, t3) = CASCADE_KERNEL
    k1, k2, k3 = (float(np.exp(-1 / (tau * stretch))) for tau in (t1, t2, t3))
    a1 = a2 = a3 = burnt = 0.0
    left, counts = sum(seeds), list[int]()
    for seed in (seeds + [0] * _LONGEST_S)[:_LONGEST_S]:
        r = r0 * max(0.0, 1 - burnt / fuel)
        n = seed + int(rng.poisson(r * (s1 * (1 - k1) * a1 + s2 * (1 - k2) * a2 + s3 * (1 - k3) * a3)))
        a1, a2, a3 = k1 * a1 + n, k2 * a2 + n, k3 * a3 + n
        burnt += n
        left -= seed
        counts.append(n)
        if not left and r * (s1 * a1 + s2 * a2 + s3 * a3) < _SPENT:
            break
    return counts
