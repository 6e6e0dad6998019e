"""BitMEX: the table of liquidation orders, of which only a row's first appearance counts.

Owns BitMEX's table protocol, its socket, and the meaning of side, price and leavesQty. Opens no socket.
"""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Event, Heartbeat, Plan, Pong, Refused, Session, Sipping, Subscribed, Venue
from service.venues.tickers.bitmex import BitmexTickers

NAME = "bitmex"
ORDERS = "liquidation"
#: The contract whose mark is the dollar price of the coin that quanto contracts pay out; it moves all the time.
BITCOIN = "XBTUSD"
CONTROL = f"instrument:{BITCOIN}"
#: Perpetuals (crypto, currencies, stocks) and dated futures. Not: spot (IFXXXP), spreads (FFMCSX), indices (MR...).
KINDS = frozenset({"FFWCSX", "FFWCSF", "FFSCSX", "FFCCSX"})

#: `side` is the order that closes the position.
_SIDES = {"Sell": Side.LONG, "Buy": Side.SHORT}
#: What multipliers count in, by settling coin, and how many of them make one.
_UNITS = {"XBt": 1e8, "USDt": 1e6}


class _Frame(msgspec.Struct, gc=False):
    table: str = ""
    action: str = ""
    data: msgspec.Raw = msgspec.Raw()
    success: bool | None = None
    subscribe: str = ""
    error: str | None = None
    status: int = 0
    info: str | None = None
    op: str = ""


class _Row(msgspec.Struct, rename={"order_id": "orderID", "leaves_qty": "leavesQty"}, gc=False):
    order_id: str
    symbol: str
    side: str
    price: float
    leaves_qty: float


