"""FRED's file of US rates as it stood at a moment. The figures are made up around those of the winter 2025/26.

The target range is the real one until January 2026; yields and SOFR are near theirs and wander a little from day to
day, the same way in every run. What a day's figure is shows from the hour at which it used to be published.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_EASTERN = ZoneInfo("America/New_York")
_DAY = timedelta(days=1)
#: First day of a target range -> its lower and upper end.
_RANGES = (
    (date(2024, 12, 19), "4.25", "4.50"),
    (date(2025, 9, 18), "4.00", "4.25"),
    (date(2025, 10, 30), "3.75", "4.00"),
    (date(2025, 12, 11), "3.50", "3.75"),
)
_OLDEST = date(2025, 1, 2)
#: Holidays of the winter; later ones are told like any weekday.
_CLOSED = frozenset(
    (
        date(2025, 10, 13),
        date(2025, 11, 11),
        date(2025, 11, 27),
        date(2025, 12, 25),
        date(2026, 1, 1),
        date(2026, 1, 19),
        date(2026, 2, 16),
    )
)
#: Cents: SOFR and the 3-month yield above the lower end of the target range, and the 2-year yield by itself, which had
#: come down to there before the range did.
_SOFR, _THREE_MONTH, _TWO_YEAR = 15, 10, 353
#: Hours of the next business day at which SOFR and yields come, New York time.
_SOFR_HOUR, _YIELD_HOUR = 8, 17
_SATURDAY = 5

Cell = Callable[[date, datetime], str]


def page(now: int, series: Sequence[str] = (), since: str = "") -> bytes:
    """The file at `now` ms UTC with these columns (all five where none are named), from the day `since` on.

    Raises LookupError for a series that is not here, ValueError for a day that is none.
    """
    cells = [SERIES[name] for name in series] if series else list(SERIES.values())
    here = datetime.fromtimestamp(now / 1_000, UTC).astimezone(_EASTERN)
    first = max(_OLDEST, date.fromisoformat(since)) if since else _OLDEST
    lines = [",".join(("observation_date", *(series or SERIES)))]
    for number in range((here.date() - first).days + 1):
        day = first + _DAY * number
        row = [cell(day, here) for cell in cells]
        if any(row):
            lines.append(",".join((day.isoformat(), *row)))
    return ("\n".join(lines) + "\n").encode()


def _low(day: date, here: datetime) -> str:  # noqa: ARG001  # known on the day itself
    return _range(day)[1]


def _high(day: date, here: datetime) -> str:  # noqa: ARG001
    return _range(day)[2]


def _daily(level: Callable[[date], int], spread: int, hour: int) -> Cell:
    def cell(day: date, here: datetime) -> str:
        if not _open(day) or here < _published(day, hour):
            return ""
        return f"{(level(day) + _wander(day, spread)) / 100:.2f}"

    return cell


def _above(cents: int) -> Callable[[date], int]:
    return lambda day: round(float(_range(day)[1]) * 100) + cents


def _steady(cents: int) -> Callable[[date], int]:
    return lambda _: cents


SERIES: Mapping[str, Cell] = {
    "DFEDTARL": _low,
    "DFEDTARU": _high,
    "SOFR": _daily(_above(_SOFR), 3, _SOFR_HOUR),
    "DGS3MO": _daily(_above(_THREE_MONTH), 2, _YIELD_HOUR),
    "DGS2": _daily(_steady(_TWO_YEAR), 4, _YIELD_HOUR),
}


def _range(day: date) -> tuple[date, str, str]:
    return next(row for row in reversed(_RANGES) if row[0] <= day)


def _open(day: date) -> bool:
    return day.weekday() < _SATURDAY and day not in _CLOSED


def _published(day: date, hour: int) -> datetime:
    later = day + _DAY
    while not _open(later):
        later += _DAY
    return datetime(later.year, later.month, later.day, hour, tzinfo=_EASTERN)


def _wander(day: date, most: int) -> int:
    """Cents from -most to +most, another on most days; 7 and 31 only keep neighbours apart."""
    return (day.toordinal() * 7 % 31) % (2 * most + 1) - most
