"""The way out of the feeds: onto the bounded queue, waiting for room. Nothing put here is ever dropped."""

from typing import Protocol

from service.feed.ear import Ear
from service.model import BadFrame, Print, SocketHealth

Item = Print | SocketHealth | BadFrame


class Queue(Protocol):
    """The near end of the queue; any asyncio.Queue that takes our items."""

    async def put(self, item: Item, /) -> None:
        """Wait for room, then enqueue."""
        ...

    def full(self) -> bool:
        """Whether `put` would have to wait."""
        ...


async def put(queue: Queue, item: Item, ear: Ear) -> None:
    """Enqueue, waiting as long as it takes; the connection of `ear` does not listen meanwhile."""
    if queue.full():
        with ear.shut():
            await queue.put(item)
    else:
        await queue.put(item)
