"""Bitfinex: liquidated margin and derivative positions, told in up to three kinds of rows and counted once.

Owns Bitfinex's raw rows, which of them is an order and which only tells its price. Opens no socket.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import msgspec

from service.model import SECOND, Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, Leaving, Page, Plan, Refused, Session, Spoilt, Subscribed, Venue
from service.venues.tickers.bitfinex import BitfinexTickers

NAME = "bitfinex"
HOST = "api-pub.bitfinex.com"
KEY = "liq:global"
#: A trigger waits this long for a row with its price: captures show them a few milliseconds apart, in any order.
PATIENCE_MS = 5 * SECOND
LIMIT, REMEMBERED = 500, 2_000
#: `info` codes after which the venue wants to be dialled anew.
_LEAVING = {20051: "the server is stopping", 20061: "maintenance is over and subscriptions are lost"}
#: The venue's codes of coins that have another name everywhere else (from its list pub:map:currency:sym).
_COINS = {
    "UST": "USDT", "UDC": "USDC", "TSD": "TUSD", "EUT": "EURT", "ALG": "ALGO", "ATO": "ATOM", "BCHN": "BCH",
    "DSH": "DASH", "GNT": "GLM", "IOT": "IOTA", "LUNA": "LUNC", "LUNA2": "LUNA", "MNA": "MANA", "QTM": "QTUM",
}  # fmt: skip


class _Answer(msgspec.Struct):
    event: str
    key: str = ""
    code: int = 0
    msg: str = ""


class _Row(msgspec.Struct, array_like=True, gc=False):  # by index, not by length: rows may grow at their end
    kind: Literal["pos"]
    pos_id: int
    mts: float
    unused_3: object
    symbol: str
    amount: float
    base_price: object  # where the trader came in: no price of a liquidation
    unused_7: object
    is_match: Literal[0, 1]
    is_market_sold: int
    unused_10: object = None
    price_acquired: float | None = None


_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_ROW = msgspec.json.Decoder(_Row)
_ANSWER = msgspec.json.Decoder(_Answer)
_TICKERS = msgspec.json.Decoder(list[list[str | float | None]])


class _Story:
    """Orders pieced together: triggers that still wait for a price, recent prices of positions, what was told."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, Print]] = {}
        self._prices: deque[tuple[int, int, float]] = deque(maxlen=REMEMBERED)
        self._told: deque[str] = deque(maxlen=REMEMBERED)

    def read(self, rows: Sequence[_Row], seen: int, oldest: int = 0) -> list[Print | Spoilt]:
        """The orders that rows complete, nothing from before `oldest`."""
        return base.row_by_row(rows, lambda row: self._take(row, seen, oldest))

    def overdue(self, seen: int) -> list[Print]:
        """Triggers that have waited too long by our clock: they go without a price."""
        late = [order for order in self.rest() if seen - order.seen >= PATIENCE_MS]
        return [self._tell(order, None) for order in late]

    def rest(self, before: float = math.inf) -> list[Print]:
        return [order for _, order in self._held.values() if order.at < before]

    def _take(self, row: _Row, seen: int, oldest: int) -> list[Print]:
        order = _order(row, seen)
        if order.price is not None:
            self._prices.append((row.pos_id, order.at, order.price))
        if not row.is_match and order.id not in self._told and order.at >= oldest:
            self._held.setdefault(order.id, (row.pos_id, order))  # a match is a part of what its trigger tells whole
        own = [held for pos_id, held in self._held.values() if pos_id == row.pos_id]
        return [self._tell(held, price) for held in own if (price := self._price(row.pos_id, held.at))]

    def _price(self, pos_id: int, at: int) -> float | None:
        near = (price for of, when, price in reversed(self._prices) if of == pos_id and abs(at - when) <= PATIENCE_MS)
        return next(near, None)

    def _tell(self, order: Print, price: float | None) -> Print:
        del self._held[order.id]
        self._told.append(order.id)
        return msgspec.structs.replace(order, price=price)


class _History(base.History):
    reach_s: ClassVar[float] = 30 * 86_400.0
    delay_s: ClassVar[float] = 60.0
    gap_s: ClassVar[float] = 25.0  # 3 a minute; two at once were seen to earn 429 and minutes of rest

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """A little more than asked for, so that no trigger is parted from its price."""
        del instruments
        start, end = since - PATIENCE_MS, until + PATIENCE_MS
        return (base.address(f"{endpoints['rest']}/v2/liquidations/hist", start=start, end=end, limit=LIMIT, sort=1),)

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """A full page may end inside a story: what the next page tells again is left to it."""
        rows = [row for part in base.parse(_PARTS, body) for row in _rows(part)]
        story = _Story()
        orders = story.read(rows, seen)
        if len(rows) < LIMIT:
            return Page(orders=(*orders, *story.rest()))
        start, last = int(base.query_of(url)["start"]), int(max(row.mts for row in rows))
        following = last - PATIENCE_MS if last - PATIENCE_MS > start else max(last, start + 1)
        return Page(orders=(*orders, *story.rest(following)), more=(base.asked_again(url, start=following),))


