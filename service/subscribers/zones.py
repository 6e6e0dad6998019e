"""Zones as people name them. Owns which names are understood; the rules of each zone are the tz database's."""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from types import MappingProxyType
from zoneinfo import ZoneInfo, available_timezones

_OFFSET = re.compile(r"(?:utc|gmt)?([+-]\d{1,2})(?::?00)?")
_EAST, _WEST = 14, -12
_ETC = "Etc/GMT"
_NEAR = 3
#: What people call a zone that the tz database calls otherwise.
_CALLED: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("utc", "gmt", "z"), "UTC"),
        **dict.fromkeys(("beijing", "北京", "北京时间", "上海", "中国", "深圳"), "Asia/Shanghai"),
        "香港": "Asia/Hong_Kong",
        "台北": "Asia/Taipei",
        "新加坡": "Asia/Singapore",
        "东京": "Asia/Tokyo",
        "伦敦": "Europe/London",
        "纽约": "America/New_York",
    }
)


def clock_of(zone: str) -> tzinfo:
    """The clock of a zone by its tz name. One that the database has lost counts as UTC: a chat must not stand still."""
    if zone == "UTC":
        return UTC
    try:
        return ZoneInfo(zone)
    except (LookupError, ValueError, OSError):  # the name of a folder is an OSError, a path a ValueError
        return UTC


def zone_of(text: str) -> str | None:
    """The tz name of what somebody typed: a tz name or its city in any case, UTC+8, +8; None when it is no zone."""
    word = re.sub(r"\s+", "_", text.strip().lower())
    if word in _CALLED:
        return _CALLED[word]
    if offset := _OFFSET.fullmatch(word):
        return _of_hours(int(offset[1]))
    return _names().get(word) or _cities().get(word)


def zones_like(text: str) -> tuple[str, ...]:
    """Up to three tz names like a typed word, best first."""
    word = re.sub(r"\s+", "_", text.strip().lower())
    known = {**_cities(), **_names()}
    near = difflib.get_close_matches(word, known, _NEAR, cutoff=0.6)
    return tuple(dict.fromkeys(known[name] for name in near))


def _of_hours(hours: int) -> str | None:
    if not _WEST <= hours <= _EAST:
        return None
    return f"{_ETC}{-hours:+d}" if hours else "UTC"


@cache
def _names() -> Mapping[str, str]:
    return {name.lower(): name for name in available_timezones()}


@cache
def _cities() -> Mapping[str, str]:
    """City -> zone, where only one zone carries the name."""
    names: dict[str, list[str]] = {}
    for name in sorted(available_timezones()):
        area, _, city = name.rpartition("/")
        if area and area.partition("/")[0] not in {"Etc", "posix", "right", "SystemV", "US", "Brazil", "Chile"}:
            names.setdefault(city.lower(), []).append(name)
    return {city: zones[0] for city, zones in names.items() if len(zones) == 1}
