"""What feeds leave out: estimates beside a truth that is known, because the test made it and thinned it itself."""

import csv
import gzip
import math
import random
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.detector.undercount import Feed, estimate, identify, period_s, thin
from service.detector.undercount.sizes import Law, usual
from service.model import HOUR, MINUTE, SECOND, FeedRule, Liquidation, Side
from tests.flows import Arrivals, clustered, flow, pareto, steady, usd
from tests.orders import T0, order
from tests.shared import recorded

FIVE = 300.0
COMPLETE, UNKNOWN = Feed(rule=FeedRule.COMPLETE), Feed(rule=FeedRule.UNKNOWN)
LARGEST, LATEST = Feed(rule=FeedRule.LARGEST), Feed(rule=FeedRule.LATEST)
FEEDS = {"binance": LARGEST, "bybit": COMPLETE}


def after(seconds: float) -> int:
    return T0 + int(seconds * SECOND)


class Trial(NamedTuple):
    """Dollars of one venue: the true ones, those its feed showed, and what is made of them."""

    true: float
    shown: float
    usd: float
    low: float
    high: float


def trial(seed: int, arrivals: Arrivals, rate: float, *, feed: Feed = LARGEST, tail: float = 1.2) -> Trial:
    """Five minutes thinned by a rule, beside a venue a third as large that shows all and is taken out of the sums."""
    draw = random.Random(seed)
    truth = flow(draw, arrivals(draw, rate, FIVE - 6), tail=tail)
    beside = flow(draw, arrivals(draw, max(rate / 3, 0.5), FIVE), "bybit", tail=tail)
    shown, whole = thin(truth, feed), usd(beside)
    feeds = {"binance": msgspec.structs.replace(feed, batch_s=0), "bybit": COMPLETE}
    found = estimate([*shown, *beside], feeds, after(FIVE) - 1, "5m")
    assert found
    assert (found.method, found.venues, found.sizes) == ("order sizes", ("binance",), ("reference",))
    return Trial(usd(truth), usd(shown), found.usd - whole, found.low - whole, found.high - whole)


def deviation(trials: Sequence[Trial]) -> float:
    """Root mean square of ln(estimated / true)."""
    return math.sqrt(fmean(math.log(one.usd / one.true) ** 2 for one in trials))


# --- the dollars ------------------------------------------------------------------------------------------------------

ROUNDS = Feed(rule=FeedRule.LARGEST, batch_s=6)


@pytest.mark.parametrize(
    ("arrivals", "rate", "feed", "times", "most"),
    [
        (steady, 1.0, LARGEST, 60, 0.10),
        (steady, 10.0, LARGEST, 30, 0.10),
        (steady, 30.0, LARGEST, 12, 0.10),
        (clustered, 1.0, LARGEST, 60, 0.10),
        (clustered, 10.0, LARGEST, 30, 0.10),
        (clustered, 30.0, LARGEST, 12, 0.10),
        (clustered, 1.0, ROUNDS, 60, 0.30),
        (clustered, 10.0, ROUNDS, 30, 0.30),
        (steady, 10.0, ROUNDS, 30, 0.30),
    ],
)
def test_dollars_behind_a_feed_of_largest_orders_are_found(
    arrivals: Arrivals, rate: float, feed: Feed, times: int, most: float
) -> None:
    trials = [trial(seed, arrivals, rate, feed=feed) for seed in range(times)]
    assert all(one.shown <= one.low + 1e-3 and one.low <= one.usd <= one.high for one in trials)
    assert deviation(trials) <= most
    assert fmean(one.low <= one.true <= one.high for one in trials) >= 0.85


def test_a_heavier_tail_is_still_found() -> None:
    assert deviation([trial(seed, clustered, 10, tail=0.9) for seed in range(25)]) <= 0.15


