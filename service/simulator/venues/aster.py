"""Aster as its futures page describes it: one host of perpetuals, the dialect of `forceorder`, no public history.

https://github.com/asterdex/api-docs, V3 futures: connect (ping each 5 minutes, pong within 15, 24 hours, 10 messages a
second, 200 streams), live subscribing, liquidation and mark price streams, exchange information, mark price, funding
rate config; docs/community-notes.md for open interest.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from service.simulator import metadata
from service.simulator.contracts import Listing, name_of
from service.simulator.forceorder import ForceOrderServer
from service.simulator.listener import Answer
from service.simulator.standing import premium

_REST = re.compile(r"/fapi/v[13]/(?P<what>\w+)")


class Aster(ForceOrderServer):
    """Perpetuals counted in base units; a tape's dated and coin-margined contracts become their perpetual."""

    name = "aster"
    ENDPOINTS = {"public": "ws://{at}/stream", "rest": "http://{at}"}  # noqa: RUF012
    PATH = re.compile(r"/(?:stream|ws(?P<names>/.+)?)")
    MARKED = ("public",)
    ping_every_s: float = 300.0
    pong_within_s: float = 900.0
    most_streams: int = 200

    def describe(self, symbol: str) -> Listing:
        """BTCUSDT; BTCUSD is BTCUSDT, for nothing is margined in coins here."""
        name = name_of(symbol)
        quote = "USDT" if name.inverse else name.quote
        size = Decimal(1)
        return Listing(symbol=f"{name.base}{quote}", base=name.base, quote=quote, expiry="", inverse=False, size=size)

    def line(self, path: str) -> str | None:
        """The only host."""
        return "public" if self.PATH.fullmatch(path) else None

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Exchange information, marks, funding and open interest, of both versions."""
        found = _REST.fullmatch(path)
        match found["what"] if found else "":
            case "exchangeInfo":
                return 200, metadata.exchange_info(self.listings(), self.clock.now())
            case "premiumIndex":
                return premium.premium_index(self, self.listings())
            case "fundingInfo":
                return premium.funding_info(self, self.listings(), exceptions=False)
            case "openInterest":
                return premium.open_interest(self, self.listings(), query)
            case _:
                return 404, {"code": -5000, "msg": f"Path {path}, Method GET is invalid"}
