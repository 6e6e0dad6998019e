"""Lighter: forced orders of its perpetuals, one trade channel a market, told with their dollars.

Owns Lighter's raw shapes, how markets are shared out over sockets, and the meaning of is_maker_ask. Opens no socket.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, Leaving, Plan, Refused, Say, Session, Spoilt, Subscribed, Venue
from service.venues.tickers.lighter import LighterTickers

NAME = "lighter"
#: The chain's height, a frame of some eighty bytes several times a second: it never rests and needs no market.
CONTROL = "height"
#: 100 subscriptions a connection were documented first, 500 are said to hold now: the lower one, with room.
SOCKET_MARKETS = 90
#: 200 messages a minute and IP are allowed, over all sockets together; the rest is for pongs.
MESSAGES_PER_MINUTE = 150

#: What frames without a channel mean.
_WORDS: Mapping[str, Sequence[Event]] = {
    "ping": (Say(text='{"type":"pong"}'),),
    "shutdown": (Leaving(reason="lighter shuts this server down"),),
    **dict.fromkeys(("connected", "pong", "subscribed", "unsubscribed"), ()),
}
_LIQUIDATION = b'"liquidation"'


class _Trade(msgspec.Struct, gc=False):
    type: str
    market_id: int
    price: str
    usd_amount: str
    is_maker_ask: bool
    timestamp: int
    trade_id_str: str = ""
    trade_id: int = 0
    taker_position_size_before: str = ""


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Frame(msgspec.Struct):
    type: str = ""
    channel: str = ""
    liquidation_trades: list[_Trade] | None = None
    trades: msgspec.Raw = msgspec.Raw()
    error: _Error | None = None
    message: str = ""
    code: int = 0


class _Book(msgspec.Struct):
    symbol: str
    market_id: int
    status: str
    market_type: str = "perp"


class _Catalogue(msgspec.Struct):
    code: int
    order_books: list[_Book] | None = None
    order_book_details: list[_Book] | None = None
    """The longer answer of `orderBookDetails`, of which the same fields are read."""


_FRAME = msgspec.json.Decoder(_Frame)
_TRADES = msgspec.json.Decoder(list[_Trade])
_CATALOGUE = msgspec.json.Decoder(_Catalogue)
_CONTROL = (Control(),)


class Lighter(Venue):
    """Perpetuals that settle in USDC; the spot markets know no liquidation."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://apidocs.lighter.xyz/docs/websocket-reference"
    endpoints: ClassVar[Mapping[str, str]] = {
        "stream": "wss://mainnet.zklighter.elliot.ai/stream",
        "rest": "https://mainnet.zklighter.elliot.ai",
    }
    dial_gap_s: ClassVar[float] = 1.0
    usual_per_minute: ClassVar[float] = 1.0
    fills: ClassVar[bool] = True
    about: ClassVar[str] = "Shows every fill of a liquidation order; deleveraging and settlements are not among them."
    tickers: ClassVar[base.Tickers | None] = LighterTickers()

    def completeness(self, at: int) -> Completeness:
        """The trade channel carries every trade, liquidations in a list of their own."""
        del at
        return Completeness.COMPLETE

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All markets at once."""
        return (f"{endpoints['rest']}/api/v1/orderBooks",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Active perpetuals. Bodies from before there was a spot market do not name the type."""
        answer = base.parse(_CATALOGUE, body)
        if answer.code != 200:  # noqa: PLR2004  # the venue repeats the status of HTTP
            raise DecodeError(f"lighter metadata: code {answer.code}")
        books = answer.order_books if answer.order_books is not None else answer.order_book_details
        if books is None:
            raise DecodeError("lighter metadata: neither order_books nor order_book_details")
        rows = [row for row in books if row.market_type == "perp" and row.status == "active"]
        return [_instrument(row) for row in rows], None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """As many sockets as the markets need: a new one joins the last socket, the others stay.

        Each speaks the more slowly the more there are, for the limit is that of our address.
        """
        markets = [instrument.symbol for instrument in instruments]
        firsts = range(0, len(markets), SOCKET_MARKETS)
        return [
            Plan(
                venue=NAME,
                key=f"trades-{first // SOCKET_MARKETS}",
                url=endpoints["stream"],
                topics=(CONTROL, *(f"trade/{market}" for market in markets[first : first + SOCKET_MARKETS])),
                control_max_age_s=60,
                hello_gap_s=round(60 / MESSAGES_PER_MINUTE * len(firsts), 3),
            )
            for first in firsts
        ]

    def implied(self, symbol: str) -> Instrument | None:
        """A market number without its book is its own asset: its dollars are told all the same."""
        numbered = symbol.isascii() and symbol.isdigit()
        return _instrument(_Book(symbol=symbol, market_id=int(symbol), status="")) if numbered else None

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._waiting = set(topics)

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [msgspec.json.encode({"type": "subscribe", "channel": topic}).decode() for topic in self._topics]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        message = base.parse(_FRAME, frame)
        if message.error is not None or message.type == "error":
            error = message.error or _Error(code=message.code, message=message.message)
            return (Refused(reason=f"lighter answered {error.code}: {error.message}"),)
        if message.channel:
            return self._news(message, seen)
        if message.type not in _WORDS:
            raise DecodeError(f"neither a channel nor a known type: {message.type[:40]!r}")
        return _WORDS[message.type]

    def _news(self, message: _Frame, seen: int) -> Sequence[Event]:
        match message.type:
            case "update/trade":
                return _orders(message, seen)
            case "subscribed/trade":
                orders = _orders(message, seen, seen - base.OLD_MS)
                return [*orders, *self._accepted(message.channel.replace(":", "/"))]
            case "update/height":  # whether the channel is acked by a frame of its own is not documented
                return (*_CONTROL, *self._accepted(CONTROL))
            case "subscribed/height":
                return self._accepted(CONTROL)
        return ()

    def _accepted(self, topic: str) -> Sequence[Event]:
        if topic not in self._waiting:
            return ()
        self._waiting.discard(topic)
        return () if self._waiting else (Subscribed(),)


