"""HTX futures as its pages describe them: three gzipped notification sockets, contract lists and liquidation histories.

https://www.htx.com/en-us/opend (heartbeat, error codes, subscribe and query liquidation orders of three products). That
a history call answers one row, and 1347 to a window that is too long, is what third parties report.
"""

import asyncio
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from service.clock import Clock
from service.model import HOUR, Side
from service.simulator import metadata
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain
from service.simulator.faults import Faults
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import htx as standing
from service.tape import Row

_PRODUCTS = (
    ("linear", "/linear-swap-notification", "/linear-swap-api", "swap"),
    ("swap", "/swap-notification", "/swap-api", "swap"),
    ("futures", "/notification", "/api", "contract"),
)
_LINES = {path: line for line, path, _, _ in _PRODUCTS}
_LISTS = {f"{api}/v1/{word}_contract_info": line for line, _, api, word in _PRODUCTS}
_HISTORIES = {f"{api}/v3/{word}_liquidation_orders": line for line, _, api, word in _PRODUCTS}
_TOPIC = re.compile(r"public\.(.+)\.liquidation_orders")
_ALL, _PING = "public.*.liquidation_orders", "ping"
_DATED = re.compile(r"(?P<base>[A-Z0-9]*[A-Z])(?P<date>\d{6})")
_DIRECTIONS = {Side.LONG: "sell", Side.SHORT: "buy"}
#: Coins of one linear contract; 1 for all others. What is traded is told in both.
_FACES = {"BTC": "0.001", "ETH": "0.01", "PEPE": "1000"}
_WINDOW_MS = 2 * HOUR


