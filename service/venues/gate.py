"""Gate futures: forced orders of USDT-, BTC- and USD1-settled contracts, in contracts whose value the metadata tells.

Owns Gate's raw shapes, its sockets, the signs of its two feeds and its history. Opens no socket.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Liquidation, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, History, Page, Plan, Session, Sipping, Spoilt, Venue
from service.venues.tickers.gate import GateTickers

NAME = "gate"
ORDERS, TICKERS = "futures.public_liquidates", "futures.tickers"
#: Settlement coin, which is also the socket's and the endpoints' name, and the contract whose ticker never rests.
CONTROLS = {"usdt": "BTC_USDT", "btc": "BTC_USD", "usd1": "BTC_USD1"}
COMPLETE_SINCE = 1_787_184_000_000  # 2026-08-20: batches of all orders of a contract; one order a second before
_WINDOW_S, _LIMIT, _BATCH = 3_600, 1_000, 20  # seconds and rows of a history page; orders of a contract in a push
#: The socket's price and the history's order_price are one, at worst a tick (0.07 %) apart; fills stand further off.
_ALIKE = 1e-3

Number = int | float | str
Key = tuple[str, int, Side, str, str]


class _Row(msgspec.Struct):
    """A push tells `price` and the ORDER's `size`, the history `order_price` and the POSITION's `size`."""

    contract: str
    size: Number
    time: Number = ""
    time_ms: Number = ""
    price: Number = ""
    order_price: Number = ""
    order_size: Number = ""
    fill_price: Number = ""
    left: Number = ""


class _Frame(msgspec.Struct):
    channel: str = ""
    event: str = ""
    error: msgspec.Raw = msgspec.Raw(b"null")
    result: msgspec.Raw = msgspec.Raw()
    type: str = ""
    msg: str = ""


class _Contract(msgspec.Struct):
    name: str
    type: str
    quanto_multiplier: Number
    mark_price: Number = ""


_FRAME = msgspec.json.Decoder(_Frame)
_PUSH = msgspec.json.Decoder(_Row | list[_Row])
_ROWS = msgspec.json.Decoder(list[_Row])
_CATALOGUE = msgspec.json.Decoder(list[_Contract])


class _Past(History):
    """`liq_orders`, all contracts of a settlement coin at once: windows of an hour, halved where they are full."""

    reach_s: ClassVar[float] = 86_400.0  # as far as a third party asked; the venue states no limit
    delay_s: ClassVar[float] = 60.0
    gap_s: ClassVar[float] = 0.1  # 200 requests in 10 s

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """Windows share their edges: whether `to` itself is inside is not documented."""
        del instruments
        first, last = since // 1_000, until // 1_000 + 1
        windows = [(start, min(start + _WINDOW_S, last)) for start in range(first, last, _WINDOW_S)]
        paths = [f"{endpoints['rest']}/api/v4/futures/{settle}/liq_orders" for settle in CONTROLS]
        return [base.address(path, from_=start, to=end, limit=_LIMIT) for path in paths for start, end in windows]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """The rows of a window without its end, so that each comes once; halves instead of one too full to trust."""
        rows, query = base.parse(_ROWS, body), base.query_of(url)
        start, end, limit = (int(query[name]) for name in ("from", "to", "limit"))
        if len(rows) >= limit and end - start > 1:
            middle = (start + end) // 2
            return Page(orders=(), more=(base.asked_again(url, to=middle), base.asked_again(url, from_=middle)))
        orders = _orders(rows, seen, past=True)
        return Page(orders=tuple(one for one in orders if isinstance(one, Spoilt) or one.at // 1_000 != end))

    def same(self, order: Print, known: Liquidation) -> bool:
        """Contract, side, the second or its neighbours, the size of the whole order, and nearly its price."""
        _, size, price = (*order.id.split(":"), "", "")[:3]
        if not price or known.price is None or abs(known.price / float(price) - 1) > _ALIKE:
            return False
        if order.symbol != known.symbol or abs(known.at // 1_000 - order.at // 1_000) > 1:
            return False
        # One is in contracts, the other in base units, but a live id is made of contract, time, side, size and price.
        key = _key(order.symbol, known.at, order.side, float(size), known.price)
        return any(base.digest((*key, number)) == known.id for number in range(1, _BATCH + 1))


class Gate(Venue):
    """Perpetual contracts of all three settlement coins; delivery contracts have no such channel."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://www.gate.com/docs/developers/futures/ws/en/#public-liquidates-channel"
    endpoints: ClassVar[Mapping[str, str]] = {"rest": "https://api.gateio.ws"} | {
        settle: f"wss://fx-ws.gateio.ws/v4/ws/{settle}" for settle in CONTROLS
    }
    dial_gap_s: ClassVar[float] = 1.0
    usual_per_minute: ClassVar[float] = 1.8
    about: ClassVar[str] = "Shows every liquidation order since 2026-08-20, at its order price, in batches of a second."
    history: ClassVar[History | None] = _Past()
    tallies: ClassVar[base.Tallies | None] = base.ContractStats()
    tickers: ClassVar[base.Tickers | None] = GateTickers()

    def completeness(self, at: int) -> Completeness:
        """Complete on paper since orders are batched and none is dropped."""
        return Completeness.COMPLETE if at >= COMPLETE_SINCE else Completeness.SAMPLED

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """One list a settlement coin; none pages."""
        return tuple(f"{endpoints['rest']}/api/v4/futures/{settle}/contracts" for settle in CONTROLS)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """The price of a bitcoin, which quanto contracts pay in, stands in the same list as they do."""
        rows = base.parse(_CATALOGUE, body)
        if not rows:
            raise DecodeError("gate metadata: no contract")
        bitcoin = next((row.mark_price for row in rows if (row.name, row.type) == ("BTC_USD", "inverse")), "")
        return [found for row in rows if (found := _instrument(row, bitcoin))], None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """A socket a settlement coin. USD1 is young: its ticker is that of a contract we know to be listed, if any."""
        young = sorted((row.symbol for row in instruments if row.symbol.endswith("_USD1")), key="BTC_USD1".__ne__)
        controls = {settle: [control] for settle, control in CONTROLS.items()} | {"usd1": young[:1]}
        return [
            Plan(
                venue=NAME,
                key=settle,
                url=endpoints[settle],
                topics=(f"{ORDERS} !all", *[f"{TICKERS} {name}" for name in control]),
                headers=(("X-Gate-Size-Decimal", "1"),),  # else 1.7 contracts come as 1
                heartbeat=base.Heartbeat(text='{"time":123456,"channel":"futures.ping"}', every_s=15),
                control_max_age_s=60,
            )
            for settle, control in controls.items()
        ]

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._asks = dict(topic.split(" ") for topic in topics)
        self._waiting = set(self._asks)
        self._sipping = Sipping(GateTickers())
        self._pongs = bool(topics) and TICKERS not in self._asks  # then nothing else shows more than a socket

    def hello(self, now: int) -> Sequence[str]:
        asks = [{"channel": channel, "event": "subscribe", "payload": [what]} for channel, what in self._asks.items()]
        return [msgspec.json.encode({"time": now // 1_000, **ask}).decode() for ask in asks]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        message = base.parse(_FRAME, frame)
        if message.channel == "futures.pong":
            return (base.Pong(), Control()) if self._pongs else (base.Pong(),)
        if message.event == "subscribe" or bytes(message.error) != b"null":
            return self._answer(message)
        if message.channel == ORDERS and message.event in ("update", "all"):
            return _orders(base.parse(_PUSH, message.result), seen)
        if message.type == "upgrade":
            return (base.Leaving(reason=message.msg),)
        if message.channel in ("", ORDERS):
            raise DecodeError("neither a channel's data nor an answer to a request")
        told = (message.channel, message.event) == (TICKERS, "update")
        return self._sipping.events(frame, seen) if told else ()

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        """A refusal stands in `error`, or in `result` alone; without its ticker a socket goes by its pongs."""
        events: list[Event] = []
        waited, ticker = answer.channel in self._waiting, answer.channel == TICKERS
        if bytes(answer.error) != b"null" or b'"fail"' in bytes(answer.result):
            told = bytes(answer.error).decode(errors="replace")
            events.append(base.Refused(reason=f"gate refused {answer.channel}: {told}", fatal=not ticker))
            self._pongs = self._pongs or ticker
        if ticker or not events:
            self._waiting.discard(answer.channel)
        return [*events, base.Subscribed()] if waited and not self._waiting else events


def _orders(rows: _Row | list[_Row], seen: int, *, past: bool = False) -> list[Print | Spoilt]:
    """The venue has no ids: the second of two like rows of one frame is told apart by its number."""
    before: Counter[Key] = Counter()
    batch = rows if isinstance(rows, list) else [rows]
    return base.row_by_row(batch, lambda row: _print(row, before, seen, past=past))


def _print(row: _Row, before: Counter[Key], seen: int, *, past: bool) -> list[Print]:
    """In a history what was filled counts, at its average price; the id keeps the whole order's figures, for `same`."""
    size, price = _signed(row.size, "size"), base.number(row.order_price if past else row.price, "price")
    order = size if not past else -size if row.order_size == "" else _signed(row.order_size, "order_size")
    if past and (order < 0) == (size < 0):
        raise DecodeError(f"order_size must close the position, got {row.order_size} for a size of {row.size}")
    at = base.moment_of_any(row.time_ms or row.time, "time")
    key = _key(row.contract, at, Side.LONG if order < 0 else Side.SHORT, abs(order), price)
    before[key] += 1
    filled, name = abs(order), base.digest((*key, before[key]))
    if past:
        filled -= abs(_signed(row.left, "left")) if _some(row.left) else 0
        price = base.number(row.fill_price, "fill_price") if _some(row.fill_price) else price
        name = ":".join((name, *key[-2:]))
    found = Print(venue=NAME, symbol=key[0], side=key[2], price=price, quantity=filled, at=at, seen=seen, id=name)
    return [found] if filled > 0 else []


def _key(symbol: str, at: int, side: Side, size: float, price: float) -> Key:
    return base.contract_name(symbol, "contract"), at, side, base.spelt(size), base.spelt(price)


def _signed(value: Number, name: str) -> float:
    text = str(value)
    return base.number(text.removeprefix("-"), name) * (-1 if text.startswith("-") else 1)


def _some(value: Number) -> bool:
    return bool(str(value).strip("-0."))


def _instrument(row: _Contract, bitcoin: Number) -> Instrument | None:
    """Inverse contracts are worth a dollar and say 0; what is quoted in USD and not inverse pays in bitcoin."""
    coin, _, quote = row.name.rpartition("_")
    inverse, quanto = row.type == "inverse", row.type != "inverse" and quote == "USD"
    if quote not in base.DOLLARS or inverse == _some(row.quanto_multiplier) or (quanto and not _some(bitcoin)):
        return None
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.name, "name"),
        asset=asset_of_base(coin),
        contract=Contract.INVERSE if inverse else Contract.QUANTO if quanto else Contract.LINEAR,
        size=1.0 if inverse else base.number(row.quanto_multiplier, f"{row.name} quanto_multiplier"),
        rate=base.number(bitcoin, "BTC_USD mark_price") if quanto else 1.0,
    )
