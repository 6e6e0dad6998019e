"""One contract's last 90 days in steps of four hours: what is usual for it. Owns how they are kept. Pure.

Longer steps would blur a day, shorter ones cost memory and a file without telling more: ranks in months are asked for.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

from service.context.risk import DAY, STEP, Point, known_days

KEEP_MS = 90 * DAY


_AT = "at"
_FIELDS = ("oi_coins", "oi_usd", "funding_8h", "price", "volume_usd")


class Points:
    """Points in order of time, one for each step."""

    def __init__(self) -> None:
        self._at = array("q")
        self._columns = {name: array("d") for name in _FIELDS}

    def __len__(self) -> int:
        return len(self._at)

    @property
    def last(self) -> int | None:
        """The newest step; None while there is none."""
        return self._at[-1] if self._at else None

    def add(self, at: int, **values: float | None) -> None:
        """Take what is known at `at`; what a step knows already stands, so that its values are as old as it says.

        Steps may come in any order; those older than 90 days before the newest are dropped.
        """
        step = at // STEP * STEP
        place = bisect_left(self._at, step)
        if place == len(self._at) or self._at[place] != step:
            self._at.insert(place, step)
            for column in self._columns.values():
                column.insert(place, math.nan)
        for name, value in values.items():
            if value is not None and math.isfinite(value) and math.isnan(self._columns[name][place]):
                self._columns[name][place] = value
        first = bisect_right(self._at, self._at[-1] - KEEP_MS)
        if first:
            del self._at[:first]
            for column in self._columns.values():
                del column[:first]

    def take(self, point: Point) -> None:
        """Take a point of the past."""
        self.add(point.at, **{name: getattr(point, name) for name in _FIELDS})

    def values(self, name: str, since: int, until: int) -> list[float]:
        """The known values of a field from `since` to `until` ms UTC, in order of time."""
        first, last = bisect_left(self._at, since), bisect_right(self._at, until)
        return [value for value in self._columns[name][first:last] if not math.isnan(value)]

    def days(self, name: str, since: int, now: int) -> float:
        """Days of history of a field behind `since` and before the step of `now`, both ms UTC."""
        column, first = self._columns[name], bisect_left(self._at, since)
        known = (self._at[place] // STEP for place in range(first, len(self._at)) if not math.isnan(column[place]))
        return known_days([step for step in known if step < now // STEP], now // STEP)

    def forget_after(self, now: int) -> None:
        """Drop what is dated later than `now` ms UTC: another clock wrote it, and it would push the true past out."""
        first = bisect_right(self._at, now)
        del self._at[first:]
        for column in self._columns.values():
            del column[first:]

    def all(self) -> list[Point]:
        """Every point, the oldest first."""
        columns = zip(*(self._columns[name] for name in _FIELDS), strict=True)
        return [
            Point(
                at=at, **{name: None if math.isnan(value) else value for name, value in zip(_FIELDS, row, strict=True)}
            )
            for at, row in zip(self._at, columns, strict=True)
        ]

    def packed(self) -> dict[str, bytes]:
        """Everything as it lies in memory, in no time: for a file on this machine."""
        return {_AT: self._at.tobytes()} | {name: column.tobytes() for name, column in self._columns.items()}

    @staticmethod
    def unpack(packed: Mapping[str, bytes]) -> Iterator[Point]:
        """The points that `packed` gave. Raises ValueError for anything else."""
        at = array("q")
        at.frombytes(packed.get(_AT, b""))
        columns = {name: array("d") for name in _FIELDS}
        for name, column in columns.items():
            column.frombytes(packed.get(name, b""))
            if len(column) != len(at):
                raise ValueError(f"{len(column)} values of {name} for {len(at)} steps")
        for place, step in enumerate(at):
            known = {name: column[place] for name, column in columns.items() if not math.isnan(column[place])}
            yield Point(at=step, **known)
