"""The arithmetic of a reconciliation: our orders by interval and contract, and what a day of comparing comes to."""

from collections import deque
from collections.abc import Iterable

from service.model import HOUR, Liquidation, Reconciled, Side, to_units, to_usd
from service.venues.base import Tally

DAY = 24 * HOUR
#: How long an interval's orders wait to be taken.
KEPT = 3 * HOUR

Units = dict[Side, int]
"""Stored units of money by side."""


class OwnSums:
    """Orders of one venue by interval and contract, each id once: a second replica may have counted it first."""

    def __init__(self, width_ms: int) -> None:
        self._width = width_ms
        self._sums: dict[int, dict[str, dict[str, tuple[Side, int]]]] = {}
        self._seen: dict[str, int] = {}

    def add(self, orders: Iterable[Liquidation]) -> None:
        """Count orders in the intervals they happened in."""
        for order in orders:
            interval = self._sums.setdefault(order.at // self._width * self._width, {})
            interval.setdefault(order.symbol, {})[order.id] = order.side, to_units(order.usd)
            self._seen[order.symbol] = max(order.at, self._seen.get(order.symbol, 0))

    def take(self, since: int) -> dict[str, Units]:
        """The sums of one interval by contract; they are gone afterwards."""
        found = {}
        for symbol, orders in self._sums.pop(since, {}).items():
            found[symbol] = {side: sum(units for one, units in orders.values() if one is side) for side in Side}
        return found

    @property
    def symbols(self) -> list[str]:
        """Contracts that had an order within a day, latest first."""
        return sorted(self._seen, key=lambda symbol: -self._seen[symbol])

    def trim(self, now: int) -> None:
        """Forget contracts without an order for a day, and intervals nobody has taken for a long while."""
        self._seen = {symbol: at for symbol, at in self._seen.items() if at > now - DAY}
        self._sums = {since: rest for since, rest in self._sums.items() if since > now - KEPT}


class Day:
    """What was compared in the last 24 hours."""

    def __init__(self) -> None:
        self._rows: deque[tuple[Tally, Units]] = deque()

    def add(self, theirs: Tally, ours: Units) -> None:
        """One contract's interval."""
        self._rows.append((theirs, ours))

    def trim(self, now: int) -> None:
        """Forget what is older than a day."""
        while self._rows and self._rows[0][0].until <= now - DAY:
            self._rows.popleft()

    def usd(self, side: Side) -> tuple[float, float] | None:
        """Our dollars of one side, and theirs; None when nothing was compared."""
        if not self._rows:
            return None
        theirs = sum(to_units(row.long_usd if side is Side.LONG else row.short_usd) for row, _ in self._rows)
        return to_usd(sum(ours[side] for _, ours in self._rows)), to_usd(theirs)

    def reconciled(self) -> Reconciled | None:
        """Both sides together."""
        pairs = [pair for side in Side if (pair := self.usd(side))]
        if not pairs:
            return None
        ours, theirs = (round(sum(part), 4) for part in zip(*pairs, strict=True))
        rows = [row for row, _ in self._rows]
        return Reconciled(
            ours_usd=ours,
            theirs_usd=theirs,
            ratio=round(ours / theirs, 4) if theirs else None,
            since=min(row.since for row in rows),
            until=max(row.until for row in rows),
        )
