"""The files that outlive the process: a venue's contracts, whose loss costs one fetch, and the orders that wait.

Every file is replaced at once or not at all; one that cannot be used is logged and kept as `.corrupt`.
"""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from service.model import Instrument, Print, Record

log = logging.getLogger("cascade.instruments")


class Cached(Record, frozen=True, kw_only=True):
    """Contracts in order of first sight, the symbols still listed, and when they were fetched (ms UTC)."""

    venue: str
    fetched_at: int
    known: Sequence[Instrument]
    listed: Sequence[str]

    def of(self, venue: str) -> bool:
        """Whether it holds contracts of that venue, and only sane ones."""
        return self.venue == venue and all(row.venue == venue and row.size > 0 for row in self.known)


class Parked(Record, frozen=True, kw_only=True):
    """Orders whose contract was not known when the service stopped, oldest first."""

    venue: str
    orders: Sequence[Print]

    def of(self, venue: str) -> bool:
        """Whether it holds orders of that venue only."""
        return self.venue == venue and all(order.venue == venue for order in self.orders)


T = TypeVar("T", Cached, Parked)


def load(path: Path, venue: str) -> Cached | None:
    """What the file knows, None when there is none to use."""
    return _read(path, venue, Cached)


def load_parked(path: Path, venue: str) -> Sequence[Print]:
    """The orders that still wait; the file stays as it is until they are saved anew."""
    parked = _read(_beside(path), venue, Parked)
    return parked.orders if parked else ()


def save(path: Path, cached: Cached) -> None:
    """Replace the file. A disk that refuses is logged: the book in memory is none the worse."""
    _write(path, cached.venue, msgspec.json.encode(cached))


def save_parked(path: Path, parked: Parked) -> bool:
    """Whether the orders stand on disk now; without any there is no file. A disk that refuses is logged."""
    file = _beside(path)
    if parked.orders:
        return _write(file, parked.venue, msgspec.json.encode(parked))
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        log.warning("%s: %s cannot be removed: %s", parked.venue, file, error)
    return True


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.parked")


def _read(path: Path, venue: str, kind: type[T]) -> T | None:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        why = str(error)
    else:
        if found.of(venue):
            return found
        why = f"it is not of {venue}"
    aside = path.with_name(f"{path.name}.corrupt")
    log.warning("%s: %s cannot be used and is kept as %s: %s", venue, path, aside.name, why)
    _move(path, aside)
    return None


def _write(path: Path, venue: str, body: bytes) -> bool:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(body)
    except OSError as error:
        log.warning("%s: %s cannot be written: %s", venue, fresh, error)
        return False
    return _move(fresh, path)


def _move(old: Path, new: Path) -> bool:
    try:
        old.replace(new)
    except OSError as error:
        log.warning("%s cannot be moved to %s: %s", old, new, error)
        return False
    return True
