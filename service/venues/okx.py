"""OKX: forced orders of swaps and futures, in contracts whose value stands in the metadata only.

Owns OKX's raw shapes, its socket, its history and the meaning of posSide, bkPx and sz. Opens no socket.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, History, Leaving, Page, Plan, Pong, Refused, Session, Spoilt, Subscribed
from service.venues.tickers.okx import OkxTickers

NAME = "okx"
ORDERS = "liquidation-orders"
CONTROL = "mark-price"
#: Margin and option rows share the channel's shape, but not the unit of `sz`: they are not read.
KINDS = ("SWAP", "FUTURES")
UPGRADE = "64008"  # announced 60 s before the venue closes a connection
LIMIT = 100  # of a page of the history

#: posSide is the position; where it is `net`, the order that closed it tells.
_SIDES = {"long": Side.LONG, "short": Side.SHORT}
_NET_SIDES = {"sell": Side.LONG, "buy": Side.SHORT}
#: Known by how they open and close, and decoded once in ten seconds.
_MARKS = (('{"arg":{"channel":"mark-price",', ("}]}",)),)


class _Arg(msgspec.Struct, frozen=True, omit_defaults=True):
    channel: str = ""
    instType: str = ""  # noqa: N815  # the venue's spelling is compared as it stands
    instId: str = ""  # noqa: N815


class _Frame(msgspec.Struct):
    arg: _Arg = _Arg()
    data: msgspec.Raw = msgspec.Raw()
    event: str = ""
    code: str = ""
    msg: str = ""


class _Detail(msgspec.Struct, rename="camel", gc=False):
    side: str
    pos_side: str
    bk_px: str
    sz: str
    ts: str


class _Item(msgspec.Struct, rename="camel"):
    inst_id: str
    details: list[_Detail]
    inst_type: str = ""


class _Past(_Item, rename="camel"):
    inst_id: str = ""
    details: list[_Detail] = []


class _Contract(msgspec.Struct, rename="camel"):
    inst_id: str
    state: str
    ct_type: str
    ct_val: str
    ct_mult: str
    ct_val_ccy: str


class _Answer(msgspec.Struct):
    code: str
    data: msgspec.Raw = msgspec.Raw(b"[]")
    msg: str = ""


_FRAME = msgspec.json.Decoder(_Frame)
_ITEMS = msgspec.json.Decoder(list[_Item])
_ANSWER = msgspec.json.Decoder(_Answer)
_CONTRACTS = msgspec.json.Decoder(list[_Contract])
_PAST = msgspec.json.Decoder(list[_Past])
_CONTROL = (Control(),)
TELLS = OkxTickers()
_T = TypeVar("_T")
_ARGS = (*(_Arg(channel=ORDERS, instType=kind) for kind in KINDS), _Arg(channel=CONTROL, instId="BTC-USDT-SWAP"))


class OkxHistory(History):
    """Filled orders of a family, newest first. `since` travels behind the `#` of an URL, which is never sent."""

    reach_s: ClassVar[float] = 3600.0  # rows may reach back a day, but nobody promises it
    delay_s: ClassVar[float] = 60.0
    gap_s: ClassVar[float] = 0.25

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> list[str]:
        """One walk a family and kind: the venue tells neither a kind nor a contract by itself (code 50015)."""
        where = f"{endpoints['rest']}/api/v5/public/liquidation-orders"
        names = (row.symbol.rpartition("-") for row in instruments)
        families = dict.fromkeys((family, "SWAP" if tail == "SWAP" else "FUTURES") for family, _, tail in names)
        page = f"state=filled&limit={LIMIT}&after={until + 1}#{since}"
        return [f"{base.address(where, instType=kind, instFamily=family)}&{page}" for family, kind in families]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """A page, and the one behind it unless this one is empty or goes back to `since`."""
        asked, _, since = url.partition("#")
        kind, after = (base.query_of(asked)[name] for name in ("instType", "after"))
        orders = _prints([*_data(body, _PAST, "history")], kind, seen)  # an item like one before it is {"$ref": ...}
        # A page of 16 times the limit was seen: only as far as the limit goes can it be trusted to be whole.
        edge = min(sorted((order.at for order in orders if isinstance(order, Print)), reverse=True)[:LIMIT], default=0)
        if not int(since) <= edge < int(after):
            return Page(orders=orders)
        # Rows of that very millisecond may stand behind the edge: it is asked for again, but only once.
        further = base.asked_again(asked, after=min(edge + 1, int(after) - 1))
        return Page(orders=orders, more=(f"{further}#{since}",))


class Okx(base.Venue):
    """Swaps and futures, X-Perps among the futures; linear and inverse."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel"
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://ws.okx.com/ws/v5/public",  # port 8443 is closed since 2026-10-31
        "rest": "https://openapi.okx.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 3 connections a second and IP
    usual_per_minute: ClassVar[float] = 4.5
    about: ClassVar[str] = "Shows a part of its liquidations and does not say which: its totals are a floor."
    history: ClassVar[History | None] = OkxHistory()
    tickers: ClassVar[base.Tickers | None] = TELLS

    def completeness(self, at: int) -> Completeness:
        """The venue says of the channel that it does not represent the total number of liquidations."""
        del at
        return Completeness.PARTIAL

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Every kind we subscribe to; none pages."""
        return tuple(f"{endpoints['rest']}/api/v5/public/instruments?instType={kind}" for kind in KINDS)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts with a value: those announced (`preopen`) have none yet, test pairs cannot be traded."""
        rows = [row for row in _data(body, _CONTRACTS, "metadata") if row.state not in ("preopen", "test")]
        return [found for row in rows if (found := _instrument(row))], None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market."""
        del instruments
        return (
            Plan(
                venue=NAME,
                key="public",
                url=endpoints["public"],
                topics=tuple(msgspec.json.encode(arg).decode() for arg in _ARGS),
                heartbeat=base.Heartbeat(text="ping", every_s=25),  # closed after 30 s of silence
                control_max_age_s=60,  # marks come every 10 s even when they rest
            ),
        )

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(_ARGS if plan else ())


class _Session(Session):
    def __init__(self, args: Sequence[_Arg]) -> None:
        self._args = args
        self._waiting = set(args)
        self._control = base.Sipping(TELLS)

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [msgspec.json.encode({"op": "subscribe", "args": self._args}).decode()] if self._args else []

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if base.whole(frame, _MARKS):
            return self._control.events(frame, seen)
        if frame in ("pong", b"pong"):
            return (Pong(),)
        if frame in ("ping", b"ping"):
            return ()  # our own heartbeat, in a recording of both directions
        message = base.parse(_FRAME, frame)
        if message.event:
            return self._answer(message)
        if message.arg.channel == ORDERS:
            return _prints(base.parse(_ITEMS, message.data), message.arg.instType, seen)
        if not message.arg.channel:
            raise DecodeError("neither an event nor a channel's data")
        return _CONTROL if message.arg.channel == CONTROL else ()

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        if answer.event == "error":
            return (Refused(reason=f"okx answered {answer.code}: {answer.msg}"),)
        if answer.event == "notice" and answer.code == UPGRADE:
            return (Leaving(reason=answer.msg),)
        if answer.event != "subscribe" or answer.arg not in self._waiting:
            return ()
        self._waiting.discard(answer.arg)
        return () if self._waiting else (Subscribed(),)


def _data(body: bytes, decoder: msgspec.json.Decoder[list[_T]], what: str) -> list[_T]:
    answer = base.parse(_ANSWER, body)
    if answer.code != "0":
        raise DecodeError(f"okx {what}: code {answer.code} {answer.msg}")
    return base.parse(decoder, answer.data)


def _prints(items: list[_Item], kind: str, seen: int) -> tuple[Print | Spoilt, ...]:
    def read(pair: tuple[_Item, _Detail]) -> list[Print]:
        item, row = pair
        return [_print(item.inst_id, row, seen)] if (item.inst_type or kind) in KINDS else []

    return tuple(base.row_by_row(((item, row) for item in items for row in item.details), read))


def _print(symbol: str, row: _Detail, seen: int) -> Print:
    """The price bkPx is the one at which the venue's liquidation account took the position over, not a market fill."""
    word, words = (row.side, _NET_SIDES) if row.pos_side == "net" else (row.pos_side, _SIDES)
    return Print(
        venue=NAME,
        symbol=base.contract_name(symbol, "instId"),
        side=base.side_of(word, words),
        price=base.number(row.bk_px, "bkPx"),
        quantity=base.number(row.sz, "sz"),
        at=base.moment(row.ts, "ts"),
        seen=seen,
        id=base.digest((symbol, row.ts, row.pos_side, row.side, row.sz, row.bk_px)),
    )


def _instrument(row: _Contract) -> Instrument | None:
    """The currency of the contract value decides, not ctType: a value in dollars needs no price."""
    coin, quote = (*row.inst_id.split("-"), "")[:2]
    if quote.partition("_")[0] not in base.DOLLARS:
        return None
    in_dollars = row.ct_val_ccy in base.DOLLARS and row.ct_val_ccy != coin
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.inst_id, "instId"),
        asset=asset_of_base(coin),
        contract=Contract.INVERSE if in_dollars else Contract.LINEAR,
        size=base.number(row.ct_val, f"{row.inst_id} ctVal") * base.number(row.ct_mult, f"{row.inst_id} ctMult"),
    )
