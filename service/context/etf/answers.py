"""What was worked out of one asset's flows, for as long as it holds. Works out nothing itself; reads no clock.

An answer changes when something is told, at the moments from which something told counts, at noon UTC when the next day
is due, and in a replay at midnight in New York when a day counts as published. Between them it is the same.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection

from service.context.etf.days import day_of, expected
from service.model import EtfFlow

#: Answers kept: an alert and a scrape ask of the present, a replay of one moment after the other.
_MOST = 16


class Answers:
    """Of one asset; times ms UTC. `moments` gives those from which something that was told counts."""

    def __init__(self, moments: Callable[[], Collection[int]]) -> None:
        self._told = moments
        self._moments: list[int] = []
        self._found: dict[tuple[str, int, str], EtfFlow | None] = {}

    def forget(self) -> None:
        """Something has changed."""
        self._found.clear()
        self._moments.clear()

    def at(self, now: int, replay: bool, work: Callable[[], EtfFlow | None]) -> EtfFlow | None:
        """What stands at `now`: from memory, or from `work`."""
        if not self._moments:
            self._moments = sorted(set(self._told()))
        key = expected(now), bisect_right(self._moments, now), day_of(now) if replay else ""
        if key not in self._found:
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[key] = work()
        return self._found[key]
