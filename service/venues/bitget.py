"""Bitget UTA v3: forced orders of USDT, USDC and coin-margined contracts, whose size is told in dollars.

Owns Bitget's raw shapes, its socket, the meaning of side and amount, and its delayed history. Opens no socket.
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, FeedRule, Instrument, Liquidation, Print, Side
from service.symbols import asset_of_base, asset_of_symbol
from service.venues import base
from service.venues.base import Event, Plan, Pong, Refused, Session, Spoilt, Subscribed, Venue
from service.venues.tickers.bitget import BitgetTickers

NAME = "bitget"
ORDERS, CONTROL = "liquidation", "ticker"
#: Three families on one socket; in REST they are written in capitals.
KINDS = ("usdt-futures", "usdc-futures", "coin-futures")
#: Decimals of the finest lot (BTC, 0.0001): a quantity in base units never has more.
LOT_DECIMALS = 4

#: side is the side of the POSITION: "buy Long position liquidation, sell Short position liquidation".
_SIDES = {"buy": Side.LONG, "sell": Side.SHORT}
_NAMED = re.compile(r".+(?:USDT|PERP|USD_CM)")


class _Arg(msgspec.Struct, frozen=True, omit_defaults=True):
    instType: str = ""  # noqa: N815  # the venue's spelling is compared as it stands
    topic: str = ""
    symbol: str = ""
    channel: str = ""


class _Row(msgspec.Struct, frozen=True, gc=False):
    symbol: str
    side: str
    price: str
    amount: str
    ts: str


class _Frame(msgspec.Struct, gc=False):  # what a socket says, and what REST answers
    arg: _Arg = _Arg()
    action: str = ""
    data: msgspec.Raw = msgspec.Raw()
    event: str = ""
    code: str | int = ""
    msg: str = ""


class _Listed(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str


class _Told(msgspec.Struct):
    rows: list[_Row] | None = msgspec.field(name="list")
    cursor: str | int | None = None


_FRAME = msgspec.json.Decoder(_Frame)
_ROWS = msgspec.json.Decoder(list[_Row])
_LISTED = msgspec.json.Decoder(list[_Listed])
_TOLD = msgspec.json.Decoder(_Told)
TELLS = BitgetTickers()
_TICKER = _Arg(instType="usdt-futures", topic=CONTROL, symbol="BTCUSDT")
_ARGS = (*(_Arg(instType=kind, topic=ORDERS) for kind in KINDS), _TICKER)


class _History(base.History):
    """Newest first, by category and cursor, without times: the URL's fragment, never sent, says how far back to go."""

    reach_s: ClassVar[float] = 70 * 3600  # the venue keeps three days; two hours for the asking
    delay_s: ClassVar[float] = 1800  # "data may be delayed"; a service that compared waits half an hour
    gap_s: ClassVar[float] = 0.25  # 5 a second and IP

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> list[str]:
        """The newest page of each family."""
        del instruments, until
        url = f"{endpoints['rest']}/api/v3/market/liquidations"
        return [f"{base.address(url, category=kind.upper(), limit=100)}#{since}" for kind in KINDS]

    def read(self, url: str, body: bytes, seen: int) -> base.Page:
        """Rows of one page, and the page behind it unless this one reaches back far enough."""
        told = base.parse(_TOLD, _data(body))
        orders, cursor = _prints(told.rows or [], seen, live=False), str(told.cursor or "")
        asked, _, since = url.partition("#")
        oldest = min((order.at for order in orders if isinstance(order, Print)), default=0)
        if not cursor or cursor == base.query_of(asked).get("cursor") or oldest < int(since or 0):
            return base.Page(orders=orders)
        return base.Page(orders=orders, more=(f"{base.asked_again(asked, cursor=cursor)}#{since}",))

    def same(self, order: Print, known: Liquidation) -> bool:
        """The live twin of a row, whichever unit the row is in: its dollars are the smaller reading or the larger."""
        price, least = order.price or 1.0, order.quantity
        one = (order.symbol, order.side, order.at) == (known.symbol, known.side, known.at)
        readings = (least, least * max(price, 1 / price))
        return one and any(math.isclose(usd, known.usd, rel_tol=1e-6, abs_tol=1e-4) for usd in readings)


