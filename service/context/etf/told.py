"""One day as one source told it, and told it again: what was said first, what is said now, what was known when."""

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


class Told:
    """All tellings of one day by one source, oldest first; never empty."""

    def __init__(self, first: Telling, *later: Telling) -> None:
        self.tellings: list[Telling] = [first, *later]

    def hear(self, telling: Telling) -> bool:
        """Note what is said now; False where it says nothing new. What was known earlier stays as it was."""
        place = bisect.bisect_right([known.at for known in self.tellings], telling.at)
        if place and self.tellings[place - 1].day == telling.day:
            return False
        self.tellings.insert(place, telling)
        if len(self.tellings) > _MOST:
            del self.tellings[1]
        return True

    def by(self, now: int) -> Sequence[Telling]:
        """The tellings known at `now`."""
        if self.tellings[-1].at <= now:
            return self.tellings
        return self.tellings[: bisect.bisect_right([known.at for known in self.tellings], now)]


def revised_from(tellings: Sequence[Telling]) -> float | None:
    """The dollars told first of the whole day where the last telling has others. A day that fills up is not revised."""
    first = next((telling.day for telling in tellings if telling.day.complete), None)
    if first is None or abs(first.usd - tellings[-1].day.usd) < SAME_USD:
        return None
    return first.usd
