"""How the text of a query parameter becomes a value. Owns what is refused and what is offered instead."""

import re
from collections.abc import Collection

from service.api.problem import Problem, nearest
from service.api.tail import START
from service.model import ALL, HOUR, MINUTE, SECOND, SPANS

WAIT_MOST_S = 30.0
SPAN_NAMES = (*SPANS, "all")

CURSOR = re.compile(r"\d{1,19}-\d{1,19}", re.ASCII)
_DIGITS = 9
_ASSET = re.compile(r"\w{1,30}")
_SPAN = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": 24 * HOUR}


def one_of(names: Collection[str], name: str, text: str) -> str:
    """One of some names, in any case."""
    by_case = {known.lower(): known for known in names}
    if text.lower() not in by_case:
        raise Problem(422, f"{name}={text[:40]} is unknown", allowed=names, near=nearest(text, names))
    return by_case[text.lower()]


def span(name: str, text: str) -> str:
    """A rolling span or `all`; for another length the spans next to it are offered."""
    try:
        return one_of(SPAN_NAMES, name, text)
    except Problem as problem:
        if not (length := _length(text.lower())):
            raise
        same = [known for known, ms in SPANS.items() if ms == length]
        shorter = [known for known, ms in SPANS.items() if ms < length][-1:]
        longer = [known for known, ms in SPANS.items() if ms > length][:1]
        near = same or shorter + longer
        raise Problem(422, f"{name}={text[:40]} is unknown", allowed=SPAN_NAMES, near=near) from problem


def _length(text: str) -> int:
    """Milliseconds of a length such as 2h; 0 when it is none."""
    found = _SPAN.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else 0


def some_of(names: Collection[str], name: str, text: str) -> frozenset[str]:
    """Some of the names, with commas between them."""
    return frozenset(one_of(names, name, part.strip()) for part in text.split(",") if part.strip())


def asset(name: str, text: str) -> str:
    """The name of one asset, in capitals."""
    if not _ASSET.fullmatch(text):
        raise Problem(422, f"{name}={text[:40]} is not the name of an asset", allowed=[ALL, "BTC", "ETH", "..."])
    return text.upper()


def assets(name: str, text: str) -> frozenset[str]:
    """Names of assets, with commas between them."""
    return frozenset(asset(name, part.strip()) for part in text.split(",") if part.strip())


def cursor(name: str, text: str) -> str:
    """A cursor as an earlier answer gave it."""
    if not CURSOR.fullmatch(text):
        what = f"{name}={text[:40]} is not a cursor"
        raise Problem(422, what, allowed=[f"{START} (everything there is)", "`next` of an earlier answer"])
    return text


def integer(least: int, most: int, name: str, text: str) -> int:
    """A whole number within bounds."""
    if not (len(text) <= _DIGITS and text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise Problem(422, f"{name}={text[:40]} is out of bounds", allowed=[f"{least} to {most}"])
    return int(text)


def seconds(name: str, text: str) -> float:
    """How long to wait."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= WAIT_MOST_S:
        raise Problem(422, f"{name}={text[:40]} is out of bounds", allowed=[f"0 to {WAIT_MOST_S:g} seconds"])
    return value


def flag(name: str, text: str) -> bool:
    """Yes or no, as 1 and 0 or true and false."""
    return one_of(("1", "true", "0", "false"), name, text) in ("1", "true")
