"""The price of a coin by minute, from its orders' own prices, as one contract quotes it. Judges nothing.

One contract and not a mean: the contracts of a coin count differently (a thousand PEPE), and a line that jumps between
them would show moves no market made.
"""

from collections import Counter
from collections.abc import Iterable

from service.model import MINUTE, Liquidation

_Contract = tuple[str, str]


class Prices:
    """One coin's last prices by minute and contract, over `keep_ms`."""

    def __init__(self, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._minutes: dict[int, dict[_Contract, tuple[int, float]]] = {}
        self.upto = 0
        """Orders before this (ms UTC) have been seen."""

    def see(self, orders: Iterable[Liquidation], now: int) -> None:
        """Take in orders, old ones may come again; forget what is too old."""
        for order in orders:
            if order.price:
                cells = self._minutes.setdefault(order.at // MINUTE * MINUTE, {})
                contract = order.venue, order.symbol
                if contract not in cells or cells[contract][0] <= order.at:
                    cells[contract] = order.at, order.price
        self._minutes = {at: cells for at, cells in self._minutes.items() if at > now - self._keep_ms}
        self.upto = now

    def line(self) -> tuple[str, dict[int, float]]:
        """The contract quoted in most minutes, and its last price in each of them; empty without any."""
        seen = Counter(contract for cells in self._minutes.values() for contract in cells)
        if not seen:
            return "", {}
        contract = min(seen, key=lambda name: (-seen[name], name))
        prices = {at: cells[contract][1] for at, cells in self._minutes.items() if contract in cells}
        return " ".join(contract), prices