def test_orders_that_grow_in_a_cascade_are_not_taken_for_hidden_ones() -> None:
    """Half an hour of small orders, then five times as large ones: sizes are learned from the same minutes."""
    ratios = []
    for seed in range(8):
        draw = random.Random(seed)
        times = [*steady(draw, 1, 1500), *(1500 + at for at in steady(draw, 8, FIVE))]
        truth = flow(draw, times, scale=lambda at: 500.0 if at > 1500 else 100.0)
        beside = flow(draw, times, "bybit", scale=lambda at: 500.0 if at > 1500 else 100.0)
        found = estimate([*thin(truth, LARGEST), *beside], FEEDS, after(1800) - 1, "5m")
        assert found
        late = usd(one for one in beside if one.at >= after(1500))
        ratios.append((found.usd - late) / usd(one for one in truth if one.at >= after(1500)))
    assert 0.9 <= fmean(ratios) <= 1.1


@pytest.mark.parametrize("beat", [0, 6])
@pytest.mark.parametrize("rule", [FeedRule.LATEST, FeedRule.FIRST, FeedRule.UNKNOWN])
def test_a_feed_that_cannot_be_undone_gets_no_number_by_itself(rule: FeedRule, beat: int) -> None:
    for seed, rate in enumerate((0.3, 1, 10)):
        draw = random.Random(seed)
        shown = thin(flow(draw, clustered(draw, rate, FIVE)), Feed(rule=rule, batch_s=beat))
        for told in (0, beat):
            feeds = {"binance": Feed(rule=rule, batch_s=told)}
            assert estimate(shown, feeds, after(FIVE), "15m") is None


@pytest.mark.parametrize(("beat", "calm"), [(0, 0.2), (6, 0.04)])
def test_a_latest_feed_is_told_from_a_complete_venue_and_marked(beat: int, calm: float) -> None:
    """An hour of calm teaches the share, then a burst of 10 a second; the beat of an engine need not be told."""
    held, ratios = 0, []
    for seed in range(20):
        draw = random.Random(seed)
        times = [*clustered(draw, calm, 3900), *(3900 + at for at in clustered(draw, 10, FIVE - 6))]
        truth = flow(draw, times)
        beside = flow(draw, [at for at in times if draw.random() < 0.7], "bybit")
        shown = thin(truth, Feed(rule=FeedRule.LATEST, batch_s=beat))
        found = estimate([*shown, *beside], {"binance": LATEST, "bybit": COMPLETE}, after(4200) - 1, "5m")
        assert found
        assert (found.method, found.venues, found.unknown) == ("reference venue", ("binance",), ())
        late = [usd(one for one in orders if one.at >= after(3900)) for orders in (truth, beside)]
        held += found.low <= sum(late) <= found.high
        ratios.append((found.usd - late[1]) / late[0])
    assert 0.7 <= sorted(ratios)[10] <= 1.4
    assert held >= 17


def test_venues_without_a_number_are_named_beside_the_number() -> None:
    draw = random.Random(1)
    orders = [
        *thin(flow(draw, steady(draw, 5, FIVE)), LARGEST),
        *flow(draw, steady(draw, 0.5, FIVE), "okx"),
        *flow(draw, steady(draw, 0.5, FIVE), "nobody"),
        *flow(draw, steady(draw, 2, FIVE), "bybit"),
        *flow(draw, steady(draw, 0.05, FIVE), "aster"),
    ]
    found = estimate(orders, FEEDS | {"okx": UNKNOWN, "aster": LATEST}, after(FIVE), "5m")
    assert found
    assert (found.venues, found.unknown) == (("binance",), ("aster", "nobody", "okx"))


def test_nothing_left_out_is_nothing_to_estimate() -> None:
    assert estimate([], FEEDS, T0, "1h") is None
    assert estimate([order(venue="bybit", at=T0)], FEEDS, T0, "1h") is None
    assert estimate([order(venue="binance", at=T0 - HOUR)], FEEDS, T0, "5m") is None


@pytest.mark.parametrize("span", ["4h", "24h"])
def test_no_span_is_told_that_the_memory_does_not_hold(span: str) -> None:
    draw = random.Random(0)
    assert estimate(thin(flow(draw, steady(draw, 5, 60)), LARGEST), FEEDS, after(60), span) is None


