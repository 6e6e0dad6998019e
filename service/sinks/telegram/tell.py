"""One request of a chat's turn: waits for the right to make it, words it, makes it. Writes nothing down.

The right is asked for at the last moment before the request: what was drawn or worded meanwhile must not pile up.
"""

import asyncio
import logging

from service.ledger import LedgerError
from service.outbox import Box
from service.sinks.telegram.courtesy import NEWS, PICTURE
from service.sinks.telegram.kit import Kit
from service.sinks.telegram.outcome import Delivered, Outcome
from service.sinks.telegram.plan import Kind, Step

log = logging.getLogger("cascade.sinks")

_LOCKS = 50


class TooLateError(Exception):
    """The turn came when the claim had nearly ended, the lead was lost or the chat had changed."""


class Teller:
    """Makes the requests. `asking` are the chats whose answer is on its way or not written yet."""

    def __init__(self, kit: Kit, stale_s: float) -> None:
        self._kit = kit
        self._stale_s = stale_s
        self._drawing: dict[str, asyncio.Lock] = {}
        self.asking: set[int] = set()

    async def tell(self, box: Box, step: Step) -> Outcome:
        """The step's request. Raises TooLateError before it is made, LedgerError."""
        courtesy, chat = self._kit.courtesy, box.chat
        try:
            outcome = await (self._picture if step.kind is Kind.CHART else self._words)(box, step)
        except BaseException:
            self.asking.discard(chat.id)
            raise
        courtesy.rest(chat.id, courtesy.gap(group=chat.group))  # the messenger may have had it only just now
        return outcome

    async def _my_turn(self, box: Box, urgency: int) -> None:
        kit = self._kit
        try:
            async with asyncio.timeout(self._stale_s):
                await kit.courtesy.turn(box.chat.id, urgency, group=box.chat.group)
        except TimeoutError:
            raise TooLateError("it waited too long") from None
        if not kit.leads():
            raise TooLateError("another replica leads")
        if not await kit.outbox.same(box):
            raise TooLateError("the chat wants something else by now")
        self.asking.add(box.chat.id)

    async def _words(self, box: Box, step: Step) -> Outcome:
        kit, chat = self._kit, box.chat
        await self._my_turn(box, NEWS)
        if step.kind is Kind.DIGEST:
            text = kit.words.digest(step.alerts, chat, step.reason, step.rows[0].queued, kit.now())
            return await kit.post.send(chat.id, text)
        alert, queued = step.alerts[-1], step.rows[-1].queued
        # the outbox may have got it late itself; only a rehearsal's time is another than the wall's
        written = queued if alert.simulated else min(queued, alert.at)
        text = kit.words.message(alert, chat, kit.now() - written)
        if step.kind is Kind.EDIT and step.message is not None:
            return await kit.post.edit(chat.id, step.message, text)
        return await kit.post.send(chat.id, text, reply_to=step.message)

    async def _picture(self, box: Box, step: Step) -> Outcome:
        """Drawn and uploaded for the first chat; the others wait for that, then get it by its name."""
        kit, alert = self._kit, step.alerts[0]
        caption, answer = kit.words.caption(alert, box.chat), step.message or 0
        async with self._lock(alert.id):
            name = await kit.outbox.picture(alert.id)
            if not name:
                picture = await kit.draw(alert)
                await self._my_turn(box, PICTURE)
                outcome = await kit.post.photo(box.chat.id, picture, caption, reply_to=answer)
                await self._keep(alert.id, outcome)
                return outcome
        await self._my_turn(box, PICTURE)
        return await kit.post.photo(box.chat.id, name, caption, reply_to=answer)

    def _lock(self, alert: str) -> asyncio.Lock:
        while len(self._drawing) >= _LOCKS:
            del self._drawing[next(iter(self._drawing))]
        return self._drawing.setdefault(alert, asyncio.Lock())

    async def _keep(self, alert: str, outcome: Outcome) -> None:
        if isinstance(outcome, Delivered) and outcome.file:
            try:
                await self._kit.outbox.keep_picture(alert, outcome.file)
            except LedgerError as error:
                log.warning("telegram: a picture will be uploaded again: %s", error)
