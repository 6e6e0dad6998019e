"""The orders half of the ledger in this process: the latest hundred thousand, in the order they were counted."""

from collections import deque
from collections.abc import Collection
from itertools import islice

from service.ledger.archive import place
from service.ledger.memory_archive import MemoryArchive
from service.model import Liquidation

#: Orders remembered one by one.
KEPT = 100_000


class MemoryOrders(MemoryArchive):
    """A cursor counts orders: `17-0` stands behind the seventeenth."""

    def __init__(self) -> None:
        super().__init__()
        self._orders: deque[Liquidation] = deque(maxlen=KEPT)
        self._counted = 0

    def _remember(self, order: Liquidation) -> None:
        self._orders.append(order)
        self._counted += 1

    async def recall(self, venues: Collection[str], since: int, until: int) -> list[Liquidation]:
        """Of the latest hundred thousand orders."""
        return [order for order in self._orders if order.venue in venues and since <= order.at < until]

    async def follow(self, cursor: str | None, since: int) -> tuple[list[Liquidation], str]:
        """What was counted behind `cursor`; without one all that we had since `since`."""
        here = f"{self._counted}-0"
        if cursor is None:
            return [order for order in self._orders if order.seen >= since], here
        new = min(self._counted - place(cursor)[0], len(self._orders))
        return list(islice(reversed(self._orders), new))[::-1] if new > 0 else [], here