def test_unseen_orders_have_the_sides_of_those_that_were_shown() -> None:
    draw = random.Random(2)
    orders = thin(flow(draw, steady(draw, 10, FIVE), short=0.9), LARGEST)
    orders += flow(draw, steady(draw, 5, FIVE), "bybit", short=0.5)
    found = estimate(orders, FEEDS, after(FIVE), "5m")
    assert found
    assert found.long_usd is not None
    assert found.short_usd is not None
    assert found.long_usd + found.short_usd == pytest.approx(found.usd)
    shown = usd(one for one in orders if one.side is Side.SHORT)
    assert (found.short_usd - shown) / (found.usd - usd(orders)) == pytest.approx(0.9, abs=0.04)


def test_each_side_of_a_contract_may_have_seconds_of_its_own() -> None:
    """One side alone is busy: the other's empty seconds must not be counted against it."""
    feed = Feed(rule=FeedRule.LARGEST, by_side=True)
    errors = []
    for seed in range(10):
        draw = random.Random(seed)
        truth = flow(draw, steady(draw, 12, FIVE), short=0.97)
        orders = [*thin(truth, feed), *flow(draw, steady(draw, 4, FIVE), "bybit")]
        found = estimate(orders, {"binance": feed, "bybit": COMPLETE}, after(FIVE) - 1, "5m")
        assert found
        errors.append(math.log((found.usd - usd(orders) + usd(thin(truth, feed))) / usd(truth)))
    assert math.sqrt(fmean(error * error for error in errors)) <= 0.10


@pytest.mark.parametrize("factor", [0.001, 1_000.0])
def test_dollars_of_another_size_change_nothing_but_the_dollars(factor: float) -> None:
    draw = random.Random(6)
    orders = [*thin(flow(draw, clustered(draw, 5, FIVE)), LARGEST), *flow(draw, steady(draw, 2, FIVE), "bybit")]
    found = estimate(orders, FEEDS, after(FIVE), "5m")
    scaled = [msgspec.structs.replace(one, usd=one.usd * factor) for one in orders]
    other = estimate(scaled, FEEDS, after(FIVE), "5m")
    assert found
    assert other
    for one, two in ((found.usd, other.usd), (found.low, other.low), (found.high, other.high)):
        assert two == pytest.approx(one * factor, rel=1e-3)


def test_the_order_in_which_orders_are_handed_in_changes_nothing() -> None:
    draw = random.Random(7)
    orders = [*thin(flow(draw, clustered(draw, 5, FIVE)), LARGEST), *flow(draw, steady(draw, 2, FIVE), "bybit")]
    found = estimate(orders, FEEDS, after(FIVE), "5m")
    draw.shuffle(orders)
    again = estimate(orders, FEEDS, after(FIVE), "5m")
    assert found
    assert again
    assert again.usd == pytest.approx(found.usd, rel=1e-9)


ORDERS = st.lists(
    st.builds(
        lambda at, dollars, venue, side, coin: order(
            dollars, T0 + at, side, venue=venue, symbol=f"{coin}USDT", asset=coin, id=f"{at}{dollars}{venue}{coin}"
        ),
        st.integers(0, 20 * MINUTE),
        st.one_of(st.floats(0.01, 1e9), st.sampled_from([100.0, 5_000.0])),
        st.sampled_from(["binance", "bybit", "bitget", "aster", "okx", "dydx"]),
        st.sampled_from(list(Side)),
        st.sampled_from(["BTC", "PEPE"]),
    ),
    max_size=150,
)
ALL_RULES = {
    "binance": LARGEST,
    "bitget": Feed(rule=FeedRule.LARGEST, by_side=True),
    "aster": LATEST,
    "bybit": COMPLETE,
    "dydx": Feed(rule=FeedRule.COMPLETE, fills=True),
    "okx": UNKNOWN,
}


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.sampled_from(["1m", "5m", "15m", "1h"]))
def test_what_was_shown_is_never_above_the_bounds(orders: Sequence[Liquidation], span: str) -> None:
    now = T0 + 20 * MINUTE
    found = estimate(orders, ALL_RULES, now, span)
    if found is None:
        return
    since = now - {"1m": 1, "5m": 5, "15m": 15, "1h": 60}[span] * MINUTE
    shown = usd(one for one in orders if since < one.at <= now)
    slack = 1e-9 * shown + 1e-3
    assert shown - slack <= found.low <= found.usd <= found.high
    assert all(math.isfinite(value) for value in (found.usd, found.low, found.high))


