"""The parts of a market's signals, each by itself: growth, breadth's window, sizes, onset, what is usual, the gauge."""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.detector import LATE_MS, Gauge, Rules
from service.detector.burst import RECENT_S, Burst
from service.detector.growth import TIMES, WEIGHTS, Growth
from service.detector.onset import Onset
from service.detector.scale import HIGH, LAG_MIN, Scale
from service.detector.sizes import Sizes
from service.model import SECOND

#: Monday, 2026-01-12 00:00 UTC.
MONDAY_S = 1_768_176_000
DAY_MIN = 1440


def poisson(rng: random.Random, mean: float) -> int:
    count, product, limit = 0, rng.random(), math.exp(-mean)
    while product > limit:
        count, product = count + 1, product * rng.random()
    return count


# growth


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(1, 40)), min_size=1, max_size=30), st.floats(0.001, 2))
def test_growth_bridges_empty_seconds_as_if_each_had_been_counted(steps, usual):
    bridged, counted, second = Growth(second=1000), Growth(second=1000), 1000
    for gap, orders in steps:
        for empty in range(second + 1, second + gap):
            counted.update(empty, 0, usual)
        second += gap
        assert bridged.update(second, orders, usual) == pytest.approx(counted.update(second, orders, usual), rel=1e-9)
    assert bridged.z(second + 77) == pytest.approx(ahead(counted, second + 77), rel=1e-9)


def ahead(growth: Growth, second: int) -> float:
    for empty in range(growth.second + 1, second + 1):
        growth.update(empty, 0, 1.0)
    return growth.z(second)


def after_a_jump(ratio: float, usual: float, jump: int, seed: int) -> list[float]:
    """z of five minutes: `jump` orders fall on a usual market, they and theirs cause `ratio` others each."""
    rng, growth, due, zs, warm = random.Random(seed), Growth(), {}, [], 600
    for second in range(warm + 300):
        orders = due.pop(second, []) + [0.6] * poisson(rng, usual * 0.4) + [ratio] * (jump if second == warm else 0)
        z = growth.update(second + 1, len(orders), usual)
        zs += [z] if second >= warm else []
        if len(orders) > 400:
            break
        for breeds in orders:
            for _ in range(poisson(rng, breeds)):
                delay = 1 + int(rng.expovariate(1 / rng.choices(TIMES, WEIGHTS)[0]))
                due.setdefault(second + delay, []).append(breeds)
    return zs


SURE = 1.645


@pytest.mark.parametrize("ratio", [1.3, 1.6])
@pytest.mark.parametrize("usual", [0.1, 1.0])
def test_growth_becomes_sure_where_orders_breed_more_than_themselves(ratio, usual):
    assert all(max(after_a_jump(ratio, usual, 20, seed)) > SURE for seed in range(10))


@pytest.mark.parametrize("ratio", [0.0, 0.6, 0.9])
@pytest.mark.parametrize(("usual", "jump"), [(1.0, 20), (0.1, 1)])
def test_growth_is_never_sure_where_they_do_not(ratio, usual, jump):
    assert max(max(after_a_jump(ratio, usual, jump, seed)) for seed in range(20)) < SURE


def test_twenty_orders_at_once_in_a_slow_market_look_like_growth_for_a_moment_only():
    runs = [after_a_jump(0.6, 0.1, 20, seed) for seed in range(20)]

    assert any(max(zs) > SURE for zs in runs), "the gauge cannot know better, hence no alarm rests on it alone"
    assert all(zs[-1] < SURE for zs in runs)


