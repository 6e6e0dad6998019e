"""The bot's side of the messenger: answers to people, inside the same limits as alerts and before them.

Owns the order "a person waits less than a message to many"; knows no command. Only the leading replica listens: the
messenger gives what was said to one listener.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from service.sinks.telegram.api import Buttons, TelegramApi
from service.sinks.telegram.courtesy import PERSON, Courtesy
from service.sinks.telegram.deliver import CLAIM_S
from service.sinks.telegram.outcome import Delivered, Later, Outcome
from service.sinks.telegram.patience import Patience

if TYPE_CHECKING:
    from telegram import Update

log = logging.getLogger("cascade.bot")

#: While another replica leads, or the messenger fails: how long until the next try, in real seconds.
_AGAIN_S = (1.0, 60.0)
#: Who is an admin is asked again after so many seconds, and sooner where somebody may have become one.
_ADMINS_S = 60.0
_STRANGER_S = 1.0
#: Nobody waits longer than this for an answer; it would come out of nowhere.
_LONG_S = 20.0


class Talk:
    """What the bot says and hears."""

    def __init__(self, api: TelegramApi, courtesy: Courtesy, patience: Patience, leads: Callable[[], bool]) -> None:
        self._api = api
        self._courtesy = courtesy
        self._patience = patience
        self._admins: dict[int, tuple[float, frozenset[int]]] = {}
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
        request = partial(self._api.send, chat, text, buttons=buttons, reply_to=reply_to)
        return await self._said(chat, request, group=group)

    async def edit(self, chat: int, message: int, text: str, *, buttons: Buttons = (), group: bool = False) -> Outcome:
        """Another text in an old message."""
        return await self._said(chat, partial(self._api.edit, chat, message, text, buttons=buttons), group=group)

    async def answer(self, callback: str, text: str = "") -> None:
        """A pressed button stops turning; that is no message and waits for nobody."""
        await self._api.answer(callback, text)

    async def is_admin(self, chat: int, user: int) -> bool | None:
        """Whether somebody may change a group's settings; None when nobody can say just now."""
        asked, admins = self._admins.get(chat, (float("-inf"), frozenset()))
        age = time.monotonic() - asked
        if age > (_ADMINS_S if user in admins else _STRANGER_S):
            found = await self._api.admins(chat)
            if found is None:
                return None
            admins, now = found, time.monotonic()
            self._admins = {name: pair for name, pair in self._admins.items() if now - pair[0] <= _ADMINS_S}
            self._admins[chat] = (now, admins)
        return user in admins

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

    async def _said(self, chat: int, request: Callable[[], Awaitable[Outcome]], *, group: bool) -> Outcome:
        """Inside the limits, and inside what this chat or the whole bot was told before, by whichever process."""
        courtesy, patience = self._courtesy, self._patience
        await patience.away()
        await patience.recall(chat, CLAIM_S)
        wait = max(courtesy.free_in(chat), courtesy.paused_s)
        if wait > _LONG_S:
            return Later(seconds=wait, reason="the messenger asked for patience before", told=True)
        await courtesy.turn(chat, PERSON, group=group)
        outcome = await request()
        courtesy.rest(chat, courtesy.gap(group=group))
        await patience.note(chat, outcome, group=group)
        return outcome
