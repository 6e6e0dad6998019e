"""Lighter as its pages show it: the stream of trades and of the height, and the list of markets.

https://apidocs.lighter.xyz/docs (websocket reference, rate limits, constants and errors).
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, localcontext
from hashlib import blake2b
from itertools import groupby

import msgspec

from service.clock import Clock
from service.model import MINUTE, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.faults import Faults
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import lighter as standing

_PATH = "/stream"
_HEIGHT = "height"
_SPOT = 2048
_REPLAYED = 50
_HEIGHT_MS = 200


class Lighter(VenueServer):
    """Markets have numbers; a market's trades of 50 ms travel in one frame."""

    name = "lighter"
    ENDPOINTS = {"stream": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    slot_ms = 50
    tick_s = 0.2
    ping_s: float = 60.0
    idle_s: float = 120.0
    subscriptions: int = 100
    messages_per_minute: int = 200

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        self.complaints: list[str] = []
        """Every error said so far."""
        self.numbers: dict[str, int] = {"ETH": 0, "BTC": 1, "SOL": 2}
        self.recent: dict[str, deque[Order]] = {}
        self._heard_at: deque[int] = deque()
        self._nonce = 0
        super().__init__(clock, symbols, faults)

    def describe(self, symbol: str) -> Listing:
        """A perpetual by its number, or by any name of a tape; counted in dollars, which a frame states itself."""
        named = {str(number): coin for coin, number in self.numbers.items()}
        coin = named.get(symbol) or name_of(symbol).base
        number = self.numbers.setdefault(coin, len(self.numbers))
        return Listing(symbol=str(number), base=coin, quote="USDC", expiry="", inverse=True, size=Decimal(1))

    def line(self, path: str) -> str | None:
        """The stream is the only socket."""
        return "stream" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """A greeting, then a ping as JSON now and then; who says nothing for two minutes is cut."""
        await peer.say(_json({"session_id": peer.id, "type": "connected"}))
        pinging = asyncio.create_task(self._ping(peer))
        try:
            await peer.idle(self.clock.grace(self.idle_s), lambda: peer.heard_at)
            await peer.ws.close(1000, "no frame for two minutes")
        finally:
            pinging.cancel()

    async def _ping(self, peer: Peer) -> None:
        pause_s = min(self.clock.grace(self.ping_s), self.clock.grace(self.idle_s) / 2)
        while True:
            await peer.say('{"type":"ping"}')
            await asyncio.sleep(pause_s)

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """One request a frame; all sockets of an address share one allowance."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._error(peer, 30000, "Invalid Message")
            return
        kind, channel = request.get("type"), str(request.get("channel", ""))
        if self._hurried():
            await self._error(peer, 30009, "Too Many Websocket Messages!")
            await peer.ws.close(1008, "too many messages")
        elif kind == "ping":
            if not self.faults.mute_pongs:
                await peer.say('{"type":"pong"}')
        elif kind == "unsubscribe":
            peer.topics.pop(channel.replace("/", ":"), None)
            await peer.say(_json({"type": "unsubscribed", "channel": channel.replace("/", ":")}))
        elif kind == "subscribe":
            await self._subscribe(peer, channel)
        elif kind != "pong":
            await self._error(peer, 30001, "Invalid Type")

    def _hurried(self) -> bool:
        now = self.clock.now()
        self._heard_at.append(now)
        while self._heard_at[0] <= now - MINUTE:
            self._heard_at.popleft()
        return len(self._heard_at) > self.messages_per_minute

    async def _subscribe(self, peer: Peer, channel: str) -> None:
        family, _, market = channel.partition("/")
        topic = channel.replace("/", ":")
        known = channel == _HEIGHT or (family == "trade" and market in {own.symbol for own in self.listings()})
        if not known or self.faults.refuse:
            await self._error(peer, 30005, "Invalid Channel:  (marketId)")
        elif topic in peer.topics:
            await self._error(peer, 30003, f"Already Subscribed to : {topic}")
        elif len(peer.topics) >= self.subscriptions:
            await self._error(peer, 30012, "Failed to subscribe")
        else:
            await peer.say(self._initial(topic, market))
            self.subscribe(peer, {topic: {}})

    def _initial(self, topic: str, market: str) -> str:
        if topic == _HEIGHT:
            return self._height("subscribed/height")
        return self._trades("subscribed/trade", topic, [] if self._mute else list(self.recent.get(market, ())))

    async def _error(self, peer: Peer, code: int, message: str) -> None:
        self.complaints.append(message)
        await peer.say(_json({"error": {"code": code, "message": message}}))

    async def shut_down(self, close_in_ms: int = 1_000) -> None:
        """Tell every client that this server goes."""
        await self.shout(_json({"type": "shutdown", "close_in_ms": close_in_ms}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One frame for each market."""
        by_market = sorted(orders, key=lambda order: order.listing.symbol)
        return [list(batch) for _, batch in groupby(by_market, key=lambda order: order.listing.symbol)]

    def remember(self, parcel: Sequence[Order]) -> None:
        """What was told is told once more to whoever subscribes to the market."""
        super().remember(parcel)
        if not self._mute:
            self.recent.setdefault(parcel[0].listing.symbol, deque(maxlen=_REPLAYED)).extend(parcel)

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The market's own topic."""
        topic = f"trade:{parcel[0].listing.symbol}"
        return [topic] if topic in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """Liquidations in a list of their own."""
        return self._trades("update/trade", topic, parcel)

    def _trades(self, kind: str, topic: str, orders: Sequence[Order]) -> str:
        """Where there is no liquidation, the list of them is left out."""
        self._nonce += 1
        rows = {"liquidation_trades": [_row(order) for order in orders]} if orders else {}
        return _json({"channel": topic, **rows, "nonce": self._nonce, "trades": [], "type": kind})

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """The height of the chain."""
        return self._height("update/height") if topic == _HEIGHT else None

    def _height(self, kind: str) -> str:
        now = self.clock.now()
        return _json({"channel": _HEIGHT, "height": now // _HEIGHT_MS, "timestamp": now, "type": kind})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Perpetuals and what stands in them, and one spot market among them."""
        if path == "/api/v1/funding-rates":
            return 200, standing.rates(self)
        if path == "/api/v1/orderBookDetails":
            rows = [
                {**_book(own.base, int(own.symbol), "perp"), **standing.details(self, own)} for own in self.listings()
            ]
            return 200, {"code": 200, "order_book_details": rows, "spot_order_book_details": []}
        if path != "/api/v1/orderBooks":
            return 404, {"code": 404, "message": "not found"}
        books = [_book(own.base, int(own.symbol), "perp") for own in self.listings()]
        books.append(_book("ETH/USDC", _SPOT, "spot"))
        if "market_id" in query:
            books = [book for book in books if str(book["market_id"]) == query["market_id"]]
        return 200, {"code": 200, "order_books": books}


def _row(order: Order) -> Mapping[str, object]:
    """`is_maker_ask`: the maker sold, so the taker, who is the one liquidated, bought back a short."""
    parts = (order.listing.symbol, order.side, order.price, order.quantity, str(order.at))
    number = int.from_bytes(blake2b("|".join(parts).encode(), digest_size=6).digest())
    short = order.side is Side.SHORT
    with localcontext(prec=12):
        size = plain(Decimal(order.quantity) / Decimal(order.price))
    body = {"trade_id": number, "trade_id_str": str(number), "tx_hash": f"{number:080x}", "type": "liquidation"}
    body |= {"market_id": int(order.listing.symbol), "size": size, "price": order.price}
    body |= {"usd_amount": order.quantity, "ask_account_id": 281474976626509, "bid_account_id": 281474976600615}
    body |= {"is_maker_ask": short, "block_height": order.at // _HEIGHT_MS, "timestamp": order.at, "taker_fee": 10000}
    held = f"-{size}" if short else size
    return body | {"taker_position_size_before": held, "transaction_time": order.at * 1_000}


def _book(symbol: str, number: int, kind: str) -> dict[str, object]:
    fees = {"taker_fee": "0.0000", "maker_fee": "0.0000", "liquidation_fee": "1.0000"}
    least = {"min_base_amount": "0.00020", "min_quote_amount": "10.000000", "order_quote_limit": "281474976.710655"}
    decimals = {"supported_size_decimals": 5, "supported_price_decimals": 1, "supported_quote_decimals": 6}
    who = {"symbol": symbol, "market_id": number, "market_type": kind, "base_asset_id": 0, "quote_asset_id": 0}
    return {**who, "status": "active", **fees, **least, **decimals}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
