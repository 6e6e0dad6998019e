"""The one task right of the queue: drain, settle, gate, write, judge. Reads the clock; decides nothing itself."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import msgspec

from service import metrics
from service.clock import Clock
from service.ledger import Added, LeaseLostError, Ledger, LedgerError
from service.model import ALL, HOUR, SPANS, Healed, Liquidation, Reading
from service.pipeline.cover import Cover
from service.pipeline.health import Health
from service.pipeline.intake import Intake, Item, Settle
from service.pipeline.judge import Judge
from service.pipeline.knobs import Knobs
from service.pipeline.late import Late
from service.pipeline.meters import Meters
from service.pipeline.recent import Recent
from service.pipeline.watch import Watch

log = logging.getLogger("cascade.pipeline")

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
    recent: Recent
    health: Health
    cover: Cover
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
        self._ledger, self._judge, self._health, self._cover = parts.ledger, parts.judge, parts.health, parts.cover
        self._clock, self._announce, self._recent = parts.clock, parts.announce, parts.recent
        self._intake = Intake(parts.ledger, parts.health, parts.clock, parts.settle)
        self._knobs = knobs
        self._holder = holder
        self._meters = Meters(knobs.top_assets, parts.judge, parts.recent)
        self._late = Late(parts.clock.speed)
        self._deaf: dict[str, tuple[int, int]] = {}
        """Venues found silent whose time the ledger still takes for heard: since when, until when."""
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
            orders = await self._intake.orders(self._hand)
            if orders:
                await self._write(orders)
            await self._heal(self._hand)
            self._hand = []
            if time.monotonic() >= self._next_round:
                await self._patiently(self._round)
                self._next_round = time.monotonic() + self._round_s

    async def drain(self) -> None:
        """Write what is in hand and queued, for an orderly stop; one attempt. What was written before counts once."""
        while not self.queue.empty():
            self._hand.append(self.queue.get_nowait())
        orders = await self._intake.orders(self._hand)
        if orders:
            self._counted(orders, await self._ledger.add(orders, self._clock.now()))
        await self._heal(self._hand)
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

    async def _heal(self, items: Sequence[Item]) -> None:
        """Behind the write: only now do the windows hold what the history told."""
        for item in items:
            if isinstance(item, Healed):
                await self._patiently(partial(self._ledger.mark_healed, item.venue, item.since, item.until))

    async def _write(self, orders: Sequence[Liquidation]) -> None:
        async def add() -> Added:
            started = time.perf_counter()
            added = await self._ledger.add(orders, self._clock.now())
            metrics.LEDGER_SECONDS.observe(time.perf_counter() - started)
            return added

        self._counted(orders, await self._patiently(add))

    def _counted(self, orders: Sequence[Liquidation], added: Added) -> None:
        now = self._clock.now()
        self._meters.written(orders, added, now)
        for position in added.fresh:
            if self._late.note(orders[position], now):
                metrics.LATE_USD.labels(orders[position].venue).inc(orders[position].usd)
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
            self._deaf |= {venue: (silence.since, now) for venue, silence in self.watch.look(now).items()}
        await self._health.heard.write(self._ledger)
        for venue, (since, until) in list(self._deaf.items()):
            # nothing shows that it was heard since its last order, whatever its sockets said
            await self._ledger.mark_deaf(venue, since, until)
            del self._deaf[venue]
        healed = await self._cover.refresh(now)
        await self._recent.refresh(now)
        await self._lead()
        if (
            healed and self._token is not None
        ):  # another replica may have filled a gap: its late dollars are late here too
            self._late = await self._known_late(now)
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
            await self._judge.load(self._clock.now())
            # whatever a former leader had counted but not judged is judged now, as it stands now
            now = self._clock.now()
            assets = [ALL, *await self._ledger.assets(now)]
            self._touched = {row.asset: row for row in await self._ledger.read(assets, now)}
            self._late = await self._known_late(now)
            log.info("this replica judges from now on")
        self._token, self.leads = token, token is not None
        metrics.LEADER.set(self.leads)

    async def _known_late(self, now: int) -> Late:
        return Late(self._clock.speed, await self._ledger.recall(self._health.names, now - HOUR, now))

    async def _judge_touched(self, token: int, now: int) -> None:
        others = {ALL, *await self._judge.listen(now)} - self._touched.keys()
        for reading in await self._ledger.read(sorted(others), now):
            self.readings[reading.asset] = self._touched[reading.asset] = reading
        try:
            alerts = await self._judge.observe(map(self._sized, self._touched.values()), token)
        except LeaseLostError:
            self._token = None
            return
        self._touched = {}
        if alerts:
            self._meters.alerted(alerts)
            self._announce()

    def _sized(self, reading: Reading) -> Reading:
        """With what is known of how much of it was heard, and of how much came late."""
        coverage = {span: self._cover.of(reading.asset, span, reading.now) for span in SPANS}
        late = self._late.usd(reading.asset, reading.now)
        return msgspec.structs.replace(reading, coverage=coverage, late_usd=late)

    async def _show(self, now: int) -> None:
        if not self.leads:
            await self._judge.glance()  # what another replica judges is shown here too
        assets = [ALL, *await self._ledger.assets(now)]
        readings = await self._ledger.read(assets, now)
        self.readings = {reading.asset: self._sized(reading) for reading in readings}
        self._judge.look(self.readings.values())
        await self._ledger.save_health(self._health.records())
        venues = self._health.names
        await self._meters.show(self._ledger, self._cover, venues, self.readings, now, leads=self.leads)
        metrics.QUEUE_DEPTH.set(self.queue.qsize())
