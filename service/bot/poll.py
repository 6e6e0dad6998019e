"""The bot: listens to the messenger and has everything answered, chat by chat. Owns order and pace; answers nothing.

What one chat says is answered in order; a chat that is slow delays no other. What is let go of is not asked for again:
a process that dies loses what it was answering, and people ask once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from service.bot.heard import Heard, hear
from service.bot.knobs import Knobs
from service.bot.reception import Reception
from service.bot.seen import House, Messenger, Outbox, Sample
from service.bot.visit import Desk

if TYPE_CHECKING:
    from service.bot.heard import Update

log = logging.getLogger("cascade.bot")

_RETRY_S = (1.0, 30.0)


class Bot:
    """The bot. Only one process may run it at a time: the messenger hands each update to one listener."""

    def __init__(
        self,
        messenger: Messenger,
        outbox: Outbox,
        house: House,
        knobs: Knobs,
        *,
        sample: Sample,
        now: Callable[[], int],
    ) -> None:
        self._messenger = messenger
        self._knobs = knobs
        desk = Desk(messenger=messenger, outbox=outbox, house=house, knobs=knobs, sample=sample, now=now)
        self._reception = Reception(desk)
        self._lanes: dict[int, deque[Heard]] = {}
        self._places = asyncio.Semaphore(knobs.at_once)

    async def run(self) -> None:
        """Listen and answer until cancelled; what is being answered then is dropped."""
        offset = None
        async with asyncio.TaskGroup() as group:
            while True:
                for update in await self._updates(offset):
                    offset = max(offset or 0, update.update_id + 1)
                    await self._admit(update, group)

    async def _updates(self, offset: int | None) -> Sequence[Update]:
        pause, most = _RETRY_S
        while True:
            try:
                return await self._messenger.updates(offset, self._knobs.poll_s)
            except Exception as error:  # noqa: BLE001  # whatever the messenger does, the bot goes on listening
                # the words of such an error may hold the token
                log.warning("the bot cannot listen (%s), next try in %.0f s", type(error).__name__, pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)

    async def _admit(self, update: Update, group: asyncio.TaskGroup) -> None:
        """Put an update into the lane of its chat, once there is one; one that cannot be read ends nothing."""
        try:
            heard = hear(update, self._messenger.name)
        except Exception:
            log.exception("the bot cannot read update %s", update.update_id)
            return
        if heard is None:
            return
        lane = self._lanes.get(heard.chat)
        if lane is None:
            await self._places.acquire()
            self._lanes[heard.chat] = lane = deque()
            group.create_task(self._work(heard.chat, lane), name="bot-lane")
        if len(lane) >= self._knobs.most_waiting:
            log.warning("a chat talks faster than it is answered; update %s is dropped", heard.update)
            return
        lane.append(heard)

    async def _work(self, chat: int, lane: deque[Heard]) -> None:
        """Answer what one chat says, in order, until it has said nothing more."""
        while lane:
            await self._receive(lane.popleft())
        del self._lanes[chat]
        self._places.release()

    async def _receive(self, heard: Heard) -> None:
        try:
            async with asyncio.timeout(self._knobs.patience_s):
                await self._reception.receive(heard)
        except Exception:
            log.exception("the bot has left update %s without an answer", heard.update)
