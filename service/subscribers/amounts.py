"""Dollars, lengths of time and hours of the day as people type them, in both languages. Owns what is understood."""

import re
import unicodedata
from decimal import Decimal

from service.model import HOUR, MINUTE
from service.subscribers.chat import Quiet
from service.subscribers.misread import Misread, Slip
from service.subscribers.zones import zone_of, zones_like

LEAST_USD, MOST_USD = 1_000, 1_000_000_000_000
LEAST_MS, MOST_MS = MINUTE, 7 * 24 * HOUR
_TIMES = {
    "": 1,
    "k": 1_000,
    "m": 1_000_000,
    "b": 1_000_000_000,
    "万": 10_000,
    "百万": 1_000_000,
    "千万": 10_000_000,
    "亿": 100_000_000,
}
_USD = re.compile(r"\$?(\d{1,3}(?:,\d{3})+|\d{1,15})(\.\d{1,6})?(k|m|b|万|百万|千万|亿|)(?:usdt?|美元|美金|刀|\$)?")
_LENGTHS = {
    **dict.fromkeys(("m", "min", "分", "分钟"), MINUTE),
    **dict.fromkeys(("h", "小时", "个小时"), HOUR),
    **dict.fromkeys(("d", "天"), 24 * HOUR),
}
_LENGTH = re.compile(r"(\d{1,5}(?:\.\d{1,2})?)(个小时|小时|分钟|min|[mhd分天])")
_BETWEEN = re.compile(r"\s*(?:[-–—−~至到]|to)\s*")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?")
_HOURS_ZONE = re.compile(
    r"(\d{1,2}(?:[:.]\d{2})?\s*(?:[-–—−~至到]|to)\s*\d{1,2}(?:[:.]\d{2})?)(?:\s+(.+)|([^\d\s:.].*))?"
)
_DAY_MINUTES = 24 * 60
_HOUR_MINUTES = 60


def plain(text: str) -> str:
    """A typed text with the full-width signs of an input method made plain, in small letters."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def usd(text: str) -> float:
    """Dollars of 10M, 250k, $10,000,000, 1.04亿. Raises Misread for what is none, or is no sum of a cascade."""
    found = _USD.fullmatch(plain(text).replace(" ", ""))
    if found is None:
        raise Misread(Slip.USD, text)
    whole, part, unit = found.groups()
    dollars = Decimal(whole.replace(",", "") + (part or "")) * _TIMES[unit]
    if not LEAST_USD <= dollars <= MOST_USD:
        raise Misread(Slip.USD, text)
    return float(dollars)


def looks_like_usd(text: str) -> bool:
    """Whether a word can only be meant as dollars."""
    word = plain(text)
    return _USD.fullmatch(word) is not None or re.match(r"\$\d", word) is not None


def duration(text: str) -> int:
    """Milliseconds of 2h, 90m, 1d, 1h30m, 2小时. Raises Misread outside of a minute to seven days."""
    word = re.sub(r"\s", "", plain(text))
    parts = _LENGTH.findall(word)
    length = round(sum(Decimal(count) * _LENGTHS[unit] for count, unit in parts))
    if _LENGTH.sub("", word) or not LEAST_MS <= length <= MOST_MS:
        raise Misread(Slip.DURATION, text)
    return length


def quiet(text: str, zone: str | None = None, *, critical: bool = False) -> Quiet:
    """Quiet hours of `23:00-07:00 Asia/Shanghai`; without a zone in the text it is `zone`. Raises Misread.

    `critical` goes into the record as it is.
    """
    found = _HOURS_ZONE.fullmatch(plain(text))
    if found is None:
        raise Misread(Slip.QUIET, text)
    hours, named = found[1], found[2] or found[3]
    start, end = (_minute(one, text) for one in _BETWEEN.split(hours, maxsplit=1))
    if named:
        zone, given = zone_of(named), unicodedata.normalize("NFKC", text).strip()[-len(named) :]
        if zone is None:
            raise Misread(Slip.ZONE, given, zones_like(named))
    if zone is None:
        raise Misread(Slip.NO_ZONE, text)
    return Quiet(start=start, end=end, zone=zone, critical=critical)


def _minute(clock: str, text: str) -> int:
    """Minutes after midnight; 24:00 is midnight."""
    found = _CLOCK.fullmatch(clock)
    if found is None:
        raise Misread(Slip.QUIET, text)
    hour, minute = int(found[1]), int(found[2] or 0)
    at = hour * _HOUR_MINUTES + minute
    if minute >= _HOUR_MINUTES or at > _DAY_MINUTES:
        raise Misread(Slip.QUIET, text)
    return at % _DAY_MINUTES


def written(minute: int) -> str:
    """Minutes after midnight as 07:00."""
    hour, rest = divmod(minute, _HOUR_MINUTES)
    return f"{hour:02d}:{rest:02d}"
