"""The file that remembers a venue's contracts over a restart. Its loss costs nothing but one fetch."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from service.model import Instrument, Record

log = logging.getLogger("cascade.instruments")


class Cached(Record, frozen=True, kw_only=True):
    """Contracts in order of first sight, the symbols still listed, and when they were fetched (ms UTC)."""

    venue: str
    fetched_at: int
    known: Sequence[Instrument]
    listed: Sequence[str]


def load(path: Path, venue: str) -> Cached | None:
    """What the file knows, None when there is none. One that cannot be used is logged and kept as `.corrupt`."""
    if not path.exists():
        return None
    try:
        return _read(path, venue)
    except (OSError, ValueError, RecursionError) as error:
        aside = path.with_name(f"{path.name}.corrupt")
        log.warning("%s: %s cannot be used and is kept as %s: %s", venue, path, aside.name, error)
        _move(path, aside)
        return None


def save(path: Path, cached: Cached) -> None:
    """Replace the file at once. A disk that refuses is logged: the book in memory is none the worse."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.encode(cached))
    except OSError as error:
        log.warning("%s: %s cannot be written: %s", cached.venue, fresh, error)
    else:
        _move(fresh, path)


def _read(path: Path, venue: str) -> Cached:
    cached = msgspec.json.decode(path.read_bytes(), type=Cached)
    if cached.venue != venue or not all(row.venue == venue and row.size > 0 for row in cached.known):
        raise ValueError(f"it holds no contracts of {venue}")
    return cached


def _move(old: Path, new: Path) -> None:
    try:
        old.replace(new)
    except OSError as error:
        log.warning("%s cannot be moved to %s: %s", old, new, error)
