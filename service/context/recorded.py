"""Recorded context from files: open interest, funding, ETF flows, told in event time to whoever replays. No look-ahead.

Files are told apart by their header, CSV or CSV.gz. A row counts from its time on, open interest for a quarter of an
hour, funding for its interval; a day of flows from midnight US Eastern time at its end.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from service.context.contract import Fresh
from service.context.desk import Desk
from service.context.etf import dropped
from service.context.etf.days import published_by
from service.context.etf.flows import Flows
from service.context.macro.fomc import Meetings
from service.context.macro.rates import Macro
from service.context.memory import Memory
from service.context.risk import STEP
from service.context.source import SourceError
from service.model import HOUR, MINUTE, Context, FlowDay, Situation, Ticker
from service.symbols import asset_of_symbol, venue_of_recorder
from service.venues.base import moment

OI_COLUMNS = ("ts_ms", "venue", "symbol", "oi_base", "oi_usd")
FUNDING_COLUMNS = ("ts_ms", "venue", "symbol", "funding_rate")
FLOW_COLUMNS = dropped.LONG
#: The name under which recorded flows are told.
SOURCE = "recorded"
#: Hours between two payments: recordings do not say them.
_INTERVAL_H = {"hyperliquid": 1.0}
_USUAL_INTERVAL_H = 8.0
_FRESH = Fresh(oi_ms=15 * MINUTE, funding_ms=int(_USUAL_INTERVAL_H * HOUR), mark_ms=15 * MINUTE)
#: More than any market or rate ever was: a larger one is a column of another unit.
_MOST_USD, _MOST_RATE = 1e12, 0.1
#: Days are taken as they come: what has not come yet at a moment is left out there.
_LATER = 4_070_908_800_000
_TELL_EVERY = 1_000

Cells = Mapping[str, str | None]
_asset = cache(asset_of_symbol)


class RecordedError(ValueError):
    """A file holds no context; the text names file, line and what is allowed."""


class Recorded:
    """What the files tell, as far as it was known at the moment of a question. Moments must not go back."""

    def __init__(self, tickers: Iterable[Ticker], days: Sequence[FlowDay]) -> None:
        self._tickers = _joined(sorted(tickers, key=lambda one: one.seen))
        self._assets = frozenset(one.asset for one in self._tickers)
        self._told = 0
        self._memory, flows = Memory(fresh=_FRESH), Flows((SOURCE,))
        self.refused = flows.take(days, SOURCE, _LATER, published_by)
        """Rows of days on which nothing trades, in words."""
        held = any(one.oi_coins is not None for one in self._tickers)
        paid = any(one.funding is not None for one in self._tickers)
        pieces = {"open_interest": held, "funding": paid, "risk": held and paid, "etf": bool(days), "rates": False}
        unasked = [name for name, here in pieces.items() if not here]
        self._desk = Desk(self._memory, flows, Macro(Meetings()), unasked)

    def beside(self, told: Situation) -> Context:
        """What stood beside an alert."""
        self._hear(told.at)
        return self._desk.beside(told)

    def _hear(self, now: int) -> None:
        """Tell what was known at `now` (ms UTC), and take back funding whose interval is over."""
        while self._told < len(self._tickers) and self._tickers[self._told].seen <= now:
            ticker = self._tickers[self._told]
            if self._told and self._tickers[self._told - 1].seen // STEP < ticker.seen // STEP:
                self._memory.remember(self._assets, ticker.seen)
            self._memory.hear([ticker])
            self._told += 1
        for asset in self._assets:
            for contract in self._memory.contracts(asset):
                paid = contract.funding_8h
                if paid is not None and paid.at + _interval_h(contract.venue) * HOUR < now:
                    contract.funding_8h = None


def read(paths: Iterable[Path], progress: Callable[[int], None] = lambda _rows: None) -> Recorded:
    """All context of all files. Raises RecordedError, and whatever `progress` raises to end it early.

    `progress` hears every thousand rows how many more were read.
    """
    tickers, days = list[Ticker](), list[FlowDay]()
    for path in paths:
        head = _head(path)
        if set(FLOW_COLUMNS) <= head or "Total" in head:
            days += _days(path)
            continue
        for ticker in _of_rows(path, _recognised(path, head)):
            tickers.append(ticker)
            if len(tickers) % _TELL_EVERY == 0:
                progress(_TELL_EVERY)
    return Recorded(tickers, days)


def _days(path: Path) -> Sequence[FlowDay]:
    try:
        return dropped.read(path, _LATER)
    except SourceError as error:
        raise RecordedError(f"{path}: {str(error).removeprefix(path.name).lstrip(', ')}") from None


def _head(path: Path) -> frozenset[str]:
    if not path.is_file():
        raise RecordedError(f"{path}: no such file")
    for _, cells in _lines(path):
        return frozenset(filter(None, cells))
    return frozenset()


def _recognised(path: Path, head: frozenset[str]) -> Callable[[Cells], Ticker]:
    for columns, reader in ((OI_COLUMNS, _open_interest), (FUNDING_COLUMNS, _funding)):
        if set(columns) <= head:
            return reader
    raise RecordedError(
        f"{path}: needs the columns {', '.join(OI_COLUMNS)}, or {', '.join(FUNDING_COLUMNS)}, or "
        f"{', '.join(FLOW_COLUMNS)}; found {', '.join(sorted(head)) or 'no row'}"
    )


def _of_rows(path: Path, reader: Callable[[Cells], Ticker]) -> Iterator[Ticker]:
    for line, cells in _lines(path):
        try:
            yield reader(cells)
        except ValueError as error:
            raise RecordedError(f"{path} line {line}: {error}") from None


def _lines(path: Path) -> Iterator[tuple[int, Cells]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for cells in reader:
                yield reader.line_num, cells
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise RecordedError(f"{path}: cannot be read: {error}") from None


def _open_interest(cells: Cells) -> Ticker:
    coins, usd = _amount(cells, "oi_base"), _amount(cells, "oi_usd")
    # dollars are counted at the mark: that is the price they tell
    return msgspec.structs.replace(
        _bare(cells), oi_coins=coins, oi_usd=usd, mark=usd / coins if coins and usd else None
    )


def _funding(cells: Cells) -> Ticker:
    rate, ticker = _number(cells, "funding_rate"), _bare(cells)
    if not abs(rate) <= _MOST_RATE:
        raise ValueError(f"funding_rate must be a fraction from {-_MOST_RATE} to {_MOST_RATE}, got {rate}")
    return msgspec.structs.replace(ticker, funding=rate, interval_h=_interval_h(ticker.venue))


def _bare(cells: Cells) -> Ticker:
    at, symbol = moment(_text(cells, "ts_ms"), "ts_ms"), _text(cells, "symbol")
    venue = venue_of_recorder(_text(cells, "venue"))
    return Ticker(venue=venue, symbol=symbol, asset=_asset(symbol), at=at, seen=at)


def _interval_h(venue: str) -> float:
    return _INTERVAL_H.get(venue, _USUAL_INTERVAL_H)


def _joined(tickers: Sequence[Ticker]) -> Sequence[Ticker]:
    """Funding that is recorded by coin belongs to the venue's contract of that coin, where it has but one."""
    held: dict[tuple[str, str], set[str]] = {}
    for one in tickers:
        if one.oi_coins is not None:
            held.setdefault((one.venue, one.asset), set()).add(one.symbol)
    only = {key: next(iter(symbols)) for key, symbols in held.items() if len(symbols) == 1}
    return [
        msgspec.structs.replace(one, symbol=only.get((one.venue, one.asset), one.symbol))
        if one.oi_coins is None and one.symbol == one.asset
        else one
        for one in tickers
    ]


def _text(cells: Cells, name: str) -> str:
    text = (cells[name] or "").strip()
    if not text:
        raise ValueError(f"{name} is empty")
    return text


def _amount(cells: Cells, name: str) -> float:
    value = _number(cells, name)
    if not 0 <= value < _MOST_USD:
        raise ValueError(f"{name} must be a finite number from 0 to 1,000 billion, got {value}")
    return value


def _number(cells: Cells, name: str) -> float:
    text = _text(cells, name)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is not a number: {text[:40]!r}") from None
