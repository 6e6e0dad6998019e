"""A lane for each chat: what it says is answered in order, and a chat that is slow delays no other. Answers nothing.

Taking something in never waits. At most `at_once` answers are made at the same time; a lane that only waits holds no
place among them. What is too much to be kept is dropped and logged: people ask once more.
"""

import asyncio
import logging
from collections import deque

from service.bot.heard import Heard
from service.bot.knobs import Knobs
from service.bot.reception import Reception

log = logging.getLogger("cascade.bot")

#: A flood fills the lanes at every moment anew; so often (s) it is worth a line.
_WARN_S = 60.0


class Lanes:
    """The lanes of all chats that have said something; their tasks belong to `group`."""

    def __init__(self, reception: Reception, knobs: Knobs, group: asyncio.TaskGroup) -> None:
        self._reception = reception
        self._knobs = knobs
        self._group = group
        self._lanes: dict[int, deque[Heard]] = {}
        self._places = asyncio.Semaphore(knobs.at_once)
        self._loop = asyncio.get_running_loop()
        self._warned = self._loop.time() - _WARN_S

    def admit(self, heard: Heard) -> None:
        """Put something into the lane of its chat, if there is room for it."""
        lane = self._lanes.get(heard.chat)
        if lane is None:
            if len(self._lanes) >= self._knobs.most_chats:
                self._crowded()
                return
            self._lanes[heard.chat] = lane = deque()
            self._group.create_task(self._work(heard.chat, lane), name="bot-lane")
        if heard.album and lane and lane[-1].album == heard.album:  # ten pictures of an album are said at once
            return
        if len(lane) >= self._knobs.most_waiting:
            log.warning("a chat talks faster than it is answered; update %s is dropped", heard.update)
            return
        lane.append(heard)

    def _crowded(self) -> None:
        now = self._loop.time()
        if now - self._warned >= _WARN_S:
            self._warned = now
            log.warning("%d chats wait for an answer; what others say is dropped until there is room", len(self._lanes))

    async def _work(self, chat: int, lane: deque[Heard]) -> None:
        """Answer what one chat says, in order, until it has said nothing more."""
        while lane:
            await self._receive(lane.popleft(), lane)
        del self._lanes[chat]

    async def _receive(self, heard: Heard, lane: deque[Heard]) -> None:
        place = _Place(self._places)
        await place.take()
        try:
            async with asyncio.timeout(self._knobs.patience_s):
                await self._reception.receive(heard, place.aside)
        except TimeoutError:
            # the chat cannot be told anything just now, so what it said since would take as long
            lane.clear()
            log.warning("the bot has left update %s without an answer, and what its chat said since", heard.update)
        except Exception:
            log.exception("the bot has left update %s without an answer", heard.update)
        finally:
            place.leave()


class _Place:
    """One of the places where answers are made; taken, or not."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._taken = False

    async def take(self) -> None:
        """Wait for it."""
        await self._places.acquire()
        self._taken = True

    def leave(self) -> None:
        """Give it to the next one; nothing happens where it is not taken."""
        if self._taken:
            self._taken = False
            self._places.release()

    async def aside(self, seconds: float) -> None:
        """Wait so long without it. Whoever is cancelled meanwhile does not have it any more."""
        self.leave()
        await asyncio.sleep(seconds)
        await self.take()
