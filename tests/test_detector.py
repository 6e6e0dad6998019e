"""The hour rule as a pure function: scenario tables and properties."""

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.detector import Rules, State, Verdict, step
from service.detector.grade import grade
from service.model import MINUTE, SECOND, SPANS, Coverage, Excitation, Phase, Pulse, Reading, Side, Totals

#: The hour rule by itself: updates at once, no reminders.
RULES = Rules(update_s=0, remind_s=1e9)
T0 = 1_768_341_600_000


def reading(minute: float, long: float, short: float, asset: str = "ALL") -> Reading:
    totals = Totals(long_usd=long * 1e6, short_usd=short * 1e6, long_count=1, short_count=1)
    return Reading(asset=asset, now=T0 + int(minute * MINUTE), spans=dict.fromkeys(SPANS, totals))


def run(rows: list[tuple[float, float, float]], asset: str = "ALL", rules: Rules = RULES) -> list[Verdict]:
    state, verdicts = State(), []
    for row in rows:
        state, verdict = step(state, reading(*row, asset=asset), rules)
        if verdict:
            verdicts.append(verdict)
    return verdicts


def phases(verdicts: list[Verdict]) -> list[str]:
    return [verdict.phase.value for verdict in verdicts]


@pytest.mark.parametrize(
    ("asset", "long", "short", "kind"),
    [
        ("ALL", 2, 102, "short_squeeze"),
        ("ALL", 300, 10, "long_flush"),
        ("ALL", 20, 80, "short_squeeze"),
        ("ALL", 1, 98, None),
        ("ALL", 21, 80, None),
        ("ALL", 60, 60, None),
        ("BTC", 0, 30, "short_squeeze"),
        ("BTC", 0, 29.9, None),
        ("ETH", 20, 0, "long_flush"),
        ("DOGE", 5, 0, "long_flush"),
        ("DOGE", 4.9, 0, None),
    ],
)
def test_an_episode_opens_at_its_floor_and_share_and_not_below(asset, long, short, kind):
    verdicts = run([(0, long, short)], asset)

    assert [verdict.episode.kind.value for verdict in verdicts] == ([kind] if kind else [])


def test_the_founding_hour_opens_grows_by_half_or_in_severity_and_closes_once():
    rows = [(minute, 2, short) for minute, short in enumerate([50, 101, 140, 152, 200, 229, 300, 419, 300, 120])]
    rows += [(70 + minute, 1, 30) for minute in range(20)]

    verdicts = run(rows)

    assert phases(verdicts) == ["opened", "grew", "grew", "grew", "closed"]
    assert [verdict.totals.short_usd / 1e6 for verdict in verdicts] == [101, 152, 200, 300, 30]
    assert [verdict.episode.severity.value for verdict in verdicts] == [
        "watch",
        "watch",
        "warning",
        "critical",
        "critical",
    ]
    assert [verdict.episode.grade for verdict in verdicts] == [2, 2, 2, 2, 3]
    assert {verdict.episode.id for verdict in verdicts} == {f"ALL-short_squeeze-{(T0 + MINUTE) // 1000}"}
    assert [verdict.episode.alerts for verdict in verdicts] == [1, 2, 3, 4, 5]
    assert verdicts[-1].episode.peak_usd == 421e6
    assert verdicts[-1].episode.peak_at == T0 + 7 * MINUTE


