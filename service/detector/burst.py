"""A short rolling window over seconds: what the market did in the last minutes, to the second (detection study, A.1).

Whole seconds in integer cents, so that a sum that has emptied is exactly zero. A second counts for exactly the window's
width: the sums are a lower bound of the last `width` seconds and miss at most the running second.
"""

from collections.abc import Sequence

import msgspec

#: Orders of this last stretch decide whether growth can be judged at all.
RECENT_S = 60
#: Left-over seconds are cut off the list's front from here on.
_SLACK = 512

#: second, orders, capped long and short, long and short: cents.
Row = tuple[int, int, int, int, int, int]


class Burst(msgspec.Struct):
    """Sums over the last `width` seconds, up to the second they were last moved to."""

    width: int = 300
    rows: list[Row] = []
    first: int = 0
    recent_first: int = 0
    orders: int = 0
    recent: int = 0
    capped_long: int = 0
    capped_short: int = 0
    long: int = 0
    short: int = 0

    def add(self, second: int, orders: Sequence[tuple[float, bool]], cap: float) -> int:
        """Count the orders (dollars, short) of a later second, each at most for `cap`; the capped cents of them."""
        capped_long = capped_short = long = short = 0
        for usd, is_short in orders:
            cents = int(usd * 100 + 0.5)
            capped = cents if usd <= cap else int(cap * 100 + 0.5)
            if is_short:
                short += cents
                capped_short += capped
            else:
                long += cents
                capped_long += capped
        count = len(orders)
        self.rows.append((second, count, capped_long, capped_short, long, short))
        self.orders += count
        self.recent += count
        self.capped_long += capped_long
        self.capped_short += capped_short
        self.long += long
        self.short += short
        self.move(second)
        return capped_long + capped_short

    def move(self, second: int) -> None:
        """Let out what is older than the window at `second`."""
        rows, edge = self.rows, second - self.width
        recent_edge = second - RECENT_S
        while self.recent_first < len(rows) and rows[self.recent_first][0] <= recent_edge:
            self.recent -= rows[self.recent_first][1]
            self.recent_first += 1
        while self.first < len(rows) and rows[self.first][0] <= edge:
            _, count, capped_long, capped_short, long, short = rows[self.first]
            self.orders -= count
            self.capped_long -= capped_long
            self.capped_short -= capped_short
            self.long -= long
            self.short -= short
            self.first += 1
        if self.first > _SLACK:
            del rows[: self.first]
            self.recent_first -= self.first
            self.first = 0

    @property
    def capped(self) -> float:
        """Capped dollars of both sides."""
        return (self.capped_long + self.capped_short) / 100
