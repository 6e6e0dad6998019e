"""What a detector is to the laboratory, and how a score that rises over a level becomes notices.

A detector hears days of what a feed shows, in order, and answers with what it would have said. It must not look ahead:
a notice of second s rests on orders up to its end. One that works second by second uses `Day.seconds`.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from service.lab.day import Day
from service.lab.law import DAY_S, Floats, Ints
from service.model import Record

#: Below this part of its level a score is calm, and after so long calm the episode has ended.
KEEP = 0.5
CALM_S = 1_800


class Notice(Record, frozen=True, kw_only=True):
    """Something said. `opens`: an episode began; `planned`: an update or a summary nobody counts as noise."""

    at: int
    """The end of the second that led to it, ms UTC."""
    episode: int
    opens: bool = False
    planned: bool = False
    short: bool | None = None
    """The side it speaks of, where it names one."""
    onset: int | None = None
    """When it says the cascade began, ms UTC, where it says so."""
    rule: str = ""
    """Which of its rules spoke."""


class Detector(Protocol):
    """Anything that says things about days of orders."""

    def day(self, day: Day) -> Sequence[Notice]:
        """What is said of this day, in order of time. Called once for each day, in order."""


class Score(Protocol):
    """A number for each second, the higher the more alarming."""

    def day(self, day: Day) -> Floats:
        """One value for each second of the day, from orders up to that second's end."""


class Crossing:
    """Opens when the score reaches its level and ends when it has been below half of it for half an hour."""

    def __init__(self, score: Score, level: float, keep: float = KEEP, calm_s: int = CALM_S) -> None:
        self._score = score
        self._level = level
        self._keep = keep
        self._calm_s = calm_s
        self._episode = 0
        self._hot: int | None = None
        """The last second that was not calm while an episode is open, seconds of the current day."""

    def day(self, day: Day) -> list[Notice]:
        """One notice for each episode that opens."""
        score = self._score.day(day)
        above, hot = np.flatnonzero(score >= self._level), np.flatnonzero(score >= self._keep * self._level)
        notices, at = list[Notice](), 0
        while at < DAY_S:
            if self._hot is not None:
                at = self._end(hot, at)
                continue
            place = int(np.searchsorted(above, at))
            if place == len(above):
                break
            self._hot = at = int(above[place])
            self._episode += 1
            notices.append(Notice(at=day.start + (at + 1) * 1_000, episode=self._episode, opens=True))
        if self._hot is not None:
            self._hot -= DAY_S
        return notices

    def _end(self, hot: Ints, at: int) -> int:
        """The second from which the next episode may open; the day's end while this one is still open."""
        last = np.concatenate([[self._hot], hot[np.searchsorted(hot, at) :], [2 * DAY_S]])
        calm = int(np.flatnonzero(np.diff(last) > self._calm_s)[0])
        end = int(last[calm]) + self._calm_s
        self._hot = int(last[calm]) if end >= DAY_S else None
        return min(end, DAY_S)
