"""The pace of the street: its knobs."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True)
class Knobs:
    """Pace of the street."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    flush_ms: Annotated[int, Ge(10), Le(1000)] = 80
    """A batch waits at most this long (real time) ..."""
    flush_events: Annotated[int, Ge(1), Le(5000)] = 500
    """... or until it holds this many orders."""
    queue: Annotated[int, Ge(100)] = 100_000
    """Items the queue holds before the feeds have to wait; nothing is dropped."""
    top_assets: Annotated[int, Ge(1), Le(100)] = 20
    """Assets that get their own label in metrics, largest hour first; the rest is `other`."""
    lease_s: Annotated[float, Gt(1)] = 5
    """How long (real time) a silent leader keeps the right to judge."""
