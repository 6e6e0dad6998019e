"""BitMEX: open interest, funding, marks and turnover of all contracts in the answer that is its list of them, too.

https://www.bitmex.com/api/explorer (Instrument/getActive; 30 requests a minute without a key). `openInterest` counts
contracts, one side; `fundingRate` is paid each `fundingInterval`, which is told as a time of day. The exchange closed
on 2026-09-23. The control stream tells what changed of XBTUSD, a contract of which is one dollar.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

import msgspec

from service.model import Contract, Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_BITCOIN = "XBTUSD"
_BITCOIN_H = 8.0
_DOLLAR = Instrument(venue="bitmex", symbol=_BITCOIN, asset="BTC", contract=Contract.INVERSE, size=1.0)


class _Row(msgspec.Struct, rename="camel", gc=False):
    symbol: str
    open_interest: Figure = None
    mark_price: Figure = None
    funding_rate: Figure = None
    funding_interval: str | None = None
    foreign_notional24h: Figure = msgspec.field(default=None, name="foreignNotional24h")
    quote_currency: str | None = None
    timestamp: str | None = None


class _Frame(msgspec.Struct):
    data: list[_Row]


_ROWS = msgspec.json.Decoder(list[_Row])
_FRAME = msgspec.json.Decoder(_Frame)


class BitmexTickers(base.Tickers):
    """Inverse and linear contracts; of quanto contracts, which pay in bitcoin, no open interest is told."""

    gap_s: ClassVar[float] = 5.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """One request, whatever is listed."""
        del listed, coins
        return (base.Ask(url=f"{endpoints['rest']}/api/v1/instrument/active"),)

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Each row has a time of its own."""
        del ask
        rows = [(row.symbol, row) for row in base.parse(_ROWS, body)]
        return figures.row_of_each(rows, listed, lambda contract, row: _ticker(contract, row, seen))

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """A frame of `instrument:XBTUSD` tells what changed, often nothing of this."""
        found = [_ticker(_DOLLAR, row, seen) for row in base.parse(_FRAME, frame).data if row.symbol == _BITCOIN]
        return [one for one in found if one is not None]


def _ticker(contract: Instrument, row: _Row, seen: int) -> Ticker | None:
    at = figures.told_at(base.moment_of_text(row.timestamp, "timestamp"), seen) if row.timestamp else seen
    mark, funding = figures.price(row.mark_price), figures.rate(row.funding_rate)
    coins, usd = figures.interest(contract, figures.amount(row.open_interest), mark)
    hours = _hours(row.funding_interval) or (_BITCOIN_H if contract is _DOLLAR else None)
    paid = {} if funding is None or hours is None else {"funding": funding, "interval_h": hours}
    volume = figures.dollars(row.foreign_notional24h) if row.quote_currency in base.DOLLARS else None
    return figures.part(contract, at, seen, oi_coins=coins, oi_usd=usd, mark=mark, volume_usd=volume, **paid)


def _hours(told: str | None) -> float | None:
    """2000-01-01T08:00:00.000Z is eight hours."""
    try:
        found = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return figures.hours(found.hour + found.minute / 60)
