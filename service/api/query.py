"""What may be asked: every query parameter with its meaning, how it is read, and the filters over alerts.

A parameter nobody knows is refused like a wrong value: a misspelt filter must not look like an empty answer.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

from starlette.datastructures import QueryParams

from service.api.problem import Problem, nearest
from service.api.tail import START
from service.api.values import (
    CURSOR,
    SPAN_NAMES,
    WAIT_MOST_S,
    asset,
    assets,
    cursor,
    flag,
    integer,
    one_of,
    seconds,
    some_of,
    span,
)
from service.model import ALL, Alert, Kind, Phase, Record, Severity
from service.venues import VENUES

LIMIT, MOST = 50, 500
SEVERITIES = list(Severity)


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


def _list(names: Collection[str]) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string", "enum": list(names)}}


FILTERS = (
    Param(
        name="state",
        about="Only alerts whose episode is open, or closed, now.",
        schema={"type": "string", "enum": list(State)},
        read=partial(one_of, list(State)),
    ),
    Param(name="kind", about="Only these kinds.", schema=_list(list(Kind)), read=partial(some_of, list(Kind))),
    Param(
        name="asset",
        about="Only these assets; ALL is all coins on the enabled venues.",
        schema={"type": "array", "items": {"type": "string"}, "examples": [["BTC", "ETH"]]},
        read=assets,
    ),
    Param(
        name="venue",
        about="Only alerts in whose `venues` one of these appears.",
        schema=_list(VENUES),
        read=partial(some_of, VENUES),
    ),
    Param(
        name="severity",
        about="At least this severity: watch < warning < critical.",
        schema={"type": "string", "enum": SEVERITIES},
        read=partial(one_of, SEVERITIES),
    ),
    Param(
        name="notice",
        about="1: only alerts that speak for themselves; 0: only lines, of single assets inside an episode of ALL.",
        schema={"type": "boolean"},
        read=flag,
    ),
    Param(name="phase", about="Only these phases.", schema=_list(list(Phase)), read=partial(some_of, list(Phase))),
)
SINCE = Param(
    name="since",
    about=f"Only alerts behind this cursor: `next` of an earlier answer, or {START} for everything there is.",
    schema={"type": "string", "pattern": f"^{CURSOR.pattern}$"},
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
        read=seconds,
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
EXPLAIN = (
    Param(
        name="explain",
        about="1: with every input, level and rule behind the alert, as they stood when it was written.",
        schema={"type": "boolean", "default": False},
        read=flag,
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
        self._notice: bool | None = values.get("notice")
        self._least = SEVERITIES.index(values["severity"]) if "severity" in values else 0

    def passes(self, alert: Alert, open_episodes: Collection[str]) -> bool:
        """True when an alert is wanted, given the ids of the episodes open now."""
        if self.state is not None and (alert.episode in open_episodes) != (self.state == State.OPEN):
            return False
        if SEVERITIES.index(alert.severity) < self._least:
            return False
        if self._notice is not None and self._notice != (alert.parent is None):
            return False
        if self._venues is not None and self._venues.isdisjoint(alert.venues):
            return False
        return all(getattr(alert, name) in wanted for name, wanted in self._sets.items())
