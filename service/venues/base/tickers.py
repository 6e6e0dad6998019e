"""What a venue must say about open interest, funding and mark price: where to ask, what the answers mean. Pure.

Units differ by venue: contracts, coins, dollars, one venue counts both sides. Here all become one-sided `Ticker`s; a
venue that tells a contract in several answers yields one part of it each time, and whoever keeps them puts them
together.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Protocol

from service.model import SECOND, Instrument, Record, Ticker

#: A control stream speaks many times a second; what it tells beside its heartbeat is read this often.
SIP_MS = 10 * SECOND


class Ask(Record, frozen=True, kw_only=True):
    """One request: a GET of `url`, or a POST of the JSON text `post`."""

    url: str
    post: str = ""


class Tickers(Protocol):
    """Where and how to ask. Durations in seconds on the clock."""

    gap_s: ClassVar[float]
    """Least seconds between two requests, well below the venue's limit: orders' history and metadata share it."""
    every_s: ClassVar[float] = 60.0
    """Least seconds between two rounds of `asks`."""

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        """One round. Answers about all contracts come first; what costs a request each is asked for `coins` only."""
        ...

    def read(self, ask: Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Contracts of the answer that are in `listed`; rows whose values are refused are left out.

        Raises DecodeError for an answer of another shape, and where no row at all can be used though there are some.
        """
        ...

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """What a frame of a socket's control stream tells; nothing for venues whose stream tells none."""
        del frame, seen
        return ()


class Sips:
    """One connection's pace of reading its control stream."""

    def __init__(self) -> None:
        self._next = 0

    def due(self, seen: int) -> bool:
        """Whether it is time to read a frame again, at `seen` ms UTC; then the next time is so much later."""
        if self._next - SIP_MS <= seen < self._next:
            return False
        self._next = seen + SIP_MS
        return True
