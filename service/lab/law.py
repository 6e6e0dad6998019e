"""The numbers of the invented market and the law of its order sizes. Owns no randomness of its own and no time.

Sizes are Pareto with density ~ x^-(1+a) on [low, cap]. With a = 0.9 the mean is

    E X = a low^a (cap^(1-a) - low^(1-a)) / ((1-a) (1 - (low/cap)^a))

so `low` follows from the mean wanted. Anchors (detection study, A.4, C.2 and I): 2025 averaged $400-500M a day, that is
$17-21M an hour; positions closed on 2025-10-10 had a tail exponent of 0.75 to 0.9.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DAY_S = 86_400
HOUR_S = 3_600
#: The first midnight: a Monday, 2026-01-05 00:00 UTC, in ms.
EPOCH = 1_767_571_200_000
#: Share of the offspring by clock and the clocks, seconds. Not the detector's 0.4/0.4/0.2 of 2/20/180 s.
BACKGROUND_KERNEL = ((0.5, 1.5), (0.3, 15.0), (0.2, 120.0))
#: A cascade's, before it is stretched.
CASCADE_KERNEL = ((0.4, 2.0), (0.4, 20.0), (0.2, 180.0))

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """Every number of the market. Rates are means over months; ranges are drawn uniformly unless a line says else."""

    orders_per_s: float = 1.2
    """Background orders a second, all venues, their offspring included."""
    mean_usd: float = 4_500.0
    tail: float = 0.9
    cap_usd: float = 40e6
    branching: Range = (0.40, 0.75)
    """Orders one background order causes; a new value after `branching_days` on average."""
    branching_days: float = 10.0
    slow: Range = (0.40, 5.0)
    """Log-rate that reverts to its mean: standard deviation, days."""
    fast: Range = (0.30, 0.25)
    bursts_per_month: float = 10.0
    """News: the exogenous rate alone jumps. Not cascades: nothing in them feeds on itself more than before."""
    burst_times: Range = (3.0, 8.0)
    burst_minutes: Range = (5.0, 20.0)
    burst_side: Range = (0.5, 0.65)
    """Part of the orders during news that falls on one side, whichever."""
    whales_per_month: float = 8.0
    """Single orders with nothing after them; dollars log-uniform."""
    whale_usd: Range = (5e6, 40e6)
    cascades_per_month: float = 10.0
    cascade_usd: Range = (20e6, 4e9)
    """Aimed-at dollars, with density ~ D^-1.3: half aim beyond $100M."""
    reproduction: Range = (1.1, 1.7)
    stretch: Range = (1.0, 8.0)
    """How much slower than `CASCADE_KERNEL`; log-uniform."""
    seeds: Range = (40.0, 300.0)
    """Orders that start a cascade; log-uniform."""
    seed_s: Range = (3.0, 90.0)
    """How fast they come: the mean wait of one, before it is stretched; log-uniform."""
    one_sided: Range = (0.85, 0.99)
    cascade_mean: Range = (1.0, 4.0)
    """Mean order of a cascade in background means: sizes grow in a cascade."""
    cascade_tail: Range = (0.8, 1.1)
    rest_hours: float = 6.0
    """From the end of a cascade to the next onset, at least."""
    symbols: int = 20
    """Contracts; the k-th most active has the weight 1/k."""
    venues: tuple[float, ...] = (0.4, 0.3, 0.2, 0.1)

    def sided(self) -> "Law":
        """The same market whose news hits one side, as news does: then asking for a side spares no rule a burst."""
        return replace(self, burst_side=(0.6, 0.95))

    def quiet(self) -> "Law":
        """The same market without cascades: news, whales and regimes stay. Levels are set on it."""
        return replace(self, cascades_per_month=0.0)


@dataclass(frozen=True, slots=True)
class Sizes:
    """A truncated Pareto law of dollars."""

    tail: float
    low: float
    cap: float

    @classmethod
    def with_mean(cls, mean: float, tail: float, cap: float) -> "Sizes":
        """The law with this mean, found by bisection over its lower end. Raises ValueError outside (1, cap)."""
        if not 1 < mean < cap:
            raise ValueError(f"the mean order must lie between $1 and the largest, ${cap:,.0f}; got ${mean:,.0f}")
        below, above = 1e-3, mean
        for _ in range(80):
            middle = (below * above) ** 0.5
            below, above = (middle, above) if cls(tail, middle, cap).mean < mean else (below, middle)
        return cls(tail, above, cap)

    @property
    def mean(self) -> float:
        """Expected dollars of one order."""
        a, low, cap = self.tail, self.low, self.cap
        kept = 1 - (low / cap) ** a
        if a == 1:
            return float(low * np.log(cap / low) / kept)
        return float(a * low**a * (cap ** (1 - a) - low ** (1 - a)) / ((1 - a) * kept))

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """`count` orders in whole cents."""
        u = rng.random(count)
        usd = self.low * (1 - u * (1 - (self.low / self.cap) ** self.tail)) ** (-1 / self.tail)
        return np.asarray(np.round(usd, 2), dtype=np.float64)


def zipf(count: int) -> Floats:
    """Weights 1/k of `count` symbols, summing to 1."""
    weights = 1.0 / np.arange(1, count + 1)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def log_uniform(rng: np.random.Generator, bounds: Range) -> float:
    """One number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))
