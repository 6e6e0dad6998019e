"""The bot's side of the messenger: answers to people, inside the same limits as alerts and before them.

Owns the order "a person waits less than a message to many"; knows no command. Only the leading replica listens: the
messenger gives what was said to one listener.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from service.sinks.telegram.api import Buttons, TelegramApi
from service.sinks.telegram.courtesy import PERSON, Courtesy
from service.sinks.telegram.outcome import Delivered, Later, Outcome

if TYPE_CHECKING:
    from telegram import Update

log = logging.getLogger("cascade.bot")

#: While another replica leads, or the messenger fails: how long until the next try, in real seconds.
_AGAIN_S = (1.0, 60.0)


class Talk:
    """What the bot says and hears."""

    def __init__(self, api: TelegramApi, courtesy: Courtesy, leads: Callable[[], bool]) -> None:
        self._api = api
        self._courtesy = courtesy
        self._leads = leads
        self._pause = _AGAIN_S[0]

    @property
    def name(self) -> str:
        """The bot's own, without the @."""
        return self._api.name

    async def send(
        self, chat: int, text: str, *, buttons: Buttons = (), reply_to: int | None = None, group: bool = False
    ) -> Outcome:
        """A new message."""
        await self._courtesy.turn(chat, PERSON, group=group)
        return self._noted(chat, await self._api.send(chat, text, buttons=buttons, reply_to=reply_to))

    async def edit(self, chat: int, message: int, text: str, *, buttons: Buttons = (), group: bool = False) -> Outcome:
        """Another text in an old message."""
        await self._courtesy.turn(chat, PERSON, group=group)
        return self._noted(chat, await self._api.edit(chat, message, text, buttons=buttons))

    async def answer(self, callback: str, text: str = "") -> None:
        """A pressed button stops turning; that is no message and waits for nobody."""
        await self._api.answer(callback, text)

    async def is_admin(self, chat: int, user: int) -> bool:
        """Whether somebody may change a group's settings."""
        return await self._api.is_admin(chat, user)

    async def updates(self, offset: int | None, timeout_s: float) -> "Sequence[Update]":
        """What was said since; nothing after a while without a word, while another replica leads or after a failure."""
        if not self._leads():
            await asyncio.sleep(_AGAIN_S[0])
            return ()
        found = await self._api.updates(offset, timeout_s)
        if isinstance(found, Sequence):
            self._pause = _AGAIN_S[0]
            return found
        if not isinstance(found, Delivered):
            pause = found.seconds if isinstance(found, Later) and found.told else self._pause
            log.warning("telegram tells nothing for %g s: %s", pause, found)
            await asyncio.sleep(pause)
            self._pause = min(2 * self._pause, _AGAIN_S[1])
        return ()

    def _noted(self, chat: int, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Later) and outcome.told:
            self._courtesy.rest(chat, outcome.seconds)  # alerts to this chat wait as well
        return outcome
