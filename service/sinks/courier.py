"""Carries alerts from the archive to one sink, in order, from where it last stood.

The place is kept in the ledger, so a restart neither loses an alert nor repeats one; only an end between a delivery and
its note repeats that single alert. What a sink refuses for good is kept there with the reason. One slow sink delays no
other: each has a courier of its own.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from service import metrics
from service.clock import WallClock
from service.ledger import Ledger, LedgerError
from service.model import Alert, Failing, SinkReport
from service.sinks.base import Sink, SinkError

log = logging.getLogger("cascade.sinks")

_BATCH = 100
#: How often to look for alerts that another replica wrote.
_LOOK_S = 1.0
#: The shortest and the longest pause before another try, unless the sink says how long.
PAUSE_S = (1.0, 60.0)
#: Pending alerts are counted up to here.
COUNTED = 1_000
_LONGEST_REASON = 500
_START = "0-0"
_WALL = WallClock()

Result = TypeVar("Result")


def pause(tries: int, dice: random.Random) -> float:
    """Seconds before the next of 1, 2, 3, ... failed tries: doubling, over the upper half of it by chance."""
    least, most = PAUSE_S
    ceiling = min(most, 2 * least * 2.0 ** min(tries - 1, 30))
    return dice.uniform(ceiling / 2, ceiling)


class Courier:
    """One sink's errand. `changed(seconds)` returns when an alert may have come, or after that long.

    Only while `leads()`: of several replicas one speaks, or each alert would be said once by each. `now` is the wall.
    """

    def __init__(
        self,
        sink: Sink,
        ledger: Ledger,
        changed: Callable[[float], Awaitable[None]],
        leads: Callable[[], bool] = lambda: True,
        now: Callable[[], int] = _WALL.now,
    ) -> None:
        self._sink = sink
        self._lines: bool = getattr(sink, "lines", False)
        self._ledger = ledger
        self._changed = changed
        self._leads = leads
        self._now = now
        self._failing: Failing | None = None
        self._dice = random.Random()  # noqa: S311  # jitter, no secret

    async def run(self) -> None:
        """Deliver until cancelled; a failing ledger or sink is tried again, ever more slowly."""
        while True:
            if self._leads():
                await self._patiently(self._errands)
            else:
                self._failing = None  # whether the sink fails is known where alerts are sent
            await self._changed(_LOOK_S)

    async def report(self) -> SinkReport:
        """How the sink stands. Raises LedgerError."""
        name = self._sink.name
        pending = await self._ledger.pending(name, COUNTED + 1)
        return SinkReport(
            name=name,
            pending=None if pending is None else min(pending, COUNTED),
            pending_at_least=pending is not None and pending > COUNTED,
            delivered_through=await self._ledger.cursor(name),
            failing=self._failing,
            refused=tuple(await self._ledger.refused(name)),
        )

    async def _errands(self) -> str:
        return await self.errand(await self.begin())

    async def begin(self) -> str:
        """Where to go on. A sink that is new here starts with the next alert, not with months of old ones."""
        cursor = await self._ledger.cursor(self._sink.name)
        if cursor is None:
            newest = await self._ledger.alerts(None, 1)
            cursor = newest[-1][0] if newest else _START
            await self._ledger.advance(self._sink.name, cursor)
        return cursor

    async def errand(self, since: str) -> str:
        """Deliver everything after `since`; the cursor behind the last alert dealt with."""
        for cursor, alert in await self._ledger.alerts(since, _BATCH):
            if alert.parent is not None and not self._lines:  # a line of ALL's episode is told by that one
                await self._ledger.advance(self._sink.name, cursor)
            elif not await self._deliver(cursor, alert):
                break
            since = cursor
        return since

    async def _deliver(self, cursor: str, alert: Alert) -> bool:
        """Try until it is taken or refused, and note that; False when another replica speaks by now."""
        name, tries = self._sink.name, 0
        while (error := await self._send(alert)) is not None:
            tries += 1
            text = self._failed(alert, error)
            if error.permanent:
                await self._patiently(partial(self._ledger.refuse, name, cursor, alert.id, text))
                return True
            # a server that asks for no time at all would be asked without pause
            await asyncio.sleep(error.retry_after or pause(tries, self._dice))
            if not self._leads():
                return False
        self._failing = None
        metrics.SINK_ALERTS.labels(name).inc()
        await self._patiently(partial(self._ledger.advance, name, cursor))
        return True

    def _failed(self, alert: Alert, error: SinkError) -> str:
        reason = "permanent" if error.permanent else "retry"
        metrics.SINK_FAILURES.labels(self._sink.name, reason).inc()
        log.warning("sink %s could not take %s (%s): %s", self._sink.name, alert.id, reason, error)
        text = str(error)[:_LONGEST_REASON]
        self._failing = Failing(error=text, since=self._failing.since if self._failing else self._now())
        return text

    async def _send(self, alert: Alert) -> SinkError | None:
        try:
            await self._sink.send(alert)
        except SinkError as error:
            return error
        except Exception as error:
            log.exception("sink %s has a bug", self._sink.name)
            # its text is nobody's promise: it may hold an address
            return SinkError(f"{type(error).__name__}, a bug; the log has the details", permanent=False)
        return None

    async def _patiently(self, call: Callable[[], Awaitable[Result]]) -> Result:
        tries = 0
        while True:
            try:
                return await call()
            except LedgerError as error:
                tries += 1
                log.warning("sink %s waits for the ledger: %s", self._sink.name, error)
                await asyncio.sleep(pause(tries, self._dice))


async def reports(couriers: Sequence[Courier]) -> Sequence[SinkReport]:
    """How all sinks stand. Raises LedgerError."""
    return [await courier.report() for courier in couriers]
