"""Bybit v5: forced orders of linear (USDT, USDC) and inverse contracts, one topic a contract.

Owns Bybit's raw shapes, how topics are shared out over sockets, and the meaning of S, v and p. Opens no socket.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base, asset_of_symbol
from service.venues import base
from service.venues.base import Control, Event, Heartbeat, Plan, Pong, Refused, Say, Session, Sipping, Subscribed
from service.venues.tickers.bybit import INVERSE, BybitTickers

NAME = "bybit"
TOPIC = "allLiquidation."
CONTROLS = {"linear": "tickers.BTCUSDT", "inverse": "tickers.BTCUSD"}
#: The venue refuses 21,000 characters of topics on one connection; half of that leaves room for longer names.
SOCKET_CHARACTERS = 10_000
#: One unknown topic can fail its whole frame, so frames are small.
FRAME_TOPICS = 50
#: When the topic of all liquidations replaced `liquidation.*`, which showed one a second. 2025-02-25, ms UTC.
COMPLETE_SINCE = 1_740_441_600_000

#: S is the side of the POSITION: "When you receive a Buy update, this means that a long position has been liquidated".
_SIDES = {"Buy": Side.LONG, "Sell": Side.SHORT}
_LINEAR = re.compile(r".+(?:USDT|PERP)(?:-\d{1,2}[A-Z]{3}\d{2})?|[A-Z0-9]+-\d{1,2}[A-Z]{3}\d{2}")
#: Tickers come ten times a second: known by how they open and close, decoded once in ten. Last of all stands `ts`.
_TICKERS = (('{"topic":"tickers.', tuple(f"{digit}}}" for digit in range(10))),)


class _Row(msgspec.Struct, frozen=True, gc=False):
    T: int
    s: str
    S: str
    v: str
    p: str


class _Frame(msgspec.Struct, gc=False):
    topic: str = ""
    data: msgspec.Raw = msgspec.Raw()
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str = ""


class _Contract(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_coin: str
    quote_coin: str


class _Page(msgspec.Struct, rename="camel"):
    category: str = ""
    contracts: list[_Contract] = msgspec.field(default_factory=list, name="list")
    next_page_cursor: str = ""


class _Catalogue(msgspec.Struct, rename="camel"):
    ret_code: int
    result: _Page
    ret_msg: str = ""


_FRAME = msgspec.json.Decoder(_Frame)
_ROWS = msgspec.json.Decoder(list[_Row])
_CATALOGUE = msgspec.json.Decoder(_Catalogue)
_CONTROL = (Control(),)
TELLS = BybitTickers()


class Bybit(base.Venue):
    """Linear and inverse contracts, perpetual and dated; neither spot nor options."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://bybit-exchange.github.io/docs/v5/websocket/public/all-liquidation"
    endpoints: ClassVar[Mapping[str, str]] = {
        "linear": "wss://stream.bybit.com/v5/public/linear",
        "inverse": "wss://stream.bybit.com/v5/public/inverse",
        "rest": "https://api.bybit.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 500 connections per 5 minutes and domain
    usual_per_minute: ClassVar[float] = 2.2
    about: ClassVar[str] = "Shows every liquidation, at its bankruptcy price, in batches of half a second."
    tickers: ClassVar[base.Tickers | None] = TELLS

    def completeness(self, at: int) -> Completeness:
        """Complete since the topic of all liquidations exists."""
        return Completeness.COMPLETE if at >= COMPLETE_SINCE else Completeness.SAMPLED

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Both categories, in the largest pages there are."""
        return tuple(f"{endpoints['rest']}/v5/market/instruments-info?category={kind}&limit=1000" for kind in CONTROLS)

    def instruments(self, body: bytes) -> tuple[list[Instrument], str | None]:
        """Contracts that trade. Pre-market ones are left out: their topics are not documented."""
        answer = base.parse(_CATALOGUE, body)
        page = answer.result
        if answer.ret_code or page.category not in CONTROLS:
            raise DecodeError(f"bybit metadata: code {answer.ret_code} {answer.ret_msg}, category {page.category!r}")
        rows = [row for row in page.contracts if row.status == "Trading" and row.quote_coin in base.DOLLARS]
        contract = Contract.INVERSE if page.category == "inverse" else Contract.LINEAR
        cursor = page.next_page_cursor if page.contracts else ""  # a page behind the last one is empty
        return [_instrument(row, contract) for row in rows], cursor or None

    def next_page(self, url: str, cursor: str) -> str:
        """The venue hands out cursors that are escaped once and wants them escaped again."""
        return f"{url}&cursor={base.escape(cursor)}"

    def implied(self, symbol: str) -> Instrument | None:
        """Linear quantities are base units and inverse ones dollars; the ending of the name tells which."""
        inverse = bool(INVERSE.fullmatch(symbol))
        if not inverse and not _LINEAR.fullmatch(symbol):
            return None
        contract = Contract.INVERSE if inverse else Contract.LINEAR
        return Instrument(venue=NAME, symbol=symbol, asset=asset_of_symbol(symbol), contract=contract, size=1.0)

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """As many sockets a category as its topics need: a new contract joins the last one, the others stay."""
        plans: list[Plan] = []
        for kind, control in CONTROLS.items():
            contract = Contract.INVERSE if kind == "inverse" else Contract.LINEAR
            topics = [TOPIC + instrument.symbol for instrument in instruments if instrument.contract is contract]
            for number, shard in enumerate(base.shards(topics, SOCKET_CHARACTERS - len(control) - 3, quotes=3)):
                plans.append(
                    Plan(
                        venue=NAME,
                        key=f"{kind}-{number}",
                        url=endpoints[kind],
                        topics=(control, *shard),
                        heartbeat=Heartbeat(text='{"op":"ping"}', every_s=20),
                        control_max_age_s=30,
                    )
                )
        return plans

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._control = Sipping(TELLS)
        self._asked = 0
        self._waiting: dict[str, Sequence[str]] = {}
        self._heard = False
        """At least one topic of orders was accepted."""

    def hello(self, now: int) -> Sequence[str]:
        del now
        topics = self._topics
        return [self._ask(topics[first : first + FRAME_TOPICS]) for first in range(0, len(topics), FRAME_TOPICS)]

    def _ask(self, topics: Sequence[str]) -> str:
        self._asked += 1
        self._waiting[str(self._asked)] = topics
        return msgspec.json.encode({"req_id": str(self._asked), "op": "subscribe", "args": topics}).decode()

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if base.whole(frame, _TICKERS):
            return self._control.events(frame, seen)
        message = base.parse(_FRAME, frame)
        if message.topic.startswith(TOPIC):
            return _prints(base.parse(_ROWS, message.data), seen)
        if message.topic:
            return _other(message.topic)
        if message.op == "pong" or message.ret_msg == "pong":
            return (Pong(),)
        if message.success is None:
            if message.op == "ping":
                return ()  # our own heartbeat, in a recording of both directions
            raise DecodeError("neither a topic nor an answer to a request")
        return self._answer(message)

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        topics = self._waiting.pop(answer.req_id, ())
        if len(topics) > 1 and not answer.success:
            half = len(topics) // 2
            return [Say(text=self._ask(part)) for part in (topics[:half], topics[half:])]
        events: list[Event] = []
        if answer.success or "already subscribed" in answer.ret_msg:
            self._heard = self._heard or any(topic.startswith(TOPIC) for topic in topics)
        else:
            named = topics[0] if topics else "a request"
            events.append(Refused(reason=f"bybit refused {named}: {answer.ret_msg}", fatal=False))
        if topics and not self._waiting:
            events.append(Subscribed() if self._heard else Refused(reason="bybit refused every topic of orders"))
        return events


def _prints(rows: list[_Row], seen: int) -> Sequence[Event]:
    """The venue has no ids, and two like orders may share a batch: the second is told apart by its number."""
    return base.row_by_row(base.numbered(rows), lambda row: [_print(*row, seen)])


def _print(row: _Row, number: int, seen: int) -> Print:
    return Print(
        venue=NAME,
        symbol=base.contract_name(row.s, "s"),
        side=base.side_of(row.S, _SIDES),
        price=base.number(row.p, "p"),
        quantity=base.number(row.v, "v"),
        at=base.moment(row.T, "T"),
        seen=seen,
        id=base.digest((row.s, row.T, row.S, row.v, row.p, number)),
    )


def _other(topic: str) -> Sequence[Event]:
    if topic.startswith("liquidation."):
        raise DecodeError(f"topic {topic[:40]!r} is retired: it shows one order a second and must not be mixed in")
    return _CONTROL if topic.startswith("tickers.") else ()


def _instrument(row: _Contract, contract: Contract) -> Instrument:
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        asset=asset_of_base(row.base_coin),
        contract=contract,
        size=1.0,
    )
