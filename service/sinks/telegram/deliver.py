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
from service.sinks.telegram.kit import Kit
from service.sinks.telegram.outcome import Closed, Delivered, Gone, Later, Moved, Outcome, Refused, Shut
from service.sinks.telegram.plan import Kind, Step, owner_of, plan
from service.sinks.telegram.tell import Teller, TooLateError

log = logging.getLogger("cascade.sinks")

#: Chats served at a time; fewer where the pace is so slow that some of them would wait for their turn too long.
PLACES = 32
#: A claim outlives the wait for a turn and for an answer.
CLAIM_S = 40.0
#: Whoever waited longer for a turn does not use it: the claim may end before the answer comes.
STALE_S = 15.0
#: How often to look for chats whose time has come, in real seconds.
LOOK_S = 0.5
#: An orderly stop waits so long for answers that are on their way, and for the store.
LEAVE_S = 1.0
#: The messenger does not know us: nobody will be told until somebody mends the token.
SHUT_S = 60.0
#: A wait in the process longer than this is kept in the store instead.
_SOON_S = 5.0
_RETRY_S = (1.0, 60.0)
_KNOWN = 200

_T = TypeVar("_T")


@dataclass
class Deliverer:
    """One messenger's rounds, on the leading replica."""

    kit: Kit
    _known: dict[str, Alert] = field(default_factory=dict)
    _at_work: dict[int, tuple[Box, "asyncio.Task[None]"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._books = Books(self.kit)
        self._teller = Teller(self.kit, STALE_S)
        self._places = max(1, min(PLACES, int(self.kit.courtesy.per_second * STALE_S / 2)))

    async def run(self) -> None:
        """Deliver until cancelled; then what is on its way is waited for a moment, and the rest is let go."""
        try:
            while True:
                found = await self._patiently(self._take)
                if not found:
                    await self.kit.changed(LOOK_S)
                elif len(self._at_work) >= self._places:
                    tasks = [task for _, task in self._at_work.values()]
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        """Chats that only wait for their turn are free for whoever comes next; answers on their way are heard."""
        asking = {chat for chat in self._at_work if chat in self._teller.asking}
        waiting = [pair for chat, pair in self._at_work.items() if chat not in asking and not pair[1].done()]
        answers = [task for chat, (_, task) in self._at_work.items() if chat in asking]
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
        last = [asyncio.ensure_future(self._books.release(box)) for box, _ in waiting]
        if answers or last:
            _, late = await asyncio.wait([*answers, *last], timeout=LEAVE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, *last, return_exceptions=True)

    async def _take(self) -> int:
        """How many chats were found; while the whole bot has to wait none is claimed."""
        room = self._places - len(self._at_work)
        if not self.kit.leads() or self.kit.courtesy.paused_s > _SOON_S or await self.kit.patience.away():
            return 0
        boxes = await self.kit.outbox.take(self.kit.now(), round(1_000 * CLAIM_S), room) if room else []
        for box in boxes:
            if box.chat.id not in self._at_work:  # else its claim ended while it was still served here
                task = asyncio.create_task(self._serve(box))
                self._at_work[box.chat.id] = (box, task)
                task.add_done_callback(partial(self._left, box.chat.id))
        return len(boxes) if room else self._places

    def _left(self, chat: int, _: "asyncio.Task[None]") -> None:
        del self._at_work[chat]

    async def _serve(self, box: Box) -> None:
        """One chat's turn. A bug costs this turn only: the claim ends by itself."""
        try:
            await self._turn(box)
        except LedgerError as error:
            log.warning("telegram: %s waits for the ledger: %s", owner_of(box.chat), error)
        except TooLateError as late:
            log.info("telegram: the turn of %s is given up: %s", owner_of(box.chat), late)
            await self._books.release(box)
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
            outcome = await self._teller.tell(box, step)
            try:
                await self._after(box, step, outcome)
            finally:
                self._teller.asking.discard(box.chat.id)

    async def _after(self, box: Box, step: Step, outcome: Outcome) -> None:
        books = self._books
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
                await books.refused(box, step, outcome.reason)
            case Shut():
                metrics.SINK_FAILURES.labels(NAME, "shut").inc()
                log.error("telegram does not know this bot, nobody is told anything: %s", outcome.reason)
                self.kit.courtesy.pause(SHUT_S)
                await books.write(box, free_s=SHUT_S)
        await self.kit.patience.note(box.chat.id, outcome, group=box.chat.group)

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
