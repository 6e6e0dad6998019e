"""Forced orders with a known truth: when they come, how large they are, on which venue. For tests of what feeds hide."""

import math
import random
from collections.abc import Callable, Iterable

from service.model import Liquidation, Side
from tests.orders import T0

Arrivals = Callable[[random.Random, float, float], list[float]]
#: Seconds between an order and those it causes, and how likely each: the laboratory's kernel.
KERNEL = ((0.4, 2.0), (0.8, 20.0), (1.0, 180.0))


def steady(draw: random.Random, rate: float, length_s: float) -> list[float]:
    """Poisson arrivals, in seconds."""
    times, now = [], draw.expovariate(rate)
    while now < length_s:
        times.append(now)
        now += draw.expovariate(rate)
    return times


def clustered(draw: random.Random, rate: float, length_s: float, branching: float = 0.8) -> list[float]:
    """Every order causes `branching` others on average; ten minutes are played before the first second."""
    waiting = [at - 600 for at in steady(draw, rate * (1 - branching), length_s + 600)]
    times = []
    while waiting:
        at = waiting.pop()
        if at >= 0:
            times.append(at)
        for _ in range(_count(draw, branching)):
            where = draw.random()
            mean = next(mean for part, mean in KERNEL if where < part)
            later = at + draw.expovariate(1 / mean)
            if later < length_s:
                waiting.append(later)
    return sorted(times)


def pareto(draw: random.Random, scale: float = 100.0, tail: float = 1.2, most: float = 2e4) -> float:
    """A size: heavy-tailed, and no more than `most` times the least."""
    while True:
        size = draw.random() ** (-1 / tail)
        if size < most:
            return scale * size


def flow(
    draw: random.Random,
    times: Iterable[float],
    venue: str = "binance",
    *,
    asset: str = "BTC",
    short: float = 0.8,
    scale: Callable[[float], float] = lambda _at: 100.0,
    tail: float = 1.2,
) -> list[Liquidation]:
    """Orders at these seconds after T0; `scale` is the least size at a time."""
    return [
        Liquidation(
            venue=venue,
            symbol=f"{asset}USDT",
            asset=asset,
            side=Side.SHORT if draw.random() < short else Side.LONG,
            price=None,
            quantity=None,
            usd=pareto(draw, scale(at), tail),
            at=T0 + int(at * 1_000),
            seen=T0 + int(at * 1_000),
            id=f"{venue}-{asset}-{place}",
        )
        for place, at in enumerate(times)
    ]


def usd(orders: Iterable[Liquidation]) -> float:
    return sum(order.usd for order in orders)


def _count(draw: random.Random, mean: float) -> int:
    """A Poisson number."""
    count, left = 0, math.exp(mean) * draw.random()
    while left > 1:
        count, left = count + 1, left * draw.random()
    return count
