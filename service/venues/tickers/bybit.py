"""Bybit v5: marks, funding, open interest and volume of every linear and inverse contract in two requests. Pure.

`openInterest` counts both sides: `singleOpenInterest` is read where it is told, else the half of the other. It is in
base units (linear) or dollars (inverse); `turnover24h` is in the quote (linear), `volume24h` in dollars (inverse). A
dated contract has no funding and no hours; a ticker's delta carries what has changed. 600 requests in 5 s and address.
https://bybit-exchange.github.io/docs/v5: market/tickers, websocket/public/ticker, rate-limit.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, DecodeError, Instrument, Ticker
from service.symbols import asset_of_symbol
from service.venues import base
from service.venues.base import Ask, Tickers, figures
from service.venues.base.figures import Figure

NAME = "bybit"
CATEGORIES = ("linear", "inverse")
#: BTCUSD, BTCUSDH26: margined in the coin, counted in dollars.
INVERSE = re.compile(r"[A-Z0-9]+USD(?:[FGHJKMNQUVXZ]\d{2})?")


class _Row(msgspec.Struct, rename="camel"):
    symbol: str
    mark_price: Figure = None
    open_interest: Figure = None
    single_open_interest: Figure = None
    funding_rate: Figure = None
    funding_interval_hour: Figure = None
    turnover24h: Figure = None
    volume24h: Figure = None


class _Page(msgspec.Struct):
    category: str = ""
    rows: list[_Row] = msgspec.field(default_factory=list, name="list")


class _Answer(msgspec.Struct, rename="camel"):
    ret_code: int
    result: _Page
    time: int
    ret_msg: str = ""


class _Frame(msgspec.Struct):
    topic: str
    data: _Row
    ts: int


_ANSWER = msgspec.json.Decoder(_Answer)
_FRAME = msgspec.json.Decoder(_Frame)


class BybitTickers(Tickers):
    """Two requests tell all."""

    gap_s: ClassVar[float] = 0.5

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        """Both categories."""
        del listed, coins
        where = f"{endpoints['rest']}/v5/market/tickers"
        return [Ask(url=base.address(where, category=category)) for category in CATEGORIES]

    def read(self, ask: Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Every listed contract of one category."""
        answer = base.parse(_ANSWER, body)
        asked = base.query_of(ask.url)["category"]
        if answer.ret_code or answer.result.category != asked:
            told = f"code {answer.ret_code} {answer.ret_msg}, category {answer.result.category!r}"
            raise DecodeError(f"bybit tickers must be code 0 and category {asked}, got {told}")
        at = figures.told_at(answer.time, seen)
        rows = ((row.symbol, row) for row in answer.result.rows)
        return figures.row_of_each(rows, listed, lambda own, row: _ticker(own, row, at, seen))

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """What a snapshot or a delta carries of one contract, which may be nothing of these."""
        message = base.parse(_FRAME, frame)
        symbol = base.contract_name(message.data.symbol, "symbol")
        contract = Contract.INVERSE if INVERSE.fullmatch(symbol) else Contract.LINEAR
        own = Instrument(venue=NAME, symbol=symbol, asset=asset_of_symbol(symbol), contract=contract, size=1.0)
        found = _ticker(own, message.data, figures.told_at(message.ts, seen), seen)
        return (found,) if found else ()


def _ticker(own: Instrument, row: _Row, at: int, seen: int) -> Ticker | None:
    mark = figures.price(row.mark_price)
    coins, usd = figures.interest(own, _one_side(row), mark)
    volume = row.volume24h if own.contract is Contract.INVERSE else row.turnover24h
    return figures.part(
        own,
        at,
        seen,
        oi_coins=coins,
        oi_usd=usd,
        funding=figures.rate(row.funding_rate),
        interval_h=figures.hours(row.funding_interval_hour),
        mark=mark,
        volume_usd=figures.dollars(volume),
    )


def _one_side(row: _Row) -> float | None:
    one = figures.amount(row.single_open_interest)
    both = figures.amount(row.open_interest)
    return one if one is not None or both is None else both / 2
