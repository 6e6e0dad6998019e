"""The way out of the feeds: onto the bounded queue, waiting for room. Owns counting and thinning of bad frames.

An order or a state is never dropped. Bad frames are all counted, but only a trickle is kept: a flood of garbage must
not take the orders' place.
"""

import logging
import time
import traceback
from typing import Protocol

from service import metrics
from service.feed.ear import Ear
from service.feed.end import plain
from service.model import BadFrame, Print, SocketHealth

log = logging.getLogger("cascade.feed")

Item = Print | SocketHealth | BadFrame

#: Bad frames kept for inspection: this many at once, then so many a (real) second.
KEPT_BURST = 20
KEPT_PER_S = 5.0
#: Bytes of a bad frame worth keeping.
KEPT_BYTES = 4_096


class Queue(Protocol):
    """The near end of the queue; any asyncio.Queue that takes our items."""

    async def put(self, item: Item, /) -> None:
        """Wait for room, then enqueue."""
        ...

    def full(self) -> bool:
        """Whether `put` would have to wait."""
        ...


class Outlet:
    """One venue's way onto the queue."""

    def __init__(self, venue: str, queue: Queue, ear: Ear) -> None:
        self._venue = venue
        self._queue = queue
        self._ear = ear
        self._tokens = float(KEPT_BURST)
        self._filled_at = time.monotonic()
        self._bugs: set[str] = set()

    async def put(self, item: Item) -> None:
        """Enqueue, waiting as long as it takes."""
        if not self._queue.full():
            await self._queue.put(item)
            return
        with self._ear.shut():
            await self._queue.put(item)

    async def bad(self, reason: str, frame: bytes, detail: str, seen: int) -> bool:
        """Count a bad frame and, unless there are too many, keep it; True when kept."""
        metrics.BAD_FRAMES.labels(self._venue, reason).inc()
        if not self._spare():
            return False
        text = frame[:KEPT_BYTES].decode("utf-8", "backslashreplace")
        await self.put(BadFrame(venue=self._venue, frame=text, reason=reason, detail=plain(detail), seen=seen))
        return True

    async def bug(self, error: Exception, frame: bytes, seen: int) -> None:
        """A decoder raised what it may not: say so once per place and kind, keep the frame."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        key = f"{type(error).__name__} at {place.filename}:{place.lineno}"
        if key not in self._bugs:
            self._bugs.add(key)
            log.error("%s: a decoder raised %s; please report this", self._venue, key, exc_info=error)
        await self.bad("bug", frame, f"{type(error).__name__}: {error}", seen)

    def _spare(self) -> bool:
        now = time.monotonic()
        self._tokens = min(KEPT_BURST, self._tokens + (now - self._filled_at) * KEPT_PER_S)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
