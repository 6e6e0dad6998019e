"""dYdX v4: open interest, funding and oracle prices of all markets in the answer that is its list of them, too.

https://docs.dydx.xyz/indexer-client/http (Get Perpetual Markets; 100 requests in 10 s and address). `openInterest`
counts base units, one side. Positions are marked at the oracle price. `nextFundingRate` is what the running hour has
come to so far, paid at its end.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_HOURLY = 1.0


class _Row(msgspec.Struct, rename="camel", gc=False):
    ticker: str
    oracle_price: Figure = None
    open_interest: Figure = None
    next_funding_rate: Figure = None
    volume24_h: Figure = msgspec.field(default=None, name="volume24H")


class _Body(msgspec.Struct):
    markets: dict[str, _Row]


_BODY = msgspec.json.Decoder(_Body)


class DydxTickers(base.Tickers):
    """All markets at once."""

    gap_s: ClassVar[float] = 1.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """One request, whatever is listed."""
        del listed, coins
        return (base.Ask(url=f"{endpoints['rest']}/v4/perpetualMarkets"),)

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Nothing tells a time: it is ours."""
        del ask
        rows = [(row.ticker, row) for row in base.parse(_BODY, body).markets.values()]
        return figures.row_of_each(rows, listed, lambda contract, row: _ticker(contract, row, seen))


def _ticker(contract: Instrument, row: _Row, seen: int) -> Ticker | None:
    mark, funding = figures.price(row.oracle_price), figures.rate(row.next_funding_rate)
    coins, usd = figures.interest(contract, figures.amount(row.open_interest), mark)
    paid = {} if funding is None else {"funding": funding, "interval_h": _HOURLY}
    volume = figures.dollars(row.volume24_h)
    return figures.part(contract, seen, seen, oi_coins=coins, oi_usd=usd, mark=mark, volume_usd=volume, **paid)
