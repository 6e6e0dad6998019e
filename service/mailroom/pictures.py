"""The picture of an alert's hour: what the ledger holds of it, drawn in a thread. Owns which data goes in."""

import asyncio
from collections.abc import Collection

from service.ledger import Ledger
from service.model import MINUTE, Alert
from service.sinks.telegram.chart import chart
from service.sinks.telegram.picture import hour_of, picture_of


class Pictures:
    """Draws from the ledger, of the orders of these venues."""

    def __init__(self, ledger: Ledger, venues: Collection[str]) -> None:
        self._ledger = ledger
        self._venues = venues

    async def draw(self, alert: Alert) -> bytes:
        """The hour up to the alert as PNG. Raises LedgerError."""
        since, until = hour_of(alert)
        history = await self._ledger.history(alert.asset, since, until, MINUTE)
        orders = await self._ledger.recall(self._venues, since, until)
        return await asyncio.to_thread(lambda: chart(picture_of(alert, history, orders)))
