"""One day as one source told it, told it again, and took it back: what was said first, what is said now, what when."""

import bisect
from collections.abc import Sequence

from service.model import FlowDay, Record

#: Sources round to a tenth of a million: a smaller difference is no revision.
SAME_USD = 0.06e6
#: Changes that are remembered of one day; beyond, the first and the latest of them.
_MOST = 20


class Telling(Record, frozen=True, kw_only=True):
    """What a source said of a day from `at` (ms UTC) on."""

    at: int
    day: FlowDay
    withdrawn: bool = False
    """Whether the source took the day back then; `day` is what it had said."""


class Told:
    """All tellings of one day by one source, oldest first; never empty."""

    def __init__(self, first: Telling, *later: Telling) -> None:
        self.tellings: list[Telling] = [first, *later]

    def hear(self, telling: Telling) -> bool:
        """Note what is said now; False where it says nothing new. What was known earlier stays as it was."""
        place = bisect.bisect_right([known.at for known in self.tellings], telling.at)
        if place and _same(self.tellings[place - 1], telling):
            return False
        self.tellings.insert(place, telling)
        if len(self.tellings) > _MOST:
            del self.tellings[1]
        return True

    def withdraw(self, at: int) -> bool:
        """Note that the source has the day no longer from `at` (ms UTC) on; False where it had none then."""
        known = self.by(at)
        return bool(known) and self.hear(Telling(at=at, day=known[-1].day, withdrawn=True))

    def by(self, now: int) -> Sequence[Telling]:
        """The tellings known at `now`; none while the day is withdrawn."""
        known: Sequence[Telling] = self.tellings
        if known[-1].at > now:
            known = known[: bisect.bisect_right([one.at for one in known], now)]
        return () if known and known[-1].withdrawn else known

    @property
    def stands(self) -> bool:
        """Whether the source tells the day, as far as anybody knows."""
        return not self.tellings[-1].withdrawn


def revised_from(tellings: Sequence[Telling]) -> float | None:
    """The dollars told first of the whole day where the last telling has others. A day that fills up is not revised."""
    first = next((telling.day for telling in tellings if telling.day.complete), None)
    if first is None or abs(first.usd - tellings[-1].day.usd) < SAME_USD:
        return None
    return first.usd


def _same(one: Telling, other: Telling) -> bool:
    return (one.day, one.withdrawn) == (other.day, other.withdrawn)
