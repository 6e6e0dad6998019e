"""The book of days: what stands at a moment, what was revised, what is refused, and what is said of it."""

import gzip
import json
import re
from collections.abc import Mapping
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.context.etf import measure
from service.context.etf.days import before, closed, due, published_by
from service.context.etf.dropped import read
from service.context.etf.flows import Flows
from service.context.source import SourceError
from service.model import EtfFlow, FlowDay
from tests.shared import recorded

HOUR = 3_600_000
AFTER_ALL = published_by("2026-08-31")
DAILY = "data/etf_flows/etf_daily_net_flows.csv.gz"


def day(date: str, millions: float, asset: str = "BTC", **more: object) -> FlowDay:
    return FlowDay(asset=asset, date=date, usd=millions * 1e6, **more)


def back(from_date: str, days: int) -> list[str]:
    dates = [from_date]
    while len(dates) < days:
        dates.append(before(dates[-1]))
    return dates[::-1]


def book_of(figures: Mapping[str, float], source: str = "farside") -> Flows:
    book = Flows([source])
    for date, millions in figures.items():
        book.take([day(date, millions)], source, published_by(date))
    return book


def found(book: Flows, now: int, asset: str = "BTC", replay: bool = False) -> EtfFlow:
    flow = book.of(asset, now, replay)
    assert flow is not None
    return flow


FORTNIGHT = {"2026-01-09": -250.0, "2026-01-12": 116.7, "2026-01-13": 753.8, "2026-01-14": 840.6}


def test_a_streak_counts_trading_days_and_not_the_calendars() -> None:
    book = book_of({"2026-01-08": 1.0, "2026-01-09": 2.0, "2026-01-12": 3.0})
    assert found(book, AFTER_ALL).streak == 3
    assert found(book_of({**FORTNIGHT, "2026-01-15": -1.0}), AFTER_ALL).streak == -1
    assert found(book_of({**FORTNIGHT, "2026-01-15": 0.0}), AFTER_ALL).streak == 0


def test_an_unknown_day_ends_a_streak_and_leaves_the_week_unknown() -> None:
    week = dict.fromkeys(back("2026-01-14", 6), 10.0)
    assert found(book_of(week), AFTER_ALL).five_day_usd == 50e6
    del week["2026-01-12"]
    flow = found(book_of(week), AFTER_ALL)
    assert flow.streak == 2
    assert flow.five_day_usd is None


def test_largest_since_looks_the_same_way_only() -> None:
    figures = dict.fromkeys(back("2026-01-13", 8), 1.0)
    figures |= {"2026-01-05": 697.2, "2026-01-07": -486.1, "2026-01-12": 116.7, "2026-01-13": 500.0}
    assert found(book_of(figures), AFTER_ALL).largest_since == "2026-01-05"
    assert found(book_of({**figures, "2026-01-14": 840.6}), AFTER_ALL).largest_since is None
    assert found(book_of({**figures, "2026-01-14": -486.1}), AFTER_ALL).largest_since == "2026-01-07"
    assert found(book_of({**figures, "2026-01-14": 0.0}), AFTER_ALL).largest_since is None


def test_nothing_is_said_of_the_largest_day_beyond_one_nobody_knows() -> None:
    figures = {**dict.fromkeys(back("2026-01-13", 8), 1.0), "2026-01-05": 697.2, "2026-01-14": 500.0}
    assert found(book_of(figures), AFTER_ALL).largest_since == "2026-01-05"
    unknown = {date: usd for date, usd in figures.items() if date != "2026-01-08"}
    assert found(book_of(unknown), AFTER_ALL).largest_since is None, "the 8th may have been larger"
    assert found(book_of({**unknown, "2026-01-09": 600.0}), AFTER_ALL).largest_since == "2026-01-09"
    book = book_of(unknown)
    book.take([day("2026-01-08", 1.0, complete=False)], "farside", AFTER_ALL)
    assert found(book, AFTER_ALL).largest_since is None, "a part of a day is no day"