class Bitfinex(Venue):
    """Margin pairs and perpetuals; every quantity in the base coin."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://docs.bitfinex.com/reference/ws-public-status"
    endpoints: ClassVar[Mapping[str, str]] = {"public": f"wss://{HOST}/ws/2", "rest": f"https://{HOST}"}
    dial_gap_s: ClassVar[float] = 4.0  # 20 connections a minute
    usual_per_minute: ClassVar[float] = 0.04  # 500 rows, some three an order, were seen to span 78 hours
    about: ClassVar[str] = "Shows every liquidation of margin and derivative positions, at the price of the take-over."
    history: ClassVar[base.History | None] = _History()
    tickers: ClassVar[base.Tickers | None] = BitfinexTickers()

    def completeness(self, at: int) -> Completeness:
        """A trigger for each position; nothing says that any is left out."""
        del at
        return Completeness.COMPLETE

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All pairs in one answer."""
        return (f"{endpoints['rest']}/v2/tickers?symbols=ALL",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Pairs quoted in dollars, and those whose quote coin has a dollar price in the same answer.

        The venue's lists of pairs (`/v2/conf/pub:list:pair:…`) are read as well; they tell names and no prices.
        """
        rows = base.parse(_TICKERS, body)
        if all(isinstance(part, str) for row in rows for part in row):
            rows = [[f"t{name}", *[None] * 7] for row in rows for name in row]
        last = {str(row[0]): row[7] for row in rows if row[7:] and _pair(row[0])}
        if not last:
            raise DecodeError("bitfinex metadata: no pair with a last price")
        marks = {symbol: base.number(price, symbol) if price else None for symbol, price in last.items()}
        worth = {_pair(symbol): mark for symbol, mark in marks.items() if mark}
        return [found for symbol, mark in marks.items() if (found := _instrument(symbol, mark, worth))], None

    def implied(self, symbol: str) -> Instrument | None:
        """Base units of a pair quoted in dollars; what another quote coin is worth stands in the metadata."""
        return _instrument(symbol, None, {})

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One channel for the whole market, whose own heartbeat comes every 15 s."""
        del instruments
        return (Plan(venue=NAME, key="status", url=endpoints["public"], topics=(KEY,), control_max_age_s=60),)

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(asking=plan is not None)


class _Session(Session):
    def __init__(self, *, asking: bool) -> None:
        self._asking = asking
        self._story = _Story()
        self._replay = False  # whether the next rows are the first since an acceptance, and may be old

    def hello(self, now: int) -> Sequence[str]:
        del now
        ask = {"event": "subscribe", "channel": "status", "key": KEY}
        return [msgspec.json.encode(ask).decode()] if self._asking else []

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if frame.lstrip()[:1] not in ("[", b"["):
            return self._answer(base.parse(_ANSWER, frame))
        channel, payload = (bytes(part) for part in (*base.parse(_PARTS, frame), b"", b"")[:2])
        if not channel.isdigit():  # any will do: the rows say what they are
            raise DecodeError("a frame opens with the number of its channel")
        if payload[:1] == b'"':
            return [*self._story.overdue(seen), *([Control()] if payload == b'"hb"' else [])]
        oldest, self._replay = seen - base.OLD_MS if self._replay else 0, False
        return [*self._story.read(_rows(payload), seen, oldest), *self._story.overdue(seen)]

    def farewell(self) -> Sequence[Print]:
        return self._story.rest()

    def _answer(self, answer: _Answer) -> Sequence[Event]:
        if answer.event == "error":
            return (Refused(reason=f"bitfinex answered {answer.code}: {answer.msg}"),)
        if answer.event == "info" and answer.code in _LEAVING:
            return (Leaving(reason=answer.msg or _LEAVING[answer.code]),)
        if (answer.event, answer.key) != ("subscribed", KEY):
            return ()
        asked, self._asking, self._replay = self._asking, False, True
        return (Subscribed(),) if asked else ()


def _rows(part: bytes) -> list[_Row]:
    """One row, or a list of them."""
    parts = base.parse(_PARTS, part)
    return [base.parse(_ROW, row) for row in ([part] if parts and bytes(parts[0])[:1] == b'"' else parts)]


def _order(row: _Row, seen: int) -> Print:
    return Print(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "SYMBOL"),
        side=Side.LONG if row.amount > 0 else Side.SHORT,
        price=base.number(row.price_acquired, "PRICE_ACQUIRED") if row.price_acquired else None,
        quantity=base.number(abs(row.amount), "AMOUNT"),
        at=base.moment(int(base.number(row.mts, "MTS")), "MTS"),
        seen=seen,
        id=base.digest((row.pos_id, base.spelt(row.amount))),
    )


def _pair(symbol: object) -> tuple[str, str] | None:
    """Coin and quote of tBTCUSD, tAVAX:UST, tBTCF0:USTF0; None for funding (fUSD). Paper has a quote of its own."""
    text = str(symbol)[1:]
    coin, _, quote = text.partition(":") if ":" in text else (text[:-3], "", text[-3:])
    if not str(symbol).startswith("t") or not coin or not quote:
        return None
    coin, quote = (code.removesuffix("F0") for code in (coin, quote))
    return _COINS.get(coin, coin), _COINS.get(quote, quote)


def _instrument(symbol: str, mark: float | None, worth: Mapping[tuple[str, str] | None, float]) -> Instrument | None:
    """None where nobody says what the quote is worth; of money without a dollar pair, bitcoin does."""
    coin, quote = _pair(symbol) or ("", "")
    here, there = worth.get(("BTC", "USD")), worth.get(("BTC", quote))
    rate = 1.0 if quote in base.DOLLARS else worth.get((quote, "USD")) or worth.get((quote, "USDT"))
    rate = rate or (here / there if here and there else None)
    if rate is None:
        return None
    asset, contract = asset_of_base(coin), Contract.LINEAR
    return Instrument(venue=NAME, symbol=symbol, asset=asset, contract=contract, size=1.0, rate=rate, mark=mark)
