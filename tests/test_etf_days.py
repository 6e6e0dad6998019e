"""The calendar of US trading days and when the flows of one are known."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.context.etf.days import before, closed, day_of, due, expected, published_by


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


def holidays(year: int) -> dict[str, str]:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return {
        day.isoformat(): why
        for day in days
        if day.year == year and day.weekday() < 5 and (why := closed(day.isoformat()))
    }


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
        (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
        (2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25"),
        (2025, "01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25"),
        (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"),
        (2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"),
        (2028, "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25"),
    ],
)
def test_holidays_are_those_the_exchange_published(year: int, days: str) -> None:
    assert [day[5:] for day in holidays(year)] == days.split()


def test_a_closure_says_why() -> None:
    assert closed("2025-01-09") == "the national day of mourning for James E. Carter"
    assert closed("2026-01-19") == "Martin Luther King, Jr. Day"
    assert closed("2026-01-17") == "a Saturday"
    assert closed("2026-01-13") is None


def test_the_day_before_a_long_weekend_is_friday() -> None:
    assert before("2026-01-20") == "2026-01-16"
    assert before("2026-01-14") == "2026-01-13"
    assert before("2025-01-10") == "2025-01-08"


def test_a_day_is_published_at_its_midnight_in_new_york() -> None:
    assert published_by("2026-01-13") == at("2026-01-14 05:00")
    assert published_by("2026-07-14") == at("2026-07-15 04:00")


def test_the_night_the_clocks_change_moves_the_hour_and_not_the_day() -> None:
    # clocks go forward on Sunday 2026-03-08 and back on Sunday 2026-11-01, at two in the morning
    assert published_by("2026-03-06") == at("2026-03-07 05:00")
    assert published_by("2026-03-08") == at("2026-03-09 04:00")
    assert published_by("2026-10-31") == at("2026-11-01 04:00")
    assert published_by("2026-11-01") == at("2026-11-02 05:00")
    assert day_of(at("2026-03-09 03:59")) == "2026-03-08"
    assert day_of(at("2026-11-02 04:59")) == "2026-11-01"


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-01-14 11:59", "2026-01-12"),
        ("2026-01-14 12:00", "2026-01-13"),
        ("2026-01-16 23:00", "2026-01-15"),  # Friday evening: it is out or not, its absence says nothing
        ("2026-01-17 12:00", "2026-01-16"),
        ("2026-01-20 13:00", "2026-01-16"),  # after Martin Luther King, Jr. Day
        ("2026-01-21 12:00", "2026-01-20"),
    ],
)
def test_a_day_is_expected_from_the_next_noon(now: str, day: str) -> None:
    assert expected(at(now)) == day


@given(st.dates(date(2024, 1, 11), date(2035, 12, 31)))
def test_what_is_expected_is_published_and_trades(day: date) -> None:
    now = at(day.isoformat())
    newest = expected(now)
    assert closed(newest) is None
    assert published_by(newest) < due(newest) <= now
    assert before(newest) < newest < day.isoformat()


def test_what_is_no_date_is_an_error() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        closed("13 Jan 2026")
