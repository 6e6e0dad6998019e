"""Writes what became of a chat's turn: told, to be told later, closed, refused. Sends nothing.

What was sent must be written, or it would be sent again: while the store does not answer it is asked until it does.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from service import metrics
from service.ledger import LedgerError
from service.outbox import Box, Row, State, Told, Turn, key_of
from service.sinks.telegram.kit import Kit
from service.sinks.telegram.outcome import Later
from service.sinks.telegram.plan import Kind, Step, owner_of, picture_after, told_by

log = logging.getLogger("cascade.sinks")

NAME = "telegram"
#: Pauses after a failure without a word how long: they double, up to the last.
RETRY_S = (1.0, 300.0)
_TRIES = 16
#: Between two tries to write, in real seconds.
_AGAIN_S = 0.25


class Books:
    """The outbox, written after the messenger has answered."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def told(self, box: Box, step: Step, message: int) -> None:
        """The step was taken, by this message."""
        now, last = self._kit.now(), step.rows[-1]
        for row in step.rows:
            metrics.SINK_DELIVERY.labels(NAME).observe((now - row.queued) / 1_000)
        metrics.SINK_ROWS.labels(NAME, State.SENT.value).inc(len(step.rows))
        how = "digest" if step.kind is Kind.DIGEST else "merged"
        rows = tuple(_settled(row, State.SENT, now, "" if row is last else how, message) for row in step.rows)
        picture = picture_after(step, box)
        told = {} if step.kind is Kind.CHART else told_by(step, message)
        await self.write(box, rows=rows, stay=(picture,) if picture else (), told=told)

    async def hold(self, box: Box, step: Step) -> None:
        """Nothing is told before the step's time."""
        await self.write(box, stay=step.rows, free_s=0.0, due=step.until)

    async def later(self, box: Box, step: Step, outcome: Later) -> None:
        """The same again after as long as the messenger said, or ever more slowly when it said nothing."""
        tries = step.rows[0].tries
        pause = outcome.seconds if outcome.told else min(max(outcome.seconds, RETRY_S[0]) * 2**tries, RETRY_S[1])
        log.warning("telegram: %s is told again in %g s: %s", owner_of(box.chat), pause, outcome.reason)
        metrics.SINK_FAILURES.labels(NAME, "limit" if outcome.told else "retry").inc()
        self._kit.courtesy.rest(box.chat.id, pause)
        rows = tuple(msgspec.structs.replace(row, tries=min(row.tries + 1, _TRIES)) for row in step.rows)
        await self.write(box, stay=rows, free_s=pause)

    async def gone(self, box: Box, step: Step) -> None:
        """The message that should be edited was deleted: the next turn sends another."""
        episode = step.rows[-1].episode
        await self.write(box, told={episode: msgspec.structs.replace(box.told[episode], message=None)})

    async def close(self, box: Box, reason: str) -> None:
        """Nobody is there any more; the rules stay for the day the chat says /start again."""
        log.info("telegram: %s is closed: %s", owner_of(box.chat), reason)
        metrics.SINK_FAILURES.labels(NAME, "closed").inc()
        await self._surely(lambda: self._kit.outbox.close(box, reason))
        await self.fail(box, box.rows, reason)

    async def refused(self, box: Box, step: Step, reason: str) -> None:
        """The messenger will never take it."""
        log.warning("telegram: %s refuses a message: %s", owner_of(box.chat), reason)
        metrics.SINK_FAILURES.labels(NAME, "permanent").inc()
        await self.fail(box, step.rows, reason)

    async def fail(self, box: Box, rows: Sequence[Row], reason: str) -> None:
        """These rows will never be told."""
        now = self._kit.now()
        metrics.SINK_ROWS.labels(NAME, State.FAILED.value).inc(len(rows))
        await self.write(box, rows=tuple(_settled(row, State.FAILED, now, reason) for row in rows), free_s=0.0)

    async def release(self, box: Box) -> None:
        """Nothing was told: the chat is free for whoever looks next. Its claim ends by itself where this fails."""
        try:
            await self._kit.outbox.release(box, self._kit.now())
        except LedgerError as error:
            log.info("telegram: the claim of %s ends by itself: %s", owner_of(box.chat), error)

    async def write(
        self,
        box: Box,
        *,
        rows: tuple[Row, ...] = (),
        stay: tuple[Row, ...] = (),
        told: Mapping[str, Told] | None = None,
        free_s: float | None = None,
        due: int = 0,
    ) -> None:
        """Settle the claim: `rows` are done, `stay` changed or came; the chat rests its usual gap or `free_s`."""
        now = self._kit.now()
        gap = self._kit.courtesy.gap(group=box.chat.group) if free_s is None else free_s
        free = now + round(1_000 * gap)
        done, coming = {key_of(row) for row in rows}, {key_of(row): row for row in stay}
        left = [row for row in ({key_of(row): row for row in box.rows} | coming).values() if key_of(row) not in done]
        turn = Turn(
            chat=box.chat.id,
            record=box.record,
            rows=rows,
            stay=stay,
            told=told or {},
            free=free,
            due=max(free, due),
            left=len(left),
            words=sum(not row.chart for row in left),
        )
        await self._surely(lambda: self._kit.outbox.settle(turn, now))

    async def _surely(self, write: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await write()
            except LedgerError as error:
                log.warning("telegram: what was told cannot be written yet: %s", error)
                await asyncio.sleep(_AGAIN_S)
            else:
                return


def _settled(row: Row, state: State, now: int, reason: str, message: int | None = None) -> Row:
    return msgspec.structs.replace(row, state=state, done=now, reason=reason, message=message)
