"""Days as US rates know them: dates in US Eastern time, and the days the Federal Reserve is open. Reads no clock.

Holidays: "Holidays Observed by the Federal Reserve System" (federalreserve.gov/aboutthefed/k8.htm). What falls on a
Sunday is observed on Monday, what falls on a Saturday not at all.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
_DAY = timedelta(days=1)
_SATURDAY = 5
_SUNDAY = 6
_MONDAY, _THURSDAY = 0, 3
_FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
#: Month, weekday, which one of the month; Memorial Day is the last Monday of May and stands apart.
_FLOATING = ((1, _MONDAY, 3), (2, _MONDAY, 3), (9, _MONDAY, 1), (10, _MONDAY, 2), (11, _THURSDAY, 4))


def eastern(now: int) -> datetime:
    """A moment, ms UTC, as clocks in New York show it."""
    return datetime.fromtimestamp(now / 1_000, UTC).astimezone(EASTERN)


def moment(day: date, hour: int = 0) -> int:
    """An hour of a day in New York, ms UTC."""
    return round(datetime.combine(day, time(hour), EASTERN).timestamp() * 1_000)


def is_business(day: date) -> bool:
    """Whether the Federal Reserve is open."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year)


def next_business(day: date) -> date:
    """The first business day after `day`."""
    day += _DAY
    while not is_business(day):
        day += _DAY
    return day


def business_days(since: date, until: date) -> int:
    """Business days after `since`, up to and with `until`; 0 where it is not after."""
    return sum(is_business(since + _DAY * n) for n in range(1, (until - since).days + 1))


def public_from(day: date) -> int:
    """When a figure of `day` counts as published, ms UTC: at the end of the next business day."""
    return moment(next_business(day) + _DAY)


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    days = {date(year, month, day) for month, day in _FIXED}
    days |= {day + _DAY for day in days if day.weekday() == _SUNDAY}
    days |= {_nth(year, *rule) for rule in _FLOATING}
    memorial = date(year, 5, 31)
    return frozenset(days | {memorial - _DAY * memorial.weekday()})


def _nth(year: int, month: int, weekday: int, which: int) -> date:
    first = date(year, month, 1)
    return first + _DAY * ((weekday - first.weekday()) % 7 + 7 * (which - 1))
