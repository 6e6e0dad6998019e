"""Bitfinex: open interest, funding and marks of all perpetuals in one answer.

https://docs.bitfinex.com/reference/rest-public-derivatives-status (90 requests a minute; a third party saw two at once
of another endpoint earn minutes of rest) and the Funding Payment Summary: paid each 8 hours. A contract is one unit of
the base coin, counted once. CURRENT_FUNDING is the rate of the running period; an unknown key is an empty answer.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import DecodeError, Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_INTERVAL_H = 8.0


class _Row(msgspec.Struct, array_like=True, gc=False):  # by index, not by length: rows may grow at their end
    key: str
    mts: Figure
    unused_2: object
    deriv_price: object
    spot_price: object
    unused_5: object
    insurance_fund: object
    unused_7: object
    next_funding_mts: object
    next_funding_accrued: object
    next_funding_step: object
    unused_11: object
    current_funding: Figure
    unused_13: object
    unused_14: object
    mark_price: Figure
    unused_16: object
    unused_17: object
    open_interest: Figure


_ROWS = msgspec.json.Decoder(list[_Row])


class BitfinexTickers(base.Tickers):
    """Perpetuals (tBTCF0:USTF0); margin pairs have no open interest of this kind."""

    gap_s: ClassVar[float] = 5.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """One request, whatever is listed."""
        del listed, coins
        return (base.Ask(url=f"{endpoints['rest']}/v2/status/deriv?keys=ALL"),)

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """An answer without a row is no answer: that is how the venue says that it does not know a key."""
        del ask
        rows = [(row.key, row) for row in base.parse(_ROWS, body)]
        if not rows:
            raise DecodeError("bitfinex status: no row")
        return figures.row_of_each(rows, listed, lambda contract, row: _ticker(contract, row, seen))


def _ticker(contract: Instrument, row: _Row, seen: int) -> Ticker | None:
    """The mark is in the quote coin, which need not be a dollar."""
    at = figures.told_at(int(base.number(row.mts or "", "MTS")), seen)
    mark, funding = figures.price(row.mark_price), figures.rate(row.current_funding)
    coins, usd = figures.interest(contract, figures.amount(row.open_interest), mark)
    paid = {} if funding is None else {"funding": funding, "interval_h": _INTERVAL_H}
    return figures.part(contract, at, seen, oi_coins=coins, oi_usd=usd, mark=mark, **paid)