class Bitget(Venue):
    """USDT, USDC and the coin-margined contracts of the unified account (`_CM`)."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://www.bitget.com/docs/uta/websocket/public/Liquidation-Channel"
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://ws.bitget.com/v3/ws/public",
        "rest": "https://api.bitget.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 300 connections per 5 minutes and IP
    usual_per_minute: ClassVar[float] = 2.5  # a guess: sampled like Binance, with as many contracts
    about: ClassVar[str] = "Shows the largest order of a contract and side each second: its totals are a floor."
    by_side: ClassVar[bool] = True
    history: ClassVar[_History] = _History()
    tickers: ClassVar[base.Tickers | None] = TELLS

    def completeness(self, at: int) -> Completeness:
        """One order a second of each contract and side."""
        del at
        return Completeness.SAMPLED

    def rule(self, at: int) -> FeedRule:
        """The largest record of a pair and side in the second before the push."""
        del at
        return FeedRule.LARGEST

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Every family; none pages."""
        return tuple(f"{endpoints['rest']}/api/v3/market/instruments?category={kind.upper()}" for kind in KINDS)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts in any state: no multiplier depends on it."""
        rows = [row for row in base.parse(_LISTED, _data(body)) if row.quote_coin in base.DOLLARS]
        return [_instrument(row.symbol, asset_of_base(row.base_coin)) for row in rows], None

    def implied(self, symbol: str) -> Instrument | None:
        """All that is quoted in dollars tells dollars; the ending of a name tells the quote."""
        return _instrument(symbol, asset_of_symbol(symbol)) if _NAMED.fullmatch(symbol) else None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market."""
        del instruments
        url, topics = endpoints["public"], tuple(msgspec.json.encode(arg).decode() for arg in _ARGS)
        beat = base.Heartbeat(text="ping", every_s=25)  # asked for every 30 s, cut after two minutes
        # the ticker of BTCUSDT comes several times a second
        return (Plan(venue=NAME, key="public", url=url, topics=topics, heartbeat=beat, control_max_age_s=30),)

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(_ARGS if plan else ())


class _Session(Session):
    def __init__(self, args: Sequence[_Arg]) -> None:
        self._args = args
        self._waiting = set(args)
        self._control = base.Sipping(TELLS)
        self._heard = False  # at least one family of orders was accepted

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [msgspec.json.encode({"op": "subscribe", "args": self._args}).decode()] if self._args else []

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if frame in ("pong", b"pong", "ping", b"ping"):  # a ping is our own, in a recording of both directions
            return (Pong(),) if frame in ("pong", b"pong") else ()
        message = base.parse(_FRAME, frame)
        if message.event == "error":
            return self._refusal(message)
        if message.arg.channel:
            # the older sockets ack a liquidation channel and send nothing on it
            raise DecodeError(f"channel {message.arg.channel[:40]!r} is a word of the older sockets, here it is topic")
        if message.event:
            return self._settled(message.arg) if message.event == "subscribe" else ()
        if message.arg.topic == ORDERS:
            oldest = seen - base.OLD_MS if message.action != "update" and seen else 0
            orders = _prints(base.parse(_ROWS, message.data), seen, live=True)
            return [order for order in orders if isinstance(order, Spoilt) or order.at >= oldest]
        if not message.arg.topic:
            raise DecodeError("neither an event nor a topic's data")
        return self._control.events(frame, seen) if message.arg.topic == CONTROL else ()

    def _settled(self, arg: _Arg, refused: str = "") -> Sequence[Event]:
        """One subscription was answered; without a single family of orders the connection is good for nothing."""
        waited = arg in self._waiting
        self._waiting.discard(arg)
        self._heard = self._heard or (waited and not refused and arg.topic == ORDERS)
        events: list[Event] = [Refused(reason=refused, fatal=False)] if refused else []
        if waited and not self._waiting:
            events.append(Subscribed() if self._heard else Refused(reason="bitget refused every topic of orders"))
        return events

    def _refusal(self, answer: _Frame) -> Sequence[Event]:
        """The answer has no `arg`: the text quotes the one refused, and where it does not the whole request failed."""
        reason = f"bitget answered {answer.code}: {answer.msg}"
        said = [arg for arg in self._waiting if all(f'"{word}"' in answer.msg for word in (arg.instType, arg.topic))]
        return self._settled(said[0], reason) if said else (Refused(reason=reason),)


def _prints(rows: list[_Row], seen: int, *, live: bool) -> tuple[Print | Spoilt, ...]:
    """The venue has no ids; equal rows of one frame are told apart by their number."""
    return tuple(base.row_by_row(base.numbered(rows), lambda row: [_print(*row, seen, live=live)]))


def _print(row: _Row, number: int, seen: int, *, live: bool) -> Print:
    price, amount = base.number(row.price, "price"), base.number(row.amount, "amount")
    return Print(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        side=base.side_of(row.side, _SIDES),
        price=price,
        quantity=amount if live else _least(row, price, amount),
        at=base.moment(row.ts, "ts"),
        seen=seen,
        id=base.digest((row.symbol, row.side, row.ts, base.spelt(row.price), base.spelt(row.amount), number)),
    )


def _least(row: _Row, price: float, amount: float) -> float:
    """Dollars of a REST row at the least, since its page does not say whether `amount` is dollars or coins.

    Finer than any lot, and a whole number of lots only when divided by the price: then it is dollars. Else the smaller
    reading counts: the larger could be too much by the price, or by one over the price.
    """
    told = Decimal(row.amount).scaleb(LOT_DECIMALS)
    coins = told / Decimal(row.price)
    dollars = told != told.to_integral_value() and coins == coins.to_integral_value()
    return amount if dollars else min(amount, amount * price)


def _data(body: bytes) -> msgspec.Raw:
    answer = base.parse(_FRAME, body)
    if answer.code != "00000":
        raise DecodeError(f"bitget answered {answer.code}: {answer.msg}")
    return answer.data


def _instrument(symbol: str, asset: str) -> Instrument:
    """`amount` is in the quote coin whatever the margin, so every contract counts dollars and its size is 1."""
    base.contract_name(symbol, "symbol")
    return Instrument(venue=NAME, symbol=symbol, asset=asset, contract=Contract.INVERSE, size=1.0)
