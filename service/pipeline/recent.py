"""The orders of the last hour and a quarter, one by one, on every replica. Judges nothing.

A view of the ledger's stream. What needs single orders and not sums (who led, how sure a share is, what a feed left
out) looks here.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import islice

from service.ledger import Ledger
from service.model import ALL, MINUTE, Liquidation

KEEP_MS = 75 * MINUTE
#: More than this many are not kept: the oldest leave.
MOST = 200_000


class Recent:
    """Orders by asset, in the order they were counted."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._cursor: str | None = None
        self._by_asset: dict[str, deque[Liquidation]] = defaultdict(deque)

    async def refresh(self, now: int) -> None:
        """Follow the ledger; `now` ms UTC. On LedgerError nothing changed."""
        while True:
            orders, cursor = await self._ledger.follow(self._cursor, now - KEEP_MS)
            self._cursor = cursor
            for order in orders:
                self._by_asset[order.asset].append(order)
                self._by_asset[ALL].append(order)
            if not orders:
                break
        self._forget(now)

    def of(self, asset: str, since: int, until: int) -> Sequence[Liquidation]:
        """Orders of an asset (ALL: of all) with `at` in (since, until], oldest first."""
        found = [order for order in self._by_asset.get(asset, ()) if since < order.at <= until]
        return sorted(found, key=lambda order: (order.at, order.id))

    def latest(self, asset: str, most: int) -> list[Liquidation]:
        """The last `most` orders of an asset, in the order they were counted."""
        orders = self._by_asset.get(asset, ())
        return list(islice(reversed(orders), most))[::-1]

    def _forget(self, now: int) -> None:
        everything = self._by_asset[ALL]
        while everything and (len(everything) > MOST or everything[0].at < now - KEEP_MS):
            asset = everything.popleft().asset
            self._by_asset[asset].popleft()
            if not self._by_asset[asset]:
                del self._by_asset[asset]
