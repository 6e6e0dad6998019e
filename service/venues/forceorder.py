"""The dialect of forced orders that Binance speaks and its kin repeat: raw shapes, subscriptions, one order.

Owns what is the same wherever it is spoken: the words of S, the meaning of z and ap, ids, acks and errors. Knows no
URL and no contract's size: those are in each venue's own file. It is no venue itself and has no row in the table.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec

from service.model import Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_symbol
from service.venues import base
from service.venues.base import Control, Event, Plan, Refused, Session, Sipping, Spoilt, Subscribed, Tickers

ORDERS = "!forceOrder@arr"
#: Marks of all contracts, each second: it shares the path of the orders and never rests.
MARKS = "!markPrice@arr@1s"
#: Marks of all symbols are over 100 KB a second: known by how they open and close, and decoded once in ten seconds.
MARK_FRAMES = (
    ('{"stream":"!markPrice@arr', ("}]}",)),
    ('{"e":"markPrice', ("}",)),
    ('[{"e":"markPrice', ("}]",)),
)

#: S is the order that closes the position.
_SIDES = {"SELL": Side.LONG, "BUY": Side.SHORT}
_LINEAR = re.compile(r"[^_]+(?:USDT|USDC|BUSD|FDUSD|USD1)(?:_\d{6})?")


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


class Symbol(msgspec.Struct, rename="camel"):
    """A contract as the exchange information tells it."""

    symbol: str
    base_asset: str
    quote_asset: str
    contract_size: float | None = None


class _Catalogue(msgspec.Struct):
    symbols: list[Symbol]


_FRAME = msgspec.json.Decoder(_Frame | list[_Event])
_ORDER = msgspec.json.Decoder(_Order)
_CATALOGUE = msgspec.json.Decoder(_Catalogue)


def symbols(body: bytes) -> list[Symbol]:
    """Contracts quoted in dollars, in any state: what is settling may still be liquidated. Raises DecodeError."""
    return [row for row in base.parse(_CATALOGUE, body).symbols if row.quote_asset in base.DOLLARS]


def linear(venue: str, symbol: str) -> Instrument | None:
    """A contract counted in base units, where the form of its name says that it is one."""
    if not _LINEAR.fullmatch(symbol):
        return None
    return Instrument(venue=venue, symbol=symbol, asset=asset_of_symbol(symbol), contract=Contract.LINEAR, size=1.0)


def plan(venue: str, key: str, url: str, control: str = MARKS) -> Plan:
    """A socket for all orders and a control stream."""
    return Plan(
        venue=venue,
        key=key,
        url=url,
        topics=(ORDERS, control),
        control_max_age_s=30,
        lifetime_s=23 * 3600,  # cut at 24 h
        hello_gap_s=0.2,  # at most 10 client messages a second
    )


class ForceOrders(Session):
    """One connection; `marks` are the control frames, whose words are those of `tickers`."""

    def __init__(
        self,
        venue: str,
        tickers: Tickers,
        topics: Sequence[str],
        marks: Iterable[tuple[str, tuple[str, ...]]] = MARK_FRAMES,
    ) -> None:
        self._venue = venue
        self._marks = tuple(marks)
        self._control = Sipping(tickers)
        self._topics = dict(enumerate(topics, 1))
        self._waiting = set(self._topics)

    def hello(self, now: int) -> Sequence[str]:
        """One request a stream, so that each is acked by itself."""
        del now
        asks = [{"method": "SUBSCRIBE", "params": [topic], "id": number} for number, topic in self._topics.items()]
        return [msgspec.json.encode(ask).decode() for ask in asks]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        """Frames with and without the wrapping of a combined stream, one event or a list of them."""
        if base.whole(frame, self._marks):
            return self._control.events(frame, seen)
        message = base.parse(_FRAME, frame)
        if isinstance(message, list):
            return self._read(message, seen)
        if message.data is not None:
            return self._read(message.data if isinstance(message.data, list) else (message.data,), seen)
        return self._read((message,), seen) if message.e else self._answer(message)

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        if answer.error or answer.code is not None:
            error = answer.error or answer
            return (Refused(reason=f"{self._venue} answered {error.code}: {error.msg}"),)
        if answer.id is None or answer.result is msgspec.UNSET:
            raise DecodeError("neither an event nor an answer to a request")
        if answer.id not in self._waiting:
            return ()
        self._waiting.discard(answer.id)
        return () if self._waiting else (Subscribed(),)

    def _read(self, events: Sequence[_Event], seen: int) -> Sequence[Event]:
        read: list[Event] = []
        for place, event in enumerate(events, 1):
            if event.e == "forceOrder":
                order = base.parse(_ORDER, event.o)
                try:
                    read.append(_print(self._venue, order, seen))
                except DecodeError as error:
                    read.append(Spoilt(detail=f"row {place}: {error}"))
            elif event.e == "markPriceUpdate":
                return (Control(),)
            elif not event.e:
                raise DecodeError("an event without its name `e`")
        return read


def _print(venue: str, order: _Order, seen: int) -> Print:
    """Filled quantity at its average price: q and p are what was asked, l the last fill only."""
    return Print(
        venue=venue,
        symbol=base.contract_name(order.s, "o.s"),
        side=base.side_of(order.S, _SIDES),
        price=base.number(order.ap, "o.ap"),
        quantity=base.number(order.z, "o.z"),
        at=base.moment(order.T, "o.T"),
        seen=seen,
        id=base.digest((order.s, order.S, order.T, order.q, order.z, order.ap)),
    )
