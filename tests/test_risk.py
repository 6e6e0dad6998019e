"""The squeeze-risk gauge: its arithmetic, what it does without an input, and what it did on recorded data."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.context.risk import STEP, WEIGHTS, Fuel, Point, fuel_of, percentile, risk
from service.model import HOUR, Risk, Side
from tests import fuel as bench
from tests.fuelled import FILES, Step, announcements, candles, funding, interest, paid, point_of, points, steps
from tests.shared import recorded

NOW = 1_768_348_800_000
"""2026-01-14 00:00, a step."""
FULL = Fuel(
    asset="BTC",
    funding_8h=-0.0001,
    funding_pct=0.1,
    funding_at=NOW - HOUR,
    funding_days=90,
    oi_pct=0.6,
    oi_at=NOW,
    oi_days=30,
    turnover_pct=0.8,
    turnover_days=30,
    price_at=NOW,
    stretch_up_pct=0.5,
    stretch_down_pct=0.5,
    stretch_days=30,
)
shares = st.floats(0, 1)


def fuel(**changes: object) -> Fuel:
    return Fuel(**{name: getattr(FULL, name) for name in Fuel.__struct_fields__} | changes)


def scored(**changes: float) -> float:
    score = risk(fuel(**changes), Side.SHORT, NOW).score
    assert score is not None
    return score


def part(said: Risk, name: str) -> float | None:
    return next(part.value for part in said.parts if part.name == name)


def why(said: Risk, name: str) -> str:
    return next(part.reason for part in said.parts if part.name == name)


def course(days: int, value: Callable[[int], float]) -> list[Point]:
    """Points of so many days up to NOW; `value` of the step's number makes each figure, the last has number 0."""
    return [
        Point(
            at=NOW + step * STEP,
            oi_coins=1000 * value(step),
            oi_usd=1e6 * value(step),
            funding_8h=1e-5 * value(step),
            price=100 * math.exp(value(step) / 100),
            volume_usd=5e6,
        )
        for step in range(-days * 6, 1)
    ]


def wave(step: int) -> float:
    return 2 + math.sin(step / 5) + math.sin(step / 37)


# Percentile


def test_percentile_is_the_part_that_is_lower_and_ties_count_half() -> None:
    assert percentile([1, 2, 3, 4], 2.5) == 0.5
    assert percentile([1, 2, 2, 4], 2) == 0.5
    assert percentile([1, 2, 3, 4], 0) == 0
    assert percentile([1, 2, 3, 4], 5) == 1
    assert percentile([7], 7) == 0.5


@given(st.lists(st.integers(-9, 9), min_size=1), st.integers(-9, 9))
def test_percentile_of_the_negated_is_the_rest(history: list[int], value: int) -> None:
    assert percentile([-past for past in history], -value) == pytest.approx(1 - percentile(history, value))


def test_percentile_refuses_what_is_no_history() -> None:
    with pytest.raises(ValueError, match="this one is empty"):
        percentile([], 1)
    with pytest.raises(ValueError, match="finite"):
        percentile([1, math.nan], 1)
    with pytest.raises(ValueError, match="inf"):
        percentile([1, 2], math.inf)


# The gauge


def test_a_score_worked_by_hand() -> None:
    """Shorts: crowding 1 - 0.1, leverage (0.6 + 0.8) / 2, stretch 0.5."""
    said = risk(FULL, Side.SHORT, NOW)
    assert [(p.name, p.value, p.weight) for p in said.parts] == [
        ("crowding", 0.9, 0.25),
        ("leverage", pytest.approx(0.7), 0.35),
        ("stretch", 0.5, 0.40),
    ]
    assert said.score == pytest.approx(65.2, abs=0.1)  # 100 x 0.974 x 0.883 x 0.758
    assert said.word == "raised"
    assert said.reason == ""
    assert sum(WEIGHTS) == pytest.approx(1)


@pytest.mark.parametrize(
    ("level", "word"),
    [(0.59, "low"), (0.61, "raised"), (0.79, "raised"), (0.81, "high"), (0.91, "extreme"), (1, "extreme")],
)
def test_words_begin_at_60_80_and_90(level: float, word: str) -> None:
    said = risk(fuel(funding_pct=1 - level, oi_pct=level, turnover_pct=level, stretch_up_pct=level), Side.SHORT, NOW)
    assert said.score == pytest.approx(100 * level)
    assert said.word == word


