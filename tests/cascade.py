"""An invented cascade on four venues of which one may lead, for tests that need to know the truth.

One course of the market (growth, peak, decay, wobbling as a whole) reaches every venue, the leader `lag_s` earlier. Each
venue wobbles by itself besides (log-normal, sd 0.3, 15 s). Two show the largest order of a symbol and second, one works
in batches of 0.5 s, one in batches of 6 s whose orders carry the batch's end.
"""

import math
import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from service.model import Liquidation, Side
from tests.orders import T0

VENUES = ("binance", "aster", "bybit", "okx")
SECONDS = 900
_SYMBOLS = [f"C{number}USDT" for number in range(20)]
_WEIGHTS = list(accumulate(1 / (number + 1) for number in range(20)))


class Cascade(NamedTuple):
    orders: list[Liquidation]
    leader: str
    onset: int
    until: int


def cascade(seed: int, lag_s: int, totals: Sequence[int] = (1600, 1000, 700, 450), own: float = 0.3) -> Cascade:
    """Before sampling about `totals` orders, dealt to the venues at random."""
    dice = random.Random(seed)
    growth, peak, fall = dice.uniform(20, 90), dice.uniform(150, 400), dice.uniform(60, 200)
    shared = _wobble(dice, SECONDS + 100, 0.5, 20)

    def level(second: int) -> float:
        course = math.exp((second - peak) / growth) if second < peak else math.exp((peak - second) / fall)
        return (0.01 + course) * shared[second + 100]

    leader = dice.choice(VENUES)
    orders: list[Liquidation] = []
    for venue, total in zip(VENUES, dice.sample(list(totals), len(totals)), strict=True):
        noise = _wobble(dice, SECONDS, own, 15)
        late = 0 if venue == leader else lag_s
        rates = [level(second - late) * noise[second] for second in range(SECONDS)]
        scale = total / sum(rates)
        for second, rate in enumerate(rates):
            orders += _shown(dice, venue, second, _poisson(dice, rate * scale))
    orders.sort(key=lambda order: order.at)
    return Cascade(orders, leader, T0 + int(max(0, peak - 3 * growth)) * 1_000, T0 + SECONDS * 1_000)


def _shown(dice: random.Random, venue: str, second: int, count: int) -> list[Liquidation]:
    rows = []
    for _ in range(count):
        at = T0 + second * 1_000 + dice.randrange(1_000)
        at = at // 500 * 500 if venue == "bybit" else (at // 6_000 + 1) * 6_000 if venue == "okx" else at
        usd = min(100 * dice.paretovariate(0.9), 3e7)
        rows.append((_SYMBOLS[bisect(_WEIGHTS, dice.random() * _WEIGHTS[-1])], usd, at, dice.getrandbits(60)))
    if venue in ("binance", "aster"):
        rows = list({row[0]: row for row in sorted(rows, key=lambda row: row[1])}.values())
    return [
        Liquidation(
            venue=venue,
            symbol=symbol,
            asset=symbol.removesuffix("USDT"),
            side=Side.SHORT,
            price=None,
            quantity=None,
            usd=usd,
            at=at,
            seen=at,
            id=f"{number:x}",
        )
        for symbol, usd, at, number in rows
    ]


def _wobble(dice: random.Random, length: int, sd: float, memory_s: float) -> list[float]:
    keep = math.exp(-1 / memory_s)
    now, values = dice.gauss(0, sd), []
    for _ in range(length):
        now = now * keep + sd * math.sqrt(1 - keep * keep) * dice.gauss(0, 1)
        values.append(math.exp(now))
    return values


def _poisson(dice: random.Random, mean: float) -> int:
    if mean > 30:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    left, count = dice.random(), 0
    while left > math.exp(-mean):
        left *= dice.random()
        count += 1
    return count