class _Mark(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    mark_price: float | None = None


class _Contract(msgspec.Struct, rename="camel"):
    symbol: str
    underlying: str
    typ: str = ""
    state: str = ""
    quote_currency: str | None = None
    settl_currency: str | None = None
    is_inverse: bool = False
    is_quanto: bool = False
    multiplier: float | None = None
    underlying_to_position_multiplier: float | None = None
    underlying_to_settle_multiplier: float | None = None
    mark_price: float | None = None


_FRAME = msgspec.json.Decoder(_Frame)
_ROWS = msgspec.json.Decoder(list[_Row])
_MARKS = msgspec.json.Decoder(list[_Mark])
_CATALOGUE = msgspec.json.Decoder(list[_Contract])


class Bitmex(Venue):
    """Linear, inverse and quanto contracts."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://www.bitmex.com/app/wsAPI"
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://ws.bitmex.com/realtime",
        "rest": "https://www.bitmex.com",
    }
    dial_gap_s: ClassVar[float] = 5.0  # the greeting counts down from 720 connections an hour
    usual_per_minute: ClassVar[float] = 0.1  # guessed: nobody is known to have counted
    by_default: ClassVar[bool] = False  # the exchange closed on 2026-09-23
    about: ClassVar[str] = "Closed on 2026-09-23. Shows every order as placed, at its bankruptcy price, without a time."
    tickers: ClassVar[base.Tickers | None] = BitmexTickers()

    def completeness(self, at: int) -> Completeness:
        """Every order enters the table."""
        del at
        return Completeness.COMPLETE

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All contracts in one body, which also tells the price of bitcoin."""
        return (f"{endpoints['rest']}/api/v1/instrument/active",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts whose dollars can be stated; what is paid out in bitcoin at the mark of the same body."""
        rows = base.parse(_CATALOGUE, body)
        if not rows:
            raise DecodeError("bitmex metadata: an empty list")
        bitcoin = next((row.mark_price for row in rows if row.symbol == BITCOIN), None)
        return [found for row in rows if (found := _instrument(row, bitcoin))], None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market."""
        del instruments
        return (
            Plan(
                venue=NAME,
                key="public",
                url=endpoints["public"],
                topics=(ORDERS, CONTROL),
                heartbeat=Heartbeat(text="ping", every_s=5),
                control_max_age_s=30,
            ),
        )

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._waiting = set(topics)
        self._sipping = Sipping(BitmexTickers())
        self._bitcoin: float | None = None
        """Dollars of one bitcoin, the last mark heard on this connection."""

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [msgspec.json.encode({"op": "subscribe", "args": self._topics}).decode()] if self._topics else []

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if frame in ("pong", b"pong"):
            return (Pong(),)
        if frame in ("ping", b"ping"):
            return ()  # our own heartbeat, in a recording of both directions
        message = base.parse(_FRAME, frame)
        if message.table == "instrument":
            self._mark(base.parse(_MARKS, message.data))
            return self._sipping.events(frame, seen)
        if message.table == ORDERS and message.action == "insert":
            return _prints(base.parse(_ROWS, message.data), self._bitcoin, seen)
        # an `update` changes what is left of an order or its limit, a `delete` ends it, a `partial` repeats open ones
        return () if message.table else self._answer(message)

    def _mark(self, rows: list[_Mark]) -> None:
        """Updates tell only what changed: the last mark stands."""
        for row in rows:
            if row.symbol == BITCOIN and row.mark_price is not None:
                self._bitcoin = base.number(row.mark_price, "markPrice")

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        if answer.error is not None or answer.success is False:
            return (Refused(reason=f"bitmex answered {answer.status or 'no'}: {answer.error or 'no reason given'}"),)
        if answer.success is None and answer.info is None and not answer.op:
            raise DecodeError("neither a table nor an answer to a request")
        if answer.subscribe not in self._waiting:  # the greeting and our own words, too
            return ()
        self._waiting.discard(answer.subscribe)
        return () if self._waiting else (Subscribed(),)


def _prints(rows: list[_Row], bitcoin: float | None, seen: int) -> Sequence[Event]:
    return base.row_by_row(rows, lambda row: [_print(row, bitcoin, seen)])


def _print(row: _Row, bitcoin: float | None, seen: int) -> Print:
    """The feed tells no time: it is when we heard of it."""
    if not row.order_id:
        raise DecodeError("orderID is empty")
    return Print(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        side=base.side_of(row.side, _SIDES),
        price=base.number(row.price, "price"),
        quantity=base.number(row.leaves_qty, "leavesQty"),
        at=seen,
        seen=seen,
        id=base.digest((row.order_id,)),
        rate=bitcoin,
    )


def _instrument(row: _Contract, bitcoin: float | None) -> Instrument | None:
    if (row.typ and row.typ not in KINDS) or row.state == "Unlisted":
        return None
    contract, size, rate = _inverse(row) if row.is_inverse else _priced(row, bitcoin)
    if size <= 0 or not rate:
        return None
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        asset=asset_of_base(row.underlying),
        contract=contract,
        size=base.number(size, f"{row.symbol} multiplier"),
        rate=base.number(rate, f"{BITCOIN} markPrice"),
    )


def _inverse(row: _Contract) -> tuple[Contract, float, float]:
    """Both multipliers count the settling coin in its smallest unit: their ratio is dollars a contract, 1 at XBTUSD."""
    unit = row.underlying_to_settle_multiplier or -_UNITS.get(row.settl_currency or "", math.inf)
    size = (row.multiplier or 0.0) / unit
    return Contract.INVERSE, size if row.quote_currency in base.DOLLARS else 0.0, 1.0


def _priced(row: _Contract, bitcoin: float | None) -> tuple[Contract, float, float | None]:
    """A contract pays so much for each point of its price: in bitcoin or in dollars, other coins we cannot value."""
    paid = (row.multiplier or 0.0) / _UNITS.get(row.settl_currency or "", math.inf)
    if row.is_quanto:
        return (Contract.QUANTO, paid, bitcoin) if row.settl_currency == "XBt" else (Contract.LINEAR, paid, 1.0)
    rate, own = (1.0, "USDt") if row.quote_currency in base.DOLLARS else (bitcoin, "XBt")
    if row.quote_currency == "XBT" or own == "USDt":
        per_coin = row.underlying_to_position_multiplier
        return Contract.LINEAR, 1 / per_coin if per_coin else paid if row.settl_currency == own else 0.0, rate
    return Contract.LINEAR, 0.0, None