@pytest.mark.parametrize(
    ("figures", "streak", "at_least"),
    [
        ({"2026-01-09": -1.0, "2026-01-12": 3.0, "2026-01-13": 4.0}, 2, False),
        ({"2026-01-09": 0.0, "2026-01-12": 3.0}, 1, False),
        ({"2026-01-12": 3.0, "2026-01-13": 4.0}, 2, True),
        ({"2026-01-08": 3.0, "2026-01-12": 3.0, "2026-01-13": 4.0}, 2, True),
        ({"2026-01-12": -3.0}, -1, True),
        ({"2026-01-12": 0.0}, 0, False),
    ],
)
def test_a_streak_whose_beginning_nobody_knows_says_that_it_may_be_longer(
    figures: dict[str, float], streak: int, at_least: bool
) -> None:
    flow = found(book_of(figures), AFTER_ALL)
    assert (flow.streak, flow.streak_at_least) == (streak, at_least)


def test_what_is_usual_needs_twenty_days_and_looks_at_sixty() -> None:
    dates = back("2026-01-13", 90)
    figures = {date: float(number) for number, date in enumerate(dates)}
    newest = {"2026-01-14": 1.0}
    assert found(book_of({**dict(list(figures.items())[-19:]), **newest}), AFTER_ALL).usual_usd is None
    twenty = dict(list(figures.items())[-20:])
    assert found(book_of({**twenty, **newest}), AFTER_ALL).usual_usd == median(twenty.values()) * 1e6
    assert found(book_of({**figures, **newest}), AFTER_ALL).usual_usd == median(list(figures.values())[-60:]) * 1e6


def test_what_was_usual_long_ago_says_nothing_of_now() -> None:
    figures = {**dict.fromkeys(back("2025-06-30", 60), 100.0), "2026-01-14": 1.0}
    assert found(book_of(figures), AFTER_ALL).usual_usd is None


@pytest.mark.parametrize(
    ("millions", "way"),
    [(24.0, "flat"), (-24.0, "flat"), (0.0, "flat"), (25.0, "in"), (-25.0, "out"), (700.0, "in")],
)
def test_less_than_a_quarter_of_the_usual_is_flat(millions: float, way: str) -> None:
    usual = {date: 100.0 * (-1) ** number for number, date in enumerate(back("2026-01-13", 40))}
    assert found(book_of({**usual, "2026-01-14": millions}), AFTER_ALL).way == way


def test_without_anything_usual_only_nothing_is_flat() -> None:
    assert found(book_of({"2026-01-14": 0.1}), AFTER_ALL).way == "in"
    assert found(book_of({"2026-01-14": 0.0}), AFTER_ALL).way == "flat"


def test_a_figure_is_fresh_until_the_next_one_is_due() -> None:
    book = book_of(FORTNIGHT)
    evening, noon = published_by("2026-01-15"), due("2026-01-15")
    assert found(book, evening).fresh, "a day one late is normal in the evening"
    assert found(book, evening).reason == ""
    flow = found(book, noon)
    assert (flow.fresh, flow.reason) == (False, "no figure for 2026-01-15 yet")
    assert flow.date == "2026-01-14", "the last good figure stays"


def test_a_long_weekend_makes_nothing_old() -> None:
    book = book_of({"2026-01-16": -394.7})
    assert found(book, due("2026-01-20") - 1).fresh
    assert not found(book, due("2026-01-20")).fresh


def test_why_a_figure_is_late_names_the_source_and_ends_with_its_next_day() -> None:
    book = book_of(FORTNIGHT)
    book.hinder("farside", "BTC", "answered 403")
    book.hinder("farside", "ETH", "answered 403")
    noon = due("2026-01-15")
    assert book.missing(noon) == {
        "BTC": "no figure for 2026-01-15 yet, farside answered 403",
        "ETH": "no figure for 2026-01-15 yet, farside answered 403",
        "SOL": "no figure for 2026-01-15 yet",
    }
    book.take([day("2026-01-15", 100.2)], "farside", noon)
    assert "BTC" not in book.missing(noon)
    assert found(book, noon).reason == ""


def test_a_revision_is_remembered_and_an_echo_is_none() -> None:
    book = book_of(FORTNIGHT)
    later = published_by("2026-01-14") + HOUR
    book.take([day("2026-01-14", 843.6)], "farside", later)
    book.take([day("2026-01-14", 843.6)], "farside", later + HOUR)
    flow = found(book, later + 2 * HOUR)
    assert (flow.usd, flow.revised_from_usd) == (843.6e6, 840.6e6)
    assert flow.told_at == published_by("2026-01-14")
    assert found(book, later - 1).usd == 840.6e6, "what was known before is still known to have been known"
    assert found(book, later - 1).revised_from_usd is None
    book.take([day("2026-01-14", 840.6)], "farside", later + 3 * HOUR)
    assert found(book, later + 3 * HOUR).revised_from_usd is None, "back to what was told first"


