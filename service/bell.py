"""A bell for tasks that wait for news: rung when an alert has been written. Carries no news itself."""

import asyncio


class Bell:
    """Wakes everyone who waits. A ring that nobody waits for is not kept: waiters look before they wait."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait now."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next ring, or after `timeout_s` real seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return
