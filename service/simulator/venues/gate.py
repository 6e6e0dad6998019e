"""Gate futures v4 as its pages describe it: a socket and a set of REST endpoints for each settlement coin.

https://www.gate.com/docs/developers (futures/ws: ping, public liquidates, tickers, errors; apiv4: contracts,
tickers, liq_orders, contract_stats). The wordings of errors are ours, their codes and shape the venue's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby

import msgspec

from service.model import MINUTE, SECOND, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of, plain, price_of
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import gate as standing
from service.tape import Row

_SETTLES = {"USDT": "usdt", "USD": "btc", "USD1": "usd1"}
_PATH = re.compile(r"/v4/ws/(usdt|btc|usd1)")
_REST = re.compile(r"/api/v4/futures/(usdt|btc|usd1)/(contracts|tickers|liq_orders|contract_stats)(?:/(\w+))?")
_ORDERS, _TICKERS = "futures.public_liquidates", "futures.tickers"
_BATCH = 20
_WINDOW_S, _DEFAULT_ROWS, _MOST_ROWS = 3_600, 100, 1_000
#: Coins (or, where the payout is a bitcoin, bitcoins) a contract; 1 for all others.
_FACES = {"BTC_USDT": "0.0001", "ETH_USDT": "0.01", "PEPE_USDT": "10000000", "BTC_USD1": "0.0001"}
_QUANTO_FACE = Decimal("0.000001")


class Gate(VenueServer):
    """Batches of all orders of a contract, each second or when 20 are due; `bare` sends one object a frame instead."""

    name = "gate"
    ENDPOINTS = {  # noqa: RUF012
        **{settle: f"ws://{{at}}/v4/ws/{settle}" for settle in _SETTLES.values()},
        "rest": "http://{at}",
    }
    slot_ms = 1_000
    bare: bool = False

    def describe(self, symbol: str) -> Listing:
        """BTC_USDT, BTC_USD1; BTC_USD (inverse, a dollar), ETH_USD (pays in bitcoin, at the price in the list)."""
        name = name_of(symbol)
        quote = name.quote if name.quote in _SETTLES else "USDT"
        own, inverse = f"{name.base}_{quote}", name.inverse and name.base == "BTC"
        size = Decimal(1) if inverse else Decimal(_FACES.get(own, "1"))
        if name.inverse and not inverse:
            size = _QUANTO_FACE * price_of("BTC")
        return Listing(symbol=own, base=name.base, quote=quote, expiry="", inverse=inverse, size=size)

    def standing_symbols(self) -> list[str]:
        """Those of everybody, and three settled in USD1."""
        return [*super().standing_symbols(), "BTC_USD1", "ETH_USD1", "SOL_USD1"]

    def order(self, row: Row) -> Order:
        """Twins of one file stay twins: one batch may hold equal rows, and a client has to count them."""
        return super().order(msgspec.structs.replace(row, ordinal=0))

    def line(self, path: str) -> str | None:
        """The settlement coin."""
        found = _PATH.fullmatch(path)
        return found[1] if found else None

    async def attend(self, peer: Peer) -> None:
        """The venue documents no time-out of its own."""
        await peer.ws.wait_closed()

    async def announce_close(self) -> None:
        """Tell every client that the service will be upgraded."""
        text = "The connection will soon be closed for a service upgrade. Please reconnect."
        await self.shout(_json({"type": "upgrade", "msg": text}))

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """futures.ping, and subscriptions to the two public channels spoken here."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._reply(peer, {}, (1, "invalid request"))
            return
        match request:
            case {"channel": "futures.ping"}:
                if not self.faults.mute_pongs:
                    await peer.say(self._frame("futures.pong", "", None))
            case {"channel": str(channel), "event": "subscribe" | "unsubscribe", "payload": [*names]}:
                await self._topics(peer, request, [f"{channel}:{name}" for name in names])
            case _:
                await self._reply(peer, request, (1, "invalid request"))

    async def _topics(self, peer: Peer, request: Mapping[str, object], topics: Sequence[str]) -> None:
        listed = {listing.symbol for listing in self.listings() if _SETTLES[listing.quote] == peer.line}
        known = {f"{_ORDERS}:!all", *(f"{channel}:{name}" for channel in (_ORDERS, _TICKERS) for name in listed)}
        unknown = [topic for topic in topics if topic not in known]
        if unknown or not topics or (self.faults.refuse and request["event"] == "subscribe"):
            await self._reply(peer, request, (2, f"unknown contract or channel {(unknown or [*topics, ''])[0]}"))
            return
        await self._reply(peer, request, None)
        if request["event"] == "subscribe":
            self.subscribe(peer, {topic: {} for topic in topics})
            return
        for topic in topics:
            peer.topics.pop(topic, None)

    async def _reply(self, peer: Peer, request: Mapping[str, object], error: tuple[int, str] | None) -> None:
        """Failures are told twice: `error`, and a result that says fail."""
        told = {"error": {"code": error[0], "message": error[1]}} if error else {}
        result = {"status": "fail" if error else "success"}
        await peer.say(self._frame(str(request.get("channel", "")), str(request.get("event", "")), result, **told))

    def _frame(self, channel: str, event: str, result: object, **more: object) -> str:
        now = self.clock.now()
        return _json(
            {"time": now // SECOND, "time_ms": now, "channel": channel, "event": event, **more, "result": result}
        )

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """At most 20 orders of one contract a frame."""
        found: list[list[Order]] = []
        most = 1 if self.bare else _BATCH
        by_symbol = sorted(orders, key=lambda order: order.listing.symbol)
        for _, group in groupby(by_symbol, key=lambda order: order.listing.symbol):
            batch = list(group)
            found += [batch[first : first + most] for first in range(0, len(batch), most)]
        return found

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """All contracts, or this one, on the socket of its settlement coin."""
        listing = parcel[0].listing
        wanted = [topic for topic in (f"{_ORDERS}:!all", f"{_ORDERS}:{listing.symbol}") if topic in peer.topics]
        return wanted[:1] if peer.line == _SETTLES[listing.quote] else []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # one shape for all topics
        """`size` is the order's: below zero it sells a long. Whole numbers for who did not ask for decimals."""
        asked = peer.ws.request.headers.get("X-Gate-Size-Decimal") == "1" if peer.ws.request else False
        rows = [
            {"price": order.price, "size": size if asked else msgspec.Raw(size.partition(".")[0].encode())}
            | {"time": order.at, "contract": order.listing.symbol}
            for order in parcel
            for size in [_signed(order, Side.LONG)]
        ]
        return self._frame(_ORDERS, "update", rows[0] if self.bare else rows)

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """A ticker."""
        channel, _, symbol = topic.partition(":")
        if channel == _ORDERS:
            return None
        return self._frame(_TICKERS, "update", [standing.ticker(self, self.describe(symbol))])

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Contracts, tickers, the orders of an hour, and the sums of five minutes."""
        found = _REST.fullmatch(path)
        if found is None:
            return 404, {"label": "NOT_FOUND", "message": "no such endpoint"}
        settle, what, name = found.groups()
        numbers = {name: query[name] for name in ("from", "to", "limit") if name in query}
        if not all(text.isdigit() for text in numbers.values()):
            return _bad(f"invalid {' or '.join(numbers)}")
        asked = {name: int(text) for name, text in numbers.items()}
        mine = [order for order in self.happened if _SETTLES[order.listing.quote] == settle]
        if what in ("contracts", "tickers"):
            return self._shown(settle, what, name)
        if "contract" in query:
            mine = [order for order in mine if order.listing.symbol == query["contract"]]
        return self._liquidated(mine, asked) if what == "liq_orders" else self._stats(mine, query, asked)

    def _shown(self, settle: str, what: str, name: str | None) -> Answer:
        """Metadata or tickers of all contracts, or the metadata of one, which also tells what it pays."""
        shown = [own for own in self.listings() if _SETTLES[own.quote] == settle and name in (None, own.symbol)]
        if what == "tickers":
            return 200, [standing.ticker(self, own) for own in shown]
        rows = [{**_contract(own, self.price(own)), **standing.paid(self, own)} for own in shown]
        if name is None:
            return 200, rows
        return (200, rows[0]) if rows else (400, {"label": "CONTRACT_NOT_FOUND", "message": "CONTRACT_NOT_FOUND"})

    def _liquidated(self, orders: Iterable[Order], asked: Mapping[str, int]) -> Answer:
        """Newest first; times in whole seconds, both edges inside."""
        end, limit = asked.get("to", self.clock.now() // SECOND), asked.get("limit", _DEFAULT_ROWS)
        start = asked.get("from", end - _WINDOW_S)
        if end - start > _WINDOW_S or not 1 <= limit <= _MOST_ROWS:
            return _bad("the interval between from and to is at most 3600, limit is between 1 and 1000")
        rows = [_closed(order) for order in orders if start <= order.at // SECOND <= end]
        return 200, sorted(rows, key=lambda row: -int(str(row["time"])))[:limit]

    def _stats(self, orders: Iterable[Order], query: Mapping[str, str], asked: Mapping[str, int]) -> Answer:
        """Sums of each span with something in it or after `from`, in contracts, coins and dollars; oldest first."""
        symbol, widths = query.get("contract", ""), {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240}
        listing = next((own for own in self.listings() if own.symbol == symbol), None)
        if listing is None or query.get("interval", "5m") not in widths:
            return _bad(f"unknown contract {symbol!r} or interval")
        width, limit = widths[query.get("interval", "5m")] * MINUTE, asked.get("limit", 30)
        last = self.clock.now() // width * width
        first = max(asked.get("from", last // SECOND - limit * width // SECOND) * SECOND // width * width, 0)
        starts = range(first, min(last, first + (limit - 1) * width) + 1, width)
        grouped: dict[int, list[Order]] = {start: [] for start in starts}
        for order in orders:
            grouped.get(order.at // width * width, []).append(order)
        return 200, [_sums(start, batch, self.price(listing)) for start, batch in grouped.items()]


def _signed(order: Order, below: Side) -> str:
    """The size, below zero for that side (and for a size that is itself a fault)."""
    return f"-{order.quantity}" if order.side is below or order.quantity.startswith("-") else order.quantity


def _closed(order: Order) -> Mapping[str, object]:
    """`size` is the position that was closed, `order_size` the order that closed it: they have opposite signs."""
    body = {"time": order.at // SECOND, "contract": order.listing.symbol, "size": _signed(order, Side.SHORT)}
    body |= {"order_size": _signed(order, Side.LONG), "order_price": order.price, "fill_price": order.price}
    return body | {"left": "0"}


def _sums(start: int, orders: Sequence[Order], mark: str) -> Mapping[str, object]:
    body: dict[str, object] = {"time": start // SECOND, "lsr_taker": 1, "lsr_account": 1, "mark_price": mark}
    for side in Side:
        own = [order for order in orders if order.side is side]
        body[f"{side}_liq_size"] = plain(sum((Decimal(order.quantity) for order in own), Decimal(0)))
        body[f"{side}_liq_amount"] = sum(order.units / 10_000 / float(order.price) for order in own)
        body[f"{side}_liq_usd"] = sum(order.units for order in own) / 10_000
    return body | {"open_interest": "124724", "open_interest_usd": 1_511_000, "top_lsr_size": 1, "top_lsr_account": 1}


def _contract(listing: Listing, price: str) -> Mapping[str, object]:
    quanto = listing.quote == "USD" and not listing.inverse
    face = "0" if listing.inverse else plain(_QUANTO_FACE if quanto else listing.size)
    # what quanto contracts are worth follows from this price, so it does not move with the tape
    mark = plain(price_of("BTC")) if listing.inverse else price
    body = {"name": listing.symbol, "type": "inverse" if listing.inverse else "direct", "quanto_multiplier": face}
    body |= {"mark_price": mark, "last_price": price, "index_price": price, "order_price_round": "0.1"}
    return body | {"order_size_min": 1, "order_size_max": 1_000_000, "in_delisting": False, "status": "trading"}


def _bad(text: str) -> Answer:
    return 400, {"label": "INVALID_PARAM_VALUE", "message": text}


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