def test_an_old_day_can_be_revised_too() -> None:
    book = book_of(FORTNIGHT)
    now = published_by("2026-01-14") + HOUR
    book.take([day("2026-01-12", -1.0)], "farside", now)
    assert found(book, now - 1).streak == 3
    assert found(book, now).streak == 2


def test_a_source_that_changes_its_mind_for_ever_fills_no_memory() -> None:
    book = book_of(FORTNIGHT)
    for number in range(200):
        book.take([day("2026-01-14", float(number))], "farside", published_by("2026-01-14") + number + 1)
    assert len(book.stored()) < 10_000
    flow = found(book, AFTER_ALL)
    assert (flow.usd, flow.revised_from_usd) == (199e6, 840.6e6)


def test_a_day_that_fills_up_is_not_revised() -> None:
    book = book_of(FORTNIGHT)
    evening = published_by("2026-01-15") - 3 * HOUR
    for minute, (millions, complete) in enumerate([(10.0, False), (60.0, False), (100.2, True)]):
        book.take([day("2026-01-15", millions, complete=complete)], "farside", evening + minute)
    assert found(book, evening + 1).date == "2026-01-14", "an open day is not told in its evening"
    flow = found(book, evening + 2)
    assert (flow.date, flow.usd, flow.revised_from_usd, flow.told_at) == ("2026-01-15", 100.2e6, None, evening)


def test_an_open_day_is_never_flat_and_counts_in_no_sum() -> None:
    usual = dict.fromkeys(back("2026-01-14", 40), 100.0)
    book = book_of(usual)
    noon = due("2026-01-15")
    book.take([day("2026-01-15", 1.0, complete=False)], "farside", published_by("2026-01-15"))
    flow = found(book, noon)
    assert (flow.date, flow.way, flow.complete, flow.fresh) == ("2026-01-15", "in", False, True)
    book.take([day("2026-01-16", 7.0)], "farside", published_by("2026-01-16"))
    assert found(book, published_by("2026-01-16")).five_day_usd is None
    assert found(book, published_by("2026-01-16")).streak == 1


def test_an_open_day_that_adds_up_to_nothing_is_not_told() -> None:
    book = book_of(FORTNIGHT)
    book.take([day("2026-01-15", 0.0, complete=False)], "farside", published_by("2026-01-15"))
    flow = found(book, due("2026-01-15"))
    assert (flow.date, flow.fresh, flow.reason) == ("2026-01-14", False, "2026-01-15 is not complete yet")


def test_the_first_source_that_has_the_whole_day_speaks() -> None:
    book = Flows(["farside", "sosovalue"])
    now = published_by("2026-01-14")
    book.take([day("2026-01-14", 840.6)], "sosovalue", now)
    assert found(book, now).source == "sosovalue"
    book.take([day("2026-01-14", 800.0, complete=False)], "farside", now + 1)
    assert found(book, now + 1).source == "sosovalue"
    book.take([day("2026-01-14", 841.0)], "farside", now + 2)
    assert (found(book, now + 2).source, found(book, now + 2).usd) == ("farside", 841e6)
    assert found(book, now + 2).reason == "", "0.4 M apart is rounding"


@pytest.mark.parametrize(("other", "said"), [(853.0, False), (865.0, True), (-840.6, True), (0.0, True)])
def test_two_sources_that_differ_say_so(other: float, said: bool) -> None:
    book = book_of(FORTNIGHT)
    book.take([day("2026-01-14", other)], "coinglass", published_by("2026-01-14"))
    flow = found(book, published_by("2026-01-14"))
    assert flow.usd == 840.6e6
    assert flow.fresh
    assert flow.reason == (f"coinglass says {other:,.1f} M$, farside 840.6" if said else "")


def test_small_flows_may_differ_by_five_millions() -> None:
    book = book_of({"2026-01-14": 5.0})
    book.take([day("2026-01-14", 9.9)], "coinglass", published_by("2026-01-14"))
    assert found(book, published_by("2026-01-14")).reason == ""


