"""Hyperliquid: liquidations that a few watched accounts met, as the counterparty or as the one liquidated.

There is no public feed of all of them. A fill carries a `liquidation` only on the streams of the two accounts that
traded, and ten accounts may be watched: what this file hears is a sample of unknown size. Owns the raw shapes, the
socket, whom to watch and the meaning of side. Opens no socket.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Event, Heartbeat, Plan, Pong, Refused, Session, Sipping, Subscribed, Venue
from service.venues.tickers.hyperliquid import HyperliquidTickers

NAME = "hyperliquid"
MOST_USERS = 10  # distinct accounts an IP may watch; one more is refused
CONTROL = '{"type":"activeAssetCtx","coin":"BTC"}'
#: Who takes positions over: the seven children of the HLP vault, which itself has no fills, and the Liquidator vault.
SENTINELS = (
    "0x010461c14e146ac35fe42271bdc1134ee31c703a",  # HLP Strategy A
    "0x31ca8395cf837de08b24da3f660e77761dfb974b",  # HLP Strategy B
    "0x469f690213c467c39a23efacfd2816896009d7d8",  # HLP Strategy X
    "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14",  # HLP Liquidator
    "0xb0a55f13d22f66e6d495ac98113841b2326e9540",  # HLP Liquidator 2
    "0x5e177e5e39c0f4e421f5865a6d8beed8d921cb70",  # HLP Liquidator 3
    "0x2ed5c4484ea3ff8b57d5f2fb152a40d9f2b68308",  # HLP Liquidator 4
    "0x63c621a33714ec48660e32f2374895c8026a3a00",  # Liquidator, outside HLP
)

#: The watched account's own side: A sold, B bought. Who was liquidated did the other thing.
_MET = {"A": Side.SHORT, "B": Side.LONG}
_SUFFERED = {"A": Side.LONG, "B": Side.SHORT}
#: The vault passes a position it took over on to winners: it was counted when it was taken over.
_PASSED_ON = "Auto-Deleveraging"
_ADDRESS = re.compile("0x[0-9a-f]{40}")
#: Spot pairs (@107, PURR/USDC) and outcomes (#330) are no perpetuals.
_NO_PERP = re.compile(r"[@#+]|.*/")
_MARKS = (('{"channel":"activeAssetCtx","data":{', ("}}}",)),)


class _Liquidation(msgspec.Struct, rename="camel", gc=False):
    liquidated_user: str


class _Fill(msgspec.Struct, gc=False):
    coin: str
    px: str
    sz: str
    side: str
    time: int
    tid: int
    dir: str = ""
    liquidation: _Liquidation | None = None


class _UserFills(msgspec.Struct, rename="camel"):
    user: str
    fills: list[_Fill]
    is_snapshot: bool = False


class _UserEvents(msgspec.Struct):
    fills: list[_Fill] = []


class _Topic(msgspec.Struct, frozen=True):
    type: str
    user: str = ""
    coin: str = ""


class _Answer(msgspec.Struct):
    subscription: _Topic


class _Coin(msgspec.Struct):
    name: str


class _Meta(msgspec.Struct):
    universe: list[_Coin]


class _Frame(msgspec.Struct):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    method: str = ""


_FRAME = msgspec.json.Decoder(_Frame)
_FILLS = msgspec.json.Decoder(_UserFills)
_EVENTS = msgspec.json.Decoder(_UserEvents)
_ANSWER = msgspec.json.Decoder(_Answer)
_TOPIC = msgspec.json.Decoder(_Topic)
_WORDS = msgspec.json.Decoder(str)
_META = msgspec.json.Decoder(_Meta | tuple[_Meta, msgspec.Raw])


class Hyperliquid(Venue):
    """Perpetuals of the venue and of builders (`xyz:TSLA`); neither spot nor outcomes."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions"
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://api.hyperliquid.xyz/ws",
        "rest": "https://api.hyperliquid.xyz",
        "sentinels": ",".join(SENTINELS),
    }
    dial_gap_s: ClassVar[float] = 3.0  # 30 new connections a minute and IP
    usual_per_minute: ClassVar[float] = 0.02  # a guess: nine in months on the vaults' own streams
    by_default: ClassVar[bool] = False
    fills: ClassVar[bool] = True
    about: ClassVar[str] = "Shows only the fills of a few watched accounts; what part of the whole that is, is unknown."
    tickers: ClassVar[base.Tickers | None] = HyperliquidTickers()

    def completeness(self, at: int) -> Completeness:
        """A part of unknown size."""
        del at
        return Completeness.PARTIAL

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """None: sizes are base units and prices dollars, so that a name tells all there is."""
        del endpoints
        return ()

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Perpetuals of a saved answer to `meta` or `metaAndAssetCtxs`, which want a POST and are not asked live."""
        told = base.parse(_META, body)
        universe = (told if isinstance(told, _Meta) else told[0]).universe
        return [found for row in universe if (found := self.implied(row.name))], None

    def implied(self, symbol: str) -> Instrument | None:
        """Every perpetual: kPEPE counts thousands at the price of a thousand, a builder's contract in its dollars."""
        if _NO_PERP.match(symbol):
            return None
        asset = asset_of_base(symbol.rpartition(":")[2] or symbol)
        return Instrument(venue=NAME, symbol=symbol, asset=asset, contract=Contract.LINEAR, size=1.0)

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket: the accounts of `sentinels`, comma separated, and the control stream."""
        del instruments
        named = (name.strip().lower() for name in endpoints["sentinels"].split(","))
        users = list(dict.fromkeys(filter(None, named)))[:MOST_USERS]
        topics = (msgspec.json.encode({"type": "userFills", "user": user}).decode() for user in users)
        return (
            Plan(
                venue=NAME,
                key="public",
                url=endpoints["public"],
                topics=(*topics, CONTROL),
                heartbeat=Heartbeat(text='{"method":"ping"}', every_s=45),  # cut after 60 s in which it said nothing
                control_max_age_s=30,
            ),
        )

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.topics if plan else ())


class _Session(Session):
    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics
        self._sipping = Sipping(HyperliquidTickers())
        self._waiting = {_TOPIC.decode(topic) for topic in topics}
        self._refused = 0
        self._watching, self._done = False, not topics

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [f'{{"method":"subscribe","subscription":{topic}}}' for topic in self._topics]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if base.whole(frame, _MARKS):
            return self._sipping.events(frame, seen)
        message = base.parse(_FRAME, frame)
        events: Sequence[Event] = ()
        match message.channel:
            case "userFills":
                told = base.parse(_FILLS, message.data)
                events = _prints(told.fills, _account(told.user, "user"), seen, seen if told.is_snapshot else 0)
            case "user":
                events = _prints(base.parse(_EVENTS, message.data).fills, "", seen, 0)
            case "subscriptionResponse":
                events = self._accepted(base.parse(_ANSWER, message.data).subscription)
            case "error":
                events = self._denied(base.parse(_WORDS, message.data))
            case "pong":
                events = (Pong(),)
            case "" if message.method != "ping":  # a ping is our own heartbeat, in a recording of both directions
                raise DecodeError("a message without its channel")
        return events

    def _accepted(self, topic: _Topic) -> Sequence[Event]:
        """The echo has lower-case addresses and more fields than were sent."""
        if topic not in self._waiting:
            return ()
        self._waiting.discard(topic)
        self._watching = self._watching or topic.type == "userFills"
        return self._settled()

    def _denied(self, words: str) -> Sequence[Event]:
        """An error does not say which request it answers, but every request has one answer."""
        refusal = Refused(reason=f"{NAME} answered: {words}", fatal=not self._topics)
        self._refused += 1
        return (refusal, *self._settled())

    def _settled(self) -> Sequence[Event]:
        if self._done or len(self._waiting) > self._refused:
            return ()
        self._done = True
        return (Subscribed(),) if self._watching else (Refused(reason=f"{NAME} lets us watch no account"),)


def _account(text: str, name: str) -> str:
    found = text.lower()
    if not _ADDRESS.fullmatch(found):
        raise DecodeError(f"{name} is no account: {text[:50]!r}")
    return found


def _prints(fills: list[_Fill], user: str, seen: int, snapshot: int) -> Sequence[Event]:
    """Fills with a liquidation; `user` is empty where the stream does not name it: then it is the counterparty."""

    def read(fill: _Fill) -> list[Print]:
        old = fill.time < snapshot - base.OLD_MS
        if old or fill.liquidation is None or fill.dir == _PASSED_ON or _NO_PERP.match(fill.coin):
            return []
        return [_print(fill, _account(fill.liquidation.liquidated_user, "liquidatedUser") == user, seen)]

    return base.row_by_row(fills, read)


def _print(fill: _Fill, own: bool, seen: int) -> Print:
    """The trade's id is the same on the streams of both accounts, and unique together with coin and time."""
    return Print(
        venue=NAME,
        symbol=base.contract_name(fill.coin, "coin"),
        side=base.side_of(fill.side, _SUFFERED if own else _MET),
        price=base.number(fill.px, "px"),
        quantity=base.number(fill.sz, "sz"),
        at=base.moment(fill.time, "time"),
        seen=seen,
        id=base.digest((fill.coin, fill.time, fill.tid)),
    )