def test_one_part_at_nothing_is_no_fuel() -> None:
    assert scored(funding_pct=1.0) == 0
    assert scored(oi_pct=0.0, turnover_pct=0.0) == 0
    assert scored(stretch_up_pct=0.0) == 0


@given(low=shares, high=shares, name=st.sampled_from(["oi_pct", "turnover_pct", "stretch_up_pct", "funding_pct"]))
def test_more_of_a_part_is_never_less_fuel_of_shorts(low: float, high: float, name: str) -> None:
    low, high = sorted((low, high), reverse=name == "funding_pct")
    assert scored(**{name: low}) <= scored(**{name: high}) + 1e-9


@given(shares, shares, shares, shares)
def test_longs_are_the_mirror_of_shorts(funding: float, oi: float, up: float, down: float) -> None:
    one = fuel(funding_pct=funding, oi_pct=oi, stretch_up_pct=up, stretch_down_pct=down)
    other = fuel(funding_pct=1 - funding, oi_pct=oi, stretch_up_pct=down, stretch_down_pct=up)
    short, long = risk(one, Side.SHORT, NOW), risk(other, Side.LONG, NOW)
    assert short.score == pytest.approx(long.score)
    assert 0 <= (short.score or 0) <= 100


# What is unknown


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"funding_at": None}, "funding is unknown"),
        ({"funding_at": NOW - 12 * HOUR - 1}, "funding is 12.0 h old, at most 12 h are taken"),
        ({"funding_at": NOW + HOUR}, "funding is dated 1.0 h ahead"),
        ({"funding_days": 6.9}, "funding has 6.9 days of history, 7 are needed"),
        ({"funding_pct": math.nan}, "funding has a percentile of nan, 0 to 1 are allowed"),
        ({"funding_pct": None, "funding_days": 0.0}, "funding has no history to be compared with"),
        ({"oi_at": None}, "open interest is unknown"),
        ({"oi_at": NOW - 3 * HOUR}, "open interest is 3.0 h old, at most 2 h are taken"),
        ({"oi_days": 2.0, "turnover_days": 2.0}, "open interest has 2.0 days of history, 7 are needed"),
        ({"funding_at": None, "oi_at": None}, "funding is unknown; open interest is unknown"),
    ],
)
def test_without_crowding_or_leverage_there_is_no_score_and_it_is_said_why(
    changes: dict[str, float | None], reason: str
) -> None:
    for side in Side:
        said = risk(fuel(**changes), side, NOW)
        assert said.score is None
        assert said.word is None
        assert said.reason == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"price_at": NOW - 3 * HOUR}, "price is 3.0 h old, at most 2 h are taken"),
        ({"stretch_days": 1.0}, "price has 1.0 days of history, 7 are needed"),
    ],
)
def test_without_stretch_the_other_parts_share_its_weight(changes: dict[str, float], reason: str) -> None:
    said = risk(fuel(**changes), Side.SHORT, NOW)
    assert part(said, "stretch") is None
    assert why(said, "stretch") == reason
    assert said.score == pytest.approx(100 * 0.9 ** (0.25 / 0.60) * 0.7 ** (0.35 / 0.60))
    assert said.reason == ""


def test_leverage_is_what_is_known_of_its_two_halves() -> None:
    assert part(risk(fuel(turnover_pct=None), Side.LONG, NOW), "leverage") == 0.6
    assert part(risk(fuel(turnover_days=3.0), Side.LONG, NOW), "leverage") == 0.6
    assert part(risk(fuel(oi_pct=None), Side.LONG, NOW), "leverage") == 0.8
    assert part(risk(fuel(oi_pct=math.nan), Side.LONG, NOW), "leverage") == 0.8


def test_a_minute_of_a_clock_that_runs_ahead_is_forgiven() -> None:
    assert risk(fuel(oi_at=NOW + 30_000, funding_at=NOW + 30_000, price_at=NOW + 30_000), Side.LONG, NOW).score


