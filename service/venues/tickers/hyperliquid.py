"""Hyperliquid: open interest, funding, marks and turnover of all perpetuals in one answer to a POST.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint/perpetuals (metaAndAssetCtxs) and
rate-limits-and-user-limits: weight 20 of 1,200 a minute and address. Open interest counts base units, one side;
`funding` is paid each hour. The stream `activeAssetCtx` tells the same of one coin about once a second.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, DecodeError, Instrument, Ticker
from service.symbols import asset_of_base
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_ASK = '{"type":"metaAndAssetCtxs"}'
_HOURLY = 1.0


class _Coin(msgspec.Struct, rename="camel", gc=False):
    name: str
    is_delisted: bool = False


class _Meta(msgspec.Struct):
    universe: list[_Coin]


class _Context(msgspec.Struct, rename="camel", gc=False):
    funding: Figure = None
    open_interest: Figure = None
    mark_px: Figure = None
    day_ntl_vlm: Figure = None


class _Active(msgspec.Struct):
    coin: str
    ctx: _Context


class _Frame(msgspec.Struct):
    data: _Active


_ANSWER = msgspec.json.Decoder(tuple[_Meta, list[_Context]])
_FRAME = msgspec.json.Decoder(_Frame)


class HyperliquidTickers(base.Tickers):
    """The venue's own perpetuals, not those of builders. There is no list of contracts: a name tells all there is."""

    gap_s: ClassVar[float] = 2.0

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """One request, whatever is listed."""
        del listed, coins
        return (base.Ask(url=f"{endpoints['rest']}/info", post=_ASK),)

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Every perpetual that is still traded; names and figures stand in two lists, in the same order."""
        del ask, listed
        meta, contexts = base.parse(_ANSWER, body)
        if len(contexts) != len(meta.universe):
            raise DecodeError(f"hyperliquid: {len(meta.universe)} names for {len(contexts)} contexts")
        rows = [(coin.name, row) for coin, row in zip(meta.universe, contexts, strict=True) if not coin.is_delisted]
        known = {name: _contract(name) for name, _ in rows}
        return figures.row_of_each(rows, known, lambda contract, row: _ticker(contract, row, seen))

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """A frame of `activeAssetCtx`."""
        told = base.parse(_FRAME, frame).data
        found = _ticker(_contract(base.contract_name(told.coin, "coin")), told.ctx, seen)
        return () if found is None else (found,)


def _contract(name: str) -> Instrument:
    asset = asset_of_base(name)
    return Instrument(venue="hyperliquid", symbol=name, asset=asset, contract=Contract.LINEAR, size=1.0)


def _ticker(contract: Instrument, row: _Context, seen: int) -> Ticker | None:
    mark, funding = figures.price(row.mark_px), figures.rate(row.funding)
    coins, usd = figures.interest(contract, figures.amount(row.open_interest), mark)
    paid = {} if funding is None else {"funding": funding, "interval_h": _HOURLY}
    volume = figures.dollars(row.day_ntl_vlm)
    return figures.part(contract, seen, seen, oi_coins=coins, oi_usd=usd, mark=mark, volume_usd=volume, **paid)
