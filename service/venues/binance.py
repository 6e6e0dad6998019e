"""Binance: forced orders of USD-M and COIN-M futures, told apart by the form of the symbol.

Owns Binance's two sockets, the size of its contracts and what a name implies; the frames are those of `forceorder`. The
field `st` (1 USD-M, 2 COIN-M) is not read: Binance's own COIN-M sample of 2026-07-24 carries 1. Opens no socket.
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from service.model import Completeness, Contract, DecodeError, FeedRule, Instrument
from service.symbols import asset_of_base
from service.venues import base, forceorder
from service.venues.base import Plan, Tickers, Venue
from service.venues.tickers.binance import BinanceTickers

NAME = "binance"
TELLS = BinanceTickers()
#: One control stream a socket: it shares the path of the orders and never rests.
CONTROLS = {"um": forceorder.MARKS, "cm": "btcusd_perp@markPrice@1s"}

#: When the page of the USD-M stream changed from the latest order of a second to the largest. 2026-04-10, ms UTC.
LARGEST_SINCE = 1_775_779_200_000

_COIN_M = re.compile(r"[^_]+USD_(?:PERP|\d{6})")
_MARKS = (*forceorder.MARK_FRAMES, ('{"stream":"btcusd_perp@markPrice', ("}}",)))


class Binance(Venue):
    """USD-M and COIN-M. Both sockets may carry the orders of both; the id is the same whichever way one came."""

    name: ClassVar[str] = NAME
    docs: ClassVar[str] = (
        "https://developers.binance.com/docs/derivatives/usds-margined-futures/"
        "websocket-market-streams/All-Market-Liquidation-Order-Streams"
    )
    endpoints: ClassVar[Mapping[str, str]] = {
        "um": "wss://fstream.binance.com/market/stream",
        "cm": "wss://dstream.binance.com/stream",
        "um_rest": "https://fapi.binance.com",
        "cm_rest": "https://dapi.binance.com",
    }
    dial_gap_s: ClassVar[float] = 1.0  # 300 connections per 5 minutes and IP
    usual_per_minute: ClassVar[float] = 2.7  # 2026-09-18, a quiet day, as for the others
    about: ClassVar[str] = (
        "Shows one order per symbol and second and leaves out the rest of a burst: its totals are a floor."
    )
    tickers: ClassVar[Tickers | None] = TELLS

    def completeness(self, at: int) -> Completeness:
        """Sampled since 2021-04-27, and nothing older can reach us."""
        del at
        return Completeness.SAMPLED

    def rule(self, at: int) -> FeedRule:
        """As the page of USD-M says; that of the far smaller COIN-M still says latest."""
        return FeedRule.LARGEST if at >= LARGEST_SINCE else FeedRule.LATEST

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """Exchange information of both products."""
        return (f"{endpoints['um_rest']}/fapi/v1/exchangeInfo", f"{endpoints['cm_rest']}/dapi/v1/exchangeInfo")

    def instruments(self, body: bytes) -> tuple[list[Instrument], None]:
        """Contracts of either product."""
        return [_instrument(row) for row in forceorder.symbols(body)], None

    def implied(self, symbol: str) -> Instrument | None:
        """USD-M quantities are base units; the size of a COIN-M contract stands in the metadata only."""
        return forceorder.linear(NAME, symbol)

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """One socket a product, whatever is listed."""
        del instruments
        return tuple(forceorder.plan(NAME, key, endpoints[key], control) for key, control in CONTROLS.items())

    def session(self, plan: Plan | None = None) -> forceorder.ForceOrders:
        """A fresh session; without a plan it subscribes to nothing."""
        return forceorder.ForceOrders(NAME, TELLS, plan.topics if plan else (), _MARKS)


def _instrument(row: forceorder.Symbol) -> Instrument:
    inverse = bool(_COIN_M.fullmatch(row.symbol))
    size = row.contract_size if inverse else 1.0
    if not size or size < 0:
        raise DecodeError(f"{row.symbol}: contractSize must be above 0, got {size}")
    return Instrument(
        venue=NAME,
        symbol=base.contract_name(row.symbol, "symbol"),
        asset=asset_of_base(row.base_asset),
        contract=Contract.INVERSE if inverse else Contract.LINEAR,
        size=size,
    )
