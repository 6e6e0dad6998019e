"""What a day of flows means beside the days before it. Arithmetic only: days and dollars in, one figure out.

`known` maps trading days to net dollars, whole days only. A day that is not known is never taken for one without flow:
it ends a streak, which may be longer then, leaves a sum unknown, and nothing is said of the largest day beyond it.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median

from service.context.etf.days import before

USUAL_DAYS = 60
USUAL_LEAST = 20
#: So far back the days before are looked for: sixty trading days are 87 calendar days.
_USUAL_REACH = timedelta(days=100)
#: Less than this part of the usual size is flat.
FLAT_PART = 0.25
_WEEK = 5


def streak(known: Mapping[str, float], day: str) -> int:
    """Trading days in a row with money the way of `day`, it included; negative for outflows, 0 for none."""
    sign = _sign(known[day])
    days = 0
    while sign and _sign(known.get(day, 0.0)) == sign:
        days += 1
        day = before(day)
    return sign * days


def streak_at_least(known: Mapping[str, float], day: str) -> bool:
    """Whether the streak that ends with `day` may be longer: nobody knows the trading day before its first."""
    days = abs(streak(known, day))
    for _ in range(days):
        day = before(day)
    return days > 0 and day not in known


def largest_since(known: Mapping[str, float], day: str) -> str | None:
    """The last day before with at least as much the same way; None where an unknown trading day comes before it."""
    usd, other = known[day], before(day)
    while other in known:
        if known[other] * usd > 0 and abs(known[other]) >= abs(usd):
            return other
        other = before(other)
    return None


def usual(known: Mapping[str, float], day: str) -> float | None:
    """Median of the size of the 60 known days before `day`, dollars; None below 20 of them."""
    oldest = (date.fromisoformat(day) - _USUAL_REACH).isoformat()
    last = sorted(other for other in known if oldest <= other < day)[-USUAL_DAYS:]
    return median(abs(known[other]) for other in last) if len(last) >= USUAL_LEAST else None


def five_days(known: Mapping[str, float], day: str) -> float | None:
    """Dollars of the five trading days that end with `day`; None where one of them is not known."""
    total = 0.0
    for _ in range(_WEEK):
        if day not in known:
            return None
        total += known[day]
        day = before(day)
    return total


def way(usd: float, usually: float | None) -> str:
    """`in`, `out`, or `flat` where it is less than a quarter of the usual size."""
    if usd == 0 or (usually is not None and abs(usd) < FLAT_PART * usually):
        return "flat"
    return "in" if usd > 0 else "out"


def _sign(usd: float) -> int:
    return (usd > 0) - (usd < 0)
