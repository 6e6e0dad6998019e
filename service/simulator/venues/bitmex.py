"""BitMEX as its pages describe it: tables told as differences on one socket, and its active instruments.

https://www.bitmex.com/app/wsAPI (subscriptions, heartbeats, response format) and the API explorer (Instrument,
Liquidation). The words of refusals are those the live service was seen to send.
"""

import asyncio
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import msgspec

from service.clock import Clock
from service.model import SECOND, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain, price_of
from service.simulator.faults import Faults
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import bitmex as standing

_PATH = "/realtime"
_DOCS = "https://www.bitmex.com/app/wsAPI"
_TABLES = ("liquidation", "instrument")
_ORDER_WORDS = {Side.LONG: "Sell", Side.SHORT: "Buy"}
_SATOSHIS, _MICRO = 100_000_000, 1_000_000
#: Satoshis a contract pays per point of its price, and contracts a coin; the rest as for a mid-sized coin.
_QUANTO, _PER_COIN = {"ETH": 100, "XRP": 20_000, "LTC": 200}, {"XBT": 1_000_000, "ETH": 100_000, "SOL": 10_000}
_OTHER_QUANTO, _OTHER_PER_COIN = 10_000, 100
_MONTHS = dict(zip(range(1, 13), "FGHJKMNQUVXZ", strict=True))
#: One price of bitcoin for the whole play: quanto orders are made of it, so that their dollars come out exactly.
_BITCOIN = price_of("BTC")
_OPEN = 3
_DATED = re.compile(r"([A-Z0-9]+)([HMUZ]\d{2})")
_NAMES = uuid.UUID("dd9cea25-207c-0dab-15b5-b88da776f500")
_KEYS: Mapping[str, str] = {"liquidation": "orderID", "instrument": "symbol"}


