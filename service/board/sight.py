"""What the board may see of the service. Owns the shape of that view; `app` provides it."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Protocol

from service.clock import Clock
from service.detector import Board
from service.ledger import Ledger
from service.model import ContextReport, Coverage, Episode, VenueReport
from service.pipeline import Recent


class Sight(Protocol):
    """The running service, read-only."""

    ledger: Ledger
    clock: Clock
    simulated: bool
    stopping: bool
    zone: tzinfo
    recent: Recent
    """The orders of the last hour and a quarter, one by one."""

    def usual(self, asset: str) -> float | None:
        """Usual dollars of an hour at this time of day; None while that is being learnt."""
        ...

    def records(self, asset: str) -> Board | None:
        """What is remembered of an asset's largest hours and days."""
        ...

    def context(self, asset: str) -> ContextReport | None:
        """What stands beside an asset's liquidations, from memory; None while context is switched off."""
        ...

    async def coverage(self, asset: str, span: str, now: int) -> Coverage:
        """How much of a span that ends now was heard."""
        ...

    async def venues(self) -> Sequence[VenueReport]:
        """Every enabled venue."""
        ...

    def episodes(self) -> Sequence[Episode]:
        """Open episodes, largest first."""
        ...

    def problems(self) -> Sequence[str]:
        """Why the service is not ready, in words."""
        ...

    async def changed(self, timeout_s: float) -> None:
        """Return when an alert may have been appended, or after `timeout_s` real seconds or less."""
        ...
