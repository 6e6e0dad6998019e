"""How bad it is: a grade on an absolute scale, by rarity and by size, the worse of both (detection study, A.4).

    grade        rarity, own market    ALL, sliding hour
    1 notable    a week                $50M
    2 major      a month               $100M
    3 severe     a quarter             $400M
    4 extreme    a year                $1B
    5 historic                         $5B

For scale: 2025 averaged $400-500M a day. Severity, the outside word, is how far the hour stands above the market's own
floor, lifted where it is rare: a month makes it a warning, a quarter critical. Neither falls inside an episode.
"""

from bisect import bisect_right

from service.detector.hour import severity_of
from service.detector.rules import Rules
from service.model import ALL, Severity

NAMES = ("", "notable", "major", "severe", "extreme", "historic")
_RARE_DAYS = (7.0, 30.0, 91.0, 365.0)
_ALL_USD = (50e6, 100e6, 400e6, 1e9, 5e9)
_WARNING_DAYS, _CRITICAL_DAYS = _RARE_DAYS[1], _RARE_DAYS[2]


def grade(asset: str, hour_usd: float, rarity_days: float | None) -> int:
    """0 to 5."""
    rare = bisect_right(_RARE_DAYS, rarity_days) if rarity_days is not None else 0
    return max(rare, bisect_right(_ALL_USD, hour_usd) if asset == ALL else 0)


def severity(asset: str, hour_usd: float, rarity_days: float | None, rules: Rules) -> Severity:
    """The worse of size in floors and rarity."""
    size = severity_of(hour_usd, rules.floor(asset), rules)
    rare = Severity.WATCH
    if rarity_days is not None and rarity_days >= _WARNING_DAYS:
        rare = Severity.CRITICAL if rarity_days >= _CRITICAL_DAYS else Severity.WARNING
    return worse(size, rare)


def worse(one: Severity, other: Severity) -> Severity:
    """The higher of two."""
    return max(one, other, key=list(Severity).index)
