"""One day of orders, as columns, and its sums by second. Owns the shape every other file here works on.

Times are ms UTC, dollars are floats in whole cents, `short` tells the side of the position that was closed. `cause` is
the truth (number of the cascade, -1 for the background) and is gone from what a feed shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from service.lab.law import DAY_S, Flags, Floats, Ints


@dataclass(frozen=True)
class Day:
    """Orders from `start` (a midnight, ms UTC) for 86,400 s, in order of time."""

    start: int
    at: Ints
    usd: Floats
    short: Flags
    venue: npt.NDArray[np.int8]
    symbol: npt.NDArray[np.int16]
    cause: npt.NDArray[np.int32] | None = None

    @classmethod
    def none(cls, start: int) -> "Day":
        """A day without orders."""
        empty = np.zeros(0)
        return cls(
            start,
            empty.astype(np.int64),
            empty,
            empty.astype(np.bool_),
            empty.astype(np.int8),
            empty.astype(np.int16),
            empty.astype(np.int32),
        )

    @property
    def end(self) -> int:
        """The next midnight."""
        return self.start + DAY_S * 1_000

    def take(self, index: Ints | Flags, at: Ints | None = None) -> "Day":
        """These orders alone, with other times if `at` is given (already in order)."""
        cause = None if self.cause is None else self.cause[index]
        times = self.at[index] if at is None else at
        return Day(self.start, times, self.usd[index], self.short[index], self.venue[index], self.symbol[index], cause)

    @cached_property
    def second(self) -> Ints:
        """Second of the day of every order."""
        return np.asarray((self.at - self.start) // 1_000, dtype=np.int64)

    @cached_property
    def count_by_s(self) -> Floats:
        """Orders in each second."""
        return np.bincount(self.second, minlength=DAY_S).astype(np.float64)

    @cached_property
    def usd_by_s(self) -> Floats:
        """Dollars in each second, both sides."""
        return by_second(self, self.usd)

    def seconds(self) -> Iterator[tuple[int, list[float], list[bool]]]:
        """Every second's start (ms UTC), its dollars and sides: for a detector that works as it does live."""
        bounds = np.searchsorted(self.second, np.arange(DAY_S + 1)).tolist()
        usd, short = self.usd.tolist(), self.short.tolist()
        for s in range(DAY_S):
            low, high = bounds[s], bounds[s + 1]
            yield self.start + s * 1_000, usd[low:high], short[low:high]


def by_second(day: Day, values: Floats) -> Floats:
    """One value for each order, summed by second of the day."""
    return np.bincount(day.second, weights=values, minlength=DAY_S).astype(np.float64)


def merge(days: list[Day]) -> Day:
    """The orders of all, which share their start, in order of time (equal times keep the order of `days`)."""
    if len(days) == 1:
        return days[0]
    at = np.concatenate([day.at for day in days])
    order = np.argsort(at, kind="stable")
    causes = [day.cause if day.cause is not None else np.full(len(day.at), -1, np.int32) for day in days]
    return Day(
        days[0].start,
        at[order],
        np.concatenate([day.usd for day in days])[order],
        np.concatenate([day.short for day in days])[order],
        np.concatenate([day.venue for day in days])[order],
        np.concatenate([day.symbol for day in days])[order],
        np.concatenate(causes)[order],
    )
