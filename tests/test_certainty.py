"""How far a share can be trusted: the formulas' own figures, dated hours, and balanced markets drawn at random."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.detector.certainty import certainty, of_sums, wilson


def even(longs: int, shorts: int, usd: float = 1.0) -> list[tuple[float, bool]]:
    return [(usd, False)] * longs + [(usd, True)] * shorts


@pytest.mark.parametrize(
    ("number", "low", "high"), [(100, 0.93, 0.99), (5, 0.54, 1.00), (1e9, 0.98, 0.98), (1, 0.20, 1.00)]
)
def test_98_percent_means_as_much_as_the_orders_behind_it(number, low, high):
    found = wilson(0.98, number)

    assert found == pytest.approx((low, high), abs=0.005)


def test_orders_of_one_size_count_each_and_one_large_one_drowns_the_rest():
    assert certainty(even(3, 97)).n_eff == 100
    # 20,000 small orders beside one that holds half of the dollars: (2)^2 / 1
    assert certainty([(20_000.0, True), *even(10_000, 10_000)]).n_eff == pytest.approx(4, abs=0.01)


@pytest.mark.parametrize(
    ("longs", "shorts", "wanted"),
    [
        (2, 102, "one_sided"),
        (102, 2, "one_sided"),
        (20, 80, "one_sided"),
        (21, 79, "mixed"),
        (2, 8, "mixed"),  # 80 %, but ten orders allow 49 %
        (30, 70, "two_sided"),
        (29, 71, "mixed"),
        (4, 4, "two_sided"),
        (3, 3, "mixed"),
        (2, 3, "mixed"),
        (0, 4, "whale"),
        (0, 8, "one_sided"),
        (0, 7, "mixed"),
    ],
)
def test_the_type_follows_share_and_interval(longs, shorts, wanted):
    assert certainty(even(longs, shorts)).type == wanted


def test_a_whale_is_named_whatever_the_share():
    for longs, shorts in ((500, 500), (0, 1_000), (1_000, 0)):
        rest = even(longs, shorts)
        assert certainty([(539.0, True), *rest]).type == "whale"  # 35.02 % of the dollars
        assert certainty([(538.0, True), *rest]).type != "whale"  # 34.98 %


def test_one_order_of_30_of_149_million_leaves_a_clear_hour_clear_with_two_dozen_orders_behind_it():
    # 2026-01-24: $146M of $149M were shorts, one order was $30M; the rest as small as the interval can make use of
    hour = [(30e6, True), *even(300, 11_600, 1e4)]
    found = certainty(hour)

    assert found.type == "one_sided"
    assert found.n_eff == pytest.approx(149**2 / 30**2, rel=0.01)
    assert (found.low, found.high) == pytest.approx((0.834, 0.998), abs=0.005)
    assert found.low < certainty(even(300, 14_600, 1e4)).low


def test_a_day_of_306_and_319_million_is_two_sided():
    found = certainty(even(306, 319, 1e6))

    assert found.type == "two_sided"
    assert found.low < 319 / 625 < found.high
    assert certainty([(usd / 61, short) for usd, short in even(306, 319)] * 2).type == "two_sided"


def test_the_founding_hour_is_one_sided_with_its_interval():
    found = certainty(even(2, 102, 1e6))

    assert found.type == "one_sided"
    assert (found.low, found.high) == pytest.approx((0.9326, 0.9947), abs=0.0005)


@pytest.mark.parametrize("exponent", [0.8, 0.9, 1.0])
def test_a_balanced_market_with_heavy_tails_is_hardly_ever_called_one_sided(exponent):
    draws, called, by_share = 4_000, Counter(), 0
    random_ = random.Random(20_260_114)
    for _ in range(draws):
        orders = [(random_.paretovariate(exponent), random_.random() < 0.5) for _ in range(200)]
        called[certainty(orders).type] += 1
        share = sum(usd for usd, short in orders if short) / sum(usd for usd, _ in orders)
        by_share += max(share, 1 - share) >= 0.8

    assert called["one_sided"] <= 0.005 * draws
    assert by_share >= 0.05 * draws, "the draws are not heavy enough to deceive anybody"


def test_nothing_liquidated_is_no_certainty():
    assert certainty([]) is None
    assert certainty([(0.0, True)]) is None
    assert of_sums(0, 0, 0, 0) is None


sizes = st.lists(st.tuples(st.floats(0.01, 1e9), st.booleans()), min_size=1, max_size=50)


@given(sizes)
def test_the_interval_always_holds_the_share_and_n_eff_lies_between_one_and_the_orders(orders):
    found = certainty(orders)
    share = sum(usd for usd, short in orders if short) / sum(usd for usd, _ in orders)

    assert 0 <= found.low <= share + 1e-6
    assert share - 1e-6 <= found.high <= 1
    assert 1 <= found.n_eff <= len(orders) + 0.01


@given(sizes, st.floats(0.001, 1000))
def test_size_in_dollars_and_the_name_of_the_side_do_not_matter(orders, factor):
    found = certainty(orders)
    mirror = certainty([(factor * usd, not short) for usd, short in orders])

    assert mirror.low == pytest.approx(1 - found.high, abs=2e-6)
    assert mirror.n_eff == pytest.approx(found.n_eff, abs=0.011)
