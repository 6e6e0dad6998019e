"""Frames nobody could accept. Owns counting them all and keeping a trickle of them; puts nothing anywhere.

A flood of garbage must not take the orders' place in the queue, nor a bug fill the log.
"""

import logging
import time
import traceback

from service import metrics
from service.feed.end import plain
from service.model import BadFrame

log = logging.getLogger("cascade.feed")

#: Bad frames kept for inspection: this many at once, then so many a (real) second.
KEPT_BURST = 20
KEPT_PER_S = 5.0
#: Bytes of a bad frame worth keeping.
KEPT_BYTES = 4_096


class Inspection:
    """One venue's bad frames."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._tokens = float(KEPT_BURST)
        self._filled_at = time.monotonic()
        self._bugs: set[str] = set()

    def bad(self, reason: str, frame: bytes, detail: str, seen: int) -> BadFrame | None:
        """Count a bad frame; the record to keep, or None when there are too many."""
        metrics.BAD_FRAMES.labels(self._venue, reason).inc()
        if not self._room():
            return None
        text = frame[:KEPT_BYTES].decode("utf-8", "backslashreplace")
        return BadFrame(venue=self._venue, frame=text, reason=reason, detail=plain(detail), seen=seen)

    def bug(self, error: Exception, frame: bytes, seen: int) -> BadFrame | None:
        """A decoder raised what it may not: count it, and say so once per kind and place."""
        place = traceback.extract_tb(error.__traceback__)[-1]
        key = f"{type(error).__name__} at {place.filename}:{place.lineno}"
        if key not in self._bugs:
            self._bugs.add(key)
            log.error("%s: a decoder raised %s; please report this", self._venue, key, exc_info=error)
        return self.bad("bug", frame, f"{type(error).__name__}: {error}", seen)

    def _room(self) -> bool:
        now = time.monotonic()
        self._tokens = min(KEPT_BURST, self._tokens + (now - self._filled_at) * KEPT_PER_S)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
