"""Takes chats that are due out of the outbox and tells them, many at a time, each in its own order.

A claim in the store comes before a request and its outcome after the answer, so a process that dies loses nothing and
repeats at most what was on its way: requests whose answer never came. One slow chat holds one of many places.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from service import metrics
from service.ledger import LedgerError
from service.model import Alert
from service.outbox import Box, Row
from service.sinks.telegram.books import NAME, Books
from service.sinks.telegram.courtesy import NEWS, PICTURE
from service.sinks.telegram.kit import Kit
from service.sinks.telegram.outcome import Closed, Delivered, Gone, Later, Moved, Outcome, Refused, Shut
from service.sinks.telegram.plan import Kind, Step, owner_of, plan

log = logging.getLogger("cascade.sinks")

#: Chats served at a time.
PLACES = 32
#: A claim outlives the wait for a turn and for an answer.
CLAIM_S = 40.0
#: Whoever waited longer for a turn does not use it: the claim may end before the answer comes.
STALE_S = 15.0
#: How often to look for chats whose time has come, in real seconds.
LOOK_S = 0.5
#: The messenger does not know us: nobody will be told until somebody mends the token.
SHUT_S = 60.0
#: So many chats in a row told to wait: it is the whole bot that is meant.
ALL_OF_US = 3
#: A wait in the process longer than this is kept in the store instead.
_SOON_S = 5.0
_RETRY_S = (1.0, 60.0)
_KNOWN = 200

_T = TypeVar("_T")
#: Waits for the right to make one request, at the last moment before it.
Turn = Callable[[], Awaitable[None]]


class TooLateError(Exception):
    """The turn came when the claim had nearly ended; somebody takes the chat again."""


@dataclass
class Deliverer:
    """One messenger's rounds, on the leading replica."""

    kit: Kit
    _known: dict[str, Alert] = field(default_factory=dict)
    _drawing: dict[str, asyncio.Lock] = field(default_factory=dict)
    _waiting: list[int] = field(default_factory=list)
    """Chats that were told to wait, since one was not."""
    _at_work: dict[int, "asyncio.Task[None]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._books = Books(self.kit)

    async def run(self) -> None:
        """Deliver until cancelled; what is on its way is given up where it stands and told again later."""
        until = await self._patiently(self.kit.outbox.away_until)
        self.kit.courtesy.pause((until - self.kit.now()) / 1_000)
        try:
            while True:
                found = await self._patiently(self._take)
                if not found:
                    await self.kit.changed(LOOK_S)
                elif len(self._at_work) >= PLACES:
                    await asyncio.wait(self._at_work.values(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = list(self._at_work.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self) -> int:
        """How many chats were found; while the whole bot has to wait none is claimed."""
        room = PLACES - len(self._at_work)
        if not self.kit.leads() or self.kit.courtesy.paused_s > _SOON_S:
            return 0
        boxes = await self.kit.outbox.take(self.kit.now(), round(1_000 * CLAIM_S), room) if room else []
        for box in boxes:
            if box.chat.id not in self._at_work:  # else its claim ended while it was still served here
                task = asyncio.create_task(self._serve(box))
                self._at_work[box.chat.id] = task
                task.add_done_callback(partial(self._left, box.chat.id))
        return len(boxes) if room else PLACES

    def _left(self, chat: int, _: "asyncio.Task[None]") -> None:
        del self._at_work[chat]

    async def _serve(self, box: Box) -> None:
        """One chat's turn. A bug costs this turn only: the claim ends by itself."""
        try:
            await self._turn(box)
        except LedgerError as error:
            log.warning("telegram: %s waits for the ledger: %s", owner_of(box.chat), error)
        except TooLateError:
            log.info("telegram: %s waited too long for its turn and is taken again", owner_of(box.chat))
        except Exception:
            log.exception("telegram: the turn of %s has a bug", owner_of(box.chat))
            metrics.SINK_FAILURES.labels(NAME, "bug").inc()

    async def _turn(self, box: Box) -> None:
        kit, books = self.kit, self._books
        step = plan(box, await self._alerts(box.rows), kit.now())
        if step.kind is Kind.HOLD:
            await books.hold(box, step)
        elif step.kind is Kind.DROP:
            await books.fail(box, step.rows, step.reason)
        elif (wait := kit.courtesy.free_in(box.chat.id)) > _SOON_S:
            await books.write(box, free_s=wait)
        else:
            my_turn = partial(self._my_turn, box, step, kit.now())
            tell = self._picture if step.kind is Kind.CHART else self._words
            await self._after(box, step, await tell(box, step, my_turn))

    async def _my_turn(self, box: Box, step: Step, began: int) -> None:
        """Wait for the right to make one request. Raises TooLateError when the claim may end before the answer."""
        await self.kit.courtesy.turn(box.chat.id, PICTURE if step.kind is Kind.CHART else NEWS, group=box.chat.group)
        if not self.kit.leads() or self.kit.now() - began > 1_000 * STALE_S:
            raise TooLateError

    async def _words(self, box: Box, step: Step, my_turn: Turn) -> Outcome:
        post, words, chat = self.kit.post, self.kit.words, box.chat
        await my_turn()
        if step.kind is Kind.DIGEST:
            text = words.digest(step.alerts, chat, step.reason, step.rows[0].queued, self.kit.now())
            return await post.send(chat.id, text)
        late = self.kit.now() - step.rows[-1].queued
        text = words.message(step.alerts[-1], chat, late)
        if step.kind is Kind.EDIT and step.message is not None:
            return await post.edit(chat.id, step.message, text)
        return await post.send(chat.id, text, reply_to=step.message)

    async def _picture(self, box: Box, step: Step, my_turn: Turn) -> Outcome:
        """Drawn and uploaded for the first chat; the others wait for that, then get it by its name."""
        kit, alert = self.kit, step.alerts[0]
        caption, answer = kit.words.caption(alert, box.chat), step.message or 0
        async with self._drawing.setdefault(alert.episode, asyncio.Lock()):
            name = await kit.outbox.picture(alert.episode)
            if not name:
                picture = await kit.draw(alert)
                await my_turn()
                outcome = await kit.post.photo(box.chat.id, picture, caption, reply_to=answer)
                if isinstance(outcome, Delivered) and outcome.file:
                    await kit.outbox.keep_picture(alert.episode, outcome.file)
                return outcome
        await my_turn()
        return await kit.post.photo(box.chat.id, name, caption, reply_to=answer)

    async def _after(self, box: Box, step: Step, outcome: Outcome) -> None:
        books = self._books
        await self._count(box.chat.id, outcome)
        match outcome:
            case Delivered():
                await books.told(box, step, outcome.message)
            case Later():
                await books.later(box, step, outcome)
            case Closed():
                await books.close(box, outcome.reason)
            case Moved():
                await self.kit.outbox.move(box.chat.id, outcome.chat, self.kit.now())
            case Gone():
                await books.gone(box, step)
            case Refused():
                await books.fail(box, step.rows, outcome.reason)
            case Shut():
                metrics.SINK_FAILURES.labels(NAME, "shut").inc()
                log.error("telegram does not know this bot, nobody is told anything: %s", outcome.reason)
                self.kit.courtesy.pause(SHUT_S)
                await books.write(box, free_s=SHUT_S)

    async def _count(self, chat: int, outcome: Outcome) -> None:
        """Several chats in a row that are told to wait: the messenger means all of us."""
        if not isinstance(outcome, Later):
            self._waiting.clear()
            return
        metrics.SINK_FAILURES.labels(NAME, "limit" if outcome.told else "retry").inc()
        if outcome.told and chat not in self._waiting:
            self._waiting.append(chat)
        if len(self._waiting) >= ALL_OF_US:
            log.warning("telegram asks the whole bot to wait %g s", outcome.seconds)
            self.kit.courtesy.pause(outcome.seconds)
            now = self.kit.now()
            await self.kit.outbox.stay_away(now + round(1_000 * outcome.seconds), now)

    async def _alerts(self, rows: Sequence[Row]) -> dict[str, Alert]:
        found = {}
        for name in dict.fromkeys(row.alert for row in rows):
            alert = self._known.get(name) or await self.kit.ledger.alert(name)
            if alert is not None:
                found[name] = self._known[name] = alert
        while len(self._known) > _KNOWN:
            del self._known[next(iter(self._known))]
        return found

    async def _patiently(self, call: Callable[[], Awaitable[_T]]) -> _T:
        pause, most = _RETRY_S
        while True:
            try:
                return await call()
            except LedgerError as error:
                log.warning("telegram waits for the ledger: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)
