"""Bitget UTA v3: marks, open interest and volume of every contract of three families, and their funding. Pure.

Open interest is in base units, one side; of the coin-margined family the unit is not documented (quantities of its
trades are in the quote), so it is left out and only mark and funding are read. `turnover24h` is in the quote coin.
Hours between payments stand beside the rate in `current-fund-rate`, whole families at once. 20 requests a second and
address. The ticker of the socket tells the contract in its `arg`.
https://www.bitget.com/docs/uta: public/Tickers, public/Get-Current-Funding-Rate, public/Get-Open-Interest,
websocket/public/Tickers-Channel.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, DecodeError, Instrument, Ticker
from service.symbols import asset_of_symbol
from service.venues import base
from service.venues.base import Ask, Tickers, figures
from service.venues.base.figures import Figure

NAME = "bitget"
CATEGORIES = ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES")
_COIN = CATEGORIES[2]


class _Row(msgspec.Struct, rename="camel"):
    symbol: str = ""
    mark_price: Figure = None
    open_interest: Figure = None
    funding_rate: Figure = None
    turnover24h: Figure = None
    ts: str = ""


class _Funding(msgspec.Struct, rename="camel"):
    symbol: str
    funding_rate: Figure = None
    funding_rate_interval: Figure = None


class _Answer(msgspec.Struct, rename="camel"):
    code: str
    data: msgspec.Raw = msgspec.Raw()
    msg: str = ""
    request_time: int = 0


class _Arg(msgspec.Struct):
    symbol: str
    instType: str  # noqa: N815  # the venue's spelling


class _Frame(msgspec.Struct):
    arg: _Arg
    data: list[_Row]
    ts: int


_ANSWER = msgspec.json.Decoder(_Answer)
_ROWS = msgspec.json.Decoder(list[_Row])
_FUNDINGS = msgspec.json.Decoder(list[_Funding])
_FRAME = msgspec.json.Decoder(_Frame)


class BitgetTickers(Tickers):
    """Six requests tell all."""

    gap_s: ClassVar[float] = 0.5

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        """Tickers and funding of each family."""
        del listed, coins
        where = f"{endpoints['rest']}/api/v3/market"
        names = ("tickers", "current-fund-rate")
        return [Ask(url=base.address(f"{where}/{name}", category=kind)) for kind in CATEGORIES for name in names]

    def read(self, ask: Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Every listed contract of one family: its ticker, or its funding and the hours of it."""
        answer = base.parse(_ANSWER, body)
        if answer.code != "00000":
            raise DecodeError(f"bitget answered {answer.code}: {answer.msg}")
        if ask.url.partition("?")[0].endswith("/current-fund-rate"):
            at = figures.told_at(answer.request_time, seen)
            paid = ((row.symbol, row) for row in base.parse(_FUNDINGS, answer.data))
            return figures.row_of_each(paid, listed, lambda own, row: _funding(own, row, at, seen))
        coin = base.query_of(ask.url)["category"] == _COIN
        rows = ((row.symbol, row) for row in base.parse(_ROWS, answer.data))
        return figures.row_of_each(
            rows, listed, lambda own, row: _ticker(own, row, (figures.told_at(row.ts, seen), seen), coin=coin)
        )

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """The ticker of one contract; it tells no hours."""
        message = base.parse(_FRAME, frame)
        symbol = base.contract_name(message.arg.symbol, "arg.symbol")
        own = Instrument(venue=NAME, symbol=symbol, asset=asset_of_symbol(symbol), contract=Contract.INVERSE, size=1.0)
        times = (figures.told_at(message.ts, seen), seen)
        coin = message.arg.instType.upper() == _COIN
        found = (_ticker(own, row, times, coin=coin) for row in message.data)
        return [ticker for ticker in found if ticker]


def _ticker(own: Instrument, row: _Row, times: tuple[int, int], *, coin: bool) -> Ticker | None:
    """`own` counts dollars, as the liquidations do; open interest does not, and its unit is one of the coin."""
    mark = figures.price(row.mark_price)
    counted = msgspec.structs.replace(own, contract=Contract.LINEAR, size=1.0)
    coins, usd = (None, None) if coin else figures.interest(counted, figures.amount(row.open_interest), mark)
    return figures.part(
        own,
        *times,
        oi_coins=coins,
        oi_usd=usd,
        funding=figures.rate(row.funding_rate),
        mark=mark,
        volume_usd=None if coin else figures.dollars(row.turnover24h),
    )


def _funding(own: Instrument, row: _Funding, at: int, seen: int) -> Ticker | None:
    funding, every = figures.rate(row.funding_rate), figures.hours(row.funding_rate_interval)
    return figures.part(own, at, seen, funding=funding, interval_h=every)
