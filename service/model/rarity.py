"""How rarely, in words: days between two such events as a person counts them. Owns the choice of the unit only.

The detector writes it into `Baseline.rarity`; other languages word the same pair anew from `spell`.
"""

import math

#: Days in one unit, largest first; a unit serves from two of it on, so that rounding hides at most a quarter.
_UNITS = (("year", 365.25), ("month", 30.44), ("week", 7.0))


def spell(days: float) -> tuple[int, str]:
    """The count and its unit (day, week, month, year) for a return time in days; 0 days: more than once a day.

    Raises ValueError for what is no length of time: a return time beyond all history is the caller's to leave out.
    """
    if not math.isfinite(days) or days <= 0:
        raise ValueError(f"a return time is a positive number of days, not {days}")
    for unit, size in _UNITS:
        if days >= 2 * size:
            return round(days / size), unit
    return round(days) if days >= 1 else 0, "day"


def once_in(days: float) -> str:
    """A return time in days as `about once in 4 months`, in English. Raises ValueError as `spell` does."""
    count, unit = spell(days)
    if count == 0:
        return "more than once a day"
    return f"about once a {unit}" if count == 1 else f"about once in {count} {unit}s"
