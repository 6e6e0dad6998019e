"""What may be asked: every query parameter with its meaning, how it is read, and the filters over alerts.

A parameter nobody knows is refused like a wrong value: a misspelt filter must not look like an empty answer.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from starlette.datastructures import QueryParams

from service.api.problem import Problem, nearest
from service.api.tail import START
from service.model import ALL, HOUR, MINUTE, SECOND, SPANS, Alert, Kind, Phase, Record, Severity
from service.venues import VENUES

LIMIT, MOST = 50, 500
WAIT_MOST_S = 30.0
SPAN_NAMES = (*SPANS, "all")
SEVERITIES = list(Severity)

_CURSOR = re.compile(r"\d{1,19}-\d{1,19}", re.ASCII)
_ASSET = re.compile(r"\w{1,30}")
_SPAN = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": 24 * HOUR}


class State(StrEnum):
    """The present state of an alert's episode."""

    OPEN = "open"
    CLOSED = "closed"


class Param(Record, frozen=True, kw_only=True):
    """One query parameter: its sentence, its JSON schema, and how its text is read. Readers raise Problem."""

    name: str
    about: str
    schema: Mapping[str, Any]
    read: Callable[[str, str], Any]

    def openapi(self) -> dict[str, Any]:
        """As OpenAPI wants it; lists are one value with commas."""
        return {
            "name": self.name,
            "in": "query",
            "description": self.about,
            "schema": dict(self.schema),
            "explode": False,
        }


def read(query: QueryParams, params: Sequence[Param]) -> dict[str, Any]:
    """Values of the parameters that were given, by name. An empty value is no value. Raises Problem."""
    readers = {param.name: param.read for param in params}
    values = {}
    for name in query:
        if name not in readers:
            raise Problem(422, f"unknown parameter {name}", allowed=readers, near=nearest(name, readers))
        text = ",".join(query.getlist(name)).strip()
        if text:
            values[name] = readers[name](name, text)
    return values


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


def _some_of(names: Collection[str], name: str, text: str) -> frozenset[str]:
    return frozenset(one_of(names, name, part.strip()) for part in text.split(",") if part.strip())


def asset(name: str, text: str) -> str:
    """The name of one asset, in capitals."""
    if not _ASSET.fullmatch(text):
        raise Problem(422, f"{name}={text[:40]} is not the name of an asset", allowed=[ALL, "BTC", "ETH", "..."])
    return text.upper()


def _assets(name: str, text: str) -> frozenset[str]:
    return frozenset(asset(name, part.strip()) for part in text.split(",") if part.strip())


def cursor(name: str, text: str) -> str:
    """A cursor as an earlier answer gave it."""
    if not _CURSOR.fullmatch(text):
        what = f"{name}={text[:40]} is not a cursor"
        raise Problem(422, what, allowed=[f"{START} (everything there is)", "`next` of an earlier answer"])
    return text


def integer(least: int, most: int, name: str, text: str) -> int:
    """A whole number within bounds."""
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= most):
        raise Problem(422, f"{name}={text[:40]} is out of bounds", allowed=[f"{least} to {most}"])
    return int(text)


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= WAIT_MOST_S:
        raise Problem(422, f"{name}={text[:40]} is out of bounds", allowed=[f"0 to {WAIT_MOST_S:g} seconds"])
    return value


def _list(names: Collection[str]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "enum": list(names)}}


FILTERS = (
    Param(
        name="state",
        about="Only alerts whose episode is open, or closed, now.",
        schema={"type": "string", "enum": list(State)},
        read=partial(one_of, list(State)),
    ),
    Param(name="kind", about="Only these kinds.", schema=_list(list(Kind)), read=partial(_some_of, list(Kind))),
    Param(
        name="asset",
        about="Only these assets; ALL is all coins on the enabled venues.",
        schema={"type": "array", "items": {"type": "string"}, "examples": [["BTC", "ETH"]]},
        read=_assets,
    ),
    Param(
        name="venue",
        about="Only alerts in whose `venues` one of these appears.",
        schema=_list(VENUES),
        read=partial(_some_of, VENUES),
    ),
    Param(
        name="severity",
        about="At least this severity: watch < warning < critical.",
        schema={"type": "string", "enum": SEVERITIES},
        read=partial(one_of, SEVERITIES),
    ),
    Param(name="phase", about="Only these phases.", schema=_list(list(Phase)), read=partial(_some_of, list(Phase))),
)
SINCE = Param(
    name="since",
    about=f"Only alerts behind this cursor: `next` of an earlier answer, or {START} for everything there is.",
    schema={"type": "string", "pattern": f"^{_CURSOR.pattern}$"},
    read=cursor,
)
PAGING = (
    SINCE,
    *FILTERS,
    Param(
        name="limit",
        about="At most this many alerts.",
        schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
        read=partial(integer, 1, MOST),
    ),
    Param(
        name="wait",
        about="Seconds to wait for an alert when none is there yet; such an answer has no 304.",
        schema={"type": "number", "minimum": 0, "maximum": WAIT_MOST_S, "default": 0},
        read=_seconds,
    ),
)
WINDOW = (
    Param(
        name="asset",
        about="One asset; ALL is all coins on the enabled venues.",
        schema={"type": "string", "default": ALL},
        read=asset,
    ),
    Param(
        name="span",
        about="One rolling span, or `all` for every one of them.",
        schema={"type": "string", "enum": list(SPAN_NAMES), "default": "1h"},
        read=span,
    ),
)
FRAMES = (
    Param(
        name="limit",
        about="At most this many frames.",
        schema={"type": "integer", "minimum": 1, "maximum": 200, "default": 20},
        read=partial(integer, 1, 200),
    ),
)


class Filter:
    """Which alerts are wanted, from the values of `FILTERS`. What was not asked for lets everything pass."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.chooses = any(param.name in values for param in FILTERS)
        """False when everything passes."""
        self.state: str | None = values.get("state")
        self._sets = {name: values[name] for name in ("kind", "asset", "phase") if name in values}
        self._venues: frozenset[str] | None = values.get("venue")
        self._least = SEVERITIES.index(values["severity"]) if "severity" in values else 0

    def passes(self, alert: Alert, open_episodes: Collection[str]) -> bool:
        """True when an alert is wanted, given the ids of the episodes open now."""
        if self.state is not None and (alert.episode in open_episodes) != (self.state == State.OPEN):
            return False
        if SEVERITIES.index(alert.severity) < self._least:
            return False
        if self._venues is not None and self._venues.isdisjoint(alert.venues):
            return False
        return all(getattr(alert, name) in wanted for name, wanted in self._sets.items())
