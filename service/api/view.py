"""What the HTTP door may see of the service. Owns the shape of that view; `app` provides it."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Protocol

from service.clock import Clock
from service.detector import Board
from service.ledger import Ledger
from service.model import ContextReport, Coverage, Depth, Episode, SecondOpinion, SinkReport, VenueReport


class View(Protocol):
    """The running service, read-only."""

    ledger: Ledger
    clock: Clock
    simulated: bool
    """True when the orders come from our own venue servers: every answer says so."""
    started_at: int
    stopping: bool
    """True once the service leaves: waiting answers and streams end at the next `changed`."""
    config: Mapping[str, Any]
    """Effective settings with secrets masked, ready to be shown."""

    zone: tzinfo
    """In which dates of records are named beside UTC."""

    def records(self, asset: str) -> Board | None:
        """What is remembered of an asset's largest hours and days; None when nothing is yet."""
        ...

    def context(self, asset: str) -> ContextReport | None:
        """What stands beside an asset's liquidations, from memory; None while context is switched off."""
        ...

    def watching(self) -> Mapping[str, int]:
        """Markets on watch, and since when (ms UTC)."""
        ...

    async def depth(self, asset: str, span: str, now: int) -> Depth:
        """What the single orders of a span that ends now say beyond their sum."""
        ...

    async def coverage(self, asset: str, span: str, now: int) -> Coverage:
        """How much of a span that ends now was heard on the venues that list the asset."""
        ...

    async def venues(self) -> Sequence[VenueReport]:
        """Every enabled venue."""
        ...

    async def sinks(self) -> Sequence[SinkReport]:
        """Every channel alerts go to. Raises LedgerError."""
        ...

    def episodes(self) -> Sequence[Episode]:
        """Open episodes, largest first."""
        ...

    def second_opinion(self) -> SecondOpinion | None:
        """What an aggregator counts in the last hour; None when none was asked or it does not answer."""
        ...

    def problems(self) -> Sequence[str]:
        """Why the service is not ready, in words; empty when it is."""
        ...

    async def changed(self, timeout_s: float) -> None:
        """Return when an alert may have been appended or the service is stopping, or after `timeout_s` real seconds."""
        ...
