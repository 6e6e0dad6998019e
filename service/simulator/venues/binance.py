"""Binance as its futures pages describe it: USD-M at the root, COIN-M under /cm, REST of both beside them.

https://developers.binance.com/docs/derivatives (connect, live subscribing, liquidation and mark price streams,
exchange information, mark price, open interest, funding rate info) and the notices of 2026-03-05 (routed paths) and
2026-06-30 (merged liquidation streams).
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from service.simulator import metadata, past
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.forceorder import ALL_ORDERS, ForceOrderServer
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import premium

#: `<line>` of a path: only routed USD-M paths and COIN-M carry market data; the rest shakes hands, acks and is silent.
_ROUTES = {("", "/market"): "um", ("/cm", "/market"): "cm", ("/cm", ""): "cm"}
_SILENT_ROUTES = ("", "/public", "/private")
_REST = re.compile(r"/[fd]api/v1/(?P<what>\w+)")


class Binance(ForceOrderServer):
    """`merged`: both hosts carry the liquidations of both products, as announced for 2026-06-30."""

    name = "binance"
    ENDPOINTS = {  # noqa: RUF012
        "um": "ws://{at}/market/stream",
        "cm": "ws://{at}/cm/stream",
        "um_rest": "http://{at}",
        "cm_rest": "http://{at}",
    }
    PATH = re.compile(r"(?P<cm>/cm)?(?P<route>/\w+?)?/(?:stream|ws(?P<names>/.+)?)")
    MARKED = ("um",)
    merged: bool = True
    ping_every_s: float = 180.0
    pong_within_s: float = 600.0
    most_streams: int = 1024

    def describe(self, symbol: str) -> Listing:
        """BTCUSDT, BTCUSDT_260327; BTCUSD_PERP, BTCUSD_260327 (100 USD a contract for BTC, 10 for the others)."""
        name = name_of(symbol)
        tail = f"_{name.expiry}" if name.expiry else "_PERP" if name.inverse else ""
        return Listing(
            symbol=f"{name.base}{name.quote}{tail}",
            base=name.base,
            quote=name.quote,
            expiry=name.expiry,
            inverse=name.inverse,
            size=Decimal((100 if name.base == "BTC" else 10) if name.inverse else 1),
        )

    def line(self, path: str) -> str | None:
        """um, cm, or retired: the unrouted and foreign paths that ack everything and carry nothing."""
        found = self.PATH.fullmatch(path)
        if found is None:
            return None
        host, route = found["cm"] or "", found["route"] or ""
        return _ROUTES.get((host, route)) or ("retired" if route in _SILENT_ROUTES else None)

    def products(self, peer: Peer) -> list[Listing]:
        """USD-M or COIN-M; nothing on a retired path."""
        shown = [] if peer.line == "retired" else self.listings()
        return [listing for listing in shown if listing.inverse == (peer.line == "cm")]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """All orders on both hosts while merged; a symbol's own stream only on the host of its product."""
        if peer.line == ("cm" if parcel[0].listing.inverse else "um"):
            return super().topics(peer, parcel)
        return [ALL_ORDERS] if self.merged and peer.line != "retired" and ALL_ORDERS in peer.topics else []

    def carried(self, line: str, topic: str) -> bool:
        """Merged, either host will do."""
        lines = ("um", "cm") if self.merged and topic == ALL_ORDERS else (line,)
        return any(peer.line in lines and topic in peer.topics for peer in self.live)

    def extras(self, listing: Listing) -> tuple[dict[str, object], dict[str, object]]:
        """The pair stands inside COIN-M orders, and on the envelope of the others."""
        pair: dict[str, object] = {"ps": f"{listing.base}{listing.quote}"}
        return (pair, {"st": 2}) if listing.inverse else ({}, pair | {"st": 1})

    def told_mark(self, listing: Listing) -> dict[str, object]:
        """With its product's number."""
        return super().told_mark(listing) | {"st": 2 if listing.inverse else 1}

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Exchange information, marks, funding and open interest of both products."""
        if path in past.PATHS:
            return self._past(path, query)
        found = _REST.fullmatch(path)
        shown = [listing for listing in self.listings() if listing.inverse == (path.startswith("/dapi"))]
        match found["what"] if found else "":
            case "exchangeInfo":
                return 200, metadata.exchange_info(shown, self.clock.now())
            case "premiumIndex":
                return premium.premium_index(self, shown)
            case "fundingInfo":
                return premium.funding_info(self, shown, exceptions=True)
            case "openInterest":
                return premium.open_interest(self, shown, query)
            case _:
                return 404, {"code": -5000, "msg": f"Path {path}, Method GET is invalid"}

    def _past(self, path: str, query: Mapping[str, str]) -> Answer:
        """What came before now, of one contract."""
        listing = next((one for one in self.listings() if one.symbol == query.get("symbol")), None)
        if listing is None or listing.inverse:
            return 400, {"code": -1121, "msg": "Invalid symbol."}
        scene = past.Scene(listing, float(self.price(listing)), self.interest, self.clock.now())
        return 200, past.rows(path, query, scene)
