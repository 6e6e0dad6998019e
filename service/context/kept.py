"""What context remembers over a restart: one file a book, replaced at once or not at all. Owns files and no meaning.

A file that cannot be read costs its past: it is said once, and the book begins anew. A thread that writes cannot be
stopped, so whoever is cancelled leaves one at work: one writes at a time, and what was read later is not written over.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from service.context.source import SourceError

log = logging.getLogger("cascade.context")


class Book(Protocol):
    """Something that can be written down and taken up again."""

    def stored(self) -> bytes:
        """All that should outlive the process."""
        ...

    def load(self, state: bytes, /) -> None:
        """Take up what `stored` gave. Raises SourceError for anything else."""
        ...


class Kept:
    """The files of some books in one folder, by name."""

    def __init__(self, folder: Path, books: Mapping[str, Book]) -> None:
        self._folder, self._books = folder, books
        self._writing = threading.Lock()
        self._read = 0
        """How often books were read."""
        self._written = 0
        """The latest reading that was written, or tried to."""

    def load(self) -> None:
        """Take up every file there is."""
        for name, book in self._books.items():
            path = self._folder / name
            try:
                if path.exists():
                    book.load(path.read_bytes())
            except (OSError, SourceError) as error:
                log.warning("context: %s cannot be taken up: %s", path, error)

    def save(self) -> None:
        """Write every book, and wait for the disk."""
        self._write(*self._stored())

    async def keep(self) -> None:
        """The same without making anybody wait: books are read at once, the disk works in a thread."""
        await asyncio.to_thread(self._write, *self._stored())

    def _stored(self) -> tuple[int, dict[str, bytes]]:
        self._read += 1
        return self._read, {name: book.stored() for name, book in self._books.items()}

    def _write(self, reading: int, stored: Mapping[str, bytes]) -> None:
        """A disk that refuses is logged: what is in memory is none the worse."""
        with self._writing:
            if reading < self._written:
                return
            self._written = reading
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                for name, content in stored.items():
                    fresh = self._folder / f"{name}.new"
                    fresh.write_bytes(content)
                    os.replace(fresh, self._folder / name)  # noqa: PTH105  # atomic on every system
            except OSError as error:
                log.warning("context: what was learnt cannot be kept: %s", error)