# From points


def test_inputs_worked_by_hand_from_eight_days() -> None:
    """Everything rises step by step, so all that is now is the highest, and all moves of 24 h are the same."""
    found = fuel_of("BTC", course(8, lambda step: 100 + step), NOW)
    assert (found.funding_pct, found.oi_pct, found.turnover_pct) == (1, 1, 1)
    assert (found.funding_days, found.oi_days, found.turnover_days, found.stretch_days) == (8, 8, 8, 7)
    assert (found.funding_at, found.oi_at, found.price_at) == (NOW, NOW, NOW)
    assert found.funding_8h == pytest.approx(0.001)
    flat = fuel_of("BTC", course(8, lambda _step: 1.0), NOW)
    assert (flat.funding_pct, flat.oi_pct, flat.stretch_up_pct, flat.stretch_down_pct) == (0.5, 0.5, 0.5, 0.5)


def test_history_is_90_days_of_funding_and_30_of_the_others() -> None:
    found = fuel_of("BTC", course(120, wave), NOW)
    assert (found.funding_days, found.oi_days, found.turnover_days, found.stretch_days) == (90, 30, 30, 30)


def test_a_rise_is_stretch_for_shorts_and_none_for_longs() -> None:
    jumped = course(30, lambda step: 10.0 if step == 0 else 1.0 + (step % 2))
    found = fuel_of("BTC", jumped, NOW)
    assert (found.stretch_up_pct, found.stretch_down_pct) == (1, 0)
    assert risk(found, Side.LONG, NOW).score == 0


def test_what_cannot_be_is_not_used_and_the_last_good_figure_keeps_its_age() -> None:
    told = course(30, wave)
    bad = Point(at=NOW + STEP, oi_coins=-5.0, oi_usd=0.0, funding_8h=math.nan, price=0.0, volume_usd=math.inf)
    found = fuel_of("BTC", [*told, bad], NOW + STEP)
    assert found == fuel_of("BTC", told, NOW)
    assert risk(found, Side.SHORT, NOW + STEP).reason == "open interest is 4.0 h old, at most 2 h are taken"


def test_a_hole_is_no_history_and_no_move() -> None:
    told = [point for point in course(30, wave) if not NOW - 25 * HOUR <= point.at < NOW]
    found = fuel_of("BTC", told, NOW)
    assert found.stretch_up_pct is None
    assert found.oi_pct is not None
    assert found.oi_days == 29


def test_of_several_points_in_a_step_the_last_counts() -> None:
    told = course(30, wave)
    early = [Point(at=told[-1].at + 60_000, oi_coins=1.0, price=1.0), Point(at=NOW + 90_000, oi_coins=1e9, price=1e9)]
    found = fuel_of("BTC", [*told, *early], NOW + 2 * HOUR)
    assert (found.oi_pct, found.oi_at, found.oi_days) == (1, NOW + 90_000, 30)


def test_nothing_told_is_nothing_known() -> None:
    assert fuel_of("BTC", [], NOW) == Fuel(asset="BTC")
    said = risk(Fuel(asset="BTC"), Side.LONG, NOW)
    assert (said.score, said.reason) == (None, "funding is unknown; open interest is unknown")


@settings(max_examples=20)
@given(st.integers(1, 60), st.floats(-1e6, 1e6), st.integers(1, 6))
def test_what_comes_later_changes_nothing(steps_back: int, later: float, hours: int) -> None:
    told, now = course(45, wave), NOW - steps_back * STEP + hours * HOUR // 2
    whole = fuel_of("BTC", told, now)
    assert whole == fuel_of("BTC", [point for point in told if point.at <= now], now)
    assert whole == fuel_of("BTC", [*told, Point(at=now + 1, oi_coins=later, funding_8h=later, price=later)], now)


@settings(max_examples=20)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_other_units_change_nothing(coins: float, dollars: float) -> None:
    told = course(45, wave)
    other = [
        Point(
            at=point.at,
            oi_coins=(point.oi_coins or 0) * coins,
            oi_usd=(point.oi_usd or 0) * dollars,
            funding_8h=(point.funding_8h or 0) * coins,
            price=(point.price or 0) * dollars,
            volume_usd=(point.volume_usd or 0) * dollars,
        )
        for point in told
    ]
    for side in Side:
        one, two = (risk(fuel_of("BTC", some, NOW), side, NOW).score for some in (told, other))
        assert one == pytest.approx(two, abs=0.5)


