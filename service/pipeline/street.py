"""The one task right of the queue: drain, settle, gate, write, judge. Reads the clock; decides nothing itself."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from service import metrics
from service.clock import Clock
from service.ledger import Added, LeaseLostError, Ledger, LedgerError
from service.model import ALL, BadFrame, DecodeError, Liquidation, Print, Reading, SocketHealth
from service.pipeline.gate import REVIEW_USD, refusal
from service.pipeline.health import Health
from service.pipeline.judge import Judge
from service.pipeline.knobs import Knobs
from service.pipeline.meters import Meters
from service.pipeline.watch import Watch

log = logging.getLogger("cascade.pipeline")

Item = Print | Liquidation | SocketHealth | BadFrame
Settle = Callable[[Print], Liquidation | None]
T = TypeVar("T")

#: Least real seconds between two rounds of judging and book-keeping; on the wall clock a round a second is the rule.
ROUND_S = 0.1
METERS_S = 2.0
RETRY_S = (0.1, 5.0)


@dataclass(frozen=True)
class Parts:
    """What the street is laid of. `settle` by venue; `announce` hears of alerts already written."""

    ledger: Ledger
    judge: Judge
    health: Health
    clock: Clock
    settle: Mapping[str, Settle]
    announce: Callable[[], None]
    usual: Mapping[str, float] = field(default_factory=dict)
    """Orders a minute by venue, a first guess: what the silence of a venue is judged by."""
    counted: Sequence[Callable[[Sequence[Liquidation]], None]] = ()
    """Who else wants to see every batch that has been written, orders known before included."""


class Pipeline:
    """Everything from the queue to a written alert. One instance, one task: `run`."""

    def __init__(self, parts: Parts, knobs: Knobs, holder: str) -> None:
        self.queue: asyncio.Queue[Item] = asyncio.Queue(knobs.queue)
        self.readings: dict[str, Reading] = {}
        self.last_order_at: dict[str, int] = {}
        self.leads = False
        self.store_down_since: float | None = None
        self._ledger, self._judge, self._health = parts.ledger, parts.judge, parts.health
        self._clock, self._settle, self._announce = parts.clock, parts.settle, parts.announce
        self._knobs = knobs
        self._holder = holder
        self._meters = Meters(knobs.top_assets)
        self.watch = Watch(parts.usual, parts.health, parts.clock.speed)
        self._listeners = (self.watch.counted, *parts.counted)
        self._hand: list[Item] = []
        """What has left the queue and is not written yet: a stop in between must not lose it."""
        self._touched: dict[str, Reading] = {}
        self._token: int | None = None
        self._next_round = 0.0
        self._next_meters = 0.0
        self._round_s = max(ROUND_S, 1 / parts.clock.speed)

    async def run(self) -> None:
        """Work until cancelled; the store may come and go meanwhile, the queue keeps what arrives."""
        while True:
            await self._gather()
            orders = await self._sort(self._hand)
            if orders:
                await self._write(orders)
            self._hand = []
            if time.monotonic() >= self._next_round:
                await self._patiently(self._round)
                self._next_round = time.monotonic() + self._round_s

    async def drain(self) -> None:
        """Write what is in hand and queued, for an orderly stop; one attempt. What was written before counts once."""
        while not self.queue.empty():
            self._hand.append(self.queue.get_nowait())
        orders = await self._sort(self._hand)
        if orders:
            self._counted(orders, await self._ledger.add(orders, self._clock.now()))
        await self._round()

    async def _gather(self) -> None:
        wait_until = time.monotonic() + self._knobs.flush_ms / 1_000
        while len(self._hand) < self._knobs.flush_events:
            try:
                async with asyncio.timeout(wait_until - time.monotonic()):
                    self._hand.append(await self.queue.get())
            except TimeoutError:
                return
            while not self.queue.empty() and len(self._hand) < self._knobs.flush_events:
                self._hand.append(self.queue.get_nowait())

    async def _sort(self, items: Sequence[Item]) -> list[Liquidation]:
        orders = []
        for item in items:
            match item:
                case Print():
                    orders += await self._settled(item)
                case Liquidation():
                    orders.append(item)
                case SocketHealth():
                    await self._tell(item)
                case BadFrame():
                    await self._keep(item)
        return [order for order in orders if await self._admit(order)]

    async def _tell(self, record: SocketHealth) -> None:
        self._health.told(record)
        try:
            await self._ledger.save_health([record])
        except LedgerError as error:  # the next round writes all records as they stand
            log.warning("the state of %s %s could not be written: %s", record.venue, record.socket, error)

    async def _settled(self, item: Print) -> list[Liquidation]:
        try:
            order = self._settle[item.venue](item)
        except DecodeError as error:
            await self._refuse(item, "amount", str(error))
            return []
        return [order] if order else []

    async def _admit(self, order: Liquidation) -> bool:
        now = self._clock.now()
        refused = refusal(order, now)
        if refused or order.usd > REVIEW_USD:
            reason, detail = refused or ("review", f"a single order of {order.usd:,.0f} USD: counted, please look")
            await self._refuse(order, reason, detail)
        return refused is None

    async def _refuse(self, order: Print | Liquidation, reason: str, detail: str) -> None:
        metrics.BAD_FRAMES.labels(order.venue, reason).inc()
        frame, seen = msgspec.json.encode(order).decode(), self._clock.now()
        await self._keep(BadFrame(venue=order.venue, frame=frame, reason=reason, detail=detail, seen=seen))

    async def _keep(self, bad: BadFrame) -> None:
        try:
            await self._ledger.keep(bad)
        except LedgerError as error:
            log.warning("a bad frame of %s could not be kept (%s): %s", bad.venue, error, bad.detail)

    async def _write(self, orders: Sequence[Liquidation]) -> None:
        async def add() -> Added:
            started = time.perf_counter()
            added = await self._ledger.add(orders, self._clock.now())
            metrics.LEDGER_SECONDS.observe(time.perf_counter() - started)
            return added

        self._counted(orders, await self._patiently(add))

    def _counted(self, orders: Sequence[Liquidation], added: Added) -> None:
        self._meters.written(orders, added, self._clock.now())
        for order in orders:
            self.last_order_at[order.venue] = max(order.at, self.last_order_at.get(order.venue, 0))
        for listener in self._listeners:
            listener(orders)
        for reading in added.readings:
            self.readings[reading.asset] = self._touched[reading.asset] = reading

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        pause, most = RETRY_S
        while True:
            try:
                result = await call()
            except LedgerError as error:
                metrics.LEDGER_ERRORS.inc()
                if self.store_down_since is None:
                    self.store_down_since = time.monotonic()
                    log.warning("the ledger does not answer, orders wait in the queue: %s", error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, most)
            else:
                if self.store_down_since is not None:
                    log.info("the ledger answers again after %.1f s", time.monotonic() - self.store_down_since)
                    self.store_down_since = None
                return result

    async def _round(self) -> None:
        now = self._clock.now()
        if self.queue.empty():  # a backlog after an outage of the store would look like the silence of some venues
            self.watch.look(now)
        await self._health.heard.write(self._ledger)
        await self._lead()
        if self._token is None:
            self._touched = {}  # the leader judges them; kept, they would be old news at a change of leader
        else:
            await self._judge_touched(self._token, now)
        if time.monotonic() >= self._next_meters:
            await self._show(now)
            self._next_meters = time.monotonic() + METERS_S

    async def _lead(self) -> None:
        token = await self._ledger.lease(self._holder, int(self._knobs.lease_s * 1_000))
        if token is not None and token != self._token:
            await self._judge.load()
            # whatever a former leader had counted but not judged is judged now, as it stands now
            assets = [ALL, *await self._ledger.assets(self._clock.now())]
            self._touched = {row.asset: row for row in await self._ledger.read(assets, self._clock.now())}
            log.info("this replica judges from now on")
        self._token, self.leads = token, token is not None
        metrics.LEADER.set(self.leads)

    async def _judge_touched(self, token: int, now: int) -> None:
        others = {ALL, *self._judge.open_markets} - self._touched.keys()
        for reading in await self._ledger.read(sorted(others), now):
            self.readings[reading.asset] = self._touched[reading.asset] = reading
        try:
            alerts = await self._judge.observe(self._touched.values(), token)
        except LeaseLostError:
            self._token = None
            return
        self._touched = {}
        if alerts:
            self._meters.alerted(alerts)
            self._announce()

    async def _show(self, now: int) -> None:
        if not self.leads:
            await self._judge.load()  # what another replica judges is shown here too
        assets = [ALL, *await self._ledger.assets(now)]
        self.readings = {reading.asset: reading for reading in await self._ledger.read(assets, now)}
        self._judge.look(self.readings.values())
        await self._ledger.save_health(self._health.records())
        await self._meters.show(self._ledger, self._health, self.readings, self._judge.episodes(), now)
        metrics.QUEUE_DEPTH.set(self.queue.qsize())
