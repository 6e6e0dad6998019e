"""CoinEx v2: forced orders of linear and inverse perpetuals. No socket tells them: each market's history is asked.

Owns CoinEx's raw shapes, the pages of its history and the meaning of side, liq_price and liq_amount. Opens no socket.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import SECOND, Completeness, Contract, DecodeError, Instrument, Print, Side
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import Event, Page, Plan, Session, Spoilt, Venue

NAME = "coinex"
#: Rows of one page; the page does not say how many it may hold, others ask for this many.
PAGE = 100

#: side is the side of the POSITION.
_SIDES = {"long": Side.LONG, "short": Side.SHORT}
_CONTRACTS = {"linear": Contract.LINEAR, "inverse": Contract.INVERSE}


class _Row(msgspec.Struct, frozen=True, gc=False):
    market: str
    side: str
    liq_price: str
    liq_amount: str
    created_at: int


class _Pages(msgspec.Struct):
    has_next: bool = False


class _Answer(msgspec.Struct):
    code: int
    data: msgspec.Raw = msgspec.Raw()
    message: str = ""
    pagination: _Pages | None = None


class _Market(msgspec.Struct):
    market: str
    contract_type: str
    base_ccy: str
    quote_ccy: str


_ANSWER = msgspec.json.Decoder(_Answer)
_ROWS = msgspec.json.Decoder(list[_Row])
_MARKETS = msgspec.json.Decoder(list[_Market])


class _History(base.History):
    """One market at a time, from a time to a time, in numbered pages."""

    reach_s: ClassVar[float] = 72 * 3600  # not stated; others were shown nine months
    delay_s: ClassVar[float] = 30  # not stated either
    gap_s: ClassVar[float] = 0.1  # a fortieth of 400 a second and IP
    poll_s: ClassVar[float | None] = 60  # room for 600 markets at that pace; there were 221 in September 2026

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """The first page of every market. Times of rows are whole seconds, so the window opens at one."""
        url = f"{endpoints['rest']}/futures/liquidation-history"
        window = {"start_time": since // SECOND * SECOND, "end_time": until, "page": 1, "limit": PAGE}
        return [base.address(url, market=instrument.symbol, **window) for instrument in instruments]

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """Rows of one page; the next one where the venue says that there is one."""
        answer = _answer(body)
        orders = _prints(base.parse(_ROWS, answer.data), seen)
        if not (answer.pagination and answer.pagination.has_next):
            return Page(orders=orders)
        page = int(base.query_of(url).get("page", "1"))
        return Page(orders=orders, more=(base.asked_again(url, page=page + 1),))


class Coinex(Venue):
    """Perpetuals against USDT and USDC, and the coin-margined ones against USD."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = "https://docs.coinex.com/api/v2/futures/market/http/list-market-liquidation-history"
    endpoints: ClassVar[Mapping[str, str]] = {"rest": "https://api.coinex.com/v2"}
    dial_gap_s: ClassVar[float] = 1.0  # nothing is ever dialled
    usual_per_minute: ClassVar[float] = 0.5  # a guess from its share of reported value, 1 percent
    about: ClassVar[str] = "Ended its futures on 2026-09-22. No socket: asked each minute, up to two minutes late."
    by_default: ClassVar[bool] = False  # what remains answers with the markets as they were, and no orders come
    history: ClassVar[_History] = _History()

    def completeness(self, at: int) -> Completeness:
        """The venue does not say whether its history is whole."""
        del at
        return Completeness.PARTIAL

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """All markets in one page."""
        return (f"{endpoints['rest']}/futures/market",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Linear amounts are base units, inverse ones contracts of a dollar."""
        rows = base.parse(_MARKETS, _answer(body).data)
        return [
            _instrument(row) for row in rows if row.quote_ccy in base.DOLLARS and row.contract_type in _CONTRACTS
        ], None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """None of its sockets carries a forced order."""
        del endpoints, instruments
        return ()

    def session(self, plan: Plan | None = None) -> "_Session":
        """Reads an answer of the history as if it were a frame, for recordings."""
        del plan
        return _Session()


class _Session(Session):
    def hello(self, now: int) -> Sequence[str]:
        del now
        return ()

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        return _prints(base.parse(_ROWS, _answer(frame).data), seen)


def _answer(body: str | bytes) -> _Answer:
    answer = base.parse(_ANSWER, body)
    if answer.code:
        raise DecodeError(f"coinex answered {answer.code}: {answer.message}")
    return answer


def _prints(rows: list[_Row], seen: int) -> tuple[Print | Spoilt, ...]:
    """The venue has no ids; equal rows of one page are told apart by their number."""
    return tuple(base.row_by_row(base.numbered(rows), lambda row: [_print(*row, seen)]))


def _print(row: _Row, number: int, seen: int) -> Print:
    """The price is liq_price, which the mark price reached when the position was taken: the market of that moment.

    bkr_price lies behind it, where the margin would be used up. The venue's own sample puts a blank before the market.
    """
    symbol = row.market.strip()
    return Print(
        venue=NAME,
        symbol=base.contract_name(symbol, "market"),
        side=base.side_of(row.side, _SIDES),
        price=base.number(row.liq_price, "liq_price"),
        quantity=base.number(row.liq_amount, "liq_amount"),
        at=base.moment(row.created_at, "created_at"),
        seen=seen,
        id=base.digest((symbol, row.created_at, row.side, row.liq_amount, row.liq_price, number)),
    )


def _instrument(row: _Market) -> Instrument:
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.market.strip(), "market"),
        asset=asset_of_base(row.base_ccy),
        contract=_CONTRACTS[row.contract_type],
        size=1.0,
    )