class Bitmex(VenueServer):
    """Contracts in XBT (inverse), USDT (linear) and, for other coins against the dollar, quanto paid out in XBT."""

    name = "bitmex"
    ENDPOINTS = {"public": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    standing = 30

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self.open: list[Order] = []
        """Orders still in the table: whoever subscribes gets them in the partial."""
        self._left = 720

    def describe(self, symbol: str) -> Listing:
        """XBTUSD, XBTUSDT, ETHUSD (quanto), XBTH26. `size` of a quanto is dollars a point at the price of the play."""
        dated = _DATED.fullmatch(symbol)
        name = name_of(f"{dated[1]}USD{dated[2]}" if dated else symbol)
        coin = "XBT" if name.base == "BTC" else name.base
        quote = "USD" if name.inverse else "USDT"
        inverse = quote == "USD" and coin == "XBT"
        quanto = Decimal(_QUANTO.get(coin, _OTHER_QUANTO)) / _SATOSHIS * _BITCOIN
        linear = Decimal(1) / _PER_COIN.get(coin, _OTHER_PER_COIN)
        tail = name.expiry
        if tail.isdigit():
            tail = f"{_MONTHS[int(tail[2:4])]}{tail[:2]}"
        return Listing(
            symbol=coin + (quote if quote == "USDT" or not tail else "") + tail,
            base=coin,
            quote=quote,
            expiry=tail,
            inverse=inverse,
            size=Decimal(1) if inverse else linear if quote == "USDT" else quanto,
        )

    def price(self, listing: Listing) -> str:
        """Bitcoin against the dollar stands still."""
        return plain(_BITCOIN) if listing.symbol == "XBTUSD" else super().price(listing)

    def line(self, path: str) -> str | None:
        """One socket for everything."""
        return "public" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """The greeting, and answers to what the path asked for. Nobody is cut off for being quiet."""
        self._left -= 1
        greeting = {"info": "Welcome to the BitMEX Realtime API.", "version": "2.0.0", "timestamp": self._time()}
        limit = {"docs": _DOCS, "heartbeatEnabled": False, "limit": {"remaining": self._left}}
        await peer.say(_json(greeting | limit))
        asked = parse_qs(urlsplit(peer.path).query).get("subscribe", [""])[0]
        if asked:
            await self._subscribe(peer, {"op": "subscribe", "args": asked.split(",")}, asked.split(","))
        await peer.ws.wait_closed()

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """The text ping, `help`, or a JSON request."""
        if text == "ping":
            if not self.faults.mute_pongs:
                await peer.say("pong")
            return
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._error(peer, {}, "Unrecognized request. See the docs or send 'help' for more details.")
            return
        given = request.get("args", [])
        names = [str(name) for name in given] if isinstance(given, list) else [str(given)]
        match request.get("op"):
            case "subscribe":
                await self._subscribe(peer, request, names)
            case "unsubscribe":
                for name in names:
                    peer.topics.pop(name, None)
                    await peer.say(_json({"success": True, "unsubscribe": name, "request": request}))
            case _:
                await self._error(peer, request, "Unrecognized request. See the docs or send 'help' for more details.")

    async def _subscribe(self, peer: Peer, request: Mapping[str, object], names: Sequence[str]) -> None:
        """Each topic is answered by itself, and begins with the table as it is."""
        for name in names:
            table, _, symbol = name.partition(":")
            if self.faults.refuse or table not in _TABLES:
                await self._error(peer, request, f"Unknown table: {table}")
                continue
            await peer.say(_json({"success": True, "subscribe": name, "request": request}))
            rows = [_placed(order) for order in self.open if symbol in ("", order.listing.symbol)]
            if table == "instrument":
                rows = [self._instrument(row) for row in self.listings() if symbol in ("", row.symbol)]
            shape = {"keys": [_KEYS[table]], "types": {}, "filter": {"symbol": symbol} if symbol else {}}
            if not self.faults.silence:
                await peer.say(_json({"table": table, "action": "partial", **shape, "data": rows}))
            self.subscribe(peer, {name: {}})

    async def _error(self, peer: Peer, request: Mapping[str, object], text: str) -> None:
        await peer.say(_json({"status": 400, "error": text, "meta": {}, "request": request}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """What enters the table in one moment is one insert."""
        return [list(orders)]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The whole table, or that of single contracts."""
        names = dict.fromkeys(["liquidation", *(f"liquidation:{order.listing.symbol}" for order in parcel)])
        return [name for name in names if name in peer.topics]

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """Orders placed; no row tells a time."""
        symbol = topic.partition(":")[2]
        rows = [_placed(order) for order in parcel if symbol in ("", order.listing.symbol)]
        return _json({"table": "liquidation", "action": "insert", "data": rows})

    async def push(self, orders: Sequence[Order], *, wait: bool) -> list[Order]:
        """Orders heard are then filled: less of them is left, and all but the last few leave the table."""
        got = await super().push(orders, wait=wait)
        table = [*self.open, *got]
        self.open = table[-_OPEN:]
        less = [{**_key(order), "leavesQty": float(order.quantity) / 2} for order in got]
        for action, rows in (("update", less), ("delete", [_key(order) for order in table[:-_OPEN]])):
            text = _json({"table": "liquidation", "action": action, "data": rows})
            listeners = [peer for peer in self.live if rows and "liquidation" in peer.topics]
            await asyncio.gather(*(peer.say(text) for peer in listeners))
        return got

    def _spoilt(self, kind: str, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """Orders that tell no time cannot be ten years ahead."""
        return super()._spoilt("noise" if kind == "future" else kind, peer, topic, parcel)

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """What changed of an instrument: its mark, and in every other update only its last price."""
        table, _, symbol = topic.partition(":")
        if table != "instrument":
            return None
        price, now = float(self.price(self.describe(symbol or "XBTUSD"))), self.clock.now()
        told = {"markPrice": price, "fairPrice": price} if now // SECOND % 2 else {"lastPrice": price}
        row = {"symbol": symbol or "XBTUSD", **told, "timestamp": self._time()}
        return _json({"table": "instrument", "action": "update", "data": [row]})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:  # noqa: ARG002  # the endpoint takes no parameter
        """Active instruments: contracts, and a pair of the spot market."""
        if path != "/api/v1/instrument/active":
            return 404, {"error": {"message": "Not Found", "name": "HTTPError"}}
        spot = {"symbol": "XBT_USDT", "rootSymbol": "XBT", "state": "Open", "typ": "IFXXXP", "underlying": "XBT"}
        pair = spot | {"quoteCurrency": "USDT", "settlCurrency": None, "isQuanto": False, "isInverse": False}
        return 200, [*(self._instrument(listing) for listing in self.listings()), pair]

    def _instrument(self, listing: Listing) -> dict[str, object]:
        quanto = listing.quote == "USD" and not listing.inverse
        per_coin = None if listing.quote == "USD" else _PER_COIN.get(listing.base, _OTHER_PER_COIN)
        paid = _QUANTO.get(listing.base, _OTHER_QUANTO) if quanto else -_SATOSHIS
        return {
            "symbol": listing.symbol,
            "rootSymbol": listing.base,
            "state": "Open",
            "typ": "FFCCSX" if listing.expiry else "FFWCSX",
            "positionCurrency": "USD" if listing.inverse else "" if quanto else listing.base,
            "underlying": listing.base,
            "quoteCurrency": listing.quote,
            "multiplier": _MICRO // per_coin if per_coin else paid,
            "settlCurrency": "USDt" if per_coin else "XBt",
            "underlyingToPositionMultiplier": per_coin,
            "underlyingToSettleMultiplier": -_SATOSHIS if listing.inverse else None,
            "quoteToSettleMultiplier": _MICRO if per_coin else None,
            "isQuanto": quanto,
            "isInverse": listing.inverse,
            "markPrice": float(self.price(listing)),
            "timestamp": self._time(),
            **standing.held(self, listing),
        }

    def _time(self) -> str:
        return f"{datetime.fromtimestamp(self.clock.now() / SECOND, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _key(order: Order) -> dict[str, object]:
    """Equal orders have equal ids, in every run."""
    told = f"{order.listing.symbol} {order.side} {order.at} {order.price} {order.quantity}"
    return {"orderID": str(uuid.uuid5(_NAMES, told)), "symbol": order.listing.symbol}


def _placed(order: Order) -> dict[str, object]:
    word = _ORDER_WORDS[order.side]
    return {**_key(order), "side": word, "price": float(order.price), "leavesQty": float(order.quantity)}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
