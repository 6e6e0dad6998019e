"""Kraken Futures as its pages describe it: the v1 socket, instruments and the history of trades.

https://docs.kraken.com/api/docs/futures-api (websocket trade and heartbeat, trading get-instruments,
get-tickers, get-history); wordings of refusals are those the live service was seen to send in 2026.
"""

import asyncio
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from service.clock import Clock
from service.model import Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.faults import Faults
from service.simulator.interest import Interest
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import kraken as standing

_TRADE, _HEARTBEAT = "trade", "heartbeat"
_FEEDS = (_TRADE, _HEARTBEAT, "ticker", "ticker_lite", "book")
_OWN = re.compile(r"(?P<kind>P|F)(?P<margin>I|F)_(?P<base>.+?)USD(?:_(?P<expiry>\d{6}))?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_TAKER_WORDS = {Side.LONG: "sell", Side.SHORT: "buy"}
_PAGE = 100

Trade = Mapping[str, object]


class Kraken(VenueServer):
    """Each liquidation has an ordinary fill of the same millisecond before it, in snapshots and in the history."""

    name = "kraken"
    ENDPOINTS = {"public": "ws://{at}/ws/v1", "rest": "http://{at}"}  # noqa: RUF012
    tick_s = 1.0
    quiet_s: float = 60.0

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self.interest = Interest(funding=0.000006, interval_h=1)

    def describe(self, symbol: str) -> Listing:
        """PF_XBTUSD for a tape's dollar-margined contract, PI_XBTUSD for an inverse one; FF_ and FI_ with a date."""
        own = _OWN.fullmatch(symbol)
        name = name_of(symbol)
        inverse = own["margin"] == "I" if own else name.inverse
        expiry = (own["expiry"] or "") if own else name.expiry
        base = own["base"] if own else name.base
        base = "BTC" if base == "XBT" else base
        head = f"{'F' if expiry else 'P'}{'I' if inverse else 'F'}_{'XBT' if base == 'BTC' else base}USD"
        tail = f"_{expiry}" if expiry else ""
        return Listing(symbol=f"{head}{tail}", base=base, quote="USD", expiry=expiry, inverse=inverse, size=Decimal(1))

    def standing_symbols(self) -> list[str]:
        """Perpetuals, and two dated contracts."""
        return [*super().standing_symbols(), "FF_XBTUSD_260327", "FI_XBTUSD_260327"]

    def line(self, path: str) -> str | None:
        """The one socket."""
        return "public" if path == "/ws/v1" else None

    async def attend(self, peer: Peer) -> None:
        """The greeting; a client without heartbeats that says nothing for a minute is cut."""
        await peer.say(_json({"event": "info", "version": 1}))
        while True:
            await peer.idle(self.clock.grace(self.quiet_s), lambda: peer.heard_at)
            if _HEARTBEAT not in peer.topics:
                await peer.ws.close(1001, "idle")
                return
            peer.heard()
            await asyncio.sleep(0)

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """Subscribe and unsubscribe; products are answered one by one, in the order of the requests."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
            products = msgspec.convert(request.get("product_ids", []), list[str])
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
            await peer.say(_json({"event": "error", "message": "Json Error"}))
            return
        event, feed = request.get("event"), request.get("feed")
        if event not in ("subscribe", "unsubscribe"):
            await self._alert(peer, "Bad websocket message")
        elif feed not in _FEEDS:
            await self._alert(peer, "Couldn't subscribe to invalid feed")
        elif feed == _HEARTBEAT:
            await self._heartbeat(peer, str(event))
        else:
            for product in products:
                await self._product(peer, str(event), str(feed), product)

    async def _heartbeat(self, peer: Peer, event: str) -> None:
        await peer.say(_json({"event": f"{event}d", "feed": _HEARTBEAT}))
        if event == "subscribe":
            self.subscribe(peer, {_HEARTBEAT: {}})
        else:
            peer.topics.pop(_HEARTBEAT, None)

    async def _product(self, peer: Peer, event: str, feed: str, product: str) -> None:
        topic = f"{feed}:{product}"
        if self.faults.refuse or product not in {listing.symbol for listing in self.listings()}:
            await self._alert(peer, f"Couldn't subscribe to invalid product `{product}`")
        elif event == "subscribe" and topic in peer.topics:
            await self._alert(peer, "Already subscribed to feed, re-requesting")
        else:
            await peer.say(_json({"event": f"{event}d", "feed": feed, "product_ids": [product]}))
            if event == "unsubscribe":
                peer.topics.pop(topic, None)
                return
            self.subscribe(peer, {topic: {}})
            if feed == _TRADE and not self.faults.silence:
                trades = [] if self.faults.hollow else self._last(product)
                await peer.say(_json({"feed": "trade_snapshot", "product_id": product, "trades": trades}))

    async def _alert(self, peer: Peer, text: str) -> None:
        await peer.say(_json({"event": "alert", "message": text}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """A frame for each trade."""
        return [[order] for order in orders]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The trades of the product."""
        topic = f"{_TRADE}:{parcel[0].listing.symbol}"
        return [topic] if topic in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """`side` is the taker's."""
        del peer, topic
        (order,) = parcel
        return _json(_live(order, "liquidation"))

    def mark(self, peer: Peer, topic: str) -> str | None:
        """The heartbeat."""
        del peer
        return _json({"feed": _HEARTBEAT, "time": self.clock.now()}) if topic == _HEARTBEAT else None

    def _last(self, product: str) -> list[Trade]:
        """The last trades of a product, newest first."""
        own = [order for order in self.happened if order.listing.symbol == product][-_PAGE // 2 :]
        return [_live(order, kind) for order in _newest(own) for kind in ("liquidation", "fill")]

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Contracts; tickers; trades of one product before a time."""
        now = _text(self.clock.now())
        if path == "/derivatives/api/v3/instruments":
            shown = [_contract(listing) for listing in self.listings()]
            index = {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False}
            return 200, {"result": "success", "instruments": [*shown, index], "serverTime": now}
        if path == "/derivatives/api/v3/tickers":
            return 200, {"result": "success", "tickers": standing.tickers(self), "serverTime": now}
        if path != "/derivatives/api/v3/history":
            errors = [{"code": 0, "message": "404 NOT_FOUND"}]
            return 404, {"status": "NOT_FOUND", "result": "error", "errors": errors, "serverTime": now}
        product, last = query.get("symbol", "").upper(), query.get("lastTime", now)
        listed = any(listing.symbol == product for listing in self.listings())
        if not listed or not _TIME.fullmatch(last):
            errors = [{"code": 11, "message": f"Argument invalid: {'lastTime' if listed else 'symbol'}"}]
            return 400, {"status": "BAD_REQUEST", "result": "error", "errors": errors, "serverTime": now}
        before = round(datetime.fromisoformat(last).timestamp() * 1_000)
        own = [order for order in self.happened if order.listing.symbol == product and order.at < before]
        rows = [_past(order, kind) for order in _newest(own) for kind in ("liquidation", "fill")][:_PAGE]
        return 200, {"result": "success", "history": rows, "serverTime": now}


def _newest(orders: Sequence[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: order.at, reverse=True)


def _uid(order: Order, kind: str) -> str:
    key = (kind, order.listing.symbol, order.side, order.price, order.quantity, str(order.at))
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join(key)))


def _live(order: Order, kind: str) -> Trade:
    """A trade as the socket shows it."""
    return {
        "feed": _TRADE,
        "product_id": order.listing.symbol,
        "uid": _uid(order, kind),
        "side": _TAKER_WORDS[order.side],
        "type": kind,
        "seq": order.at // 1_000 % 1_000_000,
        "time": order.at,
        "qty": _number(order.quantity),
        "price": _number(order.price),
    }


def _past(order: Order, kind: str) -> Trade:
    """The same trade as the history shows it."""
    return {
        "time": _text(order.at),
        "trade_id": order.at // 1_000 % 1_000_000,
        "price": _number(order.price),
        "size": _number(order.quantity),
        "side": _TAKER_WORDS[order.side],
        "type": kind,
        "uid": _uid(order, kind),
    }


def _contract(listing: Listing) -> Mapping[str, object]:
    levels = "contracts" if listing.inverse else "numNonContractUnits"
    body = {
        "symbol": listing.symbol,
        "type": "futures_inverse" if listing.inverse else "flexible_futures",
        "tickSize": 0.5,
        "contractSize": 1,
        "tradeable": True,
        "impactMidSize": 1.0,
        "maxPositionSize": 1_000_000.0,
        "openingDate": "2022-03-22T13:15:36Z",
        "marginLevels": [{levels: 0, "initialMargin": 0.02, "maintenanceMargin": 0.01}],
        "contractValueTradePrecision": 4,
        "postOnly": False,
        "base": listing.base,
        "quote": "USD",
        "pair": f"{listing.base}:USD",
        "tradfi": False,
        "isExpired": False,
    }
    return body | ({"underlying": f"rr_{listing.base.lower()}usd"} if listing.inverse else {})


def _number(text: str) -> msgspec.Raw:
    """A number as it is spelt."""
    return msgspec.Raw(text.encode())


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
