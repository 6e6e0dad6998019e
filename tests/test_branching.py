"""The branching ratio on flows whose true one is known."""

import math
import random
import statistics
import time

import pytest

from service.detector.branching import LEAST_ORDERS, branching


def flow(
    ratio: float, rate: float, seconds: int, seed: int, *, wander: float = 0.0, within_s: float = 3600
) -> list[int]:
    """Orders a second: immigrants of a rate that wanders (standard deviation of its log), and their descendants.

    Every order causes `ratio` others on average, half of them after 1 s and half after 10 s (exponential delays).
    """
    rng, run_up = random.Random(seed), 600
    level, keep, alive = rng.gauss(0, wander), math.exp(-1 / within_s), []
    counts = [0] * (seconds + run_up)
    for second in range(len(counts)):
        level = keep * level + wander * math.sqrt(1 - keep * keep) * rng.gauss(0, 1)
        new = rate * (1 - ratio) * math.exp(level - wander * wander / 2)
        alive += [second + rng.random() for _ in range(poisson(rng, new))]
    while alive:
        at = alive.pop()
        if at < len(counts):
            counts[int(at)] += 1
            alive += [at + rng.expovariate(1 / rng.choice((1.0, 10.0))) for _ in range(poisson(rng, ratio))]
    return counts[run_up:]


def poisson(rng: random.Random, mean: float) -> int:
    count, product, limit = 0, rng.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count


def found(ratio: float, rate: float, seconds: int, **changes: float) -> float:
    """The mean over six flows."""
    ratios = [branching(flow(ratio, rate, seconds, seed, **changes)) for seed in range(6)]
    return statistics.mean(one for one in ratios if one is not None)


def fano(counts: list[int], width: int = 600) -> float:
    """Variance of the counts of ten minutes over their mean."""
    sums = [sum(counts[start : start + width]) for start in range(0, len(counts), width)]
    return statistics.pvariance(sums) / statistics.mean(sums)


@pytest.mark.parametrize("ratio", [0.3, 0.55, 0.8, 0.95])
@pytest.mark.parametrize(("rate", "seconds"), [(4.7, 3600), (1.2, 14_400)])
def test_the_ratio_is_found_within_a_twentieth_from_seventeen_thousand_orders(ratio, rate, seconds):
    assert found(ratio, rate, seconds) == pytest.approx(ratio, abs=0.05)


def test_a_flow_without_contagion_shows_almost_none():
    assert found(0.0, 1.2, 14_400) < 0.05


@pytest.mark.parametrize("within_s", [3600, 21_600])
def test_a_wandering_rate_is_not_taken_for_contagion(within_s):
    flows = [flow(0.55, 1.2, 14_400, seed, wander=0.8, within_s=within_s) for seed in range(6)]
    naive = statistics.mean(1 - fano(counts) ** -0.5 for counts in flows)

    assert naive > 0.7, "the ratio of variance to mean falls for it: these flows do wander"
    assert found(0.55, 1.2, 14_400, wander=0.8, within_s=within_s) == pytest.approx(0.55, abs=0.1)


def test_too_few_orders_say_nothing():
    assert branching([0] * 3600) is None
    assert branching([LEAST_ORDERS]) is None
    assert branching([1] * (LEAST_ORDERS - 1) + [0] * 3000) is None
    assert branching([1] * LEAST_ORDERS + [0] * 3000) is not None


@pytest.mark.parametrize("counts", [[1] * 3600, [0] * 3500 + [500] * 100, [7, 0] * 1800, [10_000] + [0] * 3599])
def test_odd_flows_stay_between_nothing_and_one(counts):
    ratio = branching(counts)

    assert ratio is not None
    assert 0 <= ratio <= 1


def test_an_hour_costs_a_moment():
    counts, spent = flow(0.8, 4.7, 3600, seed=1), []
    for _ in range(5):
        begun = time.process_time()
        branching(counts)
        spent.append(time.process_time() - begun)

    assert min(spent) < 0.06
