"""Dollars, shares, times and lists as people read them, in the habit of each language. Pure; knows no alert."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

_UNITS_EN = ((1e9, "B", 2), (1e6, "M", 1), (1e3, "k", 0))
_THOUSAND, _WAN, _YI = 1_000, 10_000, 100_000_000
#: From here on a whole percent would read as "all" what is not all.
_NEARLY_ALL = 0.95
_NOT_ALL = 99.9
_ALL = 100
#: Below this a multiple keeps a decimal: 1.4x and 1.6x are different news, 31.2x and 31.4x are not.
_ROUGH = 10
_DAY_MS = 86_400_000
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000
_ZONE = " UTC"
_CLOCK, _DAY = "%H:%M", "%m-%d %H:%M"


def usd_en(usd: float) -> str:
    """Dollars as a trader reads them: $950k, $104.2M, $1.04B; never $1,000k."""
    for size, unit, digits in _UNITS_EN:
        smaller = size / 1_000
        if round(usd / smaller, 1 if smaller > _THOUSAND else 0) >= _THOUSAND:
            return f"${usd / size:,.{digits}f}{unit}"
    return f"${usd:,.0f}"


def usd_zh(usd: float) -> str:
    """Dollars in Chinese myriads: 95万美元, 1.04亿美元; never 10,000万美元."""
    if round(usd / _WAN) >= _WAN:
        return f"{usd / _YI:,.2f}亿美元"
    if round(usd) >= _WAN:
        return f"{usd / _WAN:,.0f}万美元"
    return f"{usd:,.0f}美元"


def level(usd: str) -> str:
    """Written dollars of a level somebody has set, which has no tenths to show: $100M, 1亿美元."""
    return re.sub(r"\.0+(?=\D)", "", usd)


def percent(share: float) -> str:
    """A share in percent; one decimal where whole numbers would hide the difference from all."""
    if _NEARLY_ALL <= share < 1:
        return f"{min(100 * share, _NOT_ALL):.1f}%"
    return f"{100 * share:.0f}%"


def percents(low: float, high: float) -> str:
    """An interval of shares in whole percent, rounded outwards, as 93–99%; 100 only where all is meant."""
    floor, ceiling = math.floor(round(100 * low, 6)), math.ceil(round(100 * high, 6))
    return f"{floor}–{percent(high) if ceiling == _ALL else f'{ceiling}%'}"


def signed(number: float, digits: int) -> str:
    """With so many decimals and the sign of what is shown of it: +1.0, -2.5, 0.0."""
    shown = round(number, digits)
    return f"{shown:+.{digits}f}" if shown else f"{0:.{digits}f}"


def multiple(times: float) -> str:
    """How many times as much, without a unit: 31, 1.4."""
    return f"{times:,.0f}" if round(times, 1) >= _ROUGH else f"{times:.1f}"


def seconds(length: float) -> str:
    """Seconds rounded up, since together within 0 s nobody can say."""
    return f"{max(1, math.ceil(length))}"


def clock_utc(at: int) -> str:
    """A time (ms UTC) as 22:14 UTC."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%H:%M UTC")


def stamp_utc(at: int) -> str:
    """A time (ms UTC) with its date, as 2026-01-13 22:14 UTC."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def clocks_utc(times: Sequence[int], now: int, between: str) -> str:
    """Times (ms UTC) in a row, their zone said once: 22:09, 22:31, 00:12 UTC."""
    return between.join(when_utc(at, now).removesuffix(_ZONE) for at in times) + _ZONE


def date_utc(at: int) -> str:
    """The date of a time (ms UTC) in UTC, as 2026-01-13."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d")


def when_utc(at: int, now: int) -> str:
    """A time beside `now` (both ms UTC): with its date unless it lies in the 24 h before, where a clock is enough."""
    return clock_utc(at) if 0 <= now - at < _DAY_MS else stamp_utc(at)


def listed(names: Sequence[str], last: str, between: str = ", ") -> str:
    """a, b and c."""
    return last.join(filter(None, (between.join(names[:-1]), names[-1])))


def lasting(ms: int) -> tuple[int, int, int]:
    """A length of time (ms) as whole days, hours and minutes, rounded down; a minute at least."""
    length = max(ms, _MINUTE_MS)
    return length // _DAY_MS, length % _DAY_MS // _HOUR_MS, length % _HOUR_MS // _MINUTE_MS


def ends_utc(first: int, last: int, now: int) -> tuple[str, str]:
    """Two times (ms UTC) as briefly as they can be told beside `now`, without their zone: 21:58, or 01-13 21:58.

    The first has its date unless it lies in the 24 h before, the last where it is another day's than the first; of
    one minute there is no last.
    """
    begins, ends = (datetime.fromtimestamp(at / 1_000, UTC) for at in (first, last))
    near = 0 <= now - first < _DAY_MS
    begun, ended = (begins.strftime(_CLOCK if near else _DAY), ends.strftime(_DAY))
    if near or begins.date() == ends.date():
        ended = ends.strftime(_CLOCK)
    return begun, "" if first // _MINUTE_MS == last // _MINUTE_MS else ended


def span_on(clock: tzinfo, since: int, until: int) -> str:
    """A span (ms UTC) on a clock: 23:00–07:00; with dates from a day on."""
    form = _CLOCK if until - since <= _DAY_MS else _DAY
    ends = (datetime.fromtimestamp(at / 1_000, clock).strftime(form) for at in (since, until))
    return "–".join(ends)
