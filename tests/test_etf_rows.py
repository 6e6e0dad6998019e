"""A day is whole when nobody is waited for: funds that are left out, that are new, that closed, and sources without any."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.context.etf.days import before, due
from service.context.etf.dropped import read
from service.context.etf.rows import Row, days_from
from service.context.source import SourceError
from tests.shared import recorded

NOW = due("2026-01-30")


def rows(*funds: Mapping[str, float | None], total: float | None = None) -> list[Row]:
    """Days that end with 2026-01-14, by fund; the total is their sum where none is given."""
    dates = ["2026-01-14"]
    while len(dates) < len(funds):
        dates.append(before(dates[-1]))
    return [
        Row(
            where=date,
            date=date,
            total=sum(value or 0.0 for value in told.values()) if total is None or date != "2026-01-14" else total,
            funds=told,
        )
        for date, told in zip(reversed(dates), funds, strict=True)
    ]


def whole(*funds: Mapping[str, float | None], total: float | None = None) -> list[bool]:
    return [day.complete for day in days_from("BTC", rows(*funds, total=total), NOW)]


TWO = {"IBIT": 1e6, "FBTC": 2e6}
THREE = {**TWO, "GBTC": 3e6}


def test_a_day_that_leaves_out_a_fund_which_reported_lately_is_not_whole() -> None:
    assert whole(THREE, THREE, THREE, TWO) == [True, True, True, False]


def test_a_fund_that_is_new_is_waited_for_from_its_second_day_on() -> None:
    assert whole(TWO, TWO, TWO, THREE) == [True] * 4
    assert whole(TWO, TWO, THREE, TWO) == [True, True, True, False]
    assert whole(TWO, TWO, TWO, {**TWO, "NEWF": None}) == [True] * 4


def test_a_fund_that_closed_is_waited_for_five_days_and_no_longer() -> None:
    assert whole(*[THREE] * 3, *[TWO] * 7) == [True] * 3 + [False] * 5 + [True] * 2


def test_a_source_that_leaves_out_funds_without_a_flow_is_known_by_its_habit() -> None:
    assert whole(THREE, TWO, THREE, TWO, {"IBIT": 4e6}) == [True, False, True, True, True]


def test_a_source_that_tells_no_funds_has_whole_days() -> None:
    assert [day.complete for day in days_from("BTC", rows({}, {}, total=5e6), NOW)] == [True, True]


def test_a_total_without_funds_is_whole_where_it_is_something() -> None:
    assert whole(TWO, TWO, TWO, {}, total=5e6)[-1]
    assert not whole(TWO, TWO, TWO, {}, total=0.0)[-1], "nobody has reported yet"


def test_the_recorded_days_are_whole_though_their_file_leaves_out_funds_without_a_flow() -> None:
    days = read(recorded("data/etf_flows/etf_daily_net_flows.csv.gz"), due("2026-12-30"))
    part = [f"{day.asset} {day.date}" for day in days if not day.complete]
    assert len(days) > 1_300
    assert len(part) < 10, "the first days of each asset show no habit yet"


@pytest.mark.parametrize("date", ["0001-01-01", "1970-01-01", "2023-12-29"])
def test_a_day_before_there_were_such_etfs_is_refused(date: str) -> None:
    with pytest.raises(SourceError, match="before there were such ETFs; wanted: days from 2024-01-01 on"):
        days_from("BTC", [Row(where="row 1", date=date, total=1e6)], NOW)


@given(st.lists(st.dictionaries(st.sampled_from("ABCD"), st.none() | st.integers(-9, 9)), min_size=1, max_size=12))
def test_whether_a_day_is_whole_never_depends_on_days_after_it(funds: list[dict[str, int | None]]) -> None:
    told = [each for each in funds if any(value is not None for value in each.values()) or not each]
    if not told:
        return
    every = rows(*told)
    days = days_from("BTC", every, NOW)
    for number, day in enumerate(days[:-1], start=1):
        cut = days_from("BTC", every[:number], NOW)[-1]
        # the newest row alone may be too new to know who reports
        assert cut.complete == day.complete or (number <= 3 and not cut.complete)
