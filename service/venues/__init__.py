"""The table of venues: one row each, and nothing else."""

from collections.abc import Mapping

from service.venues.aster import Aster
from service.venues.base import Venue
from service.venues.binance import Binance
from service.venues.bitfinex import Bitfinex
from service.venues.bitget import Bitget
from service.venues.bitmex import Bitmex
from service.venues.bybit import Bybit
from service.venues.coinex import Coinex
from service.venues.deribit import Deribit
from service.venues.dydx import Dydx
from service.venues.gate import Gate
from service.venues.htx import Htx
from service.venues.hyperliquid import Hyperliquid
from service.venues.kraken import Kraken
from service.venues.lighter import Lighter
from service.venues.okx import Okx
from service.venues.poloniex import Poloniex

_ROWS: tuple[Venue, ...] = (
    Binance(),
    Bybit(),
    Okx(),
    Bitget(),
    Gate(),
    Htx(),
    Deribit(),
    Bitmex(),
    Bitfinex(),
    Kraken(),
    Dydx(),
    Aster(),
    Lighter(),
    Coinex(),
    Hyperliquid(),
    Poloniex(),
)

#: Every venue by its name, which is also its metric label, its file and its fixture.
VENUES: Mapping[str, Venue] = {row.name: row for row in _ROWS}
