"""Open interest, funding and turnover that a local venue shows, by coin. Pure; knows no venue's words.

What it shows falls with what the venue liquidates, since forced orders close positions; it does not follow the price.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from service.model import HOUR
from service.simulator.contracts import Listing, Order
from service.symbols import asset_of_base

#: Dollars of one venue's largest contract of a coin; three of them make some eight billions of BTC together.
_USD: Mapping[str, float] = {
    "BTC": 2.8e9, "ETH": 1.6e9, "SOL": 5e8, "XRP": 4e8, "BNB": 2.5e8, "DOGE": 2.5e8, "HYPE": 1.5e8, "ADA": 1.2e8,
    "SUI": 1.2e8, "LINK": 1.1e8, "AVAX": 1e8, "LTC": 9e7, "BCH": 8e7,
}  # fmt: skip
#: Coin-margined and dated contracts are that much smaller.
_SMALL = 0.1
#: Of what was liquidated so much is still missing an hour later.
_LEFT = Decimal("0.944")
#: Dollars traded in a day for one of open interest.
_TURNOVER = 2.5


_asset = cache(asset_of_base)


class Interest:
    """Open interest, funding and volume a local venue shows; falls with what is liquidated.

    Plain attributes may be set at any time; coins are spelt as the venue does (XBT), or as everybody does (BTC).
    """

    def __init__(
        self,
        usd_of: Mapping[str, float] = _USD,
        other_usd: float = 6e7,
        funding: float = 0.00005,
        interval_h: float = 8,
    ) -> None:
        self.usd: dict[str, float] = dict(usd_of)
        """One-sided dollars of a coin's largest contract, before anything was liquidated."""
        self.other_usd = other_usd
        """The same, of every other coin."""
        self.funding: dict[str, float] = {}
        """What longs pay shorts each interval, a fraction."""
        self.default_funding = funding
        self.interval_h = interval_h
        self._first: dict[str, float] = {}
        """What each contract cost when it was first shown: dollars become coins at that price."""
        self._gone: dict[str, Decimal] = {}
        """Base units (dollars of inverse contracts) liquidated of each, as far as nobody took their place."""
        self._since: dict[str, int] = {}

    def coins(self, listing: Listing, price: float) -> float:
        """One-sided base units of a contract now; coin-margined and dated ones have a tenth of the coin's dollars.

        Inverse contracts are counted in dollars: with nobody trading these stay, and the coins they are worth do not.
        """
        gone = float(self._gone.get(listing.symbol, 0))
        if listing.inverse:
            return max(0.0, self._usd(listing) - gone) / price
        first = self._first.setdefault(listing.symbol, price)
        return max(0.0, self._usd(listing) / first - gone)

    def rate(self, listing: Listing) -> float:
        """Its funding each interval."""
        return _of(self.funding, listing.base, self.default_funding)

    def volume_usd(self, listing: Listing) -> float:
        """Dollars traded in 24 hours."""
        return self._usd(listing) * _TURNOVER

    def liquidated(self, order: Order) -> None:
        """Take a forced order off, in what its contract is counted in."""
        listing = order.listing
        units = Decimal(order.quantity) * listing.size
        self._gone[listing.symbol] = self._faded(listing.symbol, order.at) + units

    def _faded(self, symbol: str, at: int) -> Decimal:
        """What is still gone of what was liquidated: others open positions, half of it in half a day."""
        hours = max(0, at - self._since.setdefault(symbol, at)) // HOUR
        if hours:
            self._since[symbol] = at
        return self._gone.get(symbol, Decimal(0)) * _LEFT**hours

    def _usd(self, listing: Listing) -> float:
        small = bool(listing.expiry) or (listing.inverse and listing.quote == "USD")
        return _of(self.usd, listing.base, self.other_usd) * (_SMALL if small else 1.0)


def _of(by_coin: Mapping[str, float], base: str, other: float) -> float:
    found = by_coin.get(base)
    return by_coin.get(_asset(base), other) if found is None else found
