"""From items of the queue to orders that may be counted: settle, gate, keep what is refused. Counts no dollar."""

import logging
from collections.abc import Callable, Mapping, Sequence

import msgspec

from service import metrics
from service.clock import Clock
from service.ledger import Ledger, LedgerError
from service.model import BadFrame, DecodeError, Healed, Liquidation, Print, SocketHealth
from service.pipeline.gate import REVIEW_USD, refusal
from service.pipeline.health import Health

log = logging.getLogger("cascade.pipeline")

Item = Print | Liquidation | SocketHealth | BadFrame | Healed
Settle = Callable[[Print], Liquidation | None]


class Intake:
    """`settle` by venue: dollars of an order, None while it has to wait for its contract."""

    def __init__(self, ledger: Ledger, health: Health, clock: Clock, settle: Mapping[str, Settle]) -> None:
        self._ledger, self._health, self._clock, self._settle = ledger, health, clock, settle

    async def orders(self, items: Sequence[Item]) -> list[Liquidation]:
        """The orders among the items that may be counted; the other items have been seen to."""
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