def test_real_seconds_of_a_crash_are_found_within_the_bounds() -> None:
    """Second counts of Hyperliquid on 2025-10-10, coins by their share, sizes invented: 6 s rounds, one with 11,279."""
    folder = recorded("data/hyperliquid_2025_10_10")
    with gzip.open(folder / "event_counts_by_second.csv.gz", "rt") as file:
        seconds = [(int(row["ts_ms"]), int(row["liquidation_events"])) for row in csv.DictReader(file)]
    with gzip.open(folder / "adl_totals_by_coin.csv.gz", "rt") as file:
        coins = {row["ticker"]: int(row["num_adl_events"]) for row in csv.DictReader(file)}
    names, weights = list(coins), list(coins.values())
    ratios, held, shares = [], 0, []
    for seed in range(3):
        draw = random.Random(seed)
        truth = [
            order(pareto(draw, 100.0, 0.9), at, venue="binance", symbol=coin, asset=coin, id=f"{at}{coin}{number}")
            for at, count in seconds
            for number, coin in enumerate(draw.choices(names, weights, k=count))
        ]
        beside = [msgspec.structs.replace(one, venue="bybit", usd=pareto(draw, 100.0, 0.9)) for one in truth[::10]]
        shown = thin(truth, LARGEST)
        found = estimate([*shown, *beside], FEEDS, truth[-1].at, "15m")
        assert found
        ratios.append((found.usd - usd(beside)) / usd(truth))
        shares.append(usd(shown) / usd(truth))
        held += found.low <= usd(truth) + usd(beside) <= found.high
    assert max(shares) < 0.7
    assert 0.65 <= fmean(ratios) <= 1.2
    assert held == 3


# --- laws of sizes ----------------------------------------------------------------------------------------------------


def test_a_law_tells_what_lies_below_a_size() -> None:
    draw = random.Random(3)
    sizes = [pareto(draw) for _ in range(20_000)]
    law = Law(sizes)
    for size in (120.0, 400.0, 3_000.0, 40_000.0):
        below = law.below(size)
        smaller = [one for one in sizes if one < size]
        assert below.above == pytest.approx(1 - len(smaller) / len(sizes), abs=0.003, rel=0.2)
        assert below.usd == pytest.approx(sum(smaller) / len(sizes), rel=0.1)
        assert below.square == pytest.approx(sum(one * one for one in smaller) / len(sizes), rel=0.35)


@given(st.lists(st.floats(0.01, 1e9), min_size=1, max_size=60), st.floats(0.01, 1e10), st.floats(1, 100))
def test_a_law_falls_and_its_dollars_grow(sizes: list[float], size: float, factor: float) -> None:
    low, high = Law(sizes).below(size), Law(sizes).below(size * factor)
    assert 0 < high.above <= low.above <= 1
    assert 0 <= low.usd <= high.usd * (1 + 1e-9)
    assert 0 <= low.square <= high.square * (1 + 1e-9)


def test_the_usual_law_has_the_medians_it_is_said_to_have() -> None:
    for asset, median in (("BTC", 1_600), ("ETH", 720), ("PEPE", 260)):
        assert usual(asset).below(median).above == pytest.approx(0.5, abs=0.05)


# --- the rule behind the data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arrivals", [steady, clustered])
@pytest.mark.parametrize("rate", [1.0, 10.0])
@pytest.mark.parametrize("rule", [FeedRule.LARGEST, FeedRule.LATEST, FeedRule.FIRST, FeedRule.COMPLETE])
def test_half_an_hour_tells_the_rule_though_no_page_does(rule: FeedRule, rate: float, arrivals: Arrivals) -> None:
    right, times = 0, 10 if rate == 1 else 5
    for seed in range(times):
        draw = random.Random(seed)
        found = identify(thin(flow(draw, arrivals(draw, rate, 1800)), Feed(rule=rule)), UNKNOWN)
        assert found
        right += found.feed.rule is rule and not found.feed.batch_s
    assert right >= 0.8 * times


