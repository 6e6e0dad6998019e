"""The connect-rate limit of one venue, shared by its sockets. Owns when the next dial may start."""

import asyncio
import time

from service.clock import Clock


class Pace:
    """At least `gap_s` seconds (clock) between two dials, in the order they were asked for."""

    def __init__(self, gap_s: float, clock: Clock) -> None:
        self._gap = gap_s / clock.speed
        self._speed = clock.speed
        self._free_at = 0.0
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for the next dial's turn."""
        async with self._turn:
            while (wait := self._free_at - time.monotonic()) > 0:  # noqa: ASYNC110  # a hold may come while we sleep
                await asyncio.sleep(wait)
            self._free_at = time.monotonic() + self._gap

    def hold(self, seconds: float) -> None:
        """No dial for `seconds` (clock) from now: the venue told our address to wait."""
        self._free_at = max(self._free_at, time.monotonic() + seconds / self._speed)
