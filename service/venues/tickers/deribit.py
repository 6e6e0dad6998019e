"""Deribit: open interest, funding, marks and turnover of the futures of each currency in one answer.

https://docs.deribit.com/api-reference/market-data/public-get_book_summary_by_currency; 20 requests a second are
allowed to one who logs in, fewer by address. `open_interest` counts dollars of inverse futures and base units of linear
ones, as amounts of trades do, one side. Funding is paid all the time: `funding_8h` is what the last eight hours came
to, `current_funding` the rate of this moment, which is 0 most of the time and is not read.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_INTERVAL_H = 8.0


class _Row(msgspec.Struct, gc=False):
    instrument_name: str
    open_interest: Figure = None
    mark_price: Figure = None
    volume_usd: Figure = None
    funding_8h: Figure = None
    creation_timestamp: int = 0


class _Body(msgspec.Struct):
    result: list[_Row]


_BODY = msgspec.json.Decoder(_Body)


class DeribitTickers(base.Tickers):
    """Perpetuals and dated futures, asked by the currency they settle in."""

    gap_s: ClassVar[float] = 1.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """BTC-PERPETUAL settles in BTC, SOL_USDC-PERPETUAL in USDC."""
        del coins
        url = f"{endpoints['rest']}/api/v2/public/get_book_summary_by_currency"
        currencies = sorted({row.symbol.partition("-")[0].rpartition("_")[2] for row in listed})
        return [base.Ask(url=base.address(url, currency=currency, kind="future")) for currency in currencies]

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """An error has no result, and its HTTP status is none of 200."""
        del ask
        rows = [(row.instrument_name, row) for row in base.parse(_BODY, body).result]
        return figures.row_of_each(rows, listed, lambda contract, row: _ticker(contract, row, seen))


def _ticker(contract: Instrument, row: _Row, seen: int) -> Ticker | None:
    at = figures.told_at(row.creation_timestamp, seen) if row.creation_timestamp else seen
    mark, funding = figures.price(row.mark_price), figures.rate(row.funding_8h)
    coins, usd = figures.interest(contract, figures.amount(row.open_interest), mark)
    paid = {} if funding is None else {"funding": funding, "interval_h": _INTERVAL_H}
    volume = figures.dollars(row.volume_usd)
    return figures.part(contract, at, seen, oi_coins=coins, oi_usd=usd, mark=mark, volume_usd=volume, **paid)