def test_days_without_trade_are_refused_and_counted() -> None:
    book = Flows(["dropped"])
    said = book.take(
        [day("2025-12-25", -40.2), day("2025-12-26", -275.9), day("2026-01-01", 124.8), day("2026-01-03", 1.0)],
        "dropped",
        AFTER_ALL,
    )
    assert said == (
        "dropped: 3 rows of BTC refused: 2025-12-25 (Christmas Day), 2026-01-01 (New Year's Day), 2026-01-03 (a Saturday)",
    )
    assert book.refused() == said
    assert found(book, AFTER_ALL).date == "2025-12-26"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (day("2026-01-14", float("nan")), "nan \\$ is no flow"),
        (day("2026-01-14", float("inf")), "inf \\$ is no flow"),
        (day("2026-01-14", 20_001.0), "is no flow"),
        (day("2027-01-14", 1.0), "not come yet"),
        (day("13 Jan 2026", 1.0), "no date"),
        (day("2026-01-14", 1.0, asset="DOGE"), "DOGE has no ETFs here"),
    ],
)
def test_a_day_that_cannot_be_is_refused(bad: FlowDay, why: str) -> None:
    book = Flows([])
    (said,) = book.take([bad], "dropped", AFTER_ALL)
    assert re.search(why, said)
    assert book.of(bad.asset, AFTER_ALL) is None


def test_what_is_no_date_is_refused_in_a_replay_too() -> None:
    book = Flows([])
    (said,) = book.take([day("13 Jan 2026", 1.0), day("2026-01-13", 753.8)], "dropped", 0, published_by)
    assert said == "dropped: 1 row of BTC refused: 13 Jan 2026 (no date)"
    assert found(book, AFTER_ALL).date == "2026-01-13"


def test_an_old_answer_is_refused_whole() -> None:
    book = book_of(FORTNIGHT)
    with pytest.raises(SourceError, match="newest day is 2026-01-13, and 2026-01-14 was known already"):
        book.take_all("BTC", [day("2026-01-12", 5.0), day("2026-01-13", 6.0)], "farside", AFTER_ALL)
    assert found(book, AFTER_ALL).streak == 3
    book.take_all("BTC", [day("2026-01-13", 753.8)], "sosovalue", AFTER_ALL)


def test_nothing_known_is_none_with_a_reason() -> None:
    book = Flows(["farside"], assets=("BTC",))
    now = due("2026-01-13")
    assert book.of("BTC", now) is None
    assert book.of("DOGE", now) is None
    assert book.missing(now) == {"BTC": "no figure for 2026-01-13 yet"}


def test_the_book_survives_a_restart_byte_for_byte() -> None:
    book = book_of(FORTNIGHT)
    book.take([day("2026-01-14", 843.6, funds={"IBIT": 1.0}, units=8_900.5)], "farside", AFTER_ALL - 1)
    book.take([day("2026-01-14", 175.1, asset="ETH")], "dropped", AFTER_ALL - 1)
    again = Flows(["farside"])
    again.load(book.stored())
    assert again.stored() == book.stored()
    for asset in ("BTC", "ETH"):
        assert again.of(asset, AFTER_ALL) == book.of(asset, AFTER_ALL)
    assert again.newest("BTC", "farside") == "2026-01-14"


@pytest.mark.parametrize("stored", [b"", b"{", b"[]", b'{"BTC": {"farside": [{"at": "x"}]}}', b"\xff", b"[" * 100_000])
def test_a_broken_file_is_named_and_adds_nothing(stored: bytes) -> None:
    book = Flows([])
    with pytest.raises(SourceError, match="no stored flows"):
        book.load(stored)
    assert book.stored() == b"{}"


def test_a_replay_never_looks_ahead() -> None:
    book = Flows(["dropped"])
    book.take([day(date, millions) for date, millions in FORTNIGHT.items()], "dropped", 0, published_by)
    midnight = published_by("2026-01-13")
    assert found(book, midnight - 1, replay=True).date == "2026-01-12"
    flow = found(book, midnight, replay=True)
    assert (flow.date, flow.told_at, flow.streak) == ("2026-01-13", midnight, 2)


def test_a_replay_of_days_told_early_waits_for_midnight() -> None:
    book = Flows(["farside"])
    evening = published_by("2026-01-13") - 3 * HOUR
    book.take([day("2026-01-13", 753.8)], "farside", evening)
    assert found(book, evening).date == "2026-01-13", "live it is known as soon as it is told"
    assert book.of("BTC", evening, replay=True) is None
    assert found(book, published_by("2026-01-13"), replay=True).told_at == published_by("2026-01-13")