def test_a_flow_that_ends_stops_growing():
    growth = Growth()
    for second in range(1, 61):
        z = growth.update(second, second // 3, 0.1)
    assert z > 0

    assert growth.z(60 + 3600) == pytest.approx(-2 / math.sqrt(3), abs=0.01), "only the prior is left"
    assert growth.excitation(60).word in {"growing", "exploding"}
    assert growth.excitation(60 + 3600).word == "steady"


# the window


class Sums(msgspec.Struct):
    orders: int
    recent: int
    long: int
    short: int
    capped_long: int
    capped_short: int


def by_hand(told: list[tuple[int, float, bool]], second: int, width: int, cap: float) -> Sums:
    inside = [(usd, short) for at, usd, short in told if second - width < at <= second]
    cents = {side: sum(round(usd * 100) for usd, short in inside if short is side) for side in (False, True)}
    capped = {side: sum(round(min(usd, cap) * 100) for usd, short in inside if short is side) for side in (False, True)}
    recent = sum(at > second - RECENT_S for at, _, _ in told)
    return Sums(len(inside), recent, cents[False], cents[True], capped[False], capped[True])


orders_of_a_second = st.lists(st.tuples(st.integers(1, 10**7).map(float), st.booleans()), min_size=1, max_size=4)


@given(
    st.lists(st.tuples(st.integers(1, 120), orders_of_a_second), min_size=1, max_size=60), st.sampled_from([300, 900])
)
def test_the_window_is_what_a_sum_by_hand_says_and_empties_to_exactly_zero(steps, width):
    burst, told, second, cap = Burst(width=width), [], 5000, 1e6
    for gap, orders in steps:
        second += gap
        told += [(second, usd, short) for usd, short in orders]
        burst.add(second, orders, cap)
        assert sums(burst) == by_hand(told, second, width, cap)
        burst.move(second + gap // 2)
        assert sums(burst) == by_hand(told, second + gap // 2, width, cap)
        second += gap // 2
    burst.move(second + width)
    assert sums(burst) == Sums(0, 0, 0, 0, 0, 0)
    assert burst.capped == 0


def sums(burst: Burst) -> Sums:
    return Sums(burst.orders, burst.recent, burst.long, burst.short, burst.capped_long, burst.capped_short)


def test_the_window_forgets_its_seconds_and_does_not_grow():
    burst = Burst()
    for second in range(20_000):
        burst.add(second, [(1.0, True)], 1e9)

    assert burst.orders == 300
    assert len(burst.rows) < 900


# sizes


def taught(median: float, count: int, spread: float = 1.0, seed: int = 1) -> Sizes:
    rng, sizes = random.Random(seed), Sizes()
    for _ in range(count):
        sizes.learn([(median * math.exp(rng.gauss(0, spread)), True)])
    return sizes


def test_the_usual_size_and_the_cap_are_median_and_99th_percentile():
    sizes = taught(10_000, 20_000)

    assert sizes.median == pytest.approx(10_000, rel=0.15)
    assert math.log(sizes.cap / 10_000) == pytest.approx(2.326, abs=0.5)


def test_one_whale_moves_the_usual_size_by_a_step():
    sizes = taught(10_000, 1000)
    before, cap = sizes.median, sizes.cap
    sizes.learn([(1e9, True)])

    assert sizes.median == pytest.approx(before, rel=0.011)
    assert sizes.cap < 1.06 * cap


def test_before_any_order_nothing_is_capped():
    assert Sizes().cap == math.inf


# onset


def test_the_onset_is_the_second_the_burst_began():
    rng, onset, begun = random.Random(3), Onset(), 3000
    for second in range(1, 3060):
        if orders := poisson(rng, 0.05 if second < begun else 1.0):
            onset.update(second, orders, 0.05)

    assert onset.since == pytest.approx(begun, abs=10)


# what is usual


def learnt(minutes: int, rate, *, heard=lambda _: 1.0, start_s: int = MONDAY_S, seed: int = 1) -> Scale:
    rng, scale = random.Random(seed), Scale(minute=start_s // 60)
    for minute in range(minutes):
        orders = poisson(rng, rate(minute)) if heard(minute) else 0
        scale.close(orders, 100.0 * orders, heard(minute))
    return scale


def test_nothing_is_usual_before_an_hour_was_heard():
    assert learnt(59, lambda _: 6).usual is None
    assert learnt(60, lambda _: 6).usual == pytest.approx(0.1, rel=0.2)


def test_what_is_usual_lags_so_that_an_event_does_not_lift_its_own_bar():
    before = learnt(600, lambda _: 6).usual
    during = learnt(600 + LAG_MIN - 1, lambda minute: 6 if minute < 600 else 300).usual

    assert during == pytest.approx(before, rel=0.05)


def test_an_event_lifts_the_next_bar_only_as_much_as_a_few_times_the_usual_would():
    quiet = learnt(720, lambda _: 6).usual
    after = learnt(720, lambda minute: 600 if 600 <= minute < 630 else 6).usual

    assert quiet < after < quiet * (1 + 1.2 * HIGH * 30 / 360)


@pytest.mark.parametrize("minutes", [60, 600])
def test_unheard_minutes_teach_nothing(minutes):
    usual = learnt(1000, lambda _: 6).usual
    after = learnt(1000 + minutes, lambda _: 6, heard=lambda minute: 1.0 if minute < 1000 else 0.0).usual

    assert after == pytest.approx(usual, rel=0.1)
    assert learnt(1000 + minutes, lambda minute: 6 if minute < 1000 else 0).usual < 0.9 * usual, "a silence does"


def test_minutes_of_which_a_part_was_heard_count_as_whole():
    rng, scale = random.Random(2), Scale(minute=MONDAY_S // 60)
    for _ in range(2000):
        scale.close(poisson(rng, 6), 0.0, 0.6)

    assert scale.usual == pytest.approx(10 / 60, rel=0.1)


def wave(minute: int) -> float:
    """Orders a minute: ten in the afternoon, two at other times."""
    return 10.0 if 12 <= minute // 60 % 24 < 18 else 2.0


def at_hour(scale: Scale, hour: float) -> float:
    return scale._factor(scale.minute // DAY_MIN * DAY_MIN + int(hour * 60))


def test_the_time_of_day_is_learnt_in_a_month_and_not_believed_after_two_days():
    assert at_hour(learnt(2 * DAY_MIN, wave), 15) == 1.0

    month = learnt(40 * DAY_MIN, wave)
    assert at_hour(month, 15) / at_hour(month, 3) == pytest.approx(5, rel=0.35)


def test_weekends_get_a_wave_of_their_own_after_eight_of_them():
    def rate(minute: int) -> float:
        weekend = minute // DAY_MIN % 7 >= 5
        return wave(minute + (12 * 60 if weekend else 0))

    scale = learnt(10 * 7 * DAY_MIN, rate)
    saturday = scale.minute // DAY_MIN * DAY_MIN + 5 * DAY_MIN

    assert scale._factor(saturday + 3 * 60) > 2 * scale._factor(saturday + 15 * 60)
    assert at_hour(scale, 15) > 2 * at_hour(scale, 3), "Monday keeps its own"


# the gauge


def calm(seconds: int, seed: int = 1, every: float = 10.0) -> list[tuple[int, float, bool]]:
    rng, at, found = random.Random(seed), MONDAY_S * SECOND, []
    while at < (MONDAY_S + seconds) * SECOND:
        found.append((at, round(10_000 * math.exp(rng.gauss(0, 1))), rng.random() < 0.5))
        at += int(rng.expovariate(1 / every) * SECOND) + 1
    return found


def run(gauge: Gauge, orders: list[tuple[int, float, bool]], step_s: int = 5) -> Gauge:
    rules, now = Rules(), 0
    for order in orders:
        while now and now < order[0]:
            gauge.advance(now, rules)
            now += step_s * SECOND
        now = now or order[0]
        gauge.count(*order)
    gauge.advance(orders[-1][0] + 60 * SECOND, rules)
    return gauge


@settings(max_examples=15)
@given(st.integers(0, 700))
def test_a_gauge_goes_on_from_its_stored_state_as_if_nothing_had_been(cut):
    orders = calm(2 * 3600)
    first = Gauge(asset="ALL")
    for order in orders[:cut]:
        first.advance(order[0], Rules())
        first.count(*order)

    second = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=Gauge)
    for order in orders[cut:]:
        for gauge in (first, second):
            gauge.advance(order[0], Rules())
            gauge.count(*order)

    assert second == first
    assert msgspec.msgpack.encode(second) == msgspec.msgpack.encode(first)
    assert first.scale.usual is not None


def test_orders_whose_second_is_closed_are_refused_and_counted():
    gauge, now = Gauge(asset="ALL"), MONDAY_S * SECOND
    gauge.advance(now, Rules())

    assert gauge.count(now - LATE_MS, 1.0, True)
    assert not gauge.count(now - LATE_MS - SECOND, 1.0, True)
    assert gauge.late == 1


def test_the_order_of_arrival_inside_a_second_plays_no_part():
    gauges = []
    for turn in (1, -1):
        gauge = Gauge(asset="ALL")
        for order in calm(3600)[::turn]:
            gauge.count(order[0] // 10_000 * 10_000, *order[1:])
        gauge.advance((MONDAY_S + 3700) * SECOND, Rules())
        gauges.append(gauge)

    assert gauges[0] == gauges[1]


@pytest.mark.parametrize(
    ("every", "width", "sparse"), [(60, 300, False), (1000, 900, False), (3000, 3600, False), (20_000, 3600, True)]
)
def test_a_market_is_looked_at_in_the_shortest_window_that_mostly_holds_an_order(every, width, sparse):
    gauge = run(Gauge(asset="DOGE"), calm(7 * 86_400, every=every), step_s=600)

    assert gauge.burst.width == width
    assert gauge.widths.sparse is sparse
    assert (gauge.pulse(gauge.second) is None) is sparse


def ended(gauge: Gauge, blocks: dict[int, float]) -> None:
    """These blocks have ended with these scores of both kinds, and time has gone on."""
    gauge.waiting = [(block, score, score) for block, score in blocks.items()]
    gauge.block = max(blocks) + 100


def in_the_tail(gauge: Gauge) -> list[tuple[float, int]]:
    gauge._learn()
    return sorted(gauge.breadth.top, key=lambda row: row[1])


def test_what_belongs_to_an_episode_that_came_to_something_is_not_learnt():
    gauge = Gauge(asset="ALL")
    ended(gauge, {7: 1.0, 8: 2.0, 9: 50.0, 10: 90.0})
    gauge.event(8 * 900 * 1_000)
    assert in_the_tail(gauge) == [(1.0, 7)], "while it is open nothing from its onset on is"
    gauge.event_over(real=True)

    assert in_the_tail(gauge) == [(1.0, 7)]
    assert gauge.waiting == []


def test_an_episode_that_came_to_nothing_is_learnt_as_one_block_at_the_level():
    gauge = Gauge(asset="ALL")
    ended(gauge, {7: 1.0, 8: 2.0, 9: 50.0, 10: 90.0})
    gauge.event(8 * 900 * 1_000)
    gauge.event_over(real=False)

    assert in_the_tail(gauge) == [(1.0, 7), (gauge.levels.breadth, 10)]


def test_a_storm_on_both_sides_scores_nothing_and_one_on_a_side_does():
    def scores(share: float) -> tuple[float, float]:
        gauge = Gauge(asset="ALL")
        gauge.burst.capped_short, gauge.burst.capped_long = int(share * 1e9), int((1 - share) * 1e9)
        gauge.burst.recent = 100
        return gauge._scores(3.0, 1.0)

    assert scores(0.5) == (0.0, 0.0)
    small, large = scores(0.75), scores(1.0)
    assert large[0] == pytest.approx(4 * small[0])
    assert large[1] == pytest.approx(2 * small[1])


def test_an_order_of_less_than_a_cent_is_no_trouble_and_no_order():
    gauge = Gauge(asset="ALL")
    for usd in (0.0, 0.00004, 5.0):
        assert gauge.count(1_000_000_000, usd, True)
    gauge.advance(1_000_010_000, Rules())

    assert gauge.burst.orders == 1
