"""The table of venue servers: one row each, and nothing else."""

from collections.abc import Mapping
from types import MappingProxyType

from service.simulator.base import VenueServer
from service.simulator.venues.aster import Aster
from service.simulator.venues.binance import Binance
from service.simulator.venues.bitfinex import Bitfinex
from service.simulator.venues.bitget import Bitget
from service.simulator.venues.bitmex import Bitmex
from service.simulator.venues.bybit import Bybit
from service.simulator.venues.coinex import Coinex
from service.simulator.venues.deribit import Deribit
from service.simulator.venues.dydx import Dydx
from service.simulator.venues.gate import Gate
from service.simulator.venues.htx import Htx
from service.simulator.venues.hyperliquid import Hyperliquid
from service.simulator.venues.kraken import Kraken
from service.simulator.venues.lighter import Lighter
from service.simulator.venues.okx import Okx
from service.simulator.venues.poloniex import Poloniex

_ROWS: tuple[type[VenueServer], ...] = (
    Binance,
    Bybit,
    Okx,
    Bitget,
    Gate,
    Htx,
    Deribit,
    Bitmex,
    Bitfinex,
    Kraken,
    Dydx,
    Aster,
    Lighter,
    Coinex,
    Hyperliquid,
    Poloniex,
)

#: Every venue server by the venue's name.
SERVERS: Mapping[str, type[VenueServer]] = MappingProxyType({server.name: server for server in _ROWS})
