"""Poloniex v3 futures as its pages describe it: the public socket, the contracts and the history of liquidations.

https://api-docs.poloniex.com/v3/futures (websocket: introduction, liquidation orders, mark price; api: product info,
get liquidation order). Acks, wordings of errors and the silent end of idle clients are what a third party's probes of
2026-09-23 were answered. Every order of a tape is told, also those the venue would leave out.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from service.model import SECOND, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.listener import Answer
from service.simulator.peer import Peer

_PATH = "/ws/v3/public"
_ORDERS, _MARKS = "liquidation_orders", "mark_price"
_ORDER_WORDS = {Side.LONG: "SELL", Side.SHORT: "BUY"}
_FACES = {
    "BTC": "0.001", "ETH": "0.01", "LTC": "0.01", "BCH": "0.01", "BNB": "0.1", "SOL": "0.1", "AVAX": "0.1",
    "LINK": "0.1", "XRP": "10", "ADA": "10", "TRX": "100", "DOGE": "100", "1000SHIB": "100", "1000PEPE": "1000",
}  # fmt: skip
_DEFAULT_PAGE, _LONGEST_PAGE = 10, 100


class Poloniex(VenueServer):
    """`hedged`: contracts whose accounts keep a long and a short, so that posSide tells which; others say BOTH."""

    name = "poloniex"
    ENDPOINTS = {"public": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    max_request_bytes = 65_536
    slot_ms = 1_000
    idle_s: float = 30.0
    requests_per_second: int = 500
    hedged: frozenset[str] = frozenset({"SOL_USDT_PERP", "DOGE_USDT_PERP"})

    def describe(self, symbol: str) -> Listing:
        """BTC_USDT_PERP; there are no others than those against USDT."""
        coin = name_of(symbol).base
        return Listing(
            symbol=f"{coin}_USDT_PERP",
            base=coin,
            quote="USDT",
            expiry="",
            inverse=False,
            size=Decimal(_FACES.get(coin, "1")),
        )

    def line(self, path: str) -> str | None:
        """The public socket is the only one."""
        return "public" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """Cut, without a word, after 30 s in which the client said nothing, whatever it is told meanwhile."""
        await peer.idle(self.clock.grace(self.idle_s), lambda: peer.heard_at)
        peer.abort()

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """Pings as JSON or as a bare word, and requests, each answered a channel at a time."""
        try:
            words = {"event": "ping"} if str(text).lower() == "ping" else msgspec.json.decode(text)
            request = msgspec.convert(words, dict[str, object])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            await self._error(peer, f"Not JSON string：{str(text)[:100]}")
            return
        if peer.flooding(self.clock.now(), self.requests_per_second, SECOND):
            peer.abort()
            return
        match request:
            case {"event": "ping"}:
                if not self.faults.mute_pongs:
                    await peer.say('{"event":"pong"}')
            case {"event": "list_subscriptions"}:
                await peer.say(_json({"subscriptions": sorted({topic.partition(":")[0] for topic in peer.topics})}))
            case {"event": "unsubscribe_all"}:
                peer.topics.clear()
                await peer.say('{"event":"unsubscribe_all"}')
            case {"event": "subscribe" | "unsubscribe" as event, "channel": [*channels], "symbols": [*names]}:
                await self._topics(peer, str(event), [*map(str, channels)], [*map(str, names)])
            case _:
                await self._error(peer, "Bad request")

    async def _topics(self, peer: Peer, event: str, channels: Sequence[str], names: Sequence[str]) -> None:
        unknown = [channel for channel in channels if channel not in (_ORDERS, _MARKS)]
        listed = {listing.symbol for listing in self.listings()}
        known = [name for name in names if name in listed]
        if unknown or not channels:
            await self._error(peer, f"Invalid channel values {_json(unknown)}")
        elif "all" in names:
            await self._error(peer, "All symbols subscription is not allowed")
        elif not known or (self.faults.refuse and event == "subscribe"):
            await self._error(peer, "no valid symbols")
        else:
            for channel in channels:
                await peer.say(_json({"event": event, "channel": channel, "symbols": known}))
                topics = {f"{channel}:{name}": dict[str, str]() for name in known}
                if event == "subscribe":
                    self.subscribe(peer, topics)
                for topic in topics if event == "unsubscribe" else ():
                    peer.topics.pop(topic, None)

    async def _error(self, peer: Peer, text: str) -> None:
        """An error names neither the request nor the contract."""
        await peer.say(_json({"message": text, "event": "error"}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """An order a frame."""
        return [[order] for order in orders]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """One topic a contract."""
        topic = f"{_ORDERS}:{parcel[0].listing.symbol}"
        return [topic] if topic in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """When it was completed, and when it is told."""
        rows = [{"s": order.listing.symbol, **self._row(order)} for order in parcel]
        told = [row | {"uTime": order.at, "ts": self.clock.now()} for row, order in zip(rows, parcel, strict=True)]
        return _json({"channel": _ORDERS, "data": told})

    def _row(self, order: Order) -> dict[str, object]:
        position = str(order.side).upper() if order.listing.symbol in self.hedged else "BOTH"
        word = _ORDER_WORDS[order.side]
        return {"side": word, "posSide": position, "sz": order.quantity, "bkPx": order.price}

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """The mark price of one contract, each second."""
        channel, _, symbol = topic.partition(":")
        if channel != _MARKS:
            return None
        row = {"ts": self.clock.now(), "s": symbol, "mPx": self.price(self.describe(symbol))}
        return _json({"channel": _MARKS, "data": [row]})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """The contracts, or what was liquidated; what is wrong with a request is said with status 200."""
        if path not in ("/v3/market/allInstruments", "/v3/market/liquidationOrder"):
            return 404, {"code": 404, "message": f'Resources do not exist [404 NOT_FOUND "{path[1:]}"]'}
        shown = [own for own in self.listings() if query.get("symbol", own.symbol) == own.symbol]
        if not shown:
            return 200, {"code": 24101, "msg": "Invalid symbol!", "data": ""}
        if path.endswith("allInstruments"):
            return 200, _success([_contract(listing) for listing in shown])
        numbers = [query.get(name, "0") for name in ("sTime", "eTime", "limit")]
        if not all(text.isdigit() for text in numbers) or int(numbers[2]) > _LONGEST_PAGE:
            return 200, {"code": 24104, "msg": "Invalid limit!", "data": ""}
        start, end, limit = (int(text) for text in numbers)
        return 200, self._history(query.get("symbol"), start, end or self.clock.now(), limit or _DEFAULT_PAGE)

    def _history(self, symbol: str | None, start: int, end: int, limit: int) -> Mapping[str, object]:
        """Oldest first, both edges inside; names without underscores and eighteen decimals, as on the page."""
        mine = [own for own in self.happened if start <= own.at <= end and symbol in (None, own.listing.symbol)]
        mine.sort(key=lambda order: order.at)
        return _success(
            [
                {"symbol": order.listing.symbol.replace("_", ""), **self._row(order)}
                | {"bkPx": f"{Decimal(order.price):.18f}", "uTime": str(order.at)}
                for order in mine[:limit]
            ]
        )


def _success(data: Sequence[object]) -> Mapping[str, object]:
    return {"code": 200, "msg": "success", "data": data}


def _contract(listing: Listing) -> Mapping[str, str]:
    row = {"symbol": listing.symbol, "bAsset": f".P{listing.base}USDT", "bCcy": listing.base, "qCcy": listing.quote}
    row |= {"visibleStartTime": "1620390600000", "tradableStartTime": "1620390600000", "sCcy": listing.quote}
    row |= {"tSz": "0.001", "pxScale": "0.001,0.01,0.1,1,10", "lotSz": "1", "minSz": "1", "ctVal": plain(listing.size)}
    row |= {"status": "OPEN", "oDate": "1620287590000", "maxPx": "1000000", "minPx": "0.001", "maxQty": "1000000"}
    row |= {"minQty": "1", "maxLever": "50", "lever": "10", "ctType": "LINEAR", "alias": "", "iM": "0.02"}
    return row | {"mM": "0.0115", "mR": "2000", "ordPxRange": "0.05", "marketMaxQty": "2800", "limitMaxQty": "1000000"}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
