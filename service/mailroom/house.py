"""The running service as the bot sees it: the HTTP door's view, asked for what people ask. Holds nothing itself."""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from service.api.view import View
from service.model import ALL, Alert, ContextReport, Reading, VenueReport

_HOUR = "1h"
#: Of so many alerts the newest that are no lines are told.
_LOOKED_AT = 1_000


class House:
    """Answers of one service; what asks the store may raise LedgerError."""

    def __init__(self, view: View, venues: Sequence[str], floors: Collection[str]) -> None:
        self.simulated = view.simulated
        self.venue_names: Sequence[str] = tuple(venues)
        self.episodes = view.episodes
        self._view = view
        self._floors = {name for name in floors if name not in (ALL, "default")}

    async def assets(self) -> set[str]:
        """Coins that had an order in the last day, or have a floor of their own."""
        return self._floors | set(await self._view.ledger.assets(self._view.clock.now()))

    async def readings(self) -> list[Reading]:
        """ALL and every coin with an order in the last day, ALL with how much of its hour was heard."""
        now = self._view.clock.now()
        names = await self._view.ledger.assets(now)
        market, *coins = await self._view.ledger.read([ALL, *names], now)
        heard = await self._view.coverage(ALL, _HOUR, now)
        return [replace(market, coverage={_HOUR: heard}), *coins]

    async def venues(self) -> Sequence[VenueReport]:
        """Every enabled venue."""
        return await self._view.venues()

    def context(self, asset: str) -> ContextReport | None:
        """What stands beside an asset's liquidations; None while context is switched off."""
        return self._view.context(asset)

    async def last(self, limit: int) -> list[Alert]:
        """The newest alerts people are told of, newest last."""
        found = [alert for _, alert in await self._view.ledger.alerts(None, _LOOKED_AT) if alert.parent is None]
        return found[-limit:]
