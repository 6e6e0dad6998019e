"""The bot: listens to the messenger and hands everything on, chat by chat. Owns listening; answers nothing.

What is let go of is not asked for again: a process that dies loses what it was answering, and people ask once more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from service.bot.heard import hear
from service.bot.knobs import Knobs
from service.bot.lanes import Lanes
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

    async def run(self) -> None:
        """Listen and answer until cancelled; what is being answered then is dropped."""
        offset = None
        async with asyncio.TaskGroup() as group:
            lanes = Lanes(self._reception, self._knobs, group)
            while True:
                for update in await self._updates(offset):
                    offset = max(offset or 0, update.update_id + 1)
                    self._admit(update, lanes)

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

    def _admit(self, update: Update, lanes: Lanes) -> None:
        """Put an update into the lane of its chat; one that cannot be read ends nothing."""
        try:
            heard = hear(update, self._messenger.name)
        except Exception:
            log.exception("the bot cannot read update %s", update.update_id)
            return
        if heard is not None:
            lanes.admit(heard)
