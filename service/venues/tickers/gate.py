"""Gate: open interest, marks and turnover of every contract in one answer a settlement coin; funding a contract each.

https://www.gate.com/docs/developers/apiv4/en/ (List futures tickers; Get a single contract; 200 requests in 10 s for
each public endpoint). `total_size` counts contracts, one side. The tickers do not tell how often funding is paid, and
Gate pays some contracts each hour: the rate is taken from the contract itself, which tells both. The socket's ticker
is that of bitcoin, paid each 8 hours; one `BTC_USD` is one dollar.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, Instrument, Ticker
from service.symbols import asset_of_symbol
from service.venues import base
from service.venues.base import figures
from service.venues.base.figures import Figure

_SETTLES = {"USDT": "usdt", "USD": "btc", "USD1": "usd1"}
_INVERSE = "BTC_USD"
_SOCKETS_H = 8.0
_SECONDS_H = 3_600


class _Row(msgspec.Struct, gc=False):
    contract: str
    mark_price: Figure = None
    total_size: Figure = None
    volume_24h_quote: Figure = None
    funding_rate: Figure = None


class _Contract(msgspec.Struct, gc=False):
    name: str
    mark_price: Figure = None
    funding_rate: Figure = None
    funding_interval: Figure = None


class _Frame(msgspec.Struct, gc=False):
    result: list[_Row]
    time_ms: int = 0


_ROWS = msgspec.json.Decoder(list[_Row])
_CONTRACT = msgspec.json.Decoder(_Contract)
_FRAME = msgspec.json.Decoder(_Frame)


class GateTickers(base.Tickers):
    """All contracts of a settlement coin at once; of `coins` also each contract."""

    gap_s: ClassVar[float] = 0.5

    def asks(
        self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]
    ) -> Sequence[base.Ask]:
        """Tickers of each settlement coin that has a contract, then the contracts of `coins`."""
        root = f"{endpoints['rest']}/api/v4/futures"
        settles = dict.fromkeys(_settle(row.symbol) for row in listed)
        wanted = [row.symbol for row in listed if row.asset in coins]
        urls = [f"{root}/{settle}/tickers" for settle in settles]
        urls += [f"{root}/{_settle(name)}/contracts/{base.escape(name)}" for name in wanted]
        return [base.Ask(url=url) for url in urls]

    def read(self, ask: base.Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Nothing tells a time: it is ours."""
        if ask.url.endswith("/tickers"):
            rows = [(row.contract, row) for row in base.parse(_ROWS, body)]
            return figures.row_of_each(rows, listed, lambda contract, row: _standing(contract, row, seen))
        one = base.parse(_CONTRACT, body)
        return figures.row_of_each([(one.name, one)], listed, lambda contract, row: _paid(contract, row, seen))

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """A frame of `futures.tickers`: what its contracts are worth is known of the inverse one only, a dollar."""
        told = base.parse(_FRAME, frame)
        at = figures.told_at(told.time_ms, seen) if told.time_ms else seen
        found = [_heard(row, at, seen) for row in told.result]
        return [one for one in found if one is not None]


def _settle(symbol: str) -> str:
    return _SETTLES.get(symbol.rpartition("_")[2], "usdt")


def _standing(contract: Instrument, row: _Row, seen: int) -> Ticker | None:
    """Turnover is told in the quote coin; for other than linear contracts the documentation contradicts itself."""
    mark = figures.price(row.mark_price)
    coins, usd = figures.interest(contract, figures.amount(row.total_size), mark)
    volume = figures.dollars(row.volume_24h_quote) if contract.contract is Contract.LINEAR else None
    return figures.part(contract, seen, seen, oi_coins=coins, oi_usd=usd, mark=mark, volume_usd=volume)


def _paid(contract: Instrument, row: _Contract, seen: int) -> Ticker | None:
    funding, span = figures.rate(row.funding_rate), figures.amount(row.funding_interval)
    mark, interval = figures.price(row.mark_price), figures.hours(span / _SECONDS_H if span else None)
    if funding is None or interval is None:
        return figures.part(contract, seen, seen, mark=mark)
    return figures.part(contract, seen, seen, mark=mark, funding=funding, interval_h=interval)


def _heard(row: _Row, at: int, seen: int) -> Ticker | None:
    name = base.contract_name(row.contract, "contract")
    kind = Contract.INVERSE if name == _INVERSE else Contract.LINEAR
    contract = Instrument(venue="gate", symbol=name, asset=asset_of_symbol(name), contract=kind, size=1.0)
    mark, size = figures.price(row.mark_price), figures.amount(row.total_size)
    coins, usd = figures.interest(contract, size if kind is Contract.INVERSE else None, mark)
    funding = figures.rate(row.funding_rate)
    hours = None if funding is None or contract.asset != "BTC" else _SOCKETS_H
    known = {"funding": funding, "interval_h": hours} if hours else {}
    return figures.part(contract, at, seen, oi_coins=coins, oi_usd=usd, mark=mark, **known)
