"""How long a window a market needs: the shortest that holds an order at least half of the time (detection study, B).

Busy markets are judged over five minutes, sparse ones over a quarter or a whole hour. Where even an hour is mostly
empty nothing is usual, and only floors apply. A market at the edge keeps what it has: a new width is learnt from the
beginning.
"""

import msgspec

#: Seconds.
WIDTHS = (300, 900, 3600)
_SPARSE, _DENSE = 0.5, 0.7
#: Blocks the share of filled windows is remembered for: a day.
_MEMORY = 96


class Widths(msgspec.Struct):
    """How often each of WIDTHS held an order, 0 to 1."""

    filled: list[float] = msgspec.field(default_factory=lambda: [1.0] * len(WIDTHS))

    def note(self, since_order: int) -> None:
        """A block ended so many seconds after the last order."""
        for number, width in enumerate(WIDTHS):
            self.filled[number] += ((since_order <= width) - self.filled[number]) / _MEMORY

    def choose(self, current: int) -> int:
        """The width a market with this one should have now."""
        wide = [width for width, held in zip(WIDTHS, self.filled, strict=True) if held >= _SPARSE]
        found = wide[0] if wide else WIDTHS[-1]
        return current if found < current and self.filled[WIDTHS.index(found)] < _DENSE else found

    @property
    def sparse(self) -> bool:
        """Even the longest window holds no order half of the time."""
        return self.filled[-1] < _SPARSE