class Htx(VenueServer):
    """`market_pings`: pings come in the dialect of the market data sockets. `page`: rows a history answer."""

    name = "htx"
    ENDPOINTS = {"rest": "http://{at}"} | {line: f"ws://{{at}}{path}" for path, line in _LINES.items()}
    tick_s = 5.0
    patience_s: float = 25.0
    page: int = 1
    market_pings: bool = False

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self._unanswered: dict[str, float] = {}  # since when (loop time) a client owes a pong

    def describe(self, symbol: str) -> Listing:
        """BTC-USDT (in coins), BTC-USDT-260327; BTC-USD (100 dollars; others 10), BTC260327."""
        dated = _DATED.fullmatch(symbol.upper())
        name = name_of(f"{dated['base']}USD_{dated['date']}" if dated else symbol)
        face = ("100" if name.base == "BTC" else "10") if name.inverse else "1"
        parts = (name.base, name.quote, name.expiry) if name.expiry else (name.base, name.quote)
        return Listing(
            symbol=f"{name.base}{name.expiry}" if name.inverse and name.expiry else "-".join(parts),
            base=name.base,
            quote=name.quote,
            expiry=name.expiry,
            inverse=name.inverse,
            size=Decimal(face),
        )

    def standing_symbols(self) -> list[str]:
        """Perpetuals, and three dated contracts."""
        return [*super().standing_symbols(), "BTC-USDT-260327", "BTC260327", "ETH260327"]

    def order(self, row: Row) -> Order:
        """Twins of one file stay twins: one notice may hold equal rows, and a client has to count them."""
        return super().order(msgspec.structs.replace(row, ordinal=0))

    def wire(self, text: str) -> bytes:
        """Everything is gzipped."""
        return gzip.compress(text.encode(), mtime=0)

    def line(self, path: str) -> str | None:
        """The product."""
        return _LINES.get(path)

    def opening(self, peer: Peer) -> list[str]:  # noqa: ARG002  # the same for everybody
        """Pings come to every client, asked or not."""
        return [_PING]

    async def attend(self, peer: Peer) -> None:
        """Closed after five pings without a pong."""
        try:
            await peer.idle(self.clock.grace(self.patience_s), lambda: self._unanswered.get(peer.id, _now()))
            await peer.say(_json({"op": "close", "ts": self.clock.now()}))
            await peer.ws.close(1000, "Bye")
        finally:
            self._unanswered.pop(peer.id, None)

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """sub, unsub, and pongs in either dialect."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await peer.say(_json({"op": "error", "ts": self.clock.now()}))
            return
        match request:
            case {"op": "pong", "ts": _} | {"pong": _}:
                self._unanswered.pop(peer.id, None)
            case {"op": "sub", "topic": str(topic)}:
                await self._sub(peer, request, topic)
            case {"op": "unsub", "topic": str(topic)}:
                peer.topics.pop(topic, None)
                await self._ack(peer, request)
            case _:
                await peer.say(_json({"op": "error", "ts": self.clock.now()}))

    async def _sub(self, peer: Peer, request: Mapping[str, object], topic: str) -> None:
        kinds = str(request.get("business_type", "swap"))
        held = peer.topics.get(_ALL, {}).get("business_type")
        found = _TOPIC.fullmatch(topic)
        names = {_name(listing) for listing in self.listings() if _line(listing) == peer.line}
        if found is None or self.faults.refuse:
            await self._ack(peer, request, 2010, "Topic error.")
        elif found[1] != "*" and found[1].upper() not in names:
            await self._ack(peer, request, 2011, "Contract doesn't exist.")
        elif held in ("all", kinds) or (topic in peer.topics and topic != _ALL):
            await self._ack(peer, request, 2014, "Repeated subscription.")
        else:
            await self._ack(peer, request)
            self.subscribe(peer, {topic: {"business_type": kinds}})

    async def _ack(self, peer: Peer, request: Mapping[str, object], code: int = 0, words: str = "") -> None:
        body = {name: request[name] for name in ("op", "cid", "topic") if name in request}
        body |= {"ts": self.clock.now(), "err-code": code} | ({"err-msg": words} if words else {})
        await peer.say(_json(body))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """A notice holds what one contract lost at one time."""
        found: dict[tuple[str, int], list[Order]] = {}
        for order in orders:
            found.setdefault((order.listing.symbol, order.at), []).append(order)
        return list(found.values())

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The wildcard (of linear contracts: the kinds it asked for), or the contract's own topic."""
        listing = parcel[0].listing
        own = f"public.{_name(listing)}.liquidation_orders"
        kinds = peer.topics.get(_ALL, {}).get("business_type", "")
        wide = _ALL in peer.topics and (peer.line != "linear" or kinds in ("all", _kind(listing)))
        wanted = [topic for topic, there in ((_ALL, wide), (own, own in peer.topics)) if there]
        return wanted[:1] if peer.line == _line(listing) else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """The topic names the contract also where the wildcard was asked; a push spells 227 as 227.0."""
        rows = [_row(order, ".0") for order in parcel]
        for row in rows if parcel[0].listing.inverse else []:
            del row["amount"]
        name = f"public.{_name(parcel[0].listing)}.liquidation_orders"
        return _json({"op": "notify", "topic": name, "ts": self.clock.now(), "data": rows})

    def mark(self, peer: Peer, topic: str) -> str | None:
        """The venue's ping: its time is text, that of the other dialect a number."""
        if topic != _PING:
            return None
        self._unanswered.setdefault(peer.id, _now())
        now = self.clock.now()
        return _json({"ping": now} if self.market_pings else {"op": "ping", "ts": str(now)})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """The contract lists, the histories, and what stands in a contract; errors come with HTTP 200."""
        if path in _HISTORIES:
            return 200, self._history(_HISTORIES[path], query)
        if (told := standing.answer(self, path, query, _line, _face)) is not None:
            return 200, told
        if path not in _LISTS:
            return 404, {"status": "error", "err_code": 404, "err_msg": "not found"}
        line, kinds = _LISTS[path], query.get("business_type", "swap")
        shown = [own for own in self.listings() if _line(own) == line]
        if line == "linear" and kinds != "all":
            shown = [own for own in shown if _kind(own) == kinds]
        rows = [metadata.contract_info(own, _face(own)) for own in shown]
        return 200, {"status": "ok", "data": rows, "ts": self.clock.now()}

    def _history(self, line: str, query: Mapping[str, str]) -> standing.Body:
        """From `from_id` on, without that row itself, oldest first for `next`."""
        name = query.get("symbol" if line == "futures" else "contract", "").upper()
        sides = {"0": tuple(Side), "5": (Side.LONG,), "6": (Side.SHORT,)}.get(query.get("trade_type", ""))
        numbers = [query.get(word, "0") for word in ("start_time", "end_time", "from_id")]
        if not name or sides is None or not all(text.isdigit() for text in numbers):
            return {"code": 1030, "msg": "input error", "ts": self.clock.now()}
        end = int(numbers[1]) or self.clock.now()
        start, last = int(numbers[0]) or end - _WINDOW_MS, int(numbers[2])
        if end - start > _WINDOW_MS:
            return {"code": 1347, "msg": "the time window is too long", "ts": self.clock.now()}
        back = query.get("direct", "next") == "prev"
        rows = [
            {"query_id": number} | _row(order, "")
            for number, order in enumerate(self.happened, 452_058)
            if order.side in sides and start <= order.at <= end and name == _name(order.listing)
            if _line(order.listing) == line and ((not last or number < last) if back else number > last)
        ]
        shown = (rows[::-1] if back else rows)[: self.page]
        return {"code": 200, "msg": "", "data": shown, "ts": self.clock.now()}


def _line(listing: Listing) -> str:
    if not listing.inverse:
        return "linear"
    return "futures" if listing.expiry else "swap"


def _kind(listing: Listing) -> str:
    return "futures" if listing.expiry else "swap"


def _name(listing: Listing) -> str:
    """What topics and histories call a contract: dated coin-margined ones by their coin."""
    return listing.base if listing.inverse and listing.expiry else listing.symbol


def _row(order: Order, ending: str) -> dict[str, object]:
    """Numbers in exact decimals; whole volumes with `ending` behind them."""
    listing, price, quantity = order.listing, Decimal(order.price), Decimal(order.quantity)
    face = Decimal(_FACES.get(listing.base, "1"))
    volume = plain(quantity if listing.inverse else quantity / face)
    row: dict[str, object] = {"symbol": listing.base, "contract_code": listing.symbol}
    row |= {"direction": _DIRECTIONS[order.side], "offset": "close", "created_at": order.at}
    row |= {"volume": _raw(volume if "." in volume else volume + ending), "price": _raw(order.price)}
    if listing.inverse:
        return row | {"amount": _raw(plain(quantity * listing.size / price))}
    row |= {"amount": _raw(order.quantity), "trade_turnover": _raw(plain(quantity * price))}
    return row | {"business_type": _kind(listing), "pair": f"{listing.base}-{listing.quote}"}


def _face(listing: Listing) -> float:
    return float(listing.size) if listing.inverse else float(_FACES.get(listing.base, "1"))


def _raw(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def _now() -> float:
    return asyncio.get_running_loop().time()


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
