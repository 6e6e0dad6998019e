"""What the last hour's single orders say of a span, for whoever asks: worked out once for each 10 s, in a thread."""

import asyncio
from collections.abc import Sequence

from service.detector import certainty
from service.detector.undercount import estimate
from service.ledger.buckets import TICK
from service.model import HOUR, SPANS, Depth, Liquidation, Side
from service.pipeline.recent import KEEP_MS
from service.pipeline.sources import Sources

_NOTHING = Depth()


class Depths:
    """Keeps the answers of the running 10 s."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._tick = 0
        self._kept: dict[tuple[str, str], Depth] = {}

    async def of(self, asset: str, span: str, now: int) -> Depth:
        """Certainty and estimate of an asset's span that ends at `now` (ms UTC)."""
        if SPANS[span] > HOUR:
            return _NOTHING
        if now // TICK != self._tick:
            self._tick, self._kept = now // TICK, {}
        if (asset, span) not in self._kept:
            orders = self._sources.recent.of(asset, now - KEEP_MS, now)  # the street changes what a thread would read
            self._kept[asset, span] = await asyncio.to_thread(self._found, orders, span, now)
        return self._kept[asset, span]

    def _found(self, orders: Sequence[Liquidation], span: str, now: int) -> Depth:
        inside = ((order.usd, order.side is Side.SHORT) for order in orders if order.at > now - SPANS[span])
        estimated = estimate(orders, self._sources.feeds(), now, span, self._sources.spread())
        return Depth(certainty=certainty(inside), estimated=estimated)