def _orders(message: _Frame, seen: int, since: int = 0) -> list[Print | Spoilt]:
    """Only liquidations: deleveraging hands positions over without an order, a settlement ends a market.

    The list of ordinary trades is long and has no liquidation among its rows as far as anybody saw; it is read when one
    is.
    """
    rows = message.liquidation_trades or []
    if _LIQUIDATION in bytes(message.trades):
        rows = [*rows, *base.parse(_TRADES, message.trades)]

    def read(row: _Trade) -> list[Print]:
        order = _print(row, message.channel, seen) if row.type == "liquidation" else None
        return [order] if order and order.at >= since else []

    return base.row_by_row(rows, read)


def _print(row: _Trade, channel: str, seen: int) -> Print:
    """The quantity is in dollars, as the venue counts them: no multiplier is needed, the price only tells the coins.

    The taker is the one liquidated; where the maker asked, he bought, so a short was closed. What he held before must
    agree, where the venue tells it.
    """
    if channel != f"trade:{row.market_id}":
        raise DecodeError(f"market_id {row.market_id} in channel {channel[:40]!r}")
    held = row.taker_position_size_before
    if held and held.startswith("-") is not row.is_maker_ask:
        raise DecodeError(f"is_maker_ask is {row.is_maker_ask}, but the taker held {held[:40]!r}")
    if not (row.trade_id_str or row.trade_id):
        raise DecodeError("trade_id_str is missing")
    return Print(
        venue=NAME,
        symbol=str(row.market_id),
        side=Side.SHORT if row.is_maker_ask else Side.LONG,
        price=base.number(row.price, "price"),
        quantity=base.number(row.usd_amount, "usd_amount"),
        at=base.moment(row.timestamp, "timestamp"),
        seen=seen,
        id=base.digest((row.trade_id_str or row.trade_id,)),
    )


def _instrument(row: _Book) -> Instrument:
    return Instrument(
        venue=NAME,
        symbol=str(row.market_id),
        asset=asset_of_base(row.symbol),
        contract=Contract.INVERSE,  # counted in dollars, see _print
        size=1.0,
        alias=base.contract_name(row.symbol, "symbol"),
    )
