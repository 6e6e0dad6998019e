"""OKX v5 as its pages describe it: the public socket, the instruments endpoint and the history of filled orders.

https://www.okx.com/docs-v5 (websocket subscribe, connect and notification; liquidation orders and mark price
channels; get instruments, open interest, mark price and funding rate; error codes of the public socket). The history's
page is gone since 2026; third parties still call it, and from them come its parameters, code 50015 and the `$ref` in
the place of an item told before.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from service.clock import Clock
from service.model import HOUR, Side
from service.simulator import metadata
from service.simulator.base import VenueServer
from service.simulator.contracts import COINS, Listing, Order, name_of
from service.simulator.faults import Faults
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import okx as standing

_PATH = "/ws/v5/public"
_ORDERS = "liquidation-orders"
_KINDS = ("SWAP", "FUTURES", "MARGIN", "OPTION")
_ORDER_WORDS = {Side.LONG: "sell", Side.SHORT: "buy"}
_REPLAYED = 20
_LONGEST_PAGE = 100
_NO_FAMILY = "Either parameter uly or instFamily is required"

Arg = Mapping[str, str]


class Okx(VenueServer):
    """`net`: contracts whose closed position is told as `net` with the order's side, not as long or short."""

    name = "okx"
    ENDPOINTS = {"public": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    max_request_bytes = 65_536
    slot_ms = 200
    tick_s = 0.2
    idle_s: float = 30.0
    requests_per_hour: int = 480
    net: frozenset[str] = frozenset({"SOL-USDT-SWAP", "DOGE-USDT-SWAP", "BTC-USD-SWAP"})

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self.recent: deque[Order] = deque(maxlen=_REPLAYED)

    def describe(self, symbol: str) -> Listing:
        """BTC-USDT-SWAP, BTC-USD-SWAP (inverse, 100 USD; others 10), BTC-USDT-260327 (under FUTURES)."""
        name = name_of(symbol)
        face = ("100" if name.base == "BTC" else "10") if name.inverse else COINS.get(name.base, ("", "1"))[1]
        return Listing(
            symbol=f"{name.base}-{name.quote}-{name.expiry or 'SWAP'}",
            base=name.base,
            quote=name.quote,
            expiry=name.expiry,
            inverse=name.inverse,
            size=Decimal(face),
        )

    def standing_symbols(self) -> list[str]:
        """Perpetuals, and three dated contracts."""
        return [*super().standing_symbols(), "BTC-USD-260327", "ETH-USD-260327", "BTC-USDT-260327"]

    def line(self, path: str) -> str | None:
        """The public socket is the only one."""
        return "public" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """Closed after 30 s in which the client said nothing."""
        await peer.idle(self.clock.grace(self.idle_s), lambda: peer.heard_at)
        await peer.ws.close(4004, "No data received in 30s")

    async def announce_close(self, after_s: float = 60.0) -> None:
        """Tell every client that its connection will be closed for an upgrade, and close it `after_s` later (clock)."""
        leaving = self.live
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        notices = [_json({"event": "notice", "code": "64008", "msg": text, "connId": peer.id[:8]}) for peer in leaving]
        await asyncio.gather(*(peer.say(notice) for peer, notice in zip(leaving, notices, strict=True)))
        self.spawn(self._leave(leaving, after_s))

    async def _leave(self, leaving: Sequence[Peer], after_s: float) -> None:
        await self.clock.sleep(after_s)
        await asyncio.gather(*(peer.ws.close(1001, "service upgrade") for peer in leaving))

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """The text ping, or a JSON request whose every argument is answered by itself."""
        if text == "ping":
            if not self.faults.mute_pongs:
                await peer.say("pong")
            return
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
            args = msgspec.convert(request.get("args"), list[dict[str, str]])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._error(peer, {}, "60012", f"Invalid request: {str(text)[:500]}")
            return
        number = {"id": str(request["id"])} if "id" in request else {}
        if request.get("op") not in ("subscribe", "unsubscribe"):
            await self._error(peer, number, "60019", f"Invalid op: {request.get('op')}")
        elif peer.flooding(self.clock.now(), self.requests_per_hour, HOUR):
            await self._error(peer, number, "60014", "Requests too frequent")
        else:
            for arg in args:
                await self._arg(peer, str(request["op"]), arg, number)

    async def _arg(self, peer: Peer, op: str, arg: Arg, number: Arg) -> None:
        topic = self._topic(arg)
        if topic is None or (self.faults.refuse and op == "subscribe"):
            what = ",".join(f"{name}:{value}" for name, value in arg.items())
            advice = "Please use the correct URL, channel and parameters referring to API document."
            await self._error(peer, number, "60018", f"Wrong URL or {what} doesn't exist. {advice}")
            return
        await peer.say(_json({**number, "event": op, "arg": arg, "connId": peer.id[:8]}))
        if op == "unsubscribe":
            peer.topics.pop(topic, None)
            return
        self.subscribe(peer, {topic: {**arg, **number}})
        old = [order for order in self.recent if topic == _topic_of(order.listing)]
        if old and not self.faults.silence:
            await peer.say(self.frame(peer, topic, old))

    def _topic(self, arg: Arg) -> str | None:
        match arg:
            case {"channel": "liquidation-orders", "instType": kind} if kind in _KINDS:
                return f"{_ORDERS}:{kind}"
            case {"channel": "mark-price", "instId": symbol} if any(symbol == own.symbol for own in self.listings()):
                return f"mark-price:{symbol}"
            case _:
                return None

    async def _error(self, peer: Peer, number: Arg, code: str, text: str) -> None:
        await peer.say(_json({**number, "event": "error", "code": code, "msg": text, "connId": peer.id[:8]}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One frame for each kind of contract."""
        found: dict[str, list[Order]] = {}
        for order in orders:
            found.setdefault(_kind(order.listing), []).append(order)
        return list(found.values())

    def remember(self, parcel: Sequence[Order]) -> None:
        """The last orders are told once more to whoever subscribes."""
        super().remember(parcel)
        self.recent.extend(parcel)

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """All contracts of a kind share one channel."""
        topic = _topic_of(parcel[0].listing)
        return [topic] if topic in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """`details` in the order given, grouped by contract; no `uly`, as in captures of 2026."""
        return _push(peer.topics.get(topic, {}), self._items(parcel))

    def _items(self, orders: Sequence[Order]) -> list[dict[str, object]]:
        details: dict[Listing, list[object]] = {}
        for order in orders:
            details.setdefault(order.listing, []).append(self._detail(order))
        return [
            {"instId": own.symbol, "instFamily": _family(own), "instType": _kind(own), "details": rows}
            for own, rows in details.items()
        ]

    def _detail(self, order: Order) -> Mapping[str, str]:
        position = "net" if order.listing.symbol in self.net else str(order.side)
        body = {"bkLoss": "0", "bkPx": order.price, "ccy": "", "posSide": position}
        return body | {"side": _ORDER_WORDS[order.side], "sz": order.quantity, "ts": str(order.at)}

    def mark(self, peer: Peer, topic: str) -> str | None:
        """The mark price of one contract."""
        channel, _, symbol = topic.partition(":")
        if channel == _ORDERS:
            return None
        listing = self.describe(symbol)
        return _push(peer.topics.get(topic, {}), [{"instType": _kind(listing)} | standing.mark(self, listing)])

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Instruments, open interest and marks of one type, filled orders of one family, funding."""
        kind = query.get("instType", "")
        if path not in ("/api/v5/public/instruments", "/api/v5/public/liquidation-orders", *standing.PATHS):
            return 404, {"code": "404", "msg": "Not Found", "data": []}
        if not kind and path != standing.FUNDING:
            return 400, {"code": "50014", "msg": "Parameter instType can not be empty.", "data": []}
        if kind not in ("SPOT", *_KINDS, ""):
            return 400, {"code": "51000", "msg": "Parameter instType error", "data": []}
        if path.endswith("liquidation-orders"):
            return self._history(kind, query)
        shown = [listing for listing in self.listings() if _kind(listing) == (kind or "SWAP")]
        if query.get("instId", "ANY") != "ANY":
            shown = [listing for listing in shown if listing.symbol == query["instId"]]
        return (
            standing.answer(self, path, kind, shown)
            if path in standing.PATHS
            else (200, metadata.instruments(kind, shown))
        )

    def _history(self, kind: str, query: Mapping[str, str]) -> Answer:
        """The last rows older than `after`; `limit` counts rows, not items, and the contracts of a family share it."""
        family = query.get("instFamily") or query.get("uly")
        if not family:
            return 400, {"code": "50015", "msg": _NO_FAMILY, "data": []}
        after, limit = int(query.get("after") or self.clock.now() + 1), int(query.get("limit") or _LONGEST_PAGE)
        found = [
            order
            for order in self.happened
            if order.at < after and (_kind(order.listing), _family(order.listing)) == (kind, family)
        ]
        found.sort(key=lambda order: order.at, reverse=True)
        items = self._items(found[: min(limit, _LONGEST_PAGE)] if query.get("state") == "filled" else [])
        refs = [{"$ref": "$.data[0]"}] if items else []
        return 200, {"code": "0", "msg": "", "data": [{**item, "totalLoss": "0"} for item in items] + refs}


def _kind(listing: Listing) -> str:
    return "FUTURES" if listing.expiry else "SWAP"


def _family(listing: Listing) -> str:
    return listing.symbol.rpartition("-")[0]


def _topic_of(listing: Listing) -> str:
    return f"{_ORDERS}:{_kind(listing)}"


def _push(subscribed: Arg, data: Sequence[object]) -> str:
    arg = {name: value for name, value in subscribed.items() if name != "id"}
    number = {"id": subscribed["id"]} if "id" in subscribed else {}
    return _json({**number, "arg": arg, "data": data})


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
