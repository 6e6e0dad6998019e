"""The levels with a stated budget: the fitted tail against tails whose truth is known."""

import math
import random
import statistics

import pytest

from service.detector.tail import A_DAY, A_MONTH, LEAST, MEMORY, Fit, Tail, clustered, pareto


def drawn(sigma: float, xi: float, count: int, seed: int) -> list[float]:
    """Ascending excesses of a generalised Pareto law."""
    rng = random.Random(seed)
    return sorted(sigma / xi * (rng.random() ** -xi - 1) for _ in range(count))


def filled(days: float, seed: int = 1, xi: float = 0.6) -> Tail:
    """A tail that has seen so many quiet days of block maxima."""
    rng, tail = random.Random(seed), Tail()
    for block in range(int(days * A_DAY)):
        tail.push(rng.random() ** -xi, block)
    tail.refit(int(days * A_DAY))
    return tail


@pytest.mark.parametrize("xi", [0.2, 0.6, 0.9])
def test_the_fit_finds_the_law_that_excesses_were_drawn_from(xi):
    fits = [pareto(drawn(3.0, xi, 2000, seed)) for seed in range(10)]
    sigmas, xis = zip(*(fit for fit in fits if fit), strict=True)

    assert statistics.mean(xis) == pytest.approx(xi, abs=0.05)
    assert statistics.mean(sigmas) == pytest.approx(3.0, rel=0.06)


@pytest.mark.parametrize(("xi", "most"), [(0.6, 0.33), (0.9, 0.43)])
def test_the_one_in_a_hundred_excess_is_found_within_a_third_or_two_fifths_of_a_log(xi, most):
    """Root mean square of the error's log at 200 excesses."""
    truth = (0.01**-xi - 1) / xi
    errors = []
    for seed in range(200):
        fit = pareto(drawn(1.0, xi, 200, seed))
        assert fit
        errors.append(math.log(fit[0] / fit[1] * (0.01 ** -fit[1] - 1) / truth))

    assert math.sqrt(statistics.mean(error**2 for error in errors)) < most


def test_levels_and_periods_are_each_others_inverse():
    fit = Fit(u=5.0, sigma=2.0, xi=0.6, p=0.03)

    for q in (0.02, 1e-3, 1e-5):
        assert fit.period(fit.level(q)) == pytest.approx(1 / q)
    assert fit.level(0.5) == fit.u, "inside the body no level is known"


@pytest.mark.parametrize("xi", [0.3, 0.9])
def test_realised_alarms_are_at_their_budget_on_heavy_tailed_blocks(xi):
    """90 days teach, 240 are judged, one alarm in 60 days is allowed. What guards against missed events (the largest two
    clusters a month count with the size of the next) costs up to twice the budget where there were none."""
    alarms, q, markets = 0, 0.5 / A_MONTH, 8
    for seed in range(markets):
        rng, tail = random.Random(seed), filled(90, seed + 100, xi)
        level = tail.level(q, 30.0)
        for block in range(MEMORY, MEMORY + 240 * A_DAY):
            value = rng.random() ** -xi
            alarms += value >= level
            tail.push(min(value, level), block)
            if block % (4 * A_DAY) == 0:
                tail.refit(block)
                level = tail.level(q, 30.0)

    assert 0.7 <= alarms / (markets * 8 * 0.5) <= 2.1


def test_missed_events_lift_the_next_level_little():
    """Six in ninety days, a hundred times the level: what no rule noticed must not make it deaf."""
    clean, struck, q = filled(90), filled(90), 1 / A_MONTH
    level = struck.level(q, 30.0)
    for block in range(MEMORY, MEMORY + 600, 100):
        struck.push(100 * level, block)
        clean.push(1.0, block)
    struck.refit(MEMORY + 600)
    clean.refit(MEMORY + 600)

    assert 1 <= struck.level(q, 30.0) / clean.level(q, 30.0) < 2.5


def test_neighbouring_blocks_of_one_event_are_one_excess():
    rows = [(5.0, 10), (9.0, 11), (7.0, 15), (6.0, 20), (8.0, 100)]

    assert clustered(rows) == [6.0, 8.0, 9.0]


def test_a_market_that_is_mostly_at_zero_learns_from_what_is_not():
    tail, rng = Tail(), random.Random(3)
    for block in range(60 * A_DAY):
        tail.push(rng.random() ** -0.4 if block % 150 == 0 else 0.0, block)
    tail.refit(60 * A_DAY)

    assert tail.fit
    assert tail.fit.u == 0
    assert 1 < tail.level(1 / A_MONTH, 30.0) < 12


def test_what_is_older_than_ninety_days_is_forgotten():
    tail, rng = filled(1), random.Random(4)
    tail.push(1e6, A_DAY)
    for block in range(A_DAY + 1, A_DAY + MEMORY + 1):
        tail.push(rng.random() ** -0.6, block)
    tail.refit(A_DAY + MEMORY - 1)
    assert tail.top[-1][0] == 1e6
    tail.refit(A_DAY + MEMORY)

    assert tail.top[-1][0] < 1e6
    assert all(block > A_DAY for _, block in tail.top)


def test_a_cold_market_slides_from_the_settings_to_its_own_level_between_three_and_thirty_days():
    q, configured = 1 / A_MONTH, 1e4
    levels = [filled(days).level(q, configured) for days in (1, 3, 10, 20, 29.9, 30, 60)]

    assert levels[:2] == [configured, configured]
    assert levels == sorted(levels, reverse=True) or levels[4:] == pytest.approx([levels[5]] * 3, rel=0.5)
    half = filled(16.5)
    assert half.fit
    assert half.level(q, configured) == pytest.approx(math.sqrt(configured * half.fit.level(q)))
    full = filled(30)
    assert full.fit
    assert full.level(q, configured) == pytest.approx(full.fit.level(q))


def test_nothing_is_called_rarer_than_three_times_what_was_heard():
    tail = filled(40)

    assert tail.rarity_days(1e12) == pytest.approx(120)
    assert filled(29).rarity_days(1e12) is None
    body = tail.rarity_days(1.0)
    assert body is not None
    assert body < 2


@pytest.mark.parametrize("values", [[], [1.0] * 20, [0.0] * 3000, [5.0] * 3000])
def test_a_market_without_a_tail_keeps_the_level_of_the_settings(values):
    tail = Tail()
    for block, value in enumerate(values):
        tail.push(value, block)
    tail.refit(len(values))

    assert tail.fit is None
    assert tail.level(1e-3, 30.0) == 30.0
    assert len(values) < LEAST or tail.days > 1
