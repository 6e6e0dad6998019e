"""Rows of one frame or page, one by one: what is wrong with one of them costs that one. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from service.model import HOUR, DecodeError, Print
from service.venues.base.history import Spoilt

T = TypeVar("T")
H = TypeVar("H", bound=Hashable)
#: What a socket replays at first may be long ago: beyond this (ms) it is nobody's news, and no window takes it.
OLD_MS = 72 * HOUR


def row_by_row(rows: Iterable[T], read: Callable[[T], Iterable[Print]]) -> list[Print | Spoilt]:
    """What `read` makes of each row, nothing or one order or more; for a row it refuses, Spoilt in its place."""
    found: list[Print | Spoilt] = []
    for place, row in enumerate(rows, 1):
        try:
            found += read(row)
        except DecodeError as error:
            found.append(Spoilt(detail=f"row {place}: {error}"))
    return found


def numbered(rows: Iterable[H]) -> Iterator[tuple[H, int]]:
    """Each row with the number of rows like it that came before: twins of one batch are two orders."""
    before: Counter[H] = Counter()
    for row in rows:
        yield row, before[row]
        before[row] += 1
