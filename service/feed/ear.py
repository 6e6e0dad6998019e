"""Whether we were listening. Owns the rule that no peer is blamed for a silence that was ours.

While the queue behind us is full we stop reading, and while the process stands still nobody reads: pongs, acks and
control messages then wait in buffers, and their age says nothing about the venue.
"""

import asyncio
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: A wait that lasts this much longer (real seconds) than it was meant to: the whole process stood still.
STALL_S = 1.0


class Ear:
    """The listening of one connection. All times are `time.monotonic()` seconds."""

    def __init__(self) -> None:
        self._waiting = False
        self._deaf_at = -math.inf

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Around a wait for room in the queue."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False
            self._deaf_at = time.monotonic()

    def deaf_at(self) -> float:
        """The last moment we were not listening."""
        return time.monotonic() if self._waiting else self._deaf_at

    def woke(self, meant_s: float, since: float) -> None:
        """A wait of `meant_s` that began at `since` is over; if it took far longer we were deaf until now."""
        now = time.monotonic()
        if now - since > meant_s + STALL_S:
            self._deaf_at = now

    async def within(self, answer: "asyncio.Future[None] | asyncio.Future[float]", seconds: float) -> bool:
        """Whether `answer` came within `seconds` (real) of uninterrupted listening."""
        while not answer.done():
            began = time.monotonic()
            await asyncio.wait((answer,), timeout=seconds)
            self.woke(seconds, began)
            if not answer.done() and self.deaf_at() < began:
                return False
        return True
