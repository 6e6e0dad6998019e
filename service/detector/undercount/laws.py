"""Which law of sizes serves a contract at a moment, best first. Judges no rate.

reference  orders of the same asset on venues that show every order, of the same minutes where they suffice: in a
           cascade sizes grow, and a law of an hour ago would take growth for hidden orders
isolated   the contract's own orders from minutes in which it had few: these are shown whole
usual      the table of `sizes`
"""

from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum

from service.detector.undercount.groups import TIME, Books, Group
from service.detector.undercount.sizes import Law, usual
from service.model import MINUTE, Liquidation

#: Sizes a law needs: of the same minutes, of the whole memory, of the contract itself.
CLOSE, FAR, OWN = 100, 40, 30
#: A law serves this long; it is made of these and the minutes around them.
_BLOCK = 5 * MINUTE
#: Minutes with so few orders show nearly all: they are a tenth of their seconds, and fewer than an engine's rounds.
_FEW = 6


class Source(StrEnum):
    """Where a law of sizes is from."""

    REFERENCE = "reference"
    ISOLATED = "isolated"
    USUAL = "usual"


class Laws:
    """Laws of all contracts of one memory of orders, each made once."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._near: dict[tuple[str, int], Law | None] = {}
        self._far: dict[str, Law | None] = {}
        self._own: dict[Group, tuple[Law, Source]] = {}

    def of(self, group: Group, at: int) -> tuple[Law, Source]:
        """The law for a contract's orders around `at` (ms UTC)."""
        asset, block = self._books.assets[group], at // _BLOCK
        found = self._nearby(asset, block) or self._whole(asset)
        return (found, Source.REFERENCE) if found else self._alone(group, asset)

    def _nearby(self, asset: str, block: int) -> Law | None:
        key = (asset, block)
        if key not in self._near:
            since, until = (block - 1) * _BLOCK, (block + 2) * _BLOCK
            rows = self._books.orders_of(asset)
            first, last = bisect_left(rows, since, key=TIME), bisect_left(rows, until, key=TIME)
            sizes = [order.usd for order in rows[first:last]]
            self._near[key] = Law(sizes) if len(sizes) >= CLOSE else None
        return self._near[key]

    def _whole(self, asset: str) -> Law | None:
        if asset not in self._far:
            sizes = [order.usd for order in self._books.orders_of(asset)]
            self._far[asset] = Law(sizes) if len(sizes) >= FAR else None
        return self._far[asset]

    def _alone(self, group: Group, asset: str) -> tuple[Law, Source]:
        if group not in self._own:
            batched = self._books.feeds[group.venue].batch_s
            sizes = [] if batched else _isolated(self._books.shown[group])
            enough = len(sizes) >= OWN
            self._own[group] = (Law(sizes), Source.ISOLATED) if enough else (usual(asset), Source.USUAL)
        return self._own[group]


def _isolated(orders: Sequence[Liquidation]) -> list[float]:
    minutes: dict[int, list[float]] = {}
    for order in orders:
        minutes.setdefault(order.at // MINUTE, []).append(order.usd)
    return [usd for sizes in minutes.values() if len(sizes) <= _FEW for usd in sizes]
