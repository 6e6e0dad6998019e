"""Deribit: trades of futures and perpetuals, of which a few are marked as liquidations.

Owns Deribit's JSON-RPC, its socket, its history, and the meaning of direction, liquidation and amount. Opens no socket.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import HOUR, Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base, asset_of_symbol
from service.venues import base
from service.venues.base import Control, Event, History, Page, Plan, Refused, Say, Session, Subscribed, Venue
from service.venues.tickers.deribit import DeribitTickers

NAME = "deribit"
ORDERS = "trades.future.any.100ms"  # perpetuals are futures here; without a login there is no faster interval
CONTROL = "deribit_price_index.btc_usd"
HEARTBEAT_S = 30
HISTORY = "/api/v2/public/get_last_trades_by_currency_and_time"
#: The venue's largest page, and windows short enough that one which is already forgotten takes no other with it.
COUNT, WINDOW_MS = 1_000, 6 * HOUR
_HEARTBEAT, _SUBSCRIBE, _TEST = 1, 2, 3

#: `direction` is the taker's; the maker did the opposite. Who sold under force was long.
_TAKER = {"sell": Side.LONG, "buy": Side.SHORT}
_MAKER = {"buy": Side.LONG, "sell": Side.SHORT}
#: Who was liquidated -> what the direction means for each of them, and what tells their ids apart.
_PARTIES = {"T": ((_TAKER, ()),), "M": ((_MAKER, ()),), "MT": ((_TAKER, ()), (_MAKER, ("M",)))}
_FORM = re.compile(r"(?:BTC|ETH|(?P<pair>[A-Z0-9]+_USD[CT]))-(?:PERPETUAL|\d{1,2}[A-Z]{3}\d{2})")
_CONTRACTS = {"reversed": Contract.INVERSE, "linear": Contract.LINEAR}


class _Params(msgspec.Struct, frozen=True, gc=False):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()
    type: str = ""


class _Frame(msgspec.Struct, gc=False):
    method: str = ""
    params: _Params = _Params()
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: dict[str, object] | None = None


class _Row(msgspec.Struct, gc=False):
    trade_id: str
    instrument_name: str
    timestamp: int
    direction: str
    price: float
    amount: float
    liquidation: str | None = None


class _Contract(msgspec.Struct):
    instrument_name: str
    kind: str
    base_currency: str
    quote_currency: str
    instrument_type: str = ""
    future_type: str = ""


class _Trades(msgspec.Struct):
    trades: list[_Row]
    has_more: bool


_FRAME = msgspec.json.Decoder(_Frame)
_ROWS = msgspec.json.Decoder(list[_Row])
_ACCEPTED = msgspec.json.Decoder(list[str])
_CATALOGUE = msgspec.json.Decoder(list[_Contract])
_PAGE = msgspec.json.Decoder(_Trades)
_CONTROL = (Control(),)


def _request(number: int, method: str, params: Mapping[str, object]) -> str:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).decode()


_ALIVE = (Say(text=_request(_TEST, "public/test", {})),)


class _Past(History):
    """Recent trades of a settlement currency, marked as the live rows are and with the same ids."""

    reach_s: ClassVar[float] = 23 * 3_600  # a window that begins over 24 hours ago is empty, and no error says so
    delay_s: ClassVar[float] = 10
    gap_s: ClassVar[float] = 0.25  # 20 requests a second are allowed to one who logs in, fewer by address

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """Windows of each currency the contracts settle in: BTC-PERPETUAL in BTC, SOL_USDC-PERPETUAL in USDC."""
        windows = [(start, min(start + WINDOW_MS - 1, until)) for start in range(since, until + 1, WINDOW_MS)]
        fixed = f"{endpoints['rest']}{HISTORY}?kind=future&count={COUNT}&sorting=asc"
        return [
            base.asked_again(fixed, currency=currency, start_timestamp=first, end_timestamp=last)
            for currency in sorted({row.symbol.partition("-")[0].rpartition("_")[2] for row in instruments})
            for first, last in windows
        ]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """The next page begins in the millisecond in which this one ends: its rows there are told twice, none is lost.

        Raises DecodeError for more rows in one millisecond than a page holds: nothing can page beyond them.
        """
        page = base.parse(_PAGE, base.parse(_FRAME, body).result)
        more: tuple[str, ...] = ()
        if page.has_more:
            last = page.trades[-1].timestamp if page.trades else 0
            if last <= int(base.query_of(url)["start_timestamp"]):
                raise DecodeError(f"deribit history: has_more, and {len(page.trades)} rows that lead no further")
            more = (base.asked_again(url, start_timestamp=last),)
        return Page(orders=tuple(_prints(page.trades, seen)), more=more)


class Deribit(Venue):
    """Perpetuals and dated futures. No options: their price is in coin. No combos: their legs trade as futures."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://docs.deribit.com/subscriptions/trades/tradeskindcurrencyinterval"
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://www.deribit.com/ws/api/v2",
        "rest": "https://www.deribit.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 32 connections an address
    usual_per_minute: ClassVar[float] = 0.3  # guessed: nobody is known to have counted
    fills: ClassVar[bool] = True
    about: ClassVar[str] = "Shows every liquidation, as the trades that filled it: one order may come in many parts."
    history: ClassVar[History] = _Past()
    tickers: ClassVar[base.Tickers | None] = DeribitTickers()

    def completeness(self, at: int) -> Completeness:
        """Every trade is told and says whether it was forced."""
        del at
        return Completeness.COMPLETE

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All currencies in one body."""
        return (f"{endpoints['rest']}/api/v2/public/get_instruments?currency=any&kind=future",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Futures quoted in dollars. `amount` is dollars or coins, never contracts, so contract_size is not read."""
        rows = base.parse(_CATALOGUE, base.parse(_FRAME, body).result)
        return [found for row in rows if (found := _instrument(row))], None

    def implied(self, symbol: str) -> Instrument | None:
        """A pair in the name is linear; the bare coin is inverse for the two coins that have such contracts."""
        found = _FORM.fullmatch(symbol)
        contract = Contract.LINEAR if found and found["pair"] else Contract.INVERSE
        return _of(symbol, asset_of_symbol(symbol), contract) if found else None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market. The venue asks whether we live; we need not ask."""
        del instruments
        url = endpoints["public"]
        return (Plan(venue=NAME, key="public", url=url, topics=(ORDERS, CONTROL), control_max_age_s=30),)

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._waiting: set[int | str | None] = {_HEARTBEAT, _SUBSCRIBE} if topics else set()

    def hello(self, now: int) -> Sequence[str]:
        del now
        beat = _request(_HEARTBEAT, "public/set_heartbeat", {"interval": HEARTBEAT_S})
        return [beat, _request(_SUBSCRIBE, "public/subscribe", {"channels": self._topics})] if self._topics else []

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        message = base.parse(_FRAME, frame)
        if message.method == "subscription":
            return _told(message.params, seen)
        if message.method == "heartbeat":
            return _ALIVE if message.params.type == "test_request" else ()
        if message.error:
            return (Refused(reason=f"deribit answered {msgspec.json.encode(message.error).decode()}"),)
        if message.method:
            return ()  # a request of our own, in a recording of both directions
        return self._answer(message.id, bytes(message.result))

    def _answer(self, number: int | str | None, result: bytes) -> Sequence[Event]:
        """Channels the venue does not know are left out of the list, without an error."""
        if not result:
            raise DecodeError("neither a notification nor an answer to a request")
        if number not in self._waiting:
            return ()
        accepted = base.parse(_ACCEPTED, result) if number == _SUBSCRIBE else list(self._topics)
        missing = [topic for topic in self._topics if topic not in accepted]
        events: list[Event] = [Refused(reason=f"deribit left out {name}", fatal=name == ORDERS) for name in missing]
        if ORDERS not in missing:
            self._waiting.discard(number)
        return events if self._waiting else [*events, Subscribed()]


def _told(params: _Params, seen: int) -> Sequence[Event]:
    """Nearly every trade is free will: a batch of such is not typed, but a sign of life as good as the index."""
    if not params.channel.startswith("trades."):
        return _CONTROL if params.channel == CONTROL else ()
    rows = bytes(params.data)
    if rows[:1] == b"[" and b'"liquidation"' not in rows:
        return _CONTROL
    return _prints(base.parse(_ROWS, rows), seen)


def _prints(rows: list[_Row], seen: int) -> list[Print | base.Spoilt]:
    return base.row_by_row(rows, lambda row: _forced(row, seen))


def _forced(row: _Row, seen: int) -> list[Print]:
    """None, one position or one on each side. An id is unique within its currency, so the contract belongs to it."""
    if row.liquidation is None:
        return []
    parties = _PARTIES.get(row.liquidation)
    if parties is None:
        raise DecodeError(f"liquidation must be one of {', '.join(_PARTIES)}, got {row.liquidation!r:.40}")
    return [
        Print(
            venue=NAME,
            symbol=base.contract_name(row.instrument_name, "instrument_name"),
            side=base.side_of(row.direction, words),
            price=base.number(row.price, "price"),
            quantity=base.number(row.amount, "amount"),
            at=base.moment(row.timestamp, "timestamp"),
            seen=seen,
            id=base.digest((row.instrument_name, row.trade_id, *party)),
        )
        for words, party in parties
    ]


def _instrument(row: _Contract) -> Instrument | None:
    contract = _CONTRACTS.get(row.instrument_type or row.future_type)
    if contract is None or row.kind != "future" or row.quote_currency not in base.DOLLARS:
        return None
    return _of(base.contract_name(row.instrument_name, "instrument_name"), asset_of_base(row.base_currency), contract)


def _of(symbol: str, asset: str, contract: Contract) -> Instrument:
    return Instrument(venue=NAME, symbol=symbol, asset=asset, contract=contract, size=1.0)
