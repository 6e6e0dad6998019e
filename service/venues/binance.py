"""Binance: forced orders of USD-M and COIN-M futures, told apart by the form of the symbol.

Owns Binance's raw shapes, its two sockets and the meaning of S, z and ap. The field `st` (1 USD-M, 2 COIN-M) is not
read: Binance's own COIN-M sample of 2026-07-24 carries 1. Opens no socket.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base, asset_of_symbol
from service.venues import base
from service.venues.base import Control, Event, Plan, Refused, Session, Spoilt, Subscribed, Venue

NAME = "binance"
ORDERS = "!forceOrder@arr"
#: One control stream a socket: it shares the path of the orders and never rests.
CONTROLS = {"um": "!markPrice@arr@1s", "cm": "btcusd_perp@markPrice@1s"}

#: S is the order that closes the position.
_SIDES = {"SELL": Side.LONG, "BUY": Side.SHORT}
_COIN_M = re.compile(r"[^_]+USD_(?:PERP|\d{6})")
_USD_M = re.compile(r"[^_]+(?:USDT|USDC|BUSD|FDUSD)(?:_\d{6})?")
#: Mark prices of all symbols are over 100 KB a second: known by how they open and close, never decoded.
_MARKS = (
    ('{"stream":"!markPrice@arr', ("}]}",)),
    ('{"stream":"btcusd_perp@markPrice', ("}}",)),
    ('{"e":"markPrice', ("}",)),
    ('[{"e":"markPrice', ("}]",)),
)


class _Order(msgspec.Struct, gc=False):
    s: str
    S: str
    q: str
    z: str
    ap: str
    T: int


class _Event(msgspec.Struct, gc=False):
    e: str = ""
    o: msgspec.Raw = msgspec.Raw()


class _Error(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Frame(_Event, gc=False):
    data: _Event | list[_Event] | None = None
    id: int | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | None = None
    msg: str = ""
    error: _Error | None = None


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    base_asset: str
    quote_asset: str
    contract_size: float | None = None


class _Catalogue(msgspec.Struct):
    symbols: list[_Symbol]


_FRAME = msgspec.json.Decoder(_Frame | list[_Event])
_ORDER = msgspec.json.Decoder(_Order)
_CATALOGUE = msgspec.json.Decoder(_Catalogue)
_CONTROL = (Control(),)


class Binance(Venue):
    """USD-M and COIN-M. Both sockets may carry the orders of both; the id is the same whichever way one came."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = (
        "https://developers.binance.com/docs/derivatives/usds-margined-futures/"
        "websocket-market-streams/All-Market-Liquidation-Order-Streams"
    )
    endpoints: ClassVar[Mapping[str, str]] = {
        "um": "wss://fstream.binance.com/market/stream",
        "cm": "wss://dstream.binance.com/stream",
        "um_rest": "https://fapi.binance.com",
        "cm_rest": "https://dapi.binance.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 300 connections per 5 minutes and IP
    usual_per_minute: ClassVar[float] = 2.7  # 2026-09-18, a quiet day, as for the others
    about: ClassVar[str] = (
        "Shows one order per symbol and second and leaves out the rest of a burst: its totals are a floor."
    )

    def completeness(self, at: int) -> Completeness:
        """Sampled since 2021-04-27, and nothing older can reach us."""
        del at
        return Completeness.SAMPLED

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Exchange information of both products."""
        return (f"{endpoints['um_rest']}/fapi/v1/exchangeInfo", f"{endpoints['cm_rest']}/dapi/v1/exchangeInfo")

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts of either product in any state: what is settling may still be liquidated."""
        rows = base.parse(_CATALOGUE, body).symbols
        return [_instrument(row) for row in rows if row.quote_asset in base.DOLLARS], None

    def implied(self, symbol: str) -> Instrument | None:
        """USD-M quantities are base units; the size of a COIN-M contract stands in the metadata only."""
        if not _USD_M.fullmatch(symbol):
            return None
        return Instrument(venue=NAME, symbol=symbol, asset=asset_of_symbol(symbol), contract=Contract.LINEAR, size=1.0)

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket a product, whatever is listed."""
        del instruments
        return tuple(
            Plan(
                venue=NAME,
                key=key,
                url=endpoints[key],
                topics=(ORDERS, control),
                control_max_age_s=30,
                lifetime_s=23 * 3600,  # the venue cuts at 24 h
                hello_gap_s=0.2,  # at most 10 client messages a second
            )
            for key, control in CONTROLS.items()
        )

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = dict(enumerate(topics, 1))
        self._waiting = set(self._topics)

    def hello(self, now: int) -> Sequence[str]:
        del now
        asks = [{"method": "SUBSCRIBE", "params": [topic], "id": number} for number, topic in self._topics.items()]
        return [msgspec.json.encode(ask).decode() for ask in asks]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if base.whole(frame, _MARKS):
            return _CONTROL
        message = base.parse(_FRAME, frame)
        if isinstance(message, list):
            return _read(message, seen)
        if message.data is not None:
            return _read(message.data if isinstance(message.data, list) else (message.data,), seen)
        return _read((message,), seen) if message.e else self._answer(message)

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        if answer.error or answer.code is not None:
            error = answer.error or answer
            return (Refused(reason=f"binance answered {error.code}: {error.msg}"),)
        if answer.id is None or answer.result is msgspec.UNSET:
            raise DecodeError("neither an event nor an answer to a request")
        if answer.id not in self._waiting:
            return ()
        self._waiting.discard(answer.id)
        return () if self._waiting else (Subscribed(),)


def _read(events: Sequence[_Event], seen: int) -> Sequence[Event]:
    read: list[Event] = []
    for place, event in enumerate(events, 1):
        if event.e == "forceOrder":
            order = base.parse(_ORDER, event.o)
            try:
                read.append(_print(order, seen))
            except DecodeError as error:
                read.append(Spoilt(detail=f"row {place}: {error}"))
        elif event.e == "markPriceUpdate":
            return _CONTROL
        elif not event.e:
            raise DecodeError("an event without its name `e`")
    return read


def _print(order: _Order, seen: int) -> Print:
    """Filled quantity at its average price: q and p are what was asked, l the last fill only."""
    return Print(
        venue=NAME,
        symbol=base.contract_name(order.s, "o.s"),
        side=base.side_of(order.S, _SIDES),
        price=base.number(order.ap, "o.ap"),
        quantity=base.number(order.z, "o.z"),
        at=base.moment(order.T, "o.T"),
        seen=seen,
        id=base.digest((order.s, order.S, order.T, order.q, order.z, order.ap)),
    )


def _instrument(row: _Symbol) -> Instrument:
    inverse = bool(_COIN_M.fullmatch(row.symbol))
    size = row.contract_size if inverse else 1.0
    if not size or size < 0:
        raise DecodeError(f"{row.symbol}: contractSize must be above 0, got {size}")
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        asset=asset_of_base(row.base_asset),
        contract=Contract.INVERSE if inverse else Contract.LINEAR,
        size=size,
    )
