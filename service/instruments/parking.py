"""Orders whose contract nobody has explained yet: kept once each, bounded, counted. Values nothing."""

import logging
from collections import OrderedDict
from collections.abc import Container

from service.metrics import BAD_FRAMES, PARKED
from service.model import Print

log = logging.getLogger("cascade.instruments")

MOST = 100_000
_LOG_EVERY = 10_000


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
            log.warning("%s: orders of %s wait until the venue's metadata knows it", self._venue, order.symbol)
        self._orders[order.id] = order
        if len(self._orders) > MOST:
            self._orders.popitem(last=False)
            self.dropped += 1
            BAD_FRAMES.labels(self._venue, "parked").inc()
            if self.dropped % _LOG_EVERY == 1:
                log.error("%s: %d orders of unknown contracts are lost, too many wait", self._venue, self.dropped)
        PARKED.labels(self._venue).set(len(self._orders))
        return news

    def free(self, known: Container[str]) -> list[Print]:
        """Take out the orders whose symbol is known now, oldest first."""
        freed = [order for order in self._orders.values() if order.symbol in known]
        for order in freed:
            del self._orders[order.id]
        self._symbols = {order.symbol for order in self._orders.values()}
        PARKED.labels(self._venue).set(len(self._orders))
        return freed
