"""Days on which US ETFs trade, and when the flows of one are known. Owns the calendar of the exchanges; reads no clock.

Source: NYSE rule 7.2 and its published holidays: a holiday on a Sunday is kept on Monday, one on a Saturday on the
Friday before, except New Year's Day, since that Friday ends a year. Days are dates in US Eastern time, as 2026-01-13.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/New_York")
#: Closures that follow from no rule. Whoever adds one adds its reason.
SPECIAL: Mapping[date, str] = MappingProxyType(
    {date(2025, 1, 9): "the national day of mourning for James E. Carter"},
)
#: By this hour UTC of the next day the flows of a day are out; before, their absence says nothing.
GRACE_UNTIL_HOUR = 12
#: The first US spot ETF of a coin traded on 2024-01-11; a figure from outside these is a slip.
FIRST, LAST = "2024-01-01", "2099-12-31"

_DAY = timedelta(days=1)
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_EPOCH = date(1970, 1, 1)
_CLOSES_AT = time(16)
_MON, _THU, _FRI, _SAT, _SUN = 0, 3, 4, 5, 6
_JUNETEENTH_SINCE = 2022


def day_of(at: int) -> str:
    """The date in US Eastern time at `at` ms UTC."""
    return datetime.fromtimestamp(at / 1_000, EASTERN).date().isoformat()


def closed(day: str) -> str | None:
    """Why the exchanges do not trade on `day`, in words; None on a trading day. Raises ValueError if it is no date."""
    return _closed(date.fromisoformat(day))


def is_day(text: str) -> bool:
    """Whether a text is a date as 2026-01-13."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


@lru_cache(maxsize=4_096)
def before(day: str) -> str:
    """The trading day before `day`."""
    found = date.fromisoformat(day) - _DAY
    while _closed(found):
        found -= _DAY
    return found.isoformat()


def published_by(day: str) -> int:
    """From when on (ms UTC) the flows of `day` count as known in a replay: midnight US Eastern time at its end.

    Issuers report in the evening, at hours nobody recorded; midnight is the earliest moment that cannot look ahead.
    """
    end = datetime.combine(date.fromisoformat(day) + _DAY, time(), EASTERN)
    return round(end.timestamp() * 1_000)


def closes(day: str) -> int:
    """When the exchanges close on `day`, ms UTC: the price of that moment is what issuers count by."""
    return round(datetime.combine(date.fromisoformat(day), _CLOSES_AT, EASTERN).timestamp() * 1_000)


def due(day: str) -> int:
    """From when on (ms UTC) it is worth a word that the flows of `day` are unknown: noon UTC of the next day."""
    noon = datetime.combine(date.fromisoformat(day) + _DAY, time(GRACE_UNTIL_HOUR), UTC)
    return round(noon.timestamp() * 1_000)


def expected(now: int) -> str:
    """The newest trading day whose flows should be known at `now` (ms UTC)."""
    return _expected((now - GRACE_UNTIL_HOUR * _HOUR_MS) // _DAY_MS)


@lru_cache(maxsize=64)
def _expected(noons: int) -> str:
    """The same after so many noons since 1970: it changes at noon only."""
    day = _EPOCH + _DAY * (noons - 1)
    while _closed(day):
        day -= _DAY
    return day.isoformat()


@cache
def _closed(day: date) -> str | None:
    if day.weekday() in (_SAT, _SUN):
        return "a Saturday" if day.weekday() == _SAT else "a Sunday"
    return SPECIAL.get(day) or _holidays(day.year).get(day)


@cache
def _holidays(year: int) -> Mapping[date, str]:
    found = {
        _weekday(year, 1, _MON, 3): "Martin Luther King, Jr. Day",
        _weekday(year, 2, _MON, 3): "Washington's Birthday",
        _easter(year) - 2 * _DAY: "Good Friday",
        _weekday(year, 6, _MON, 1) - 7 * _DAY: "Memorial Day",
        _observed(date(year, 7, 4)): "Independence Day",
        _weekday(year, 9, _MON, 1): "Labor Day",
        _weekday(year, 11, _THU, 4): "Thanksgiving Day",
        _observed(date(year, 12, 25)): "Christmas Day",
    }
    if year >= _JUNETEENTH_SINCE:
        found[_observed(date(year, 6, 19))] = "Juneteenth"
    new_year = date(year, 1, 1)
    if new_year.weekday() != _SAT:
        found[_observed(new_year)] = "New Year's Day"
    return MappingProxyType(found)


def _weekday(year: int, month: int, weekday: int, number: int) -> date:
    """The `number`th `weekday` of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _observed(day: date) -> date:
    return day + {_SAT: -_DAY, _SUN: _DAY}.get(day.weekday(), timedelta())


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm; Meeus, Astronomical Algorithms, chapter 8)."""
    golden, (century, rest) = year % 19, divmod(year, 100)
    leap, short = divmod(century, 4)
    lunar = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap - lunar + 15) % 30
    leap_rest, rest_short = divmod(rest, 4)
    sunday = (32 + 2 * short + 2 * leap_rest - epact - rest_short) % 7
    late = (golden + 11 * epact + 22 * sunday) // 451
    month, day = divmod(epact + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
