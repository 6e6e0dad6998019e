"""Markets that never were: orders of several venues by the minute, in clusters, through the day, with storms.

Rates are those measured on a quiet day (18 September 2026: OKX 4.5, Binance 2.7, Bybit 2.2, Gate 1.8, HTX 0.23, Aster
0.08 orders a minute); Bitget's is a guess by its share of the dollars. All venues share the day's mood, and each has one
of its own; an order begets others of its coin on its venue.
"""

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

RATES: Mapping[str, float] = {
    "okx": 4.5,
    "binance": 2.7,
    "bybit": 2.2,
    "gate": 1.8,
    "bitget": 1.5,
    "htx": 0.23,
    "aster": 0.08,
}
DAY = 1440

_COINS = [f"COIN{number}" for number in range(250)]
#: A few coins are hit often, most hardly ever.
_WEIGHTS = list(itertools.accumulate((number + 3) ** -0.8 for number in range(250)))


class Hit(NamedTuple):
    """An order: minutes from the start, venue, coin."""

    at: float
    venue: str
    coin: str


class Storm(NamedTuple):
    """From minute `first` to `last` the whole market runs at so many times its usual rate."""

    first: float
    last: float
    times: float


class Mood:
    """A factor that wanders around 1 and returns within `minutes` or so."""

    def __init__(self, rng: random.Random, spread: float, minutes: float) -> None:
        self._rng, self._spread, self._minutes, self._log = rng, spread, minutes, 0.0

    def next(self) -> float:
        """One minute on."""
        kick = self._spread * math.sqrt(2 / self._minutes)
        self._log += -self._log / self._minutes + self._rng.gauss(0, kick)
        return math.exp(self._log - self._spread**2 / 2)


def poisson(rng: random.Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    edge, count, product = math.exp(-mean), 0, rng.random()
    while product > edge:
        count += 1
        product *= rng.random()
    return count


def market(
    seed: int,
    minutes: int = DAY,
    rates: Mapping[str, float] = RATES,
    *,
    offspring: float = 0.6,
    moods: tuple[float, float] = (0.5, 0.4),
    storms: Sequence[Storm] = (),
    bursts: int = 4,
) -> list[Hit]:
    """Orders in order of time. `offspring`: how many an order begets on average, 0 for a Poisson market;
    `moods`: spread of the market's and of each venue's mood; `bursts`: storms on a single coin on some of the venues."""
    rng = random.Random(seed)
    common = Mood(rng, moods[0], 240)
    own = {venue: Mood(rng, moods[1], 120) for venue in rates}
    hits: list[Hit] = []
    for minute in range(minutes):
        hour = math.exp(0.5 * math.sin(2 * math.pi * minute / DAY)) / 1.06
        level = common.next() * hour
        for storm in storms:
            level = storm.times if storm.first <= minute < storm.last else level
        for venue, rate in rates.items():
            for _ in range(poisson(rng, rate * (1 - offspring) * level * own[venue].next())):
                hits += _family(rng, minute + rng.random(), venue, offspring)
    for _ in range(bursts):
        hits += one_coin(rng, rng.random() * minutes, rng.sample(list(rates), rng.randint(1, len(rates))), rates)
    return sorted(hits)


def one_coin(
    rng: random.Random, at: float, venues: Sequence[str], rates: Mapping[str, float], minutes: float = 10
) -> list[Hit]:
    """Forty usual minutes' worth of orders of one coin within some minutes."""
    coin = rng.choice(_COINS)
    spots = [(venue, at + rng.random() * minutes) for venue in venues for _ in range(poisson(rng, 40 * rates[venue]))]
    return [Hit(moment, venue, coin) for venue, moment in spots]


def _family(rng: random.Random, at: float, venue: str, offspring: float) -> list[Hit]:
    [coin] = rng.choices(_COINS, cum_weights=_WEIGHTS)
    family, waiting = [], [at]
    while waiting:
        moment = waiting.pop()
        family.append(Hit(moment, venue, coin))
        waiting += [moment + rng.expovariate(2) for _ in range(poisson(rng, offspring))]
    return family
