"""HTX: open interest and funding of all contracts of a product in one answer each; marks a contract each.

https://www.htx.com/en-us/opend/newApiPages/ (Get Swap Open Interest Information, Query a Batch of Funding Rate, Get
Kline Data of Mark Price, for linear swaps, coin-margined swaps and dated coin-margined contracts). 240 requests in 3 s
for an address, shared by all public reference interfaces, 120 for dated coin-margined ones. Open interest is "single
side"; turnover is "the sum of both buy and sell sides" and halved here. `funding_rate` is that of the running period,
8 hours as documented; no answer tells the period.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, DecodeError, Instrument, Ticker
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_LINEAR, _SWAP, _DATED = "/linear-swap-api/v1/", "/swap-api/v1/", "/api/v1/"
_INTEREST, _FUNDING = "open_interest", "batch_funding_rate"
_MARKS = "/index/market/history/"
_MARK_KLINE = {_LINEAR: "linear_swap_mark_price_kline", _SWAP: "swap_mark_price_kline"}
_INTERVAL_H = 8.0


class _Row(msgspec.Struct, gc=False):
    contract_code: str
    volume: Figure = None
    amount: Figure = None
    value: Figure = None
    trade_turnover: Figure = None
    funding_rate: Figure = None


class _Kline(msgspec.Struct, gc=False):
    close: Figure = None


class _Body(msgspec.Struct):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"[]")
    ts: int = 0
    err_msg: str = ""


_BODY = msgspec.json.Decoder(_Body)
_ROWS = msgspec.json.Decoder(list[_Row])
_KLINES = msgspec.json.Decoder(list[_Kline])


class HtxTickers(base.Tickers):
    """Five lists, and a candle of the mark for each contract of `coins`; dated coin-margined ones have none here."""

    gap_s: ClassVar[float] = 0.25

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """The lists of the products that have a contract, then marks."""
        rest = endpoints["rest"]
        products = dict.fromkeys(_product(row) for row in listed)
        urls = [f"{rest}{path}" for product in products for path in _lists(product)]
        urls += [
            base.address(f"{rest}{_MARKS}{_MARK_KLINE[_product(row)]}", contract_code=row.symbol, period="1min", size=1)
            for row in listed
            if row.asset in coins and _product(row) in _MARK_KLINE
        ]
        return [base.Ask(url=url) for url in urls]

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Errors come with HTTP 200, and say so in `status`."""
        answer = base.parse(_BODY, body)
        if answer.status != "ok":
            raise DecodeError(f"htx tickers: status {answer.status[:40]!r} {answer.err_msg[:200]}")
        at = figures.told_at(answer.ts, seen) if answer.ts else seen
        path = ask.url.partition("?")[0]
        if _MARKS in path:
            symbol = base.query_of(ask.url).get("contract_code", "")
            candles = [(symbol, candle) for candle in base.parse(_KLINES, answer.data)[-1:]]
            return figures.row_of_each(
                candles, listed, lambda contract, row: figures.part(contract, at, seen, mark=figures.price(row.close))
            )
        rows = [(row.contract_code, row) for row in base.parse(_ROWS, answer.data)]
        if path.endswith(_FUNDING):
            return figures.row_of_each(rows, listed, lambda contract, row: _funding(contract, row, at, seen))
        return figures.row_of_each(rows, listed, lambda contract, row: _interest(contract, row, at, seen))


def _product(contract: Instrument) -> str:
    """BTC-USDT and BTC-USDT-260327 are linear, BTC-USD a coin-margined swap, BTC260327 dated and coin-margined."""
    if contract.contract is Contract.LINEAR:
        return _LINEAR
    return _SWAP if "-" in contract.symbol else _DATED


def _lists(product: str) -> Iterator[str]:
    word = "contract" if product == _DATED else "swap"
    yield f"{product}{word}_{_INTEREST}{'?business_type=all' if product == _LINEAR else ''}"
    if product != _DATED:
        yield f"{product}{word}_{_FUNDING}"


def _interest(contract: Instrument, row: _Row, at: int, seen: int) -> Ticker | None:
    """Linear: coins and their value in the quote coin. Coin-margined: contracts of a fixed sum, and coins."""
    coins, usd, turnover = figures.amount(row.amount), figures.dollars(row.value), figures.dollars(row.trade_turnover)
    if contract.contract is Contract.INVERSE:
        _, usd = figures.interest(contract, figures.amount(row.volume))
    volume = None if turnover is None else turnover / 2
    return figures.part(contract, at, seen, oi_coins=coins, oi_usd=usd, volume_usd=volume)


def _funding(contract: Instrument, row: _Row, at: int, seen: int) -> Ticker | None:
    funding = figures.rate(row.funding_rate)
    return None if funding is None else figures.part(contract, at, seen, funding=funding, interval_h=_INTERVAL_H)
