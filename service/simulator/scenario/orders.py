"""Orders to the cent: reproducible luck, heavy-tailed sizes, and dollars that add up exactly.

Owns the arithmetic of one side of one hour. Knows no clock hour, no coin table and no figure.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Generic, NamedTuple, TypeVar

from service.model import USD_UNIT, Side, to_usd
from service.simulator.scenario.market import Listing
from service.tape import Row

T = TypeVar("T")

#: What a cell keeps back for its two closing orders, which take up every rounding.
CLOSING_UNITS = 5_000 * USD_UNIT


class Luck:
    """Draws that are equal on every Python and machine.

    Only `Random.random()` is promised to stay, so nothing else of `random` is used; and no power, logarithm or sine,
    whose last bit depends on the C library.
    """

    def __init__(self, *key: object) -> None:
        self.unit = random.Random(":".join(str(part) for part in key)).random  # noqa: S311  # a play, no secret

    def below(self, count: int) -> int:
        """A whole number from 0 to count - 1."""
        return int(self.unit() * count)

    def between(self, low: float, high: float) -> float:
        """Evenly between two numbers."""
        return low + (high - low) * self.unit()

    def tail(self, rarest: float) -> float:
        """A Pareto size of 1 and more with exponent 0.8, cut where only `rarest` of all are larger."""
        chance = self.between(rarest, 1.0)
        return 1 / (chance * math.sqrt(math.sqrt(chance)))


class Urn(Generic[T]):
    """Weighted choice."""

    def __init__(self, weighted: Iterable[tuple[T, float]]) -> None:
        pairs = list(weighted)
        self._items = [item for item, _ in pairs]
        self._sums = list(accumulate(weight for _, weight in pairs))

    def pick(self, luck: Luck) -> T:
        """One item, as likely as its weight."""
        return self._items[min(bisect_right(self._sums, luck.unit() * self._sums[-1]), len(self._items) - 1)]


class Order(NamedTuple):
    """An order before it has its dollars: `weight` is its size beside the others spent together."""

    at: int
    listing: Listing
    ticks: int
    weight: float


def parts(units: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Units divided by weight; at most a few are left over."""
    whole = math.fsum(weights.values())
    return {name: int(units * (weight / whole)) for name, weight in weights.items()}


class Cell:
    """One side of one hour: `usd` whole dollars to spend to the last cent, and the rows that spent them."""

    def __init__(self, side: Side, usd: int) -> None:
        self.side = side
        self.left = usd * USD_UNIT
        self.rows: list[Row] = []
        self._taken: set[tuple[Listing, int]] = set()

    def spend(self, orders: Sequence[Order], units: int) -> None:
        """Give orders their sizes, `units` in all but for less than a lot: what one is short of, the next one gets."""
        whole = math.fsum(order.weight for order in orders)
        carry = 0
        for order in orders:
            carry += int(units * (order.weight / whole))
            lot = order.listing.lot_units(order.ticks)
            lots = max(1, carry // lot)
            carry -= lots * lot
            self._write(order.at, order.listing, order.ticks, lots)

    def close(self, first: Order, second: Order) -> None:
        """Spend what is left with two orders of one contract, one tick apart: p*a + (p+1)*b meets any large sum."""
        ticks = first.ticks
        more = self.left % ticks
        if first.listing.face or (ticks + 1) * more >= self.left:
            raise ValueError(f"{self.left} units cannot be closed with {first.listing.symbol} at {ticks} ticks")
        self._write(first.at, first.listing, ticks, (self.left - (ticks + 1) * more) // ticks)
        if more:
            self._write(second.at, second.listing, ticks + 1, more)

    def _write(self, at: int, listing: Listing, ticks: int, lots: int) -> None:
        while (listing, at) in self._taken:
            at += 1
        self._taken.add((listing, at))
        units = listing.lot_units(ticks) * lots
        self.left -= units
        self.rows.append(
            Row(
                at=at,
                venue=listing.venue,
                symbol=listing.symbol,
                side=self.side,
                usd=to_usd(units),
                price=listing.price(ticks),
                qty=listing.quantity(ticks, lots),
            )
        )
