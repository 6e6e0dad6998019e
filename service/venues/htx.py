"""HTX (Huobi) futures: forced orders of linear and coin-margined contracts, a wildcard topic on each of three sockets.

Owns HTX's raw shapes, its two dialects of ping, its words for sides and sizes, and its history. Opens no socket.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Control, Event, History, Page, Plan, Refused, Say, Session, Spoilt, Subscribed, Venue
from service.venues.tickers.htx import HtxTickers

NAME = "htx"
TOPIC = "public.*.liquidation_orders"
COVERED = "2014"  # a wider subscription of this connection covers this one already
#: The order that closed the position; `offset` is `close` or, in one-way mode, `both`.
_SIDES = {"sell": Side.LONG, "buy": Side.SHORT}
#: BTC-USDT and BTC-USDT-211210 are linear, BTC-USD is coin-margined, BTC200703 a coin-margined dated contract.
_FORM = re.compile(r"([^-]+)-([A-Z0-9]+)(?:-\w+)?|(.+)\d{6}")
#: A ping's time is sent back as it was spelt, text here and a number there; nothing else is.
_TS = re.compile(r'"[\w.:-]{0,30}"|[0-9.]{1,30}')
_WINDOW_MS = 7_200_000
KINDS = {"linear": "linear-swap-notification", "swap": "swap-notification", "futures": "notification"}

Number = int | float | str


class _Row(msgspec.Struct):
    contract_code: str
    direction: str
    volume: Number
    price: Number
    created_at: int | str
    amount: Number = ""
    query_id: int = 0


class _Frame(msgspec.Struct):
    op: str = ""
    topic: str = ""
    ts: msgspec.Raw = msgspec.Raw()
    ping: msgspec.Raw = msgspec.Raw()
    data: msgspec.Raw = msgspec.Raw()
    err_code: int | str | None = msgspec.field(default=None, name="err-code")
    err_msg: str = msgspec.field(default="", name="err-msg")


class _Contract(msgspec.Struct):
    symbol: str
    contract_code: str
    contract_size: Number


class _Catalogue(msgspec.Struct):
    status: str
    data: list[_Contract] = []
    err_msg: str = ""


class _Answer(msgspec.Struct):
    code: int
    data: list[_Row] = []
    msg: str = ""


_FRAME = msgspec.json.Decoder(_Frame)
_ROWS = msgspec.json.Decoder(list[_Row])
_CATALOGUE = msgspec.json.Decoder(_Catalogue)
_HISTORY = msgspec.json.Decoder(_Answer)


class _Past(History):
    """A contract (of dated coin-margined ones: a coin) and two hours at a time, from the oldest row on."""

    reach_s: ClassVar[float] = 90 * 86_400.0
    delay_s: ClassVar[float] = 60.0
    gap_s: ClassVar[float] = 0.05  # 240 requests in 3 s, 120 for the dated coin-margined ones

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """Every contract by itself; the dated coin-margined ones of a coin share an address."""
        shelves = dict.fromkeys(_shelf(row.symbol) for row in instruments)
        windows = [(start, min(start + _WINDOW_MS, until)) for start in range(since, until + 1, _WINDOW_MS)]
        return [
            base.address(endpoints["rest"] + path, trade_type=0, start_time=start, end_time=end, direct="next", **names)
            for path, word, name in shelves
            for names in [{word: name}]
            for start, end in windows
        ]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """The rows, and the page behind them: asked by the largest id, as documented, until nothing new comes."""
        answer = base.parse(_HISTORY, body)
        if answer.code != 200:  # noqa: PLR2004  # the venue's own word for success, also where HTTP says 200
            raise DecodeError(f"htx history: code {answer.code} {answer.msg}")
        query = base.query_of(url)
        last, top = int(query.get("from_id", 0)), max((row.query_id for row in answer.data), default=0)
        orders = _prints(answer.data, seen)
        after = [isinstance(order, Print) and order.at > int(query["end_time"]) for order in orders]
        # a venue that repeats the row it should go on from would be asked for it forever
        more = (base.asked_again(url, from_id=top if top > last else last + 1),)
        return Page(orders=tuple(orders), more=more if 0 < top >= last and not all(after) else ())


class Htx(Venue):
    """USDT-margined swaps and dated contracts, coin-margined swaps, coin-margined dated contracts."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7e25d-77b5-11ed-9966-0242ac110003"
    endpoints: ClassVar[Mapping[str, str]] = {"rest": "https://api.hbdm.com"} | {
        kind: f"wss://api.hbdm.com/{path}" for kind, path in KINDS.items()
    }
    dial_gap_s: ClassVar[float] = 1.0
    usual_per_minute: ClassVar[float] = 0.23
    about: ClassVar[str] = "Shows liquidations at their bankruptcy price; whether it leaves any out is not documented."
    history: ClassVar[History | None] = _Past()
    tickers: ClassVar[base.Tickers | None] = HtxTickers()

    def completeness(self, at: int) -> Completeness:
        """The venue does not say whether it throttles."""
        del at
        return Completeness.PARTIAL

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Linear swaps and dated contracts in one list, then both coin-margined kinds."""
        linear = "/linear-swap-api/v1/swap_contract_info?business_type=all"
        paths = (linear, "/swap-api/v1/swap_contract_info", "/api/v1/contract_contract_info")
        return tuple(endpoints["rest"] + path for path in paths)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts in every state."""
        answer = base.parse(_CATALOGUE, body)
        if answer.status != "ok":
            raise DecodeError(f"htx metadata: status {answer.status} {answer.err_msg}")
        rows = [(row.contract_code, row.symbol, row.contract_size) for row in answer.data]
        return [found for row in rows if (found := _instrument(*row))], None

    def implied(self, symbol: str) -> Instrument | None:
        """Amounts of linear contracts are coins already; coin-margined ones need their size."""
        coin, quote = _apart(symbol)
        return _instrument(symbol, coin, 1.0) if quote != "USD" else None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket a kind. The pings, each 5 s, are all that speaks steadily on them."""
        del instruments
        return [
            Plan(venue=NAME, key=kind, url=endpoints[kind], topics=(TOPIC,), control_max_age_s=30) for kind in KINDS
        ]

    def session(self, plan: Plan | None = None) -> "_Session":
        """A fresh session; without a plan it subscribes to nothing."""
        return _Session(plan.key if plan else "")


class _Session(Session):
    def __init__(self, kind: str) -> None:
        self._widened = kind == "linear"  # asking for dated contracts as well
        self._waiting = bool(kind)

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [_ask({"business_type": "all"} if self._widened else {})]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        message = base.parse(_FRAME, frame)
        if message.op == "notify":
            wanted = message.topic.endswith(".liquidation_orders")
            return _prints(base.parse(_ROWS, message.data), seen) if wanted else ()
        if message.op == "ping":
            return (Say(text=f'{{"op":"pong","ts":{_verbatim(message.ts)}}}'), Control())
        if message.op == "close":
            return (base.Leaving(reason="htx said close"),)
        if message.op:
            return self._answer(message)
        return (Say(text=f'{{"pong":{_verbatim(message.ping)}}}'), Control())

    def _answer(self, answer: _Frame) -> Sequence[Event]:
        code = str(answer.err_code or 0)
        if answer.op == "error" or code not in ("0", COVERED):
            if self._waiting and self._widened and answer.op == "sub":
                self._widened = False
                return (Say(text=_ask({})),)
            return (Refused(reason=f"htx answered {answer.op} {answer.topic}: {code} {answer.err_msg}"),)
        if answer.op != "sub" or answer.topic != TOPIC or answer.err_code is None or not self._waiting:
            return ()
        self._waiting = False
        return (Subscribed(),)


def _ask(more: Mapping[str, str]) -> str:
    return msgspec.json.encode({"op": "sub", "cid": "liquidations", "topic": TOPIC, **more}).decode()


def _verbatim(value: msgspec.Raw) -> str:
    text = bytes(value).decode(errors="replace")
    if not _TS.fullmatch(text):
        raise DecodeError(f"neither a notice, an answer nor a ping: {text[:40]!r}")
    return text


def _prints(rows: list[_Row], seen: int) -> list[Print | Spoilt]:
    """Linear: coins; else contracts. The second of two like rows of one frame is told apart by its number."""
    before: Counter[tuple[object, ...]] = Counter()

    def read(row: _Row) -> list[Print]:
        volume, price = base.number(row.volume, "volume"), base.number(row.price, "price")
        at, linear = base.moment(row.created_at, "created_at"), _apart(row.contract_code)[1] != "USD"
        key = (row.contract_code, at, row.direction, base.spelt(volume), base.spelt(price))  # 227.0 is 227
        before[key] += 1
        symbol, side = base.contract_name(row.contract_code, "contract_code"), base.side_of(row.direction, _SIDES)
        size, name = base.number(row.amount, "amount") if linear else volume, base.digest((*key, before[key]))
        return [Print(venue=NAME, symbol=symbol, side=side, price=price, quantity=size, at=at, seen=seen, id=name)]

    return base.row_by_row(rows, read)


def _apart(code: str) -> tuple[str, str]:
    """Coin and quote by the form of the name; no quote for a form the venue does not have."""
    found = _FORM.fullmatch(code)
    if found is None:
        return code, ""
    return (found[3], "USD") if found[3] else (found[1], found[2])


def _shelf(code: str) -> tuple[str, str, str]:
    """Which history holds a contract, and by which word and name it is asked."""
    coin, quote = _apart(code)
    if quote != "USD":
        return "/linear-swap-api/v3/swap_liquidation_orders", "contract", code
    swap = ("/swap-api/v3/swap_liquidation_orders", "contract", code)
    return swap if "-" in code else ("/api/v3/contract_liquidation_orders", "symbol", coin)


def _instrument(code: str, coin: str, size: Number) -> Instrument | None:
    quote = _apart(code)[1]
    if quote not in base.DOLLARS:
        return None
    kind = Contract.INVERSE if quote == "USD" else Contract.LINEAR
    symbol, face = base.contract_name(code, "contract_code"), 1.0
    if kind is Contract.INVERSE:
        face = base.number(size, f"{code} contract_size")
    return Instrument(venue=NAME, symbol=symbol, asset=asset_of_base(coin), contract=kind, size=face)
