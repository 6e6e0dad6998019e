"""Lighter: open interest and turnover of all markets in one answer, funding in another. No answer tells a mark.

https://apidocs.lighter.xyz/reference (orderBookDetails, funding-rates) and /docs/rate-limits: 60 requests a minute and
address. `open_interest` counts base units; that it counts one side is not documented. `funding-rates` compares venues,
each for eight hours whatever it pays by: the row of `lighter` is read. Dollars need a mark, and the last trade is none.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import DecodeError, Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_OWN = "lighter"
_COMPARED_H = 8.0
_RATES = "/api/v1/funding-rates"
_OK = 200


class _Book(msgspec.Struct, gc=False):
    market_id: int
    open_interest: Figure = None
    daily_quote_token_volume: Figure = None


class _Rate(msgspec.Struct, gc=False):
    market_id: int
    exchange: str
    rate: Figure = None


class _Body(msgspec.Struct):
    code: int
    order_book_details: list[_Book] | None = None
    funding_rates: list[_Rate] | None = None
    message: str = ""


_BODY = msgspec.json.Decoder(_Body)


class LighterTickers(base.Tickers):
    """Perpetuals, by the number of their market."""

    gap_s: ClassVar[float] = 5.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """Two requests, whatever is listed."""
        del listed, coins
        return [base.Ask(url=f"{endpoints['rest']}{path}") for path in ("/api/v1/orderBookDetails", _RATES)]

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Nothing tells a time: it is ours."""
        answer = base.parse(_BODY, body)
        rates = ask.url.endswith(_RATES)
        if answer.code != _OK or (answer.funding_rates if rates else answer.order_book_details) is None:
            raise DecodeError(f"lighter tickers: code {answer.code} {answer.message[:200]}")
        if rates:
            own = [(str(row.market_id), row) for row in answer.funding_rates or () if row.exchange == _OWN]
            return figures.row_of_each(own, listed, lambda contract, row: _funding(contract, row, seen))
        books = [(str(row.market_id), row) for row in answer.order_book_details or ()]
        return figures.row_of_each(books, listed, lambda contract, row: _standing(contract, row, seen))


def _standing(contract: Instrument, row: _Book, seen: int) -> Ticker | None:
    """Orders of this venue are counted in dollars, its open interest is not."""
    coins, volume = figures.amount(row.open_interest), figures.dollars(row.daily_quote_token_volume)
    return figures.part(contract, seen, seen, oi_coins=coins, volume_usd=volume)


def _funding(contract: Instrument, row: _Rate, seen: int) -> Ticker | None:
    funding = figures.rate(row.rate)
    return None if funding is None else figures.part(contract, seen, seen, funding=funding, interval_h=_COMPARED_H)