@given(
    st.dictionaries(st.sampled_from(back("2026-01-14", 40)), st.integers(-900, 900), min_size=1),
    st.sampled_from(back("2026-01-14", 40)),
)
def test_what_comes_later_changes_nothing_said_earlier(figures: dict[str, int], cut: str) -> None:
    now = published_by(cut)
    all_days, earlier = Flows(["dropped"]), Flows(["dropped"])
    all_days.take([day(date, float(usd)) for date, usd in figures.items()], "dropped", 0, published_by)
    earlier.take([day(date, float(usd)) for date, usd in figures.items() if date <= cut], "dropped", 0, published_by)
    assert all_days.of("BTC", now) == earlier.of("BTC", now)
    assert all_days.of("BTC", now, replay=True) == earlier.of("BTC", now)


@given(st.dictionaries(st.sampled_from(back("2026-01-14", 30)), st.integers(-5, 5), min_size=1))
def test_streaks_and_records_are_what_counting_by_hand_gives(figures: dict[str, int]) -> None:
    known = {date: float(usd) for date, usd in figures.items()}
    newest = max(known)
    run, date = 0, newest
    while known.get(date, 0.0) * known[newest] > 0:
        run, date = run + 1, before(date)
    assert measure.streak(known, newest) == (run if known[newest] > 0 else -run)
    gap = before(newest)
    while gap in known:
        gap = before(gap)
    assert measure.streak_at_least(known, newest) == (run > 0 and date == gap)
    larger = [
        d for d in known if gap < d < newest and known[d] * known[newest] > 0 and abs(known[d]) >= abs(known[newest])
    ]
    assert measure.largest_since(known, newest) == (max(larger) if larger else None)


def test_a_day_a_file_no_longer_has_counts_until_the_moment_the_file_was_read() -> None:
    book = Flows(["dropped", "farside"])
    typo, mended = published_by("2026-01-14"), published_by("2026-01-14") + HOUR
    book.take_file([day("2026-01-13", 753.8), day("2026-01-14", 8_406.0)], "dropped", typo)
    book.take_file([day("2026-01-13", 753.8)], "dropped", mended)
    again = Flows(["dropped", "farside"])
    again.load(book.stored())
    assert again.stored() == book.stored()
    for each in (book, again):
        assert (found(each, mended - 1).date, found(each, mended - 1).usd) == ("2026-01-14", 8_406e6)
        assert (found(each, mended).date, found(each, mended).usd) == ("2026-01-13", 753.8e6)
        assert each.missing(due("2026-01-14"), assets=["BTC"]) == {"BTC": "no figure for 2026-01-14 yet"}
        assert each.newest("BTC", "dropped") == "2026-01-13"


def test_another_source_speaks_for_a_day_that_was_taken_back_and_its_own_word_may_come_again() -> None:
    book = Flows(["dropped", "farside"])
    now = published_by("2026-01-14")
    book.take([day("2026-01-14", 840.6)], "farside", now)
    book.take_file([day("2026-01-14", 8_406.0)], "dropped", now + 1)
    assert found(book, now + 1).source == "dropped"
    book.take_file([day("2026-01-13", 753.8)], "dropped", now + 2)
    assert (found(book, now + 2).source, found(book, now + 2).reason) == ("farside", "")
    book.take_file([day("2026-01-13", 753.8), day("2026-01-14", 841.0)], "dropped", now + 3)
    assert (found(book, now + 3).source, found(book, now + 3).usd) == ("dropped", 841e6)


def test_a_file_that_says_the_same_again_changes_nothing() -> None:
    book = Flows(["dropped"])
    for number in range(3):
        book.take_file([day("2026-01-13", 753.8)], "dropped", AFTER_ALL + number)
    assert len(json.loads(book.stored())["BTC"]["dropped"]) == 1


@pytest.mark.parametrize("at", [-1, 10**15, 2**62])
def test_a_stored_day_told_at_a_time_that_cannot_be_is_refused_with_its_file(at: int) -> None:
    book = book_of(FORTNIGHT)
    stored = json.loads(book.stored())
    stored["BTC"]["farside"][-1]["at"] = at
    again = Flows(["farside"])
    with pytest.raises(SourceError, match="a time that cannot be"):
        again.load(json.dumps(stored).encode())
    assert again.stored() == b"{}"


