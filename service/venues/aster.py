"""Aster: forced orders of its perpetuals, in the words Binance used before it split its paths.

Owns Aster's socket, its metadata and what a name implies; the frames are those of `forceorder`. Opens no socket.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from service.model import Completeness, Contract, FeedRule, Instrument
from service.symbols import asset_of_base
from service.venues import base, forceorder
from service.venues.base import Plan, Tickers, Venue
from service.venues.tickers.aster import AsterTickers

NAME = "aster"
TELLS = AsterTickers()


class Aster(Venue):
    """Perpetuals on coins, stocks and metals, all counted in base units; not the pool product of 1001 times."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = (
        "https://github.com/asterdex/api-docs/blob/master/V3(Recommended)/EN/aster-finance-futures-api-v3.md"
    )
    endpoints: ClassVar[Mapping[str, str]] = {
        "public": "wss://fstream.asterdex.com/stream",
        "rest": "https://fapi.asterdex.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # no limit is documented
    usual_per_minute: ClassVar[float] = 0.08
    about: ClassVar[str] = (
        "Shows the latest order per symbol and second and leaves out the rest of a burst: its totals are a floor."
    )
    tickers: ClassVar[Tickers | None] = TELLS

    def completeness(self, at: int) -> Completeness:
        """The latest order of a symbol in 1000 ms, as long as the stream exists."""
        del at
        return Completeness.SAMPLED

    def rule(self, at: int) -> FeedRule:
        """Its page says latest."""
        del at
        return FeedRule.LATEST

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Exchange information of the third version; the first one tells the same."""
        return (f"{endpoints['rest']}/fapi/v3/exchangeInfo",)

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts in any state, stocks too: the asset of TSLAUSDT is TSLA."""
        return [_instrument(row) for row in forceorder.symbols(body)], None

    def implied(self, symbol: str) -> Instrument | None:
        """Quantities are base units."""
        return forceorder.linear(NAME, symbol)

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket for the whole market."""
        del instruments
        return (forceorder.plan(NAME, "public", endpoints["public"]),)

    def session(self, plan: Plan | None = None) -> forceorder.ForceOrders:
        """A fresh session; without a plan it subscribes to nothing."""
        return forceorder.ForceOrders(NAME, TELLS, plan.topics if plan else ())


def _instrument(row: forceorder.Symbol) -> Instrument:
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        asset=asset_of_base(row.base_asset),
        contract=Contract.LINEAR,
        size=1.0,
    )
