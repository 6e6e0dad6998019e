"""Recorded liquidations from files: the only reader of tapes.

Reads CSV, JSONL (both also .gz) and Parquet, either single orders or bucket totals, told apart by their header. A
bucket's total is known only when the bucket has ended, so it enters as one sum per side at its last millisecond.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from service.model import HOUR, Liquidation, Record, Side
from service.symbols import asset_of_symbol, venue_of_recorder
from service.venues.base import digest, moment

ORDER_COLUMNS = ("ts_ms", "venue", "symbol", "side", "notional_usd")
BUCKET_COLUMNS = ("ts_ms", "bucket_ms", "symbol", "long_usd", "short_usd")

_TELL_EVERY = 1_000
#: More than any order or hour ever was: a larger sum is a column of another unit.
_MOST_USD = 1e11

Cells = Mapping[str, Any]


class TapeError(ValueError):
    """A file is not a tape; the text names file, line and what is allowed."""


class Row(Record, frozen=True, kw_only=True):
    """One recorded order or bucket side: `usd` in dollars, price in quote currency, qty in base units where known."""

    at: int
    venue: str
    symbol: str
    side: Side
    usd: float
    price: float | None = None
    qty: float | None = None
    summed: bool = False
    """A bucket's total: what its largest order was is not known."""
    ordinal: int = 0
    """Which of several identical rows of one file this is."""


def read(paths: Iterable[Path], progress: Callable[[int], None] = lambda _rows: None) -> list[Row]:
    """All rows of all files in order of time. Raises TapeError, and whatever `progress` raises to end it early.

    `progress` hears every thousand rows how many more were read.
    """
    rows: list[Row] = []
    for path in paths:
        for row in _with_ordinals(_rows(path)):
            rows.append(row)
            if len(rows) % _TELL_EVERY == 0:
                progress(_TELL_EVERY)
    rows.sort(key=lambda row: row.at)
    return rows


def liquidation(row: Row) -> Liquidation:
    """A recorded row as the street knows it; its id is a digest of the row, so that a tape read twice counts once."""
    parts = (row.venue, row.symbol, row.at, row.side, row.usd, row.price, row.qty, row.ordinal)
    return Liquidation(
        venue=row.venue,
        symbol=row.symbol,
        asset=asset_of_symbol(row.symbol),
        side=row.side,
        price=row.price,
        quantity=row.qty,
        usd=row.usd,
        at=row.at,
        seen=row.at,
        id=digest(parts),
    )


def _with_ordinals(rows: Iterable[Row]) -> Iterator[Row]:
    seen: dict[Row, int] = {}
    for row in rows:
        count = seen.get(row, 0)
        seen[row] = count + 1
        yield msgspec.structs.replace(row, ordinal=count) if count else row


def _rows(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise TapeError(f"{path}: no such file")
    name = path.name.removesuffix(".gz")
    kind = next((kind for kind in _READERS if name.endswith(kind)), None)
    if kind is None:
        raise TapeError(f"{path}: unknown kind of file; allowed are {', '.join(_READERS)}, the text ones also with .gz")
    to_rows: Callable[[Cells], Iterator[Row]] | None = None
    try:
        for line, cells in _READERS[kind](path):
            to_rows = to_rows or _recognise(path, cells)
            try:
                yield from to_rows(cells)
            except (KeyError, TypeError, ValueError) as error:
                raise TapeError(f"{path} line {line}: {_explain(error)}") from None
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise TapeError(f"{path}: cannot be read: {error}") from None


def _recognise(path: Path, cells: Cells) -> Callable[[Cells], Iterator[Row]]:
    for columns, to_rows in ((BUCKET_COLUMNS, _bucket_rows), (ORDER_COLUMNS, _order_row)):
        if all(column in cells for column in columns):
            return to_rows
    found = ", ".join(str(name) for name in cells)
    raise TapeError(
        f"{path}: needs the columns {', '.join(ORDER_COLUMNS)} (price and qty may be empty or absent), "
        f"or {', '.join(BUCKET_COLUMNS)}; found {found}"
    )


def _order_row(cells: Cells) -> Iterator[Row]:
    usd = _amount(cells, "notional_usd")
    if usd == 0:
        raise ValueError("notional_usd must be above 0")
    yield Row(
        at=moment(_integer(cells, "ts_ms"), "ts_ms"),
        venue=venue_of_recorder(str(cells["venue"])),
        symbol=_text(cells, "symbol"),
        side=_side(cells),
        usd=usd,
        price=_optional(cells, "price"),
        qty=_optional(cells, "qty"),
    )


def _bucket_rows(cells: Cells) -> Iterator[Row]:
    width = _integer(cells, "bucket_ms")
    if not 0 < width <= HOUR:
        raise ValueError(f"bucket_ms is {width}: a bucket longer than one hour ({HOUR}) cannot be judged by the hour")
    end = moment(_integer(cells, "ts_ms"), "ts_ms") + width - 1
    venue = str(cells.get("venue") or "recorded").strip()
    for side in Side:
        usd = _amount(cells, f"{side}_usd")
        if usd:
            yield Row(at=end, venue=venue, symbol=_text(cells, "symbol"), side=side, usd=usd, summed=True)


def _text(cells: Cells, name: str) -> str:
    text = str(cells[name] or "").strip()
    if not text:
        raise ValueError(f"{name} is empty")
    return text


def _side(cells: Cells) -> Side:
    try:
        return Side(str(cells["side"]).strip().lower())
    except ValueError:
        raise ValueError(f"side must be long or short (the position closed), got {cells['side']!r}") from None


def _integer(cells: Cells, name: str) -> int:
    try:
        return int(cells[name])
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be whole milliseconds, got {cells[name]!r}") from None


def _amount(cells: Cells, name: str) -> float:
    value = _optional(cells, name)
    if value is None:
        raise ValueError(f"{name} is empty")
    return value


def _optional(cells: Cells, name: str) -> float | None:
    cell = cells.get(name)
    if cell is None or cell == "":
        return None
    try:
        value = float(cell)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is not a number: {cell!r}") from None
    if not 0 <= value < _MOST_USD:
        raise ValueError(f"{name} must be a finite number from 0 to 100 billion, got {cell!r}")
    return value


def _explain(error: Exception) -> str:
    return f"column {error} is missing" if isinstance(error, KeyError) else str(error)


def _open(path: Path) -> io.TextIOBase:
    opener = gzip.open if path.suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig", newline="")


def _read_csv(path: Path) -> Iterator[tuple[int, Cells]]:
    with _open(path) as file:
        reader = csv.DictReader(file)
        for cells in reader:
            yield reader.line_num, cells


def _read_jsonl(path: Path) -> Iterator[tuple[int, Cells]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    with _open(path) as file:
        for line, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                yield line, decoder.decode(text)
            except msgspec.MsgspecError as error:
                raise TapeError(f"{path} line {line}: not a JSON object: {error}") from None


def _read_parquet(path: Path) -> Iterator[tuple[int, Cells]]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415  # an extra: 40 MB most users never need
    except ImportError:
        raise TapeError(f"{path}: reading Parquet needs the extra: pip install 'cascade-monitor[parquet]'") from None
    line = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            rows: Sequence[Cells] = batch.to_pylist()
            for cells in rows:
                line += 1
                yield line, cells
    except ArrowException as error:
        raise TapeError(f"{path}: cannot be read: {error}") from None


_READERS: Mapping[str, Callable[[Path], Iterator[tuple[int, Cells]]]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
