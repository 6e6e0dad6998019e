"""The demo's scenario: the squeeze of 2026-01-13/14 generated from published figures, then invented hours without end.

Owns what the local venues will play. Published are the sums of the two large hours, BTC's part of the first, and the
day's shorts. Invented are the calm longs, the split by coin and venue otherwise, and every order's size and time.
"""

from collections.abc import Iterable, Iterator

from service.model import HOUR, MINUTE
from service.simulator.scenario.figures import FIGURES, NOTICE, Figure
from service.simulator.scenario.leverage import lend
from service.simulator.scenario.market import SYMBOLS
from service.simulator.scenario.night import DAWN, END, invented, night
from service.simulator.scenario.waves import play
from service.tape import Row

__all__ = [
    "DAWN",
    "END",
    "FIGURES",
    "NOTICE",
    "SEED",
    "START",
    "SYMBOLS",
    "Figure",
    "day",
    "history",
    "lend",
    "live",
    "quiet",
]

SEED = 20260113
#: Where the demo's clock starts, 2026-01-13 21:55 UTC (ms): what came before is history.
START = DAWN + 20 * HOUR - 5 * MINUTE


def day(seed: int = SEED) -> list[Row]:
    """The night's rows in order of time, from DAWN (2026-01-13 02:00 UTC) to END (24 h later): some 29,000."""
    return [row for hour in night() for row in play(hour, seed)]


def history(rows: Iterable[Row]) -> list[Row]:
    """The rows before START."""
    return [row for row in rows if row.at < START]


def live(rows: Iterable[Row]) -> list[Row]:
    """The rows from START on."""
    return [row for row in rows if row.at >= START]


def quiet(after_ms: int = END, seed: int = SEED) -> Iterator[Row]:
    """Invented rows later than `after_ms` and not before END, in order of time, without end, made hour by hour.

    A long flush or a short squeeze of $120-200M comes about every 8 hours. The same seed gives the same rows from any
    `after_ms` on.
    """
    start = max(after_ms // HOUR * HOUR, END)
    while True:
        yield from (row for row in play(invented(start, seed), seed) if row.at > after_ms)
        start += HOUR