DAYS = st.builds(
    FlowDay,
    asset=st.sampled_from(["BTC", "ETH", "DOGE"]),
    date=st.sampled_from(["0001-01-01", "2023-12-29", "9999-12-31", "20260113", "2026-W03-2", ""])
    | st.dates().map(str)
    | st.sampled_from(back("2026-01-14", 6)),
    usd=st.floats(),
    units=st.none() | st.floats(),
    funds=st.dictionaries(st.text(max_size=4), st.floats(), max_size=2),
    complete=st.booleans(),
)


@given(st.lists(DAYS, max_size=6), st.sampled_from([0, published_by("2026-01-14"), AFTER_ALL]))
def test_whatever_the_book_is_told_no_question_raises_and_it_can_be_kept(days: list[FlowDay], now: int) -> None:
    book = Flows(["farside"])
    book.take(days, "farside", now)
    book.take(days, "recorded", now, published_by)
    for moment in (now, AFTER_ALL):
        for replay in (False, True):
            book.missing(moment, replay)
    again = Flows(["farside"])
    again.load(book.stored())
    assert again.stored() == book.stored()


def recorded_book() -> Flows:
    book = Flows(["dropped"])
    path = recorded(DAILY)
    book.take(read(path, AFTER_ALL), "dropped", AFTER_ALL, published_by)
    return book


@pytest.mark.parametrize(
    ("date", "asset", "millions", "streak"),
    [
        ("2026-01-12", "BTC", 116.7, 1),
        ("2026-01-13", "BTC", 753.8, 2),
        ("2026-01-14", "BTC", 840.6, 3),
        ("2026-01-15", "BTC", 100.2, 4),
        ("2026-01-16", "BTC", -394.7, -1),
        ("2026-01-13", "ETH", 130.0, 2),
        ("2026-01-14", "ETH", 175.1, 3),
        ("2026-01-13", "SOL", 5.9, 2),
        ("2026-01-14", "SOL", 23.6, 3),
    ],
)
def test_the_recorded_days_read_back(date: str, asset: str, millions: float, streak: int) -> None:
    flow = found(recorded_book(), published_by(date), asset)
    assert (flow.date, flow.usd, flow.streak, flow.fresh) == (date, millions * 1e6, streak, True)


def test_the_recorded_funds_add_up() -> None:
    flow = found(recorded_book(), published_by("2026-01-14"))
    assert flow.funds["IBIT"] == 648.4e6
    assert sum(flow.funds.values()) == pytest.approx(840.6e6, abs=1)
    assert (flow.way, flow.largest_since, flow.first_date) == ("in", "2025-10-07", "2024-01-11")


def test_the_recorded_rows_of_holidays_are_refused() -> None:
    path = recorded(DAILY)
    book = Flows(["dropped"])
    book.take(read(path, AFTER_ALL), "dropped", AFTER_ALL)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [text.split(",")[:3] for text in file][1:]
    off = [date for date, asset, _ in rows if asset == "BTC" and closed(date)]
    assert {"2025-12-25", "2026-01-01", "2026-01-19"} <= set(off)
    (said,) = book.refused()
    assert said.startswith(f"dropped: {len(off)} rows of BTC refused: 2025-11-27 (Thanksgiving Day), 2025-12-25")
    assert said.endswith(f" and {len(off) - 3} more")
    kept = json.loads(book.stored())["BTC"]["dropped"]
    assert len(kept) == sum(asset == "BTC" for _, asset, _ in rows) - len(off)


def test_farsides_recorded_table_agrees_with_the_other_file() -> None:
    wide = read(recorded("data/etf_flows/farside_btc_wide_2024-01_2025-09.csv.gz"), AFTER_ALL)
    assert wide[-1].date == "2025-09-02", "the last row was written before its figures were out"
    other = {each.date: each.usd for each in read(recorded(DAILY), AFTER_ALL) if each.asset == "BTC"}
    traded = [each for each in wide if closed(each.date) is None]
    same = [each for each in traded if abs(other[each.date] - each.usd) <= 1e6]
    assert len(traded) == 412 - 1
    assert len(same) / len(traded) > 0.995
