"""What an asset costs, from its latest orders, else a mark price. For showing; what judges prices is in price.py."""

from collections import Counter
from statistics import median

from service.model import MINUTE, coin_of
from service.pipeline.recent import Recent
from service.pipeline.sources import Marks
from service.symbols import counts_lots

#: A price older than this (ms) is not the price.
OLDEST_MS = 15 * MINUTE
#: So many of an asset's latest orders are looked at, and so many prices of one contract make one.
ORDERS, PRINTS = 200, 3

_Contract = tuple[str, str]


class Quotes:
    """Prices by asset. Contracts trade apart, so one of them speaks while it can."""

    def __init__(self, recent: Recent, marks: Marks | None = None) -> None:
        self._recent, self._marks = recent, marks
        self._speaks: dict[str, _Contract] = {}

    def price(self, asset: str, now: int) -> float | None:
        """Dollars as of `now` (ms UTC), of ALL those of BTC; the mark where nothing was forced to trade lately."""
        coin = coin_of(asset)
        prices = [
            ((order.venue, order.symbol), order.price)
            for order in self._recent.latest(coin, ORDERS)
            if order.price and order.at > now - OLDEST_MS and not counts_lots(order.symbol)
        ]
        if not prices:
            self._speaks.pop(coin, None)
            return self._marks(coin, now) if self._marks else None
        busy = Counter(contract for contract, _ in prices)
        if self._speaks.get(coin) not in busy:
            self._speaks[coin] = max(sorted(busy), key=lambda one: busy[one])
        return median([price for contract, price in prices if contract == self._speaks[coin]][-PRINTS:])