@pytest.mark.parametrize("rate", [1.0, 10.0])
@pytest.mark.parametrize("rule", [FeedRule.LARGEST, FeedRule.LATEST])
def test_rounds_are_seen_and_leave_the_page_standing(rule: FeedRule, rate: float) -> None:
    right = 0
    for seed in range(5):
        draw = random.Random(seed)
        documented = Feed(rule=rule)
        found = identify(thin(flow(draw, clustered(draw, rate, 1800)), Feed(rule=rule, batch_s=6)), documented)
        assert found
        right += found.feed == Feed(rule=rule, batch_s=6)
    assert right == 5


def test_sizes_that_rise_with_the_crowd_tell_a_largest_feed_in_spite_of_its_page() -> None:
    """Calm and busy minutes by turns: in the busy ones a shown order is the largest of several."""
    draw = random.Random(1)
    times = [60 * minute + at for minute in range(30) for at in steady(draw, 0.1 if minute % 2 else 4, 60)]
    found = identify(thin(flow(draw, times), LARGEST), LATEST)
    assert found
    assert (found.feed.rule, found.documented) == (FeedRule.LARGEST, FeedRule.LATEST)
    assert "sizes rise" in found.because


def test_an_engine_with_the_rhythm_of_a_second_is_no_latest_feed() -> None:
    draw = random.Random(1)
    orders = [
        msgspec.structs.replace(one, at=one.at // SECOND * SECOND + 200) for one in flow(draw, steady(draw, 0.8, 1800))
    ]
    found = identify(thin(orders, LARGEST), LARGEST)
    assert found
    assert found.feed.rule is FeedRule.LARGEST


def test_few_orders_say_nothing() -> None:
    draw = random.Random(1)
    assert identify([], LARGEST) is None
    found = identify(flow(draw, steady(draw, 0.01, 1800)), LATEST)
    assert found
    assert found.feed == LATEST
    assert "as documented" in found.because


@pytest.mark.parametrize("beat", [3, 6, 10])
def test_the_beat_of_an_engine_is_found_and_no_market_has_one(beat: int) -> None:
    draw = random.Random(beat)
    times = [after(at) for at in clustered(draw, 2, 900)]
    assert period_s(-(-at // (beat * SECOND)) * beat * SECOND for at in times) == beat
    for rate in (0.1, 0.3, 1, 5):
        for arrivals in (steady, clustered):
            assert period_s(after(at) for at in arrivals(draw, rate, 1800)) == 0


# --- thinning ---------------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(ORDERS, st.booleans())
def test_thinning_shows_one_order_a_slot_by_its_rule(orders: list[Liquidation], by_side: bool) -> None:
    def slot(one: Liquidation) -> tuple[object, ...]:
        return one.venue, one.symbol, one.at // SECOND, one.side if by_side else None

    largest = thin(orders, Feed(rule=FeedRule.LARGEST, by_side=by_side))
    latest = thin(orders, Feed(rule=FeedRule.LATEST, by_side=by_side))
    for shown, worth in ((largest, lambda one: one.usd), (latest, lambda one: one.at)):
        assert len(shown) == len({slot(one) for one in orders}) == len({slot(one) for one in shown})
        for one in shown:
            assert worth(one) == max(worth(other) for other in orders if slot(other) == slot(one))
    assert sorted(one.id for one in thin(orders, COMPLETE)) == sorted(one.id for one in orders)


@settings(max_examples=50)
@given(ORDERS)
def test_after_a_first_order_there_is_nothing_for_a_second(orders: list[Liquidation]) -> None:
    shown = thin(orders, Feed(rule=FeedRule.FIRST))
    by_contract: dict[tuple[str, str], list[int]] = {}
    for one in shown:
        by_contract.setdefault((one.venue, one.symbol), []).append(one.at)
    assert all(later - earlier >= SECOND for times in by_contract.values() for earlier, later in pairwise(times))
    for one in orders:
        times = by_contract[one.venue, one.symbol]
        assert any(at <= one.at < at + SECOND for at in times)


def test_rounds_move_orders_to_the_engine_s_next_second() -> None:
    shown = thin([order(at=T0 + ms) for ms in (1, 5_999, 6_000, 6_001)], Feed(rule=FeedRule.COMPLETE, batch_s=6))
    assert [one.at - T0 for one in shown] == [6_000, 6_000, 6_000, 12_000]
