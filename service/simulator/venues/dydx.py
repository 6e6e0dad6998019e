"""dYdX v4's indexer as its pages and its public source show it: trades by market, the block height, markets, history.

dydxprotocol/v4-chain indexer/services: socks (subscription, rate-limit, message) and comlink (trades, markets).
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import groupby
from urllib.parse import unquote

import msgspec

from service.clock import Clock
from service.model import Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.faults import Faults
from service.simulator.interest import Interest
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import dydx as standing

_PATH = "/v4/ws"
_TRADES, _HEIGHT = "v4_trades", "v4_block_height"
_CHANNELS = (_TRADES, _HEIGHT, "v4_markets", "v4_orderbook", "v4_candles", "v4_subaccounts", "v4_parent_subaccounts")
_TAKER_WORDS = {Side.LONG: "SELL", Side.SHORT: "BUY"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BORN = 1_600_000_000
_REPLAYED = 100


class Dydx(VenueServer):
    """A block a second; a market's orders of one block travel in one frame, an ordinary trade among them."""

    name = "dydx"
    ENDPOINTS = {"socket": f"ws://{{at}}{_PATH}", "rest": "http://{at}"}  # noqa: RUF012
    slot_ms = 1000
    heartbeat_s: float = 30.0
    pong_s: float = 10.0
    channel_limit: int = 32
    per_second: int = 2
    """Subscriptions, and invalid messages."""
    strict: bool = False
    """Count subscriptions by connection, as the pages may be read, not by connection, channel and id."""
    page: int = 1000
    requests: tuple[int, int] = (100, 10_000)

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        self.complaints: list[str] = []
        """Every error said so far."""
        self.recent: dict[str, deque[Order]] = {}
        self._said: Counter[str] = Counter()
        self._spoken_at: dict[tuple[str, str], deque[int]] = {}
        self._asked_at: deque[int] = deque()
        super().__init__(clock, symbols, faults)
        self.interest = Interest(funding=0.0000125, interval_h=1)

    def describe(self, symbol: str) -> Listing:
        """BTC-USD for every pair of a tape: all markets are linear and settle in USDC."""
        coin = symbol.removesuffix("-USD") if symbol.endswith("-USD") else name_of(symbol).base
        return Listing(symbol=f"{coin}-USD", base=coin, quote="USD", expiry="", inverse=False, size=Decimal(1))

    def line(self, path: str) -> str | None:
        """One socket for everything."""
        return "v4" if path == _PATH else None

    async def attend(self, peer: Peer) -> None:
        """A greeting, then a ping frame each 30 s, whose pong must come within 10 s."""
        await peer.say(_json(self._envelope(peer, "connected", counted=False)))
        while True:
            await asyncio.sleep(self.clock.grace(self.heartbeat_s))
            try:
                async with asyncio.timeout(self.clock.grace(self.pong_s)):
                    await (await peer.ws.ping())
            except TimeoutError:
                await peer.ws.close(1011, "Heartbeat timeout")
                return

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """One request a frame; the venue goes through its objections in this order."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._invalid(peer, "Invalid message: could not parse")
            return
        kind, channel, name = request.get("type"), str(request.get("channel", "")), request.get("id")
        if kind == "ping":
            return
        if kind not in ("subscribe", "unsubscribe"):
            await self._invalid(peer, f"Invalid message type: {kind}")
        elif channel not in _CHANNELS or (self.faults.refuse and channel == _HEIGHT):
            await self._error(peer, f"Invalid channel: {channel}")
        elif channel != _HEIGHT and not isinstance(name, str):
            await self._error(peer, f"Invalid id: {name}")
        elif kind == "unsubscribe":
            peer.topics.pop(_topic(channel, name), None)
            await peer.say(_json(self._envelope(peer, "unsubscribed", channel, name)))
        else:
            await self._subscribe(peer, channel, str(name or channel), batched=bool(request.get("batched")))

    async def _subscribe(self, peer: Peer, channel: str, name: str, *, batched: bool) -> None:
        held = sum(topic.startswith(f"{channel}:") for topic in peer.topics)
        if channel == _TRADES and (self.faults.refuse or name not in {own.symbol for own in self.listings()}):
            await self._error(peer, f"Invalid subscription id for channel: ({channel}-{name})")
        elif held >= self.channel_limit:
            text = f"Per-connection subscription limit reached for {channel} (limit={self.channel_limit})."
            await self._error(peer, text)
        elif self._hurried(peer, "" if self.strict else channel + name):
            text = f"Too many subscribe attempts for channel {channel}-{name}. Please  reconnect and try again."
            await self._error(peer, text)
            await peer.ws.close(1008, '{"message":"Rate limited"}')
        elif _topic(channel, name) in peer.topics:
            await self._error(peer, f"Invalid subscribe message: already subscribed ({channel}-{name})")
        else:
            body = self._envelope(peer, "subscribed", channel, name) | {"contents": self._initial(channel, name)}
            await peer.say(_json(body))
            self.subscribe(peer, {_topic(channel, name): {"batched": "yes"} if batched else {}})

    async def _invalid(self, peer: Peer, text: str) -> None:
        await self._error(peer, text)
        if self._hurried(peer, "invalid"):
            await peer.ws.close(1008, '{"message":"Rate limited"}')

    def _hurried(self, peer: Peer, what: str) -> bool:
        times = self._spoken_at.setdefault((peer.id, what), deque())
        return _flood(times, self.clock.now(), self.per_second, 1_000)

    def _initial(self, channel: str, name: str) -> Mapping[str, object]:
        if channel == _HEIGHT:
            return {"height": str(_height(self.clock.now())), "time": _iso(self.clock.now())}
        old = [] if self._mute else reversed(self.recent.get(name, ()))
        return {"trades": [row for order in old for row in _rows(order)]}

    def _envelope(
        self, peer: Peer, kind: str, channel: str = "", name: object = None, *, counted: bool = True
    ) -> dict[str, object]:
        self._said[peer.id] += counted
        body: dict[str, object] = {"type": kind, "connection_id": peer.id, "message_id": self._said[peer.id]}
        return body | ({"channel": channel} if channel else {}) | ({"id": name} if name is not None else {})

    async def _error(self, peer: Peer, message: str) -> None:
        self.complaints.append(message)
        await peer.say(_json(self._envelope(peer, "error") | {"message": message}))

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
        topic = _topic(_TRADES, parcel[0].listing.symbol)
        return [topic] if topic in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """`side` is the taker's, the one liquidated: SELL, a long was closed."""
        trades = [row for order in parcel for row in _rows(order)]
        contents = {"trades": [{key: row[key] for key in row if key != "createdAtHeight"} for row in trades]}
        batched = "batched" in peer.topics.get(topic, {})
        kind = "channel_batch_data" if batched else "channel_data"
        body = self._envelope(peer, kind, _TRADES, parcel[0].listing.symbol) | {"version": "2.1.0"}
        return _json(body | {"contents": [contents] if batched else contents})

    def mark(self, peer: Peer, topic: str) -> str | None:
        """The height of the chain."""
        if not topic.startswith(_HEIGHT):
            return None
        contents = {"blockHeight": str(_height(self.clock.now())), "time": _iso(self.clock.now())}
        body = self._envelope(peer, "channel_data", _HEIGHT, _HEIGHT)
        return _json(body | {"version": "1.0.0", "contents": contents})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Markets, and trades of one market from the newest block down; parameters it does not know are ignored."""
        most, window_ms = self.requests
        if _flood(self._asked_at, self.clock.now(), most, window_ms):
            return 429, {"errors": [{"msg": "Too many requests"}]}
        if path == "/v4/perpetualMarkets":
            return 200, {"markets": {own.symbol: standing.market(self, own) for own in self.listings()}}
        head, _, ticker = path.rpartition("/")
        if head != "/v4/trades/perpetualMarket":
            return 404, "Not Found"
        return self._history(unquote(ticker), query)

    def _history(self, ticker: str, query: Mapping[str, str]) -> Answer:
        limit, height, before = (query.get(key) for key in ("limit", "createdBeforeOrAtHeight", "createdBeforeOrAt"))
        if ticker not in {own.symbol for own in self.listings()}:
            return 400, _wrong("ticker", "ticker must be a valid ticker (BTC-USD, etc)")
        if limit is not None and not (limit.isdigit() and 0 < int(limit) <= self.page):
            return 400, _wrong("limit", f"limit must be a positive integer that is not greater than max: {self.page}")
        if height is not None and not height.isdigit():
            return 400, _wrong("createdBeforeOrAtHeight", "createdBeforeOrAtHeight must be a non-negative integer")
        orders = [order for order in self.happened if order.listing.symbol == ticker]
        rows = [row for order in orders for row in _rows(order)]
        if before is not None:
            rows = [row for row in rows if row["createdAt"] <= before]
        if height is not None:
            rows = [row for row in rows if int(row["createdAtHeight"]) <= int(height)]
        rows.sort(key=lambda row: int(row["createdAtHeight"]), reverse=True)
        return 200, {"trades": rows[: int(limit or self.page)]}


def _rows(order: Order) -> list[dict[str, str]]:
    """The forced fill as the history shows it, and an ordinary one of the same block."""
    parts = (order.listing.symbol, order.side, order.price, order.quantity, str(order.at))
    height, name = _height(order.at), blake2b("|".join(parts).encode(), digest_size=7).hexdigest()
    common = {"createdAt": _iso(order.at), "createdAtHeight": str(height)}
    forced = {"id": f"{height:08x}{name}02", "size": order.quantity, "price": order.price}
    free = {"id": f"{height:08x}{name}05", "size": "0.0001", "price": order.price, "side": "BUY", "type": "LIMIT"}
    return [forced | {"side": _TAKER_WORDS[order.side], "type": "LIQUIDATED"} | common, free | common]


def _topic(channel: str, name: object) -> str:
    return f"{channel}:{name or channel}"


def _height(at: int) -> int:
    return at // 1_000 - _BORN


def _iso(at: int) -> str:
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _flood(times: deque[int], now: int, most: int, window_ms: int) -> bool:
    times.append(now)
    while times[0] <= now - window_ms:
        times.popleft()
    return len(times) > most


def _wrong(name: str, text: str) -> Mapping[str, object]:
    return {"errors": [{"msg": text, "param": name, "location": "query"}]}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
