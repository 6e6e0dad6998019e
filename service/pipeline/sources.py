"""Everything an alert is gathered from, in one place, so that live and replay hand over the same things."""

from collections.abc import Callable
from dataclasses import dataclass

from service.detector import Rules
from service.detector.calendar import Event
from service.detector.undercount import SPREAD, Feeds
from service.ledger import Ledger
from service.model import Context, Coverage, Situation
from service.pipeline.boards import Boards
from service.pipeline.recent import Recent

Covered = Callable[[str, str, int], Coverage]
#: A coin's mark price in dollars at a moment (ms UTC); None where none is known close to it.
Marks = Callable[[str, int], float | None]
#: Marks of one contract of a coin at two moments; None where none is known at both.
Moves = Callable[[str, int, int], tuple[float, float] | None]
Beside = Callable[[Situation], Context | None]


def _nobody() -> Feeds:
    return {}


def _assumed() -> float:
    return SPREAD


@dataclass(frozen=True)
class Sources:
    """`cover` is None for recordings: nobody knows what they missed, so their totals are floors.

    `singles` is False for recordings of totals, whose single orders nobody knows; `keep` is False where no successor
    will read what the judge knows.
    """

    ledger: Ledger
    rules: Rules
    recent: Recent
    boards: Boards
    cover: Covered | None = None
    feeds: Callable[[], Feeds] = _nobody
    """What each venue's feed shows of a second."""
    spread: Callable[[], float] = _assumed
    marks: Marks | None = None
    """Marks of the venues, shown where orders tell no price; nothing is judged by them."""
    moves: Moves | None = None
    calendar: tuple[Event, ...] = ()
    context: Beside | None = None
    """What stands beside an alert, from memory; None where it is switched off."""
    simulated: bool = False
    singles: bool = True
    keep: bool = True
