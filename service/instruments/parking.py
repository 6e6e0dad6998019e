"""Orders whose contract nobody has explained yet: kept once each, bounded, counted. Values nothing."""

import logging
from collections import OrderedDict
from collections.abc import Container, Iterable, Sequence

from service.metrics import BAD_FRAMES, PARKED
from service.model import Print

log = logging.getLogger("cascade.instruments")

MOST = 100_000
_LOG_EVERY = 10_000
#: So many unknown symbols are named in the log; then one line for each so many more.
_NAMED, _COUNTED = 10, 100


class Parking:
    """The parked orders of one venue, oldest first."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._orders: OrderedDict[str, Print] = OrderedDict()
        self._symbols: set[str] = set()
        self.dropped = 0
        """Orders lost because too many waited."""
        PARKED.labels(venue).set(0)

    def __len__(self) -> int:
        return len(self._orders)

    def park(self, order: Print) -> bool:
        """Keep an order; True when its symbol is new here. The oldest makes room when there are too many."""
        news = order.symbol not in self._symbols
        if news:
            self._symbols.add(order.symbol)
            self._tell(order.symbol, len(self._symbols))
        self._orders[order.id] = order
        if len(self._orders) > MOST:
            self._orders.popitem(last=False)
            self.dropped += 1
            BAD_FRAMES.labels(self._venue, "parked").inc()
            if self.dropped % _LOG_EVERY == 1:
                log.error("%s: %d orders of unknown contracts are lost, too many wait", self._venue, self.dropped)
        PARKED.labels(self._venue).set(len(self._orders))
        return news

    def _tell(self, symbol: str, count: int) -> None:
        if count <= _NAMED:
            log.warning("%s: orders of %s wait until the venue's metadata knows it", self._venue, symbol)
        elif count % _COUNTED == 0:
            log.warning("%s: orders of %d unknown symbols wait, the latest is %s", self._venue, count, symbol)

    def waiting(self) -> Sequence[Print]:
        """Every parked order, oldest first."""
        return tuple(self._orders.values())

    def ready(self, known: Container[str]) -> Sequence[Print]:
        """The orders whose symbol is known now, oldest first; they stay until they are freed."""
        return [order for order in self._orders.values() if order.symbol in known]

    def free(self, orders: Iterable[Print]) -> None:
        """Let these orders go: somebody else has them now."""
        for order in orders:
            self._orders.pop(order.id, None)
        self._symbols = {order.symbol for order in self._orders.values()}
        PARKED.labels(self._venue).set(len(self._orders))