def test_updates_keep_five_minutes_apart_unless_the_severity_rises():
    short = [101, 155, 240, 241, 242, 243, 400, 700, 701, 702, 703, 704]
    verdicts = run([(minute, 0, usd) for minute, usd in enumerate(short)], rules=Rules())

    said = [(verdict.at - T0) // MINUTE for verdict in verdicts]
    assert said == [0, 2, 6, 11], "at 2 it is a warning, at 6 critical; 155 comes too soon, 700 waits for its minutes"


def test_an_open_episode_of_which_nothing_is_new_is_recalled_every_hour():
    verdicts = run([(minute, 0, 120) for minute in range(150)], rules=Rules())

    assert [(verdict.rule, (verdict.at - T0) // MINUTE) for verdict in verdicts] == [
        ("hour", 0),
        ("reminder", 60),
        ("reminder", 120),
    ]


def test_an_hour_that_the_other_side_filled_makes_an_episode_no_worse():
    verdicts = run([(0, 0, 120), (1, 290, 120)])

    assert [verdict.episode.severity.value for verdict in verdicts] == ["watch"]


def test_a_total_trembling_at_the_floor_opens_once():
    rows = [(minute / 6, 1, 98 + 4 * (minute % 2)) for minute in range(600)]

    assert phases(run(rows)) == ["opened"]


def test_a_total_trembling_at_the_closing_level_neither_closes_nor_opens_again():
    rows = [(0, 0, 120), *((1 + minute, 0, 48 + 4 * (minute % 2)) for minute in range(120))]

    assert phases(run(rows)) == ["opened"]


def test_calm_must_last_five_minutes_without_a_break():
    almost = [(0, 0, 120), (1, 0, 40), (5.9, 0, 40), (6, 0, 60), (7, 0, 40), (11.9, 0, 40)]

    assert phases(run(almost)) == ["opened"]
    assert phases(run([*almost, (12, 0, 40)])) == ["opened", "closed"]


def test_an_episode_whose_side_lost_its_share_closes():
    rows = [(0, 0, 120), *((1 + minute, 150, 200) for minute in range(10))]

    assert phases(run(rows))[-1] == "closed"


def loud(minute: float, usd: float) -> Reading:
    """A reading whose signals stand far above their levels, with these dollars of shorts in the last five minutes."""
    one = reading(minute, 0, usd / 1e6)
    pulse = Pulse(
        at=one.now, width_s=300, early=50.0, early_level=4.0, watch_level=2.0, breadth=50.0, breadth_level=5.0,
        growth_z=3.0, orders_minute=40, orders=40, long_usd=0.0, short_usd=usd, lean=1.0, onset=one.now - 60 * SECOND,
        usual_rate=0.001, usual_usd=1.0, median_usd=1e3, cap_usd=1e4, days=1.0, rarity_days=None,
        excitation=Excitation(word="steady", low=0.5, high=1.0, branching=None),
    )  # fmt: skip
    return msgspec.structs.replace(one, pulse=pulse)


@pytest.mark.parametrize(("later", "told"), [(0.49e6, ["opened", "closed"]), (0.51e6, ["opened"])])
def test_an_episode_is_not_kept_open_by_less_than_half_of_the_dollars_that_growth_needs(later, told):
    state, verdicts = State(), []
    for minute in range(40):
        state, verdict = step(state, loud(minute, 2e6 if minute < 5 else later), RULES)
        verdicts += [verdict] if verdict else []

    assert phases(verdicts) == told


def test_the_other_side_opens_only_after_the_first_episode_closed():
    rows = [(0, 0, 120), *((1 + minute, 900, 120) for minute in range(8))]

    verdicts = run(rows)

    assert [(verdict.phase.value, verdict.episode.kind.value) for verdict in verdicts] == [
        ("opened", "short_squeeze"),
        ("closed", "short_squeeze"),
        ("opened", "long_flush"),
    ]


def test_severity_never_falls_inside_an_episode():
    verdicts = run([(0, 0, 310), (1, 0, 200), *((2 + minute, 0, 10) for minute in range(10))])

    assert [verdict.episode.severity.value for verdict in verdicts] == ["critical", "critical"]


def test_growth_is_of_the_episodes_own_side():
    verdicts = run([(0, 10, 100), (1, 100, 101), (2, 160, 149), (3, 160, 151)])

    assert phases(verdicts) == ["opened", "grew"]
    assert verdicts[1].totals.short_usd == 151e6


dollars = st.floats(0, 2_000, allow_nan=False)
streams = st.lists(st.tuples(dollars, dollars), max_size=80)


@given(streams)
def test_phases_always_come_in_order(stream):
    verdicts = run([(2 * index, *row) for index, row in enumerate(stream)])

    open_id = None
    for verdict in verdicts:
        if verdict.phase is Phase.OPENED:
            assert open_id is None
            open_id = verdict.episode.id
        assert verdict.episode.id == open_id
        if verdict.phase is Phase.CLOSED:
            open_id = None


@given(streams, st.integers(0, 80))
def test_a_prefix_gives_the_same_verdicts(stream, cut):
    rows = [(2 * index, *row) for index, row in enumerate(stream)]
    whole = run(rows)

    assert run(rows[:cut]) == whole[: len(run(rows[:cut]))]


@given(streams, st.integers(0, 80))
def test_a_restart_from_the_stored_state_changes_nothing(stream, cut):
    rows = [(2 * index, *row) for index, row in enumerate(stream)]
    state, verdicts = State(), []
    for index, row in enumerate(rows):
        if index == cut:
            state = msgspec.json.decode(msgspec.json.encode(state), type=State)
        state, verdict = step(state, reading(*row), RULES)
        verdicts += [verdict] if verdict else []

    assert verdicts == run(rows)


@given(streams)
def test_all_dollars_and_floors_times_a_thousand_gives_the_same_phases(stream):
    rows = [(2 * index, *row) for index, row in enumerate(stream)]
    floors = {market: 1024 * floor for market, floor in RULES.floors.items()}
    big = dataclasses.replace(RULES, floors=floors)

    assert phases(run([(m, 1024 * a, 1024 * b) for m, a, b in rows], rules=big)) == phases(run(rows))


@given(st.lists(st.tuples(st.floats(0, 49), st.floats(0, 49)), max_size=50))
def test_a_quiet_market_is_never_spoken_of(stream):
    assert run([(index, *row) for index, row in enumerate(stream)]) == []


def pulse(now: int, **changes: object) -> Pulse:
    """Signals of a market in which nothing is going on, unless told otherwise."""
    fields = {
        "at": now,
        "width_s": 300,
        "early": 0.0,
        "early_level": 4.0,
        "watch_level": 2.0,
        "breadth": 0.0,
        "breadth_level": 5.0,
        "growth_z": 0.0,
        "orders_minute": 0,
        "orders": 0,
        "long_usd": 0.0,
        "short_usd": 2e6,
        "lean": 0.9,
        "onset": now - 2 * MINUTE,
        "usual_rate": 1.0,
        "usual_usd": 5e3,
        "median_usd": 600.0,
        "cap_usd": 2e4,
        "days": 40.0,
        "rarity_days": None,
        "excitation": Excitation(word="steady", low=0.3, high=0.9, branching=None),
    }
    return Pulse(**(fields | changes))


def signalled(minute: float, asset: str = "ALL", **changes: object) -> Reading:
    quiet = reading(minute, 1, 3, asset)
    return msgspec.structs.replace(quiet, pulse=pulse(quiet.now, **changes))


def test_growth_opens_before_the_hour_and_the_hour_is_said_when_it_is_crossed():
    state, opened = step(State(), signalled(0, early=4.0), Rules())
    assert opened
    assert (opened.phase, opened.rule, opened.crossed) == (Phase.OPENED, "early", False)
    assert opened.episode.onset == T0 - 2 * MINUTE

    crossing = msgspec.structs.replace(reading(1, 1, 102), pulse=pulse(T0 + MINUTE, early=4.0))
    _, grown = step(state, crossing, Rules())
    assert grown
    assert (grown.phase, grown.rule, grown.crossed) == (Phase.GREW, "hour", True)


@pytest.mark.parametrize(
    "changes",
    [
        {"early": 3.9},
        {"early": 9.0, "lean": 0.6},
        {"early": 9.0, "short_usd": 0.9e6},
        {"breadth": 5.0, "short_usd": 9.9e6},
        {"breadth": 4.9, "short_usd": 50e6},
    ],
)
def test_a_signal_below_its_level_its_floor_or_without_a_side_opens_nothing(changes):
    assert step(State(), signalled(0, **changes), Rules())[1] is None


def test_breadth_opens_from_its_floor_on():
    _, opened = step(State(), signalled(0, breadth=5.0, short_usd=10e6), Rules())

    assert opened
    assert opened.rule == "level"


def test_half_a_market_and_prices_that_go_the_other_way_keep_signals_quiet():
    loud = signalled(0, early=9.0)
    half = Coverage(venues_live=1, venues=3, seconds_share=0.49)

    assert step(State(), msgspec.structs.replace(loud, coverage={"5m": half}), Rules())[1] is None
    assert step(State(), msgspec.structs.replace(loud, against=Side.SHORT), Rules())[1] is None
    assert step(State(), msgspec.structs.replace(loud, against=Side.LONG), Rules())[1] is not None


def test_an_onset_of_more_than_an_hour_ago_is_none_of_this_burst():
    _, opened = step(State(), signalled(0, early=9.0, onset=T0 - 61 * MINUTE), Rules())

    assert opened
    assert opened.episode.onset == T0 - 5 * MINUTE


def test_a_single_coin_waits_ten_seconds_for_all_and_is_a_line_of_it():
    rules = Rules()
    state, verdict = step(State(), signalled(0, "DOGE", early=9.0), rules)
    assert verdict is None
    _, parent = step(State(), signalled(0, early=9.0), rules)
    _, verdict = step(state, signalled(10 / 60, "DOGE", early=9.0), rules, parent and parent.episode)

    assert verdict
    assert parent
    assert verdict.episode.parent == parent.episode.id


def test_what_fades_and_comes_back_within_half_an_hour_is_one_episode():
    state, _ = step(State(), signalled(0, early=9.0), Rules())
    for minute in range(1, 26):
        state, verdict = step(state, signalled(minute), Rules())
        assert verdict is None
    assert state.open
    assert state.open.fading
    state, verdict = step(state, signalled(26, early=9.0), Rules())
    assert (verdict, state.open and state.open.fading) == (None, False)

    said = []
    for minute in range(27, 60):
        state, verdict = step(state, signalled(minute), Rules())
        said += [(minute, verdict.phase.value)] if verdict else []
    assert said == [(57, "closed")]


@pytest.mark.parametrize(
    ("usd", "days", "asset", "expected"),
    [
        (49e6, None, "ALL", 0), (50e6, None, "ALL", 1), (104e6, None, "ALL", 2), (458e6, None, "ALL", 3),
        (1e9, None, "ALL", 4), (7e9, None, "ALL", 5), (7e9, None, "BTC", 0), (0, 7.0, "BTC", 1), (0, 30.0, "BTC", 2),
        (0, 91.0, "BTC", 3), (0, 365.0, "BTC", 4), (60e6, 400.0, "ALL", 4),
    ],
)  # fmt: skip
def test_grades_are_the_worse_of_rarity_and_size(usd, days, asset, expected):
    assert grade(asset, usd, days) == expected


def test_a_coin_speaks_for_itself_again_once_the_episode_of_all_is_over():
    rules = Rules()
    _, parent = step(State(), reading(0, 1, 120), rules)
    state, opened = step(State(), reading(0, 0, 6, "SOL"), rules, parent and parent.episode)
    assert opened
    assert opened.episode.parent
    _, grown = step(state, reading(10, 0, 222, "SOL"), rules, None)

    assert grown
    assert grown.episode.parent is None


def test_the_end_of_what_was_only_ever_a_line_is_no_news():
    rules = Rules()
    _, parent = step(State(), reading(0, 1, 120), rules)
    state, _ = step(State(), reading(0, 0, 6, "SOL"), rules, parent and parent.episode)
    for minute in range(1, 10):
        state, ended = step(state, reading(minute, 0, 1, "SOL"), rules, None)
        if ended:
            break

    assert ended
    assert (ended.phase, ended.episode.parent) == (Phase.CLOSED, parent and parent.episode.id)


def test_what_is_usual_is_unknown_until_it_is_learnt_and_never_zero():
    assert pulse(T0, usual_usd=0.0).usual(3_600) is None
    assert pulse(T0, usual_usd=1_000.0).usual(3_600) == 3_600_000.0
