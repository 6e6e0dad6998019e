"""Binance as its futures pages describe it: USD-M at the root, COIN-M under /cm, REST of both beside them.

https://developers.binance.com/docs/derivatives (connect, live subscribing, liquidation and mark price streams,
exchange information) and the notices of 2026-03-05 (routed paths) and 2026-06-30 (merged liquidation streams).
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from service.model import HOUR, SECOND, Side
from service.simulator import metadata
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.listener import Answer
from service.simulator.peer import Peer

ALL_ORDERS = "!forceOrder@arr"
_PATH = re.compile(r"(?P<cm>/cm)?(?P<route>/\w+?)?/(?:stream|ws(?P<names>/.+)?)")
#: `<line>` of a path: only routed USD-M paths and COIN-M carry market data; the rest shakes hands, acks and is silent.
_ROUTES = {("", "/market"): "um", ("/cm", "/market"): "cm", ("/cm", ""): "cm"}
_SILENT_ROUTES = ("", "/public", "/private")
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ORDER_WORDS = {Side.LONG: "SELL", Side.SHORT: "BUY"}
_BANKRUPT = {Side.LONG: Decimal("0.996"), Side.SHORT: Decimal("1.004")}
_MOST_STREAMS = 1024


class Binance(VenueServer):
    """`merged`: both hosts carry the liquidations of both products, as announced for 2026-06-30."""

    name = "binance"
    ENDPOINTS = {  # noqa: RUF012
        "um": "ws://{at}/market/stream",
        "cm": "ws://{at}/cm/stream",
        "um_rest": "http://{at}",
        "cm_rest": "http://{at}",
    }
    merged: bool = True
    ping_every_s: float = 180.0
    pong_within_s: float = 600.0
    life_s: float = 86_400.0
    requests_per_s: int = 10

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
        found = _PATH.fullmatch(path)
        if found is None:
            return None
        host, route = found["cm"] or "", found["route"] or ""
        return _ROUTES.get((host, route)) or ("retired" if route in _SILENT_ROUTES else None)

    def opening(self, peer: Peer) -> list[str]:
        """Streams named in the URL."""
        url = urlsplit(peer.path)
        peer.combined = url.path.endswith("/stream")
        found = _PATH.fullmatch(url.path)
        names = (found["names"] or "")[1:] if found else ""
        streams = parse_qs(url.query).get("streams", [""])[0] if peer.combined else unquote(names)
        return [name for name in streams.split("/") if name]

    async def attend(self, peer: Peer) -> None:
        """A ping frame every 3 minutes, its pong within 10, and the cut after 24 hours."""
        end = self.clock.now() + self.life_s * SECOND
        while (left := (end - self.clock.now()) / SECOND) > 0:
            await self.clock.sleep(min(self.ping_every_s, left))
            try:
                async with asyncio.timeout(self.clock.grace(self.pong_within_s)):
                    await (await peer.ws.ping())
            except TimeoutError:
                await peer.ws.close(1008, "Pong timeout")
                return
        await peer.ws.close(1001, "24 hours are over")

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """One JSON request; a client with more than 10 of them in a second is disconnected."""
        if peer.flooding(self.clock.now(), self.requests_per_s, SECOND):
            await peer.ws.close(1008, "Too many requests")
            return
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._error(peer, 3, "Invalid JSON: expected value at line 1 column 1")
            return
        fields = request if isinstance(request, dict) else {}
        await self._request(peer, fields, len(text))

    async def _request(self, peer: Peer, fields: Mapping[str, object], width: int) -> None:
        method, number, params = fields.get("method"), fields.get("id"), fields.get("params", [])
        if method is None:
            await self._error(peer, 2, f"Invalid request: missing field `method` at line 1 column {width}")
        elif method not in _METHODS:
            expected = ", ".join(f"`{known}`" for known in _METHODS)
            text = f"Invalid request: unknown variant `{method}`, expected one of {expected} at line 1 column {width}"
            await self._error(peer, 2, text)
        elif not isinstance(number, int) or isinstance(number, bool) or number < 0:
            await self._error(peer, 2, "Invalid request: request ID must be an unsigned integer")
        elif not isinstance(params, list):
            await self._error(peer, 2, "Invalid request: property name must be a string")
        elif method.endswith("_PROPERTY"):
            await self._property(peer, params, number)
        else:
            await self._streams(peer, str(method), params, number)

    async def _streams(self, peer: Peer, method: str, params: Sequence[object], number: int) -> None:
        names = [name for name in params if isinstance(name, str)]
        if method == "LIST_SUBSCRIPTIONS":
            await peer.say(_json({"result": list(peer.topics), "id": number}))
        elif len(names) < len(params):
            await self._error(peer, 2, "Invalid request: property name must be a string")
        elif self.faults.refuse or len(peer.topics) + len(names) > _MOST_STREAMS:
            await self._error(peer, 2, "Invalid request: too many parameters")
        else:
            await peer.say(_json({"result": None, "id": number}))
            if method == "SUBSCRIBE":
                self.subscribe(peer, {name: {} for name in names})
            for name in names if method == "UNSUBSCRIBE" else ():
                peer.topics.pop(name, None)

    async def _property(self, peer: Peer, params: Sequence[object], number: int) -> None:
        match list(params):
            case ["combined"]:
                await peer.say(_json({"result": peer.combined, "id": number}))
            case ["combined", bool(value)]:
                peer.combined = value
                await peer.say(_json({"result": None, "id": number}))
            case ["combined", _]:
                await self._error(peer, 1, "Invalid value type: expected Boolean")
            case _:
                await peer.say(_json({"code": 0, "msg": "Unknown property", "id": number}))

    async def _error(self, peer: Peer, code: int, text: str) -> None:
        await peer.say(_json({"code": code, "msg": text}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One order a frame."""
        return [[order] for order in orders]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """All orders on both hosts while merged; a symbol's own stream only on the host of its product."""
        listing = parcel[0].listing
        own = peer.line == ("cm" if listing.inverse else "um")
        names = [ALL_ORDERS] if own or (self.merged and peer.line != "retired") else []
        names += [f"{listing.symbol.lower()}@forceOrder"] if own else []
        return [name for name in names if name in peer.topics]

    def carried(self, line: str, topic: str) -> bool:
        """Merged, either host will do."""
        lines = ("um", "cm") if self.merged and topic == ALL_ORDERS else (line,)
        return any(peer.line in lines and topic in peer.topics for peer in self.live)

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """The order's side; `ap` traded, `p` the limit near bankruptcy; `l` may be anything, as on the real stream."""
        (order,) = parcel
        listing = order.listing
        body: dict[str, object] = {"e": "forceOrder", "E": order.at + 2 + order.at % 5}
        told = {"s": listing.symbol}
        pair = f"{listing.base}{listing.quote}"
        if listing.inverse:
            told["ps"] = pair
        told |= {"S": _ORDER_WORDS[order.side], "o": "LIMIT", "f": "IOC", "q": order.quantity}
        told |= {"p": plain(Decimal(order.price) * _BANKRUPT[order.side]), "ap": order.price, "X": "FILLED"}
        last = order.quantity if order.at % 3 else plain(Decimal(order.quantity) * Decimal("1.07"))
        body["o"] = told | {"l": last, "z": order.quantity, "T": order.at}
        body |= {"st": 2} if listing.inverse else {"ps": pair, "st": 1}
        return self._wrapped(peer, topic, body)

    def mark(self, peer: Peer, topic: str) -> str | None:
        """`!markPrice@arr@1s` of USD-M, `<symbol>@markPrice@1s` on both hosts."""
        listings = [listing for listing in self.listings() if listing.inverse == (peer.line == "cm")]
        if topic in ("!markPrice@arr@1s", "!markPrice@arr") and peer.line == "um":
            return self._wrapped(peer, topic, [self._mark_of(listing) for listing in listings])
        symbol, _, stream = topic.partition("@")
        found = [listing for listing in listings if listing.symbol.lower() == symbol and peer.line != "retired"]
        if stream not in ("markPrice@1s", "markPrice") or not found:
            return None
        return self._wrapped(peer, topic, self._mark_of(found[0]))

    def _mark_of(self, listing: Listing) -> dict[str, object]:
        now, price = self.clock.now(), self.price(listing)
        funding = (now // (8 * HOUR) + 1) * 8 * HOUR
        body = {"e": "markPriceUpdate", "E": now, "s": listing.symbol, "p": price, "P": price, "i": price}
        return body | {"r": "0.00010000", "T": funding, "st": 2 if listing.inverse else 1}

    def _wrapped(self, peer: Peer, topic: str, body: object) -> str:
        return _json({"stream": topic, "data": body} if peer.combined else body)

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:  # noqa: ARG002  # the endpoints take no parameter
        """Exchange information of both products."""
        if path not in ("/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"):
            return 404, {"code": -5000, "msg": f"Path {path}, Method GET is invalid"}
        coin = path.startswith("/dapi")
        shown = [listing for listing in self.listings() if listing.inverse == coin]
        return 200, metadata.exchange_info(shown, self.clock.now())


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
