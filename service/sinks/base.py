"""What a sink is: one channel's wire format and limits. A new sink is one file here and one row in `__init__`."""

from collections.abc import Callable
from typing import ClassVar, Protocol

import httpx

from service.model import Alert, Record


class SinkError(Exception):
    """A delivery failed. `permanent`: this alert will never be taken; else try again, after `retry_after` s if told.

    Its text is shown to people (log, `/sinks`): it never holds an address's path, a token, or a server's own prose.
    """

    def __init__(self, reason: str, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after


class Tools(Record, frozen=True, kw_only=True):
    """What sinks are made with."""

    client: httpx.AsyncClient
    now: Callable[[], int]
    """ms UTC of the wall, in a rehearsal too: receivers compare it with their own clocks."""
    board_url: str = ""
    """Shown at the end of messages; empty shows none."""


class Sink(Protocol):
    """One channel."""

    name: ClassVar[str]
    """Table row, metric label, settings section."""
    lines: ClassVar[bool] = False
    """Whether it also gets alerts with a `parent`, which are lines of ALL's episode."""

    async def send(self, alert: Alert) -> None:
        """Deliver one alert. Raises SinkError."""
        ...
