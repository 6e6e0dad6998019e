"""Carries alerts from the archive to one sink, in order, from where it last stood.

The place is kept in the ledger, so a restart neither loses an alert nor repeats one; only an end between a delivery and
its note repeats that single alert. One slow sink delays no other: each has a courier of its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from service import metrics
from service.ledger import Ledger, LedgerError
from service.model import Alert
from service.sinks.base import Sink, SinkError

log = logging.getLogger("cascade.sinks")

_BATCH = 100
#: How often to look for alerts that another replica wrote.
_LOOK_S = 1.0
_RETRY_S = (1.0, 60.0)
_START = "0-0"


class Courier:
    """One sink's errand. `changed(seconds)` returns when an alert may have come, or after that long.

    Only while `leads()`: of several replicas one speaks, or each alert would be said once by each.
    """

    def __init__(
        self,
        sink: Sink,
        ledger: Ledger,
        changed: Callable[[float], Awaitable[None]],
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._sink = sink
        self._ledger = ledger
        self._changed = changed
        self._leads = leads

    async def run(self) -> None:
        """Deliver until cancelled; a failing ledger or sink is tried again, ever more slowly."""
        while True:
            if self._leads():
                await self._patiently(self._errands)
            await self._changed(_LOOK_S)

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
            if alert.parent is None:  # a line of ALL's episode is told by that one
                await self._deliver(alert)
            await self._ledger.advance(self._sink.name, cursor)
            since = cursor
        return since

    async def _deliver(self, alert: Alert) -> None:
        pause, most = _RETRY_S
        while True:
            error = await self._send(alert)
            if error is None:
                metrics.SINK_ALERTS.labels(self._sink.name).inc()
                return
            reason = "permanent" if error.permanent else "retry"
            metrics.SINK_FAILURES.labels(self._sink.name, reason).inc()
            log.warning("sink %s could not take %s (%s): %s", self._sink.name, alert.id, reason, error)
            if error.permanent:
                return
            await asyncio.sleep(error.retry_after if error.retry_after is not None else pause)
            pause = min(2 * pause, most)

    async def _send(self, alert: Alert) -> SinkError | None:
        try:
            await self._sink.send(alert)
        except SinkError as error:
            return error
        except Exception as error:
            log.exception("sink %s has a bug", self._sink.name)
            return SinkError(f"{type(error).__name__}: {error}", permanent=False)
        return None

    async def _patiently(self, call: Callable[[], Awaitable[str]]) -> str:
        pause, most = _RETRY_S
        while True:
            try:
                return await call()
            except LedgerError as error:
                log.warning("sink %s waits for the ledger: %s", self._sink.name, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)
