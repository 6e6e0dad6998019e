"""Poloniex v3 futures: forced orders of perpetuals against USDT, in contracts whose value stands in the metadata only.

Owns Poloniex's raw shapes, its socket, its history and the meaning of posSide, side, bkPx and sz. Opens no socket.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import MINUTE, Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, History, Page, Plan, Pong, Refused, Session, Spoilt, Subscribed

NAME = "poloniex"
ORDERS, CONTROL = "liquidation_orders", "mark_price"
PAGE = 100  # the most rows an answer of the history may hold

#: posSide is the position, `BOTH` where an account keeps one a contract; side is the ORDER's. A pair that would open
#: a position is none that a liquidation makes.
_SIDES = {"LONG SELL": Side.LONG, "SHORT BUY": Side.SHORT, "BOTH SELL": Side.LONG, "BOTH BUY": Side.SHORT}
#: Known by how they open and close, never decoded.
_MARKS = (('{"channel":"mark_price","data":[', ("}]}",)),)

Key = tuple[str, int, str, str, str, str]


class _Row(msgspec.Struct, rename="camel", gc=False):
    side: str
    pos_side: str
    sz: str
    bk_px: str
    u_time: int | str


class _Live(_Row):
    s: str


class _Past(_Row):
    symbol: str


class _Frame(msgspec.Struct):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()
    event: str = ""
    message: str = ""
    symbols: list[str] | None = None


class _Contract(msgspec.Struct):
    symbol: str
    bCcy: str  # noqa: N815  # no rule makes these of our spelling
    qCcy: str  # noqa: N815
    ctType: str  # noqa: N815
    ctVal: str  # noqa: N815
    status: str = ""


class _Answer(msgspec.Struct):
    code: int | str
    data: msgspec.Raw = msgspec.Raw()
    msg: str = ""


_FRAME = msgspec.json.Decoder(_Frame)
_LIVE = msgspec.json.Decoder(list[_Live])
_PAST = msgspec.json.Decoder(list[_Past])
_ANSWER = msgspec.json.Decoder(_Answer)
_CONTRACTS = msgspec.json.Decoder(list[_Contract])
_CONTROL = (Control(),)


class _History(History):
    """One contract at a time. Rows have no id to page by, so windows are halved until they are not full."""

    reach_s: ClassVar[float] = 86_400.0  # not stated
    delay_s: ClassVar[float] = 60.0  # not stated either
    gap_s: ClassVar[float] = 0.1  # 300 a second and IP

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> list[str]:
        """The whole window of every contract."""
        window = {"sTime": since, "eTime": until, "limit": PAGE}
        url = f"{endpoints['rest']}/v3/market/liquidationOrder"
        return [base.address(url, symbol=row.symbol, **window) for row in instruments]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """Halves share their edge, since nobody says whether edges are inside: the ids make its rows count once."""
        query = base.query_of(url)
        symbol, start, end = query["symbol"], int(query["sTime"]), int(query["eTime"])
        rows = base.parse(_PAST, _data(body, "history"))
        orders = _prints(((_listed(row, symbol), row) for row in rows), seen)
        if len(rows) < PAGE or end - start <= 1:
            return Page(orders=orders)
        times = [order.at for order in orders if isinstance(order, Print)]
        if not start - MINUTE <= min(times, default=0) <= max(times, default=0) <= end + MINUTE:
            raise DecodeError(f"poloniex history of {symbol}: a full page that keeps to no window")
        middle = (start + end) // 2
        return Page(orders=(), more=(base.asked_again(url, eTime=middle), base.asked_again(url, sTime=middle)))


class Poloniex(base.Venue):
    """Linear perpetuals, the only ones there are."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://api-docs.poloniex.com/v3/futures/websocket/public/get-liquidation-orders"
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://ws.poloniex.com/ws/v3/public",
        "rest": "https://api.poloniex.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 2,000 connections an address, no rate is told
    usual_per_minute: ClassVar[float] = 0.02  # a guess: 13 million dollars were traded a day in September 2026
    about: ClassVar[str] = "Shows one order a second of each contract, at its bankruptcy price: its totals are a floor."
    history: ClassVar[History | None] = _History()

    def completeness(self, at: int) -> Completeness:
        """One order a second of each contract."""
        del at
        return Completeness.SAMPLED

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All contracts in one answer."""
        return (f"{endpoints['rest']}/v3/market/allInstruments",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts that are not closed. What an inverse one would be worth is not documented: it gets none."""
        rows = [row for row in base.parse(_CONTRACTS, _data(body, "metadata")) if row.status != "CLOSED"]
        return [_instrument(row) for row in rows if row.ctType == "LINEAR" and row.qCcy in base.DOLLARS], None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market; the mark price of one contract comes each second."""
        names = [row.symbol for row in instruments]
        marked = sorted(names, key="BTC_USDT_PERP".__ne__)[:1]
        plan = Plan(
            venue=NAME,
            key="public",
            url=endpoints["public"],
            topics=(*(f"{CONTROL} {name}" for name in marked), *(f"{ORDERS} {name}" for name in names)),
            heartbeat=base.Heartbeat(text='{"event":"ping"}', every_s=20),  # closed after 30 s without a word from us
            control_max_age_s=30,
            hello_gap_s=0.01,  # 500 requests a second
        )
        return (plan,) if names else ()

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    """A request a topic, because an error names none: when all are answered, what was not accepted was refused."""

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._waiting = list(topics)
        self._failed = 0

    def hello(self, now: int) -> Sequence[str]:
        del now
        asks = [{"channel": [channel], "symbols": [name]} for channel, name in map(str.split, self._topics)]
        return [msgspec.json.encode({"event": "subscribe", **ask}).decode() for ask in asks]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if base.whole(frame, _MARKS):
            return _CONTROL
        message = base.parse(_FRAME, frame)
        if message.event:
            return self._answer(message)
        if message.channel == ORDERS:
            return _prints(((row.s, row) for row in base.parse(_LIVE, message.data)), seen)
        if not message.channel:
            raise DecodeError("neither an event nor a channel's data")
        return _CONTROL if message.channel == CONTROL else ()

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        if answer.event == "pong":
            return (Pong(),)
        events: list[Event] = []
        waited = len(self._waiting) > self._failed
        if answer.event == "error":
            self._failed += 1
            events.append(Refused(reason=f"poloniex answered: {answer.message}", fatal=False))
        elif answer.event == "subscribe":
            self._accept(answer)
        if not waited or len(self._waiting) > self._failed:
            return events
        if self._waiting:
            events.append(Refused(reason=f"poloniex refused {', '.join(self._waiting)}", fatal=False))
        heard = any(topic not in self._waiting for topic in self._topics if topic.startswith(ORDERS))
        return [*events, Subscribed() if heard else Refused(reason="poloniex refused every contract")]

    def _accept(self, answer: _Frame) -> None:
        """The page shows an ack without its contracts: then the oldest request of that channel has it."""
        own = [topic for topic in self._waiting if topic.startswith(f"{answer.channel} ")]
        told = own[:1] if answer.symbols is None else [f"{answer.channel} {name}" for name in answer.symbols]
        self._failed += answer.symbols == []  # an ack of nothing is a refusal
        self._waiting = [topic for topic in self._waiting if topic not in told]


def _data(body: bytes, what: str) -> msgspec.Raw:
    """A refusal comes with status 200, and its code as a number or as text."""
    answer = base.parse(_ANSWER, body)
    if str(answer.code) != "200":
        raise DecodeError(f"poloniex {what}: code {answer.code} {answer.msg}")
    return answer.data


def _listed(row: _Past, asked: str) -> str:
    """The contract asked for, which the history may spell without its underscores; "" for any other."""
    return asked if row.symbol.replace("_", "") == asked.replace("_", "") else ""


def _prints(rows: Iterable[tuple[str, _Row]], seen: int) -> tuple[Print | Spoilt, ...]:
    """The venue has no ids; equal rows of one frame are told apart by their number."""
    before: Counter[Key] = Counter()
    return tuple(base.row_by_row(rows, lambda row: [_print(*row, before, seen)]))


def _print(symbol: str, row: _Row, before: Counter[Key], seen: int) -> Print:
    """The price bkPx is that of bankruptcy; the history writes it with eighteen decimals."""
    name = base.contract_name(symbol, "symbol")
    side = base.side_of(f"{row.pos_side} {row.side}", _SIDES)
    price, size = base.number(row.bk_px, "bkPx"), base.number(row.sz, "sz")
    at = base.moment(row.u_time, "uTime")
    key = (name, at, row.pos_side, row.side, base.spelt(row.sz), base.spelt(row.bk_px))
    before[key] += 1
    told = base.digest((*key, before[key]))
    return Print(venue=NAME, symbol=name, side=side, price=price, quantity=size, at=at, seen=seen, id=told)


def _instrument(row: _Contract) -> Instrument:
    """The value is in the unit of the price: 1,000 of 1000PEPE are a million PEPE, at the price of a thousand."""
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        asset=asset_of_base(row.bCcy),
        contract=Contract.LINEAR,
        size=base.number(row.ctVal, f"{row.symbol} ctVal"),
    )
