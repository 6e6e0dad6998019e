"""Our counting held against others': a venue's own published sums, and an aggregator's hour. Judges neither.

One object for the whole service, so that `app` builds and runs a single thing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import httpx

from service.clock import Clock
from service.model import Instrument, Liquidation, Reconciled, SecondOpinion
from service.reconcile.opinion import Opinion
from service.reconcile.venue import Reconciler
from service.venues.base import Venue

__all__ = ["Opinion", "Reconcile", "Reconciler"]


class Reconcile:
    """All comparisons. `listed` and `live_since` tell a venue's contracts, and since when all of it is heard."""

    def __init__(
        self, clock: Clock, client: httpx.AsyncClient, ours: Callable[[], float | None], url: str, key: str
    ) -> None:
        self._clock, self._client = clock, client
        self._reconcilers: dict[str, Reconciler] = {}
        self._opinion = Opinion(url, key, clock, client, ours) if key else None

    def watch(
        self,
        venue: Venue,
        endpoints: Mapping[str, str],
        listed: Callable[[], Sequence[Instrument]],
        live_since: Callable[[], int | None],
    ) -> None:
        """Compare this venue too, if it publishes sums; before `run`."""
        if venue.tallies is not None:
            found = Reconciler(venue, endpoints, self._clock, self._client, listed, live_since)
            self._reconcilers[venue.name] = found

    def counted(self, orders: Sequence[Liquidation]) -> None:
        """A batch has been written."""
        for reconciler in self._reconcilers.values():
            reconciler.counted(orders)

    def of(self, venue: str) -> Reconciled | None:
        """A venue's last 24 hours, as far as they were compared."""
        return self._reconcilers[venue].reconciled if venue in self._reconcilers else None

    def opinion(self) -> SecondOpinion | None:
        """The aggregator's last hour."""
        return self._opinion.latest() if self._opinion else None

    async def run(self) -> None:
        """Compare until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for reconciler in self._reconcilers.values():
                tasks.create_task(reconciler.run())
            if self._opinion:
                tasks.create_task(self._opinion.run())
