"""Kraken Futures: open interest, funding, marks and turnover of all contracts in one answer.

https://docs.kraken.com/api/docs/futures-api/trading/get-tickers (public endpoints cost nothing of the 500 units in
10 s). `openInterest` counts dollars of inverse contracts (PI_, FI_) and base units of the others (PF_, FF_), one side.
`fundingRate` is the absolute rate of the running hour: what one contract pays, dollars for a coin or coins for a
dollar. The fraction is that over, or times, the mark: a captured frame of the socket tells both. Dated contracts pay
none.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, DecodeError, Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_HOURLY = 1.0


class _Row(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    mark_price: Figure = None
    open_interest: Figure = None
    funding_rate: Figure = None
    volume_quote: Figure = None
    vol24h: Figure = None


class _Body(msgspec.Struct, rename="camel"):
    result: str
    tickers: list[_Row] | None = None
    server_time: str = ""
    error: str = ""


_BODY = msgspec.json.Decoder(_Body)


class KrakenTickers(base.Tickers):
    """Perpetual and dated futures; indices of the same answer are in no list of contracts."""

    gap_s: ClassVar[float] = 1.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """One request, whatever is listed."""
        del listed, coins
        return (base.Ask(url=f"{endpoints['rest']}/derivatives/api/v3/tickers"),)

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Older answers spelt symbols small."""
        del ask
        answer = base.parse(_BODY, body)
        if answer.result != "success" or answer.tickers is None:
            raise DecodeError(f"kraken tickers: {answer.result[:40]} {answer.error[:200]}")
        at = base.moment_of_text(answer.server_time, "serverTime") if answer.server_time else seen
        at = figures.told_at(at, seen)
        rows = [(row.symbol.upper() if row.symbol.islower() else row.symbol, row) for row in answer.tickers]
        return figures.row_of_each(rows, listed, lambda contract, row: _ticker(contract, row, at, seen))


def _ticker(contract: Instrument, row: _Row, at: int, seen: int) -> Ticker | None:
    mark = figures.price(row.mark_price)
    coins, usd = figures.interest(contract, figures.amount(row.open_interest), mark)
    inverse = contract.contract is Contract.INVERSE
    volume = figures.dollars(row.vol24h if inverse else row.volume_quote)
    paid = _funding(row.funding_rate, mark, inverse=inverse)
    return figures.part(contract, at, seen, oi_coins=coins, oi_usd=usd, mark=mark, volume_usd=volume, **paid)


def _funding(absolute: Figure, mark: float | None, *, inverse: bool) -> dict[str, float | None]:
    """Nothing without a mark: an absolute rate alone says nothing."""
    if absolute is None or mark is None:
        return {}
    found = figures.plain_float(absolute)
    funding = figures.rate(found * mark if inverse else found / mark)
    return {} if funding is None else {"funding": funding, "interval_h": _HOURLY}
