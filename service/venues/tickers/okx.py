"""OKX: open interest, marks and funding of every swap and future, five requests a round. Pure.

Open interest comes in contracts, coins and dollars, one side: coins and dollars are read as told, and made of the
contracts where they are not. Hours between payments are the difference of the next two payments' times; X-Perps are
futures that pay, other futures do not. 20 requests in 2 s for open interest, 10 for marks and funding, each by address
and contract. The socket's channel of marks tells the mark of one contract.
https://www.okx.com/docs-v5/en: public-data-rest-api-get-open-interest, -get-mark-price, -get-funding-rate,
public-data-websocket-mark-price-channel.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, TypeVar

import msgspec

from service.model import HOUR, Contract, DecodeError, Instrument, Ticker
from service.symbols import asset_of_symbol
from service.venues import base
from service.venues.base import Ask, Tickers, figures
from service.venues.base.figures import Figure

NAME = "okx"
KINDS = ("SWAP", "FUTURES")


class _Row(msgspec.Struct, rename="camel"):
    inst_id: str
    ts: str


class _Interest(_Row, rename="camel"):
    oi: Figure = None
    oi_ccy: Figure = None
    oi_usd: Figure = None


class _Mark(_Row, rename="camel"):
    mark_px: Figure = None


class _Funding(_Row, rename="camel"):
    funding_rate: Figure = None
    funding_time: str = ""
    next_funding_time: str = ""


class _Answer(msgspec.Struct):
    code: str
    data: msgspec.Raw = msgspec.Raw()
    msg: str = ""


class _Frame(msgspec.Struct):
    data: list[_Mark]


_ANSWER = msgspec.json.Decoder(_Answer)
_INTERESTS = msgspec.json.Decoder(list[_Interest])
_MARKS = msgspec.json.Decoder(list[_Mark])
_FUNDINGS = msgspec.json.Decoder(list[_Funding])
_FRAME = msgspec.json.Decoder(_Frame)
_T = TypeVar("_T", bound=_Row)


class OkxTickers(Tickers):
    """Five requests tell all."""

    gap_s: ClassVar[float] = 0.5

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        """Open interest and marks of both kinds, and the funding of whatever pays."""
        del listed, coins
        where = f"{endpoints['rest']}/api/v5/public"
        paths = [(name, kind) for name in ("open-interest", "mark-price") for kind in KINDS]
        urls = [base.address(f"{where}/{name}", instType=kind) for name, kind in paths]
        return [Ask(url=url) for url in (*urls, base.address(f"{where}/funding-rate", instId="ANY"))]

    def read(self, ask: Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Every listed contract of an answer; the address tells which of the three it is."""
        answer = base.parse(_ANSWER, body)
        if answer.code != "0":
            raise DecodeError(f"okx answered {answer.code}: {answer.msg}")
        where = ask.url.partition("?")[0]
        if where.endswith("/open-interest"):
            return figures.row_of_each(
                _named(base.parse(_INTERESTS, answer.data)), listed, lambda own, row: _interest(own, row, seen)
            )
        if where.endswith("/mark-price"):
            return figures.row_of_each(
                _named(base.parse(_MARKS, answer.data)), listed, lambda own, row: _mark(own, row, seen)
            )
        return figures.row_of_each(
            _named(base.parse(_FUNDINGS, answer.data)), listed, lambda own, row: _funding(own, row, seen)
        )

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """The mark of one contract."""
        return figures.usable(base.parse(_FRAME, frame).data, lambda row: _mark(_heard(row.inst_id), row, seen))


def _named(rows: list[_T]) -> list[tuple[str, _T]]:
    return [(row.inst_id, row) for row in rows]


def _heard(symbol: str) -> Instrument:
    """A contract of which nothing but its name is known: a mark needs no size."""
    name, asset = base.contract_name(symbol, "instId"), asset_of_symbol(symbol)
    return Instrument(venue=NAME, symbol=name, asset=asset, contract=Contract.LINEAR, size=1.0)


def _interest(own: Instrument, row: _Interest, seen: int) -> Ticker | None:
    coins, usd = figures.amount(row.oi_ccy), figures.dollars(row.oi_usd)
    if coins is None or usd is None:
        counted, worth = figures.interest(own, figures.amount(row.oi))
        coins = counted if coins is None else coins
        usd = worth if usd is None else usd
    return figures.part(own, figures.told_at(row.ts, seen), seen, oi_coins=coins, oi_usd=usd)


def _mark(own: Instrument, row: _Mark, seen: int) -> Ticker | None:
    return figures.part(own, figures.told_at(row.ts, seen), seen, mark=figures.price(row.mark_px))


def _funding(own: Instrument, row: _Funding, seen: int) -> Ticker | None:
    at = figures.told_at(row.ts, seen)
    return figures.part(own, at, seen, funding=figures.rate(row.funding_rate), interval_h=_hours(row))


def _hours(row: _Funding) -> float | None:
    try:
        first, second = (base.moment(text, "fundingTime") for text in (row.funding_time, row.next_funding_time))
    except DecodeError:
        return None
    return figures.hours((second - first) / HOUR)
