"""Bitfinex v2 as its pages describe it: the public socket, all tickers, and the history of liquidations.

https://docs.bitfinex.com (ws-general, ws-public, ws-public-status, rest-public-tickers,
rest-public-derivatives-status, rest-public-liquidations) and
what a third party measured on the live socket in September 2026 (answers to bad requests, heartbeats, idle closing).
"""

import asyncio
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from service.clock import Clock
from service.model import MINUTE, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.faults import Faults
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import bitfinex as standing

ORDERS = "liq:global"
_HEARTBEAT = "hb"
_OWN = re.compile(r"t(?P<base>.+?)(?P<future>F0)?:?(?P<quote>UST|USD|BTC)(?:F0)?")
_SIGNS = {Side.LONG: "", Side.SHORT: "-"}
_CHANNELS = 30
_TIMESTAMP, _SEQ_ALL = 32_768, 65_536
_PAGE, _LONGEST_PAGE = 120, 500


class Bitfinex(VenueServer):
    """`unpriced`: triggers come without any row that tells their price."""

    name = "bitfinex"
    ENDPOINTS = {"public": "ws://{at}/ws/2", "rest": "http://{at}"}  # noqa: RUF012
    tick_s = 15.0
    empty_s: float = 60.0
    histories_per_minute: int = 3
    unpriced: bool = False

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self._flags: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._asked_at: list[int] = []

    def describe(self, symbol: str) -> Listing:
        """tBTCF0:USTF0 for a tape's dollar-margined contract; tBTCUSD, tAVAX:USD (margin pairs) for the others."""
        own = _OWN.fullmatch(symbol)
        name = name_of(symbol)
        base, quote = (own["base"], own["quote"]) if own else (name.base, "USD" if name.inverse else "UST")
        future = bool(own["future"]) if own else not name.inverse
        pair = f"{base}F0:{quote}F0" if future else f"{base}{':' if len(base) > 3 else ''}{quote}"  # noqa: PLR2004
        return Listing(symbol=f"t{pair}", base=base, quote=quote, expiry="", inverse=False, size=Decimal(1))

    def line(self, path: str) -> str | None:
        """The public socket is the only one."""
        return "public" if path == "/ws/2" else None

    async def attend(self, peer: Peer) -> None:
        """The greeting; then a connection without a channel is cut after a minute, one with a channel never."""
        platform = {"status": 1}
        await peer.say(_json({"event": "info", "version": 2, "serverId": peer.id, "platform": platform}))
        while True:
            await asyncio.sleep(self.clock.grace(self.empty_s))
            if not peer.topics:
                peer.abort()
                return

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """One JSON event; what is no JSON gets no answer."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        match request:
            case {"event": "ping"}:
                if not self.faults.mute_pongs:
                    await peer.say(_json({"event": "pong", "ts": self.clock.now(), "cid": request.get("cid")}))
            case {"event": "conf", "flags": int(flags)}:
                self._flags[peer.id] = flags
                await peer.say(_json({"event": "conf", "status": "OK", "flags": flags}))
            case {"event": "subscribe"}:
                await self._subscribe(peer, request)
            case {"event": "unsubscribe", "chanId": number} if peer.topics and str(number) == self._channel(peer):
                peer.topics.clear()
                await peer.say(_json({"event": "unsubscribed", "status": "OK", "chanId": number}))
            case {"event": "unsubscribe"}:
                await self._error(peer, {}, 10400, "unsubscribe: invalid")
            case _:
                await self._error(peer, {}, 10000, f"event: invalid ({request.get('event')})")

    async def _subscribe(self, peer: Peer, request: Mapping[str, object]) -> None:
        asked = {name: value for name, value in request.items() if name != "event"}
        if asked.get("channel") != "status":
            await self._error(peer, asked, 10300, "channel: unknown")
        elif asked.get("key") != ORDERS or self.faults.refuse:
            await self._error(peer, asked, 10300, "key: invalid")
        elif ORDERS in peer.topics:
            await self._error(peer, asked | {"chanId": int(self._channel(peer))}, 10301, "subscribe: dup")
        else:
            number = int(peer.id[:4], 16) + 100_000
            await peer.say(_json({"event": "subscribed", "channel": "status", "chanId": number, "key": ORDERS}))
            self.subscribe(peer, {ORDERS: {"chanId": str(number)}, _HEARTBEAT: {}})

    def _channel(self, peer: Peer) -> str:
        return peer.topics.get(ORDERS, {}).get("chanId", "0")

    async def _error(self, peer: Peer, asked: Mapping[str, object], code: int, text: str) -> None:
        await peer.say(_json({**asked, "event": "error", "msg": text, "code": code}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """A frame for each liquidation."""
        return [[order] for order in orders]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """One channel carries everything."""
        del parcel
        return [ORDERS] if ORDERS in peer.topics else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """In turn all three kinds of rows, a match ahead of its trigger, a trigger with its priced row."""
        del topic
        rows = [row for order in parcel for row in self._told(order)]
        return self._wrapped(peer, _json(rows))

    def _told(self, order: Order) -> list[object]:
        trigger, priced, match = self._rows(order)
        if order.quantity.startswith("-"):
            return [priced]  # of the three the one that is wrong by itself
        if self.unpriced:
            return [trigger]
        return [[trigger, priced, match], [match, trigger], [trigger, priced]][order.at % 3]

    def _rows(self, order: Order) -> tuple[object, object, object]:
        """AMOUNT is signed by the position; a match is a part of it. BASE_PRICE is no price of the liquidation."""
        amount, price = order.quantity, order.price
        if amount.startswith("-"):  # a quantity below zero would be an honest short here
            amount, price = amount[1:], f"-{price}"
        key = "\x1f".join((order.listing.symbol, order.side, amount, price, str(order.at)))
        number = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=6).digest())
        part = amount if amount == "NaN" else plain(Decimal(amount) * Decimal("0.9"))
        entry = _number(price if price == "NaN" else plain(Decimal(price) * Decimal("1.07")))

        def row(at: int, size: str, *, match: int, told: str | None) -> object:
            signed = _number(_SIGNS[order.side] + size)
            acquired = _number(told) if told else None
            return ["pos", number, at, None, order.listing.symbol, signed, entry, None, match, 1, None, acquired]

        return (
            row(order.at, amount, match=0, told=None),
            row(order.at + 1, amount, match=0, told=price),
            row(order.at + 5, part, match=1, told=price),
        )

    def _wrapped(self, peer: Peer, payload: str) -> str:
        """What a channel says; `conf` flags add the number of the frame and the time behind it."""
        flags, tail = self._flags.get(peer.id, 0), ""
        if flags & _SEQ_ALL:
            self._counts[peer.id] = self._counts.get(peer.id, 0) + 1
            tail += f",{self._counts[peer.id]}"
        if flags & _TIMESTAMP:
            tail += f",{self.clock.now()}"
        return f"[{self._channel(peer)},{payload}{tail}]"

    def mark(self, peer: Peer, topic: str) -> str | None:
        """The heartbeat of the one channel."""
        return self._wrapped(peer, '"hb"') if topic == _HEARTBEAT else None

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """All tickers; the status of perpetuals; liquidations of a time, three requests a minute."""
        match path:
            case "/v2/tickers" if query.get("symbols") == "ALL":
                return 200, self._tickers()
            case "/v2/tickers":
                return 500, ["error", 10020, "symbols: invalid"]
            case "/v2/status/deriv":
                return 200, standing.status(self, query.get("keys", "").split(","))
            case "/v2/liquidations/hist":
                return self._history(query)
        return 404, {"error": "ERR_RPC"}

    def _tickers(self) -> list[object]:
        """Pairs, funding currencies, a paper pair, and pairs in other coins, all in one list."""
        rows = [_ticker(listing.symbol, self.price(listing)) for listing in self.listings()]
        bitcoin = Decimal(self.price(self.describe("BTCUSD")))
        ether = Decimal(self.price(self.describe("ETHUSD")))
        rows += [_ticker("tETHBTC", plain(round(ether / bitcoin, 5))), _ticker("tTESTBTC:TESTUSD", plain(bitcoin))]
        funding = [0.0002, 0.0002, 30, 26_103_000.1, 0.0001, 2, 5_001.5, -0.0001, -0.2, 0.0001, 89_000_000.5]
        return [*rows, ["fUSD", *funding, 0.0003, 0.00001, None, None, 3_000_000.5]]

    def _history(self, query: Mapping[str, str]) -> Answer:
        now = self.clock.now()
        self._asked_at = [at for at in self._asked_at if at > now - MINUTE] + [now]
        if len(self._asked_at) > self.histories_per_minute:
            return 429, ["error", 11010, "ratelimit: error"]
        try:
            limit, start, end = int(query.get("limit", _PAGE)), int(query.get("start", 0)), int(query.get("end", now))
        except ValueError:
            return 500, ["error", 10020, "start: invalid"]
        if not 1 <= limit <= _LONGEST_PAGE:
            return 500, ["error", 10020, "limit: invalid"]
        rows = [row for order in self.happened for row in self._rows(order)]
        newest_first = query.get("sort", "-1") != "1"
        found = sorted((row for row in rows if start <= _time(row) <= end), key=_time, reverse=newest_first)
        return 200, [[row] for row in found[:limit]]


def _time(row: object) -> int:
    return int(row[2]) if isinstance(row, list) else 0


def _ticker(symbol: str, price: str) -> object:
    last = _number(price)
    return [symbol, last, 16.5, last, 20.25, 0, 0, last, 1_200.5, last, last]


def _number(text: str) -> msgspec.Raw:
    """A number as it is spelt."""
    return msgspec.Raw(text.encode())


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
