"""Zones as people read them, in each language, and their clocks. Owns the names; the rules are the tz database's."""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

_UTC = "UTC"
_OFFSET = re.compile(r"Etc/GMT([+-]\d{1,2})")
_CHINESE: Mapping[str, str] = {"Asia/Shanghai": "北京时间"}


def clock(zone: str) -> tzinfo:
    """The clock of a zone by its tz name; one that the database does not have, or has lost, counts as UTC."""
    if zone == _UTC:
        return UTC
    try:
        return ZoneInfo(zone)
    except (LookupError, ValueError, OSError):  # the name of a folder is an OSError, a path a ValueError
        return UTC


def zone_en(zone: str) -> str:
    """A zone by its tz name as people read it: UTC+8 for Etc/GMT-8, whose sign is turned; UTC for one that is none."""
    if clock(zone) is UTC:
        return _UTC
    offset = _OFFSET.fullmatch(zone)
    if offset is None:
        return zone
    hours = -int(offset[1])
    return f"{_UTC}{hours:+d}" if hours else _UTC


def zone_zh(zone: str) -> str:
    """The same in Chinese: China's own by its Chinese name."""
    return _CHINESE.get(zone) or zone_en(zone)
