"""Kraken Futures: liquidations among the trades of all contracts, one product each.

Owns Kraken's raw shapes, how products are asked for and refused, and the meaning of side and qty. Opens no socket.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base, asset_of_symbol
from service.venues import base
from service.venues.base import Control, Event, Page, Plan, Refused, Say, Session, Spoilt, Subscribed, Venue
from service.venues.tickers.kraken import KrakenTickers

NAME = "kraken"
HOST = "futures.kraken.com"
HEARTBEAT = "heartbeat"  #: The one feed without products.
#: Other trades are fills, blocks, and positions handed over outside the book (termination, assignment).
LIQUIDATION = "liquidation"
FRAME_PRODUCTS, PAGE = 100, 100

#: The side of the taker. That the taker is the one who is liquidated is inferred, the venue does not say so.
_SIDES = {"sell": Side.LONG, "buy": Side.SHORT}
_CONTRACTS = {"futures_inverse": Contract.INVERSE, "flexible_futures": Contract.LINEAR}
_FORM = re.compile(r"[PF][IF]_.+USD(?:_\d{6})?")


class _Frame(msgspec.Struct, gc=False):
    event: str = ""
    feed: str = ""
    type: str = ""
    product_id: str = ""
    product_ids: list[str] = []
    message: str = ""
    trades: msgspec.Raw = msgspec.Raw()


class _Trade(msgspec.Struct, gc=False):
    uid: str
    side: str
    type: str
    time: int
    qty: float
    price: float
    product_id: str = ""


class _Past(msgspec.Struct, gc=False):
    time: str
    price: float
    size: float
    side: str
    type: str = ""
    uid: str = ""


class _Contract(msgspec.Struct, rename="camel"):
    symbol: str
    type: str
    tradeable: bool
    contract_size: float | None = None
    base: str = ""


class _Body(msgspec.Struct):
    result: str
    error: str = ""
    instruments: list[_Contract] | None = None
    history: list[_Past] | None = None


_FRAME = msgspec.json.Decoder(_Frame)
_TRADE = msgspec.json.Decoder(_Trade)
_TRADES = msgspec.json.Decoder(list[_Trade])
_BODY = msgspec.json.Decoder(_Body)


class _History(base.History):
    reach_s: ClassVar[float] = 86_400.0  # 7 days or since the engine's last restart, whichever is less
    delay_s: ClassVar[float] = 30.0
    gap_s: ClassVar[float] = 0.2

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """One a product; how far back is asked stands behind a `#`, which no client sends."""
        url, last = f"{endpoints['rest']}/derivatives/api/v3/history", _text(until + 1)
        return [f"{base.address(url, symbol=row.symbol, lastTime=last)}#{since}" for row in instruments]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """All trades before a time, newest first; a millisecond more keeps twins, should the time be exclusive."""
        answer = base.parse(_BODY, body)
        if answer.history is None:
            raise DecodeError(f"kraken history: {answer.result} {answer.error}")
        address, _, since = url.partition("#")
        asked = base.query_of(address)
        trades = [
            _Trade(row.uid, row.side, row.type, base.moment_of_text(row.time, "time"), row.size, row.price)
            for row in answer.history
        ]
        orders = tuple(_told(trades, asked["symbol"], seen))
        oldest = min((trade.time for trade in trades), default=0)
        if len(trades) < PAGE or oldest < int(since):
            return Page(orders=orders)
        before = min(oldest + 1, base.moment_of_text(asked["lastTime"], "lastTime") - 1)
        return Page(orders=orders, more=(f"{base.asked_again(address, lastTime=_text(before))}#{since}",))


class Kraken(Venue):
    """Perpetual and dated futures: PF_ and FF_ in base units, PI_ and FI_ in dollars."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://docs.kraken.com/api/docs/futures-api/websocket/trade"
    endpoints: ClassVar[Mapping[str, str]] = {"public": f"wss://{HOST}/ws/v1", "rest": f"https://{HOST}"}
    dial_gap_s: ClassVar[float] = 1.0
    usual_per_minute: ClassVar[float] = 0.1
    fills: ClassVar[bool] = True
    about: ClassVar[str] = "Shows every trade that liquidates a position, one row for each fill."
    history: ClassVar[base.History | None] = _History()
    tickers: ClassVar[base.Tickers | None] = KrakenTickers()

    def completeness(self, at: int) -> Completeness:
        """All trades are shown, and those of liquidations are marked."""
        del at
        return Completeness.COMPLETE

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All contracts in one answer."""
        return (f"{endpoints['rest']}/derivatives/api/v3/instruments",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Futures that trade; no indices, no reference rates, none whose payout is another coin (PV_)."""
        answer = base.parse(_BODY, body)
        if answer.instruments is None:
            raise DecodeError(f"kraken metadata: {answer.result} {answer.error}")
        rows = [row for row in answer.instruments if row.tradeable and row.type in _CONTRACTS]
        return [_instrument(row) for row in rows if _FORM.fullmatch(row.symbol.upper())], None

    def implied(self, symbol: str) -> Instrument | None:
        """The head of the name tells the unit of its quantity."""
        kind = "futures_inverse" if symbol[1:2] == "I" else "flexible_futures"
        return _instrument(_Contract(symbol, kind, True, 1.0)) if _FORM.fullmatch(symbol) else None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market; its heartbeat is meant to save it from being cut after 60 quiet seconds."""
        topics = tuple(row.symbol for row in instruments)
        plan = Plan(venue=NAME, key="futures", url=endpoints["public"], topics=topics, control_max_age_s=60)
        return (plan,) if topics else ()

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, products: Sequence[str]) -> None:
        self._products = products
        self._asked: list[list[str]] = []  # requests have no number: they are answered in their order
        self._heard = False  # whether at least one product was accepted

    def hello(self, now: int) -> Sequence[str]:
        del now
        parts = [self._products[at : at + FRAME_PRODUCTS] for at in range(0, len(self._products), FRAME_PRODUCTS)]
        return [self._ask(part) for part in ([HEARTBEAT], *parts)] if parts else []

    def _ask(self, topics: Sequence[str]) -> str:
        self._asked.append(list(topics))
        what = {"feed": "trade", "product_ids": topics} if topics[0] != HEARTBEAT else {"feed": HEARTBEAT}
        return msgspec.json.encode({"event": "subscribe", **what}).decode()

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        message = base.parse(_FRAME, frame)
        if message.event:
            return self._answer(message)
        if not message.feed:
            raise DecodeError("neither an event nor a feed")
        if message.feed == "trade_snapshot":
            return _told(base.parse(_TRADES, message.trades), message.product_id, seen, seen - base.OLD_MS)
        if message.feed == "trade" and message.type == LIQUIDATION:
            return _told([base.parse(_TRADE, frame)], message.product_id, seen)
        return (Control(),) if message.feed == HEARTBEAT else ()

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        waiting, events = bool(self._asked), list[Event]()
        if answer.event == "subscribed":
            self._accept([HEARTBEAT] if answer.feed == HEARTBEAT else answer.product_ids)
        elif answer.event in ("error", "alert", "subscribed_failed"):
            events += self._refuse(answer.message or f"{answer.event} `{'`, `'.join(answer.product_ids)}`")
        if waiting and not self._asked:
            events.append(Subscribed() if self._heard else Refused(reason="kraken refused every product"))
        return events

    def _accept(self, topics: Sequence[str]) -> None:
        self._heard = self._heard or any(topic != HEARTBEAT for topic in topics)
        left = [[topic for topic in request if topic not in topics] for request in self._asked]
        self._asked = [request for request in left if request]

    def _refuse(self, reason: str) -> list[Event]:
        """What names no product is about the oldest request, which is asked for again in halves."""
        request = next((r for r in self._asked if any(f"`{topic}`" in reason for topic in r)), (*self._asked, [])[0])
        alone = len(request) == 1
        if alone and "already subscribed" in reason.lower():
            self._accept(request)
            return []
        self._asked = [other for other in self._asked if other is not request]
        bad = [topic for topic in request if alone or f"`{topic}`" in reason]
        rest = [topic for topic in request if topic not in bad]
        half = 0 if bad else len(rest) // 2
        asks = [Say(text=self._ask(part)) for part in (rest[:half], rest[half:]) if part]
        refused = [Refused(reason=f"kraken refused {topic}: {reason}", fatal=False) for topic in bad]
        return [*refused, *asks] or [Refused(reason=f"kraken answered: {reason}", fatal=False)]


def _told(trades: list[_Trade], product: str, seen: int, oldest: int = 0) -> list[Print | Spoilt]:
    def read(trade: _Trade) -> list[Print]:
        order = _print(trade, trade.product_id or product, seen) if trade.type == LIQUIDATION else None
        return [order] if order and order.at >= oldest else []

    return base.row_by_row(trades, read)


def _print(trade: _Trade, product: str, seen: int) -> Print:
    return Print(
        venue=NAME,
        symbol=base.contract_name(product, "product_id"),
        side=base.side_of(trade.side, _SIDES),
        price=base.number(trade.price, "price"),
        quantity=base.number(trade.qty, "qty"),
        at=base.moment(trade.time, "time"),
        seen=seen,
        id=base.digest((base.contract_name(trade.uid, "uid"),)),
    )


def _instrument(row: _Contract) -> Instrument:
    symbol = row.symbol.upper() if row.symbol.islower() else row.symbol  # as old metadata spelt what trades spell large
    size = base.number(row.contract_size or 0.0, f"{symbol} contractSize")
    asset = asset_of_base(row.base) if row.base else asset_of_symbol(symbol)
    return Instrument(venue=NAME, symbol=symbol, asset=asset, contract=_CONTRACTS[row.type], size=size)


def _text(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
