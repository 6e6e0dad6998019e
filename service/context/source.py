"""What a source of context must say about itself: where to ask, how often, and what an answer means.

A source is one file; it holds its own words and hands what it read to a book. It opens no connection, reads no clock
and is never asked for anything while an alert is written.
"""

from collections.abc import Mapping
from typing import Protocol

from service.model import Record


class SourceError(Exception):
    """An answer is not what is documented, or says what cannot be: the text names the value and what is allowed."""


class NotYetError(Exception):
    """There is nothing to ask for at the moment, and it is nobody's fault: the text says what is waited for."""


class Question(Record, frozen=True, kw_only=True):
    """One request: a GET of `url`, or a POST of the JSON text `post`. Headers may carry a key."""

    url: str
    post: str = ""
    headers: Mapping[str, str] = {}
    most_bytes: int = 4_000_000
    """A longer answer is refused."""


class Source(Protocol):
    """One address that is asked again and again."""

    name: str
    """Label of its metrics and its row in `/context`, as `etf farside BTC`."""
    every_s: float
    """Seconds on the clock between two requests; a server that asks for more is given more."""

    def question(self, now: int) -> Question:
        """What to ask at `now` ms UTC. Raises NotYetError while that cannot be known."""
        ...

    def take(self, body: bytes, now: int) -> None:
        """Read an answer and hand it on. Raises SourceError, and then nothing of it is used."""
        ...