# What it did on recorded data: ranges, so that another definition shows


@pytest.fixture(scope="module")
def said() -> Sequence[Step]:
    for name in FILES:
        recorded(name)
    return steps("BTC", bench.BEGIN)


def test_the_two_sources_of_funding_agree_where_both_tell_it(said: Sequence[Step]) -> None:
    announced = announcements()
    own = {at: rate for at, rate in paid("BTC").items() if at in announced}
    assert len(own) == 221
    assert sum(abs(rate - announced[at]) > 2e-5 for at, rate in own.items()) <= 2
    assert sum((rate < 0) == (announced[at] < 0) for at, rate in own.items()) >= 218


def test_the_definition_was_the_best_of_the_first_half(said: Sequence[Step]) -> None:
    means = {name: sum(areas) / 3 for name, areas in bench.choice().items()}
    assert max(means, key=lambda name: means[name]) == "25/35/40"
    assert means["25/35/40"] == pytest.approx(0.61, abs=0.01)
    assert means["without stretch"] == pytest.approx(0.51, abs=0.01)


@pytest.mark.parametrize("back", [0, 77, 400, 801])
def test_a_point_is_made_of_what_was_known_then(said: Sequence[Step], back: int) -> None:
    at = said[-1 - back].at
    known = [{t: v for t, v in some.items() if t <= at} for some in (candles("BTC"), funding("BTC"), interest("BTC"))]
    assert point_of(at, *known) == next(point for point in points("BTC") if point.at == at)


def test_the_bench_knows_a_seer_from_a_dice(said: Sequence[Step]) -> None:
    """What it says of the gauge means something only if it finds what is there."""
    tried = judged("$10M")
    seer = bench.Trial(tried.at, tried.hits * 100.0, tried.hits)
    assert bench.area(seer) == 1
    found = bench.lift(seer, 80.0)
    assert found.lift == pytest.approx(1 / tried.base)
    assert found.low > 2
    dice = bench.Trial(tried.at, np.random.default_rng(3).random(len(tried.at)), tried.hits)
    thrown = bench.lift(dice, 0.8)
    assert thrown.low < 1 < thrown.high
    assert bench.area(dice) == pytest.approx(0.5, abs=0.06)


def judged(level: str, score: bench.Score = bench.shipped) -> bench.Trial:
    marks = bench.levels(bench.liquidations())
    return bench.trial(bench.asked("second half"), score, bench.liquidations(), marks[level], 24)


def test_on_the_second_half_a_high_gauge_has_not_been_shown_to_forecast(said: Sequence[Step]) -> None:
    """The bar: a lift of 2 with an interval above 1. It is missed."""
    tried = judged("$10M")
    tenth, high = bench.lift(tried, bench.top_tenth()), bench.lift(tried, 80.0)
    assert tried.base == pytest.approx(0.334, abs=0.01)
    assert bench.area(tried) == pytest.approx(0.57, abs=0.02)
    assert (tenth.steps, high.steps, high.spells) == (152, 51, 14)
    assert 1.2 < tenth.lift < 1.45
    assert tenth.low < 1
    assert 1.4 < high.lift < 1.75
    assert high.low < 1
    assert bench.lift(judged("top 1 %"), 80.0).low < 1


def test_open_interest_alone_said_nothing(said: Sequence[Step]) -> None:
    for level in ("top 1 %", "$10M", "$20M"):
        assert 0.4 < bench.area(judged(level, bench.PARTS["leverage"])) < 0.55
        assert bench.area(judged(level, bench.PARTS["stretch"])) > 0.57


def test_reliability_rises_late_and_little(said: Sequence[Step]) -> None:
    rates = [rate for _, _, rate in bench.deciles(judged("$10M"))]
    assert max(rates) == rates[-1] == pytest.approx(0.47, abs=0.03)
    assert rates[0] > 0.25
