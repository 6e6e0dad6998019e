"""What a venue must say about its own published sums of liquidations, so that ours can be held against them. Pure."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from service.model import Record


class Tally(Record, frozen=True, kw_only=True):
    """What a venue says was liquidated of one contract from `since` to `until` (ms UTC, its own time), in dollars."""

    symbol: str
    since: int
    until: int
    long_usd: float
    short_usd: float


class Tallies(Protocol):
    """Where and how to ask. All durations in seconds on the clock."""

    interval_s: ClassVar[int]
    """Width of the venue's intervals; they begin at whole multiples of it."""
    delay_s: ClassVar[float]
    """An interval's sums are final only so long after its end."""
    gap_s: ClassVar[float]
    """Least seconds between two requests, below the venue's rate limit."""

    def ask(self, endpoints: Mapping[str, str], symbol: str, since: int) -> str:
        """The address that tells the sums of one contract for the interval that began at `since`."""
        ...

    def read(self, url: str, body: bytes) -> Sequence[Tally]:
        """Final sums in the answer to `url`, other intervals' among them. Raises DecodeError for another shape."""
        ...
