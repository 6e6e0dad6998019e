"""One figure of one day as a source tells it, and what no source may say. Pure; keeps nothing."""

from collections.abc import Iterable, Mapping
from datetime import date

from service.context.source import SourceError
from service.model import Record

#: Field of `Rates` -> its name in a sentence.
SERIES: Mapping[str, str] = {
    "target_low": "the lower end of the target range",
    "target_high": "the upper end of the target range",
    "sofr": "SOFR",
    "three_month": "the 3-month yield",
    "two_year": "the 2-year yield",
}
#: Per cent a year. US rates since 1954 lie between 0 and 23; what is outside these is a mistake.
LEAST, MOST = -5.0, 30.0


class Observation(Record, frozen=True, kw_only=True):
    """One figure of one day, per cent a year; `series` is a key of SERIES, `day` one in US Eastern time."""

    series: str
    day: date
    value: float


def possible(one: Observation, today: date) -> None:
    """Raises SourceError for a series, a value or a day (after `today` in New York) that cannot be."""
    if one.series not in SERIES:
        raise SourceError(f"{one.series[:40]!r} is no series; allowed: {', '.join(SERIES)}")
    words = SERIES[one.series]
    if not LEAST <= one.value <= MOST:
        raise SourceError(f"{words} of {one.day} is {one.value}; allowed: {LEAST:g} to {MOST:g} per cent")
    if one.day > today:
        raise SourceError(f"{words} is of {one.day}, which is to come; allowed: up to {today} (US Eastern)")


def upright(observations: Iterable[Observation]) -> None:
    """Raises SourceError for two figures of one day, and for a target range upside down."""
    days: dict[date, dict[str, float]] = {}
    for one in observations:
        row = days.setdefault(one.day, {})
        if row.setdefault(one.series, one.value) != one.value:
            raise SourceError(f"{SERIES[one.series]} of {one.day} is told twice: {row[one.series]} and {one.value}")
    for day, row in days.items():
        low, high = row.get("target_low"), row.get("target_high")
        if low is not None and high is not None and low > high:
            raise SourceError(f"the target range of {day} goes from {low} to {high}; its lower end cannot be above")
