"""Rows of a history that already came by the socket, for venues whose rows share no exact key with it. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from service.model import Liquidation, Print
from service.venues.base import History


class Twins:
    """The orders a venue's sockets brought; each is met by one row at most, so that two like orders stay two.

    A row that comes again, because pages or windows overlap, is no second order.
    """

    def __init__(self, history: History, known: Iterable[Liquidation]) -> None:
        self._history = history
        self._rows: set[str] = set()
        self._left: dict[str, dict[str, Liquidation]] = defaultdict(dict)
        for order in known:
            self._left[order.symbol][order.id] = order

    def strangers(self, rows: Iterable[Print]) -> list[Print]:
        """The rows nobody has counted yet, as far as can be told here; the ledger knows every id."""
        return [row for row in rows if not (self._again(row) or self._met(row))]

    def _again(self, row: Print) -> bool:
        before = len(self._rows)
        self._rows.add(row.id)
        return len(self._rows) == before

    def _met(self, row: Print) -> bool:
        left = self._left.get(row.symbol, {})
        met = (
            row.id if row.id in left else next((key for key, one in left.items() if self._history.same(row, one)), None)
        )
        if met is None:
            return False
        del left[met]
        return True
