"""Dollars told long after they happened: what a history filled in, what waited for its metadata. Pure.

A new leader learns them from the ledger, where every order stands with its time and ours.
"""

from collections import defaultdict, deque
from collections.abc import Iterable

from service.model import ALL, HOUR, MINUTE, SECOND, Liquidation

#: Sockets tell within seconds, a venue that is only polled within a minute or so. On a fast clock, five real
#: seconds.
LATE_MS = 2 * MINUTE
LATE_REAL_MS = 5 * SECOND


class Late:
    """The last hour's late dollars by asset and for ALL."""

    def __init__(self, speed: float = 1.0, counted: Iterable[Liquidation] = ()) -> None:
        self._late_ms = max(LATE_MS, int(LATE_REAL_MS * speed))
        self._orders: dict[str, deque[tuple[int, float]]] = defaultdict(deque)
        for order in counted:
            self.note(order, order.seen)

    def note(self, order: Liquidation, now: int) -> bool:
        """A fresh order was counted at `now` (ms UTC); whether it was late."""
        if now - order.at <= self._late_ms:
            return False
        for asset in {order.asset, ALL}:
            self._orders[asset].append((order.at, order.usd))
        return True

    def usd(self, asset: str, now: int) -> float:
        """Late dollars that lie in the hour before `now`."""
        orders = self._orders.get(asset)
        if not orders:
            return 0.0
        kept = deque(pair for pair in orders if pair[0] > now - HOUR)
        if kept:
            self._orders[asset] = kept
        else:
            del self._orders[asset]
        return sum(usd for _, usd in kept)
