"""OKX: forced orders of swaps and futures, in contracts whose value stands in the metadata only.

Owns OKX's raw shapes, its socket and the meaning of posSide, bkPx and sz. Opens no socket.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import (
    Control,
    Event,
    Heartbeat,
    Leaving,
    Plan,
    Pong,
    Refused,
    Session,
    Spoilt,
    Subscribed,
    Venue,
)

NAME = "okx"
ORDERS = "liquidation-orders"
CONTROL = "mark-price"
#: Margin and option rows share the channel's shape, but not the unit of `sz`: they are not read.
KINDS = ("SWAP", "FUTURES")
#: Announced 60 s before the venue closes a connection for an upgrade.
UPGRADE = "64008"

#: posSide is the position; where it is `net`, the order that closed it tells.
_SIDES = {"long": Side.LONG, "short": Side.SHORT}
_NET_SIDES = {"sell": Side.LONG, "buy": Side.SHORT}
#: Known by how they open and close, never decoded.
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


class _Contract(msgspec.Struct, rename="camel"):
    inst_id: str
    state: str
    ct_type: str
    ct_val: str
    ct_mult: str
    ct_val_ccy: str


class _Catalogue(msgspec.Struct):
    code: str
    data: list[_Contract] = []
    msg: str = ""


_FRAME = msgspec.json.Decoder(_Frame)
_ITEMS = msgspec.json.Decoder(list[_Item])
_CATALOGUE = msgspec.json.Decoder(_Catalogue)
_CONTROL = (Control(),)
_ARGS = (*(_Arg(channel=ORDERS, instType=kind) for kind in KINDS), _Arg(channel=CONTROL, instId="BTC-USDT-SWAP"))


class Okx(Venue):
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

    def completeness(self, at: int) -> Completeness:
        """The venue says of the channel that it does not represent the total number of liquidations."""
        del at
        return Completeness.PARTIAL

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Every kind we subscribe to; none pages."""
        return tuple(f"{endpoints['rest']}/api/v5/public/instruments?instType={kind}" for kind in KINDS)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts with a value: those announced (`preopen`) have none yet, test pairs cannot be traded."""
        answer = base.parse(_CATALOGUE, body)
        if answer.code != "0":
            raise DecodeError(f"okx metadata: code {answer.code} {answer.msg}")
        rows = [row for row in answer.data if row.state not in ("preopen", "test")]
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
                heartbeat=Heartbeat(text="ping", every_s=25),  # closed after 30 s of silence
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

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [msgspec.json.encode({"op": "subscribe", "args": self._args}).decode()] if self._args else []

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        if base.whole(frame, _MARKS):
            return _CONTROL
        if frame in ("pong", b"pong"):
            return (Pong(),)
        if frame in ("ping", b"ping"):
            return ()  # our own heartbeat, in a recording of both directions
        message = base.parse(_FRAME, frame)
        if message.event:
            return self._answer(message)
        if message.arg.channel == ORDERS:
            return _prints(base.parse(_ITEMS, message.data), message.arg, seen)
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


def _prints(items: list[_Item], arg: _Arg, seen: int) -> Sequence[Event]:
    prints: list[Event] = []
    rows = ((item, row) for item in items for row in item.details)
    for place, (item, row) in enumerate(rows, 1):
        if (item.inst_type or arg.instType) not in KINDS:
            continue
        try:
            prints.append(_print(item.inst_id, row, seen))
        except DecodeError as error:
            prints.append(Spoilt(detail=f"row {place}: {error}"))
    return prints


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
