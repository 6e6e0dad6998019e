"""Flows are worked out once for as long as they hold, and what is remembered is what working them out again would give."""

import time
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.context.etf.days import before, due, published_by
from service.context.etf.flows import Flows
from service.model import FlowDay

MINUTE, HOUR = 60_000, 3_600_000
NEWEST = "2026-01-14"
MIDNIGHT, NOON = published_by(NEWEST), due(NEWEST)


def back(days: int) -> list[str]:
    dates = [NEWEST]
    while len(dates) < days:
        dates.append(before(dates[-1]))
    return dates[::-1]


def day(date: str, millions: float, asset: str = "BTC", **more: Any) -> FlowDay:
    return FlowDay(asset=asset, date=date, usd=millions * 1e6, **more)


def two_years() -> Flows:
    book = Flows(["farside", "sosovalue", "coinglass"])
    for asset in book.assets:
        for source in ("farside", "sosovalue", "coinglass"):
            book.take([day(date, 1.0, asset) for date in back(500)], source, MIDNIGHT, published_by)
    return book


def seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(200):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_book_that_did_not_change_answers_in_microseconds_whatever_it_holds() -> None:
    book = two_years()
    book.missing(NOON)
    assert seconds(lambda: book.of("BTC", NOON)) < 50e-6
    assert seconds(lambda: book.missing(NOON)) < 150e-6
    book.hinder("farside", "BTC", "answered 403")
    book.missing(NOON)
    assert seconds(lambda: book.hinder("farside", "BTC", "answered 403") or book.missing(NOON)) < 150e-6, (
        "the same trouble said again is no news"
    )


def test_a_change_of_one_asset_costs_the_others_nothing() -> None:
    book = two_years()
    before_it = {asset: book.of(asset, NOON) for asset in book.assets}
    book.take([day(NEWEST, 5.0)], "farside", NOON)
    after_it = {asset: book.of(asset, NOON) for asset in book.assets}
    assert after_it["BTC"] != before_it["BTC"]
    assert after_it["ETH"] is before_it["ETH"]


def test_what_was_remembered_ends_with_every_telling_and_every_trouble() -> None:
    book = Flows(["farside"])
    book.take([day("2026-01-13", 753.8)], "farside", published_by("2026-01-13"))
    assert book.missing(NOON, assets=["BTC"]) == {"BTC": "no figure for 2026-01-14 yet"}
    book.hinder("farside", "BTC", "answered 403")
    assert book.missing(NOON, assets=["BTC"]) == {"BTC": "no figure for 2026-01-14 yet, farside answered 403"}
    book.hinder("farside", "BTC", "")
    assert book.missing(NOON, assets=["BTC"]) == {"BTC": "no figure for 2026-01-14 yet"}
    book.take([day(NEWEST, 840.6)], "farside", NOON)
    assert book.missing(NOON, assets=["BTC"]) == {}
    book.take([day("2026-01-13", 700.0)], "farside", NOON)
    flow = book.of("BTC", NOON)
    assert flow is not None
    assert flow.five_day_usd is None
    assert flow.streak == 2
    book.take_file([day(NEWEST, 840.6)], "farside", NOON)
    flow = book.of("BTC", NOON)
    assert flow is not None
    assert flow.streak == 1, "the day before was taken back"


def test_time_that_goes_on_within_a_day_is_noticed() -> None:
    book = Flows(["farside"])
    book.take([day("2026-01-13", 753.8)], "farside", published_by("2026-01-13"))
    book.take([day(NEWEST, 100.0, complete=False)], "farside", MIDNIGHT)
    book.take([day(NEWEST, 840.6)], "farside", MIDNIGHT + HOUR)
    said = []
    for now in (MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + HOUR - 1, MIDNIGHT + HOUR, MIDNIGHT, MIDNIGHT + HOUR):
        flow = book.of("BTC", now)
        assert flow is not None
        said.append(flow.usd / 1e6)
    assert said == [753.8, 753.8, 753.8, 840.6, 753.8, 840.6]
    late = [book.of("BTC", now) for now in (due("2026-01-15") - 1, due("2026-01-15"), due("2026-01-15") - 1)]
    assert [flow is not None and flow.fresh for flow in late] == [True, False, True]


def test_a_replay_and_the_present_are_not_mixed_up() -> None:
    book = Flows(["farside"])
    evening = MIDNIGHT - 3 * HOUR
    book.take([day("2026-01-13", 753.8), day(NEWEST, 840.6)], "farside", evening)
    for _ in range(2):
        live, replay = book.of("BTC", evening), book.of("BTC", evening, replay=True)
        assert live is not None
        assert replay is not None
        assert (live.date, replay.date) == (NEWEST, "2026-01-13")
    later = book.of("BTC", MIDNIGHT, replay=True)
    assert later is not None
    assert later.date == NEWEST


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "file", "hinder"]),
        st.sampled_from(["farside", "dropped"]),
        st.lists(st.sampled_from(back(8)), max_size=3, unique=True),
        st.integers(-3, 3),
        st.integers(-60, 60),
        st.booleans(),
    ),
    max_size=8,
)
ASKED = st.lists(st.tuples(st.integers(-72, 72), st.booleans()), min_size=1, max_size=6)


def done(book: Flows, step: tuple[str, str, list[str], int, int, bool]) -> None:
    kind, source, dates, millions, hours, complete = step
    days, now = [day(date, millions, complete=complete) for date in dates], MIDNIGHT + hours * HOUR
    if kind == "hinder":
        book.hinder(source, "BTC", f"answered {millions}" if millions else "")
    elif kind == "file":
        book.take_file(days, source, now)
    else:
        book.take(days, source, now)


@settings(max_examples=150, deadline=None)
@given(STEPS, ASKED)
def test_a_book_that_was_asked_all_along_says_what_one_says_that_was_never_asked(steps: list[Any], asked: Any) -> None:
    book = Flows(["farside", "dropped"])
    for number, step in enumerate(steps):
        done(book, step)
        for hours, replay in asked:
            never = Flows(["farside", "dropped"])
            for other in steps[: number + 1]:
                done(never, other)
            now = MIDNIGHT + hours * HOUR
            assert book.of("BTC", now, replay) == never.of("BTC", now, replay)
