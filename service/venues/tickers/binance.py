"""Binance: marks, funding and open interest of USD-M and COIN-M, in the words of `premium`. Pure.

Open interest is in base units (USD-M) or contracts of a fixed sum of dollars (COIN-M), one side, one contract a
request; marks and funding of all contracts are one request a product. `fundingInfo` names only contracts whose cap,
floor or interval was ever adjusted: the others pay every 8 h. 2,400 of weight a minute and address: premiumIndex costs
10 of it, openInterest 1; fundingInfo shares 500 requests in 5 minutes. The 24 h ticker costs 40 and is left out.
https://developers.binance.com/docs/derivatives: usds-margined-futures and coin-margined-futures, market-data/rest-api,
Mark-Price, Open-Interest, Get-Funding-Rate-Info, Index-Price-and-Mark-Price.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from service.model import Contract, Instrument
from service.venues.base import Ask
from service.venues.tickers.premium import Premium


class BinanceTickers(Premium):
    """Both products."""

    venue: ClassVar[str] = "binance"
    usual_h: ClassVar[float | None] = 8.0
    gap_s: ClassVar[float] = 0.25  # 240 of weight a minute, a tenth of the limit

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        """Marks, funding and intervals of both products, then the open interest of each contract of `coins`."""
        linear = [row for row in listed if row.contract is Contract.LINEAR]
        inverse = [row for row in listed if row.contract is Contract.INVERSE]
        um_bulk, um = self.asked(f"{endpoints['um_rest']}/fapi/v1", linear, coins)
        cm_bulk, cm = self.asked(f"{endpoints['cm_rest']}/dapi/v1", inverse, coins)
        return um_bulk + cm_bulk + um + cm
