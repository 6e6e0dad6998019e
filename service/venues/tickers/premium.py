"""The dialect of marks, funding and open interest that Binance speaks and Aster repeats. Pure; knows no host.

`premiumIndex` tells the mark and the running funding of every contract, `fundingInfo` the hours between payments,
`openInterest` one contract a request. The stream of all marks tells mark and funding each second. It is no venue
itself.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import Contract, DecodeError, Instrument, Ticker
from service.symbols import asset_of_symbol
from service.venues import base
from service.venues.base import Ask, Tickers, figures
from service.venues.base.figures import Figure


class _Premium(msgspec.Struct, rename="camel"):
    symbol: str
    time: int
    mark_price: Figure = None
    last_funding_rate: Figure = None
    next_funding_time: int = 0


class _Interval(msgspec.Struct, rename="camel"):
    symbol: str
    funding_interval_hours: Figure = None


class _Interest(msgspec.Struct, rename="camel"):
    symbol: str
    open_interest: Figure
    time: int


class _Mark(msgspec.Struct):
    e: str
    E: int
    s: str
    p: Figure = None
    r: Figure = None
    T: int = 0


class _Frame(msgspec.Struct):
    data: _Mark | list[_Mark] | None = None  # absent from a bare mark


_PREMIUMS = msgspec.json.Decoder(list[_Premium])
_INTERVALS = msgspec.json.Decoder(list[_Interval])
_INTEREST = msgspec.json.Decoder(_Interest)
_FRAME = msgspec.json.Decoder(_Frame | list[_Mark])
_MARK = msgspec.json.Decoder(_Mark)


class Premium(Tickers):
    """What a venue of the dialect declares: its name, and `usual_h` where `fundingInfo` tells exceptions only."""

    venue: ClassVar[str]
    usual_h: ClassVar[float | None] = None
    """Hours between payments of a perpetual that `fundingInfo` does not name."""

    def asked(self, root: str, listed: Iterable[Instrument], coins: Collection[str]) -> tuple[list[Ask], list[Ask]]:
        """Requests of one product below `root` (host and version): those about all contracts, and those about one."""
        bulk = [Ask(url=f"{root}/{name}") for name in ("premiumIndex", "fundingInfo")]
        wanted = [row.symbol for row in listed if row.asset in coins]
        return bulk, [Ask(url=base.address(f"{root}/openInterest", symbol=symbol)) for symbol in wanted]

    def read(self, ask: Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        """Marks and funding, intervals, or the open interest of one contract: the address tells which."""
        where = ask.url.partition("?")[0]
        if where.endswith("/premiumIndex"):
            premiums = base.parse(_PREMIUMS, body)
            return figures.row_of_each(
                ((row.symbol, row) for row in premiums), listed, lambda own, row: _premium(own, row, seen)
            )
        if where.endswith("/fundingInfo"):
            rows = base.parse(_INTERVALS, body)
            return self._intervals(where, rows, listed, seen)
        found = base.parse(_INTEREST, body)
        asked = base.query_of(ask.url)["symbol"]
        if found.symbol != asked:
            raise DecodeError(f"symbol must be {asked}, which was asked for, got {found.symbol[:40]!r}")
        return figures.row_of_each([(found.symbol, found)], listed, lambda own, row: _interest(own, row, seen))

    def hear(self, frame: str | bytes, seen: int) -> Sequence[Ticker]:
        """Mark and funding of every contract in a frame, bare or wrapped; contracts whose figures are refused go."""
        message = base.parse(_FRAME, frame)
        found = message if isinstance(message, list) else message.data
        if found is None:
            found = base.parse(_MARK, frame)
        marks = found if isinstance(found, list) else [found]
        return figures.usable(marks, lambda mark: _mark(self._named(mark.s), mark, seen))

    def _named(self, symbol: str) -> Instrument:
        """A contract of which nothing but its name is known: a mark needs no size."""
        name, asset = base.contract_name(symbol, "s"), asset_of_symbol(symbol)
        return Instrument(venue=self.venue, symbol=name, asset=asset, contract=Contract.LINEAR, size=1.0)

    def _intervals(
        self, where: str, rows: Sequence[_Interval], listed: Mapping[str, Instrument], seen: int
    ) -> Sequence[Ticker]:
        """Hours between payments of every perpetual of the product; those not named pay as usual, if that is known."""
        told = {row.symbol: row.funding_interval_hours for row in rows}
        inverse = where.endswith("/dapi/v1/fundingInfo")
        if not told and not inverse:
            raise DecodeError("fundingInfo names no contract, and there are always some")
        own = {
            name: told.get(name, self.usual_h)
            for name, row in listed.items()
            if (row.contract is Contract.INVERSE) is inverse and _perpetual(name)
        }
        pairs = [(name, value) for name, value in own.items() if value is not None or name in told]
        return figures.row_of_each(
            pairs, listed, lambda row, value: figures.part(row, seen, seen, interval_h=figures.hours(value))
        )


def _perpetual(symbol: str) -> bool:
    """BTCUSDT, BTCUSD_PERP; a dated contract ends in its day."""
    tail = symbol.rpartition("_")[2] if "_" in symbol else ""
    return not tail.isdigit()


def _premium(own: Instrument, row: _Premium, seen: int) -> Ticker | None:
    at = figures.told_at(row.time, seen)
    return _paid(own, (row.mark_price, row.last_funding_rate), row.next_funding_time, at, seen)


def _mark(own: Instrument, row: _Mark, seen: int) -> Ticker | None:
    if row.e != "markPriceUpdate":
        raise DecodeError(f"e must be markPriceUpdate, got {row.e[:40]!r}")
    return _paid(own, (row.p, row.r), row.T, figures.told_at(row.E, seen), seen)


def _paid(own: Instrument, told: tuple[Figure, Figure], due: int, at: int, seen: int) -> Ticker | None:
    """A mark and a rate; a contract whose next payment is never (0, a dated one) has no funding."""
    mark, funding = told
    return figures.part(own, at, seen, mark=figures.price(mark), funding=figures.rate(funding) if due else None)


def _interest(own: Instrument, row: _Interest, seen: int) -> Ticker | None:
    coins, usd = figures.interest(own, figures.amount(row.open_interest))
    return figures.part(own, figures.told_at(row.time, seen), seen, oi_coins=coins, oi_usd=usd)
