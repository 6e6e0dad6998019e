"""The clocks of the house: the wall, a scaled one for rehearsals, and event time for replay.

Schedules (pings, back-off, refresh) run on the clock. Waiting for an answer from a peer does not: the network is not
faster in a rehearsal, so `grace` never shrinks a time-out below `MIN_GRACE_S` of real time.
"""

import asyncio
import time
from typing import Protocol

MIN_GRACE_S = 5.0


class Clock(Protocol):
    """Where `now` comes from."""

    speed: float

    def now(self) -> int:
        """Milliseconds UTC on this clock."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on by `seconds`."""
        ...

    def grace(self, seconds: float) -> float:
        """Real seconds to allow a peer for something due within `seconds` of clock time."""
        ...


class WallClock:
    """The real time."""

    speed = 1.0

    def now(self) -> int:
        """Milliseconds UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Plain asyncio sleep."""
        await asyncio.sleep(seconds)

    def grace(self, seconds: float) -> float:
        """Unchanged."""
        return seconds


class ScaledClock:
    """Time that starts at `origin` (ms UTC) and runs `speed` times as fast as the wall.

    `wall_origin` (ms UTC of the wall) lets two processes share one scaled time; it defaults to the moment of making.
    """

    def __init__(self, origin: int, speed: float, wall_origin: int | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"clock speed must be above 0, got {speed}")
        self.speed = speed
        self._origin = origin
        behind = 0.0 if wall_origin is None else time.time() - wall_origin / 1_000
        self._started = time.monotonic() - behind

    def now(self) -> int:
        """Milliseconds UTC on the scaled clock."""
        return self._origin + int((time.monotonic() - self._started) * self.speed * 1_000)

    async def sleep(self, seconds: float) -> None:
        """Sleep `seconds / speed` real seconds."""
        await asyncio.sleep(seconds / self.speed)

    def grace(self, seconds: float) -> float:
        """Scaled, but never below what a real network answer may take."""
        return max(seconds / self.speed, min(seconds, MIN_GRACE_S))
