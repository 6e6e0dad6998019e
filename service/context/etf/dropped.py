"""A file of flows the user puts at a path, CSV or CSV.gz: read again when it has changed, away from the event loop.

The file is all there is of this source: a day that is no longer in it counts no longer. A file that is not there, or
cannot be read, takes nothing back.

Two forms: `date,asset,total_net_flow_usd_m` with `per_fund_usd_m_json` and `units` where there are any; or the wide
form of one asset, `date,<FUND>,...,Total`. US$ millions; an empty cell has not been reported.
"""

import asyncio
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from service.context.etf import ASSETS
from service.context.etf.farside import KNOWN
from service.context.etf.flows import Flows
from service.context.etf.rows import Row, days_from
from service.context.source import SourceError
from service.model import FlowDay

NAME = "dropped"
LONG = ("date", "asset", "total_net_flow_usd_m")
_FUNDS, _UNITS = "per_fund_usd_m_json", "units"
_MOST_BYTES = 16_000_000
_MILLION = 1e6
_NEEDED = 2
#: A wide file that ends in a day without any flow of so many funds was written before that day was out.
_ALL_SILENT = 5
_FORMS = f"columns {', '.join(LONG)} [{_FUNDS}, {_UNITS}], or date, tickers of one asset's funds, Total"


class Dropped:
    """The file at `path`, read into `book`."""

    def __init__(self, path: Path, book: Flows, every_s: float = 60) -> None:
        self.name = f"etf {NAME}"
        self.every_s = every_s
        self.path, self._book = path, book
        self._seen: tuple[int, int] | None = None

    @property
    def found(self) -> bool:
        """Whether it was there at the last look."""
        return self._seen is not None

    async def look(self, now: int) -> bool:
        """Read the file if it is another than last time; whether it was. A file that is not there is no error.

        Raises SourceError naming file, line and what is allowed; nothing of such a file is used, and it is read again
        only when it changes.
        """
        found = await asyncio.to_thread(_stamp, self.path)
        if found == self._seen:
            return False
        self._seen = found
        if found is None:
            return False
        days = await asyncio.to_thread(read, self.path, now)
        self._book.take_file(days, NAME, now)
        return True


def read(path: Path, now: int) -> tuple[FlowDay, ...]:
    """All days of a file, at `now` (ms UTC). Raises SourceError naming file, line and what is allowed."""
    try:
        with path.open("rb") as file:
            text = _text(file.read(_MOST_BYTES + 1), path.name)
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror or error}") from None
    days: list[FlowDay] = []
    for asset, rows in _by_asset(path.name, text).items():
        days += days_from(asset, rows, now)
    if not days:
        raise SourceError(f"{path.name} has no day that has been reported; wanted: {_FORMS}")
    return tuple(days)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _text(raw: bytes, name: str) -> str:
    """The file as text, unpacked where it begins as gzip does, whatever it is called."""
    try:
        if raw.startswith(b"\x1f\x8b"):
            raw = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(_MOST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{name} cannot be unpacked: {error}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{name} is not UTF-8") from None
    if len(raw) > _MOST_BYTES:
        raise SourceError(f"{name} is longer than {_MOST_BYTES:,} bytes")
    return text


def _by_asset(name: str, text: str) -> Mapping[str, list[Row]]:
    lines = _lines(name, text)
    _, head = next(lines, ("", []))
    if set(LONG) <= set(head):
        rows: dict[str, list[Row]] = {}
        for where, cells in _records(head, lines):
            asset = cells["asset"].upper()
            if asset not in ASSETS:
                raise SourceError(f"{where}: {cells['asset'][:20]!r} has no ETFs; allowed: {', '.join(ASSETS)}")
            rows.setdefault(asset, []).append(_long(where, cells))
        return rows
    asset = next((asset for asset in ASSETS if len(KNOWN[asset] & set(head)) >= _NEEDED), "")
    if not asset or not {"date", "Total"} <= set(head) or len(set(head)) < len(head):
        raise SourceError(f"{name}, line 1: the columns are {','.join(head)[:80] or 'missing'}; allowed: {_FORMS}")
    return {asset: _without_silent_end([_wide(where, cells) for where, cells in _records(head, lines)])}


def _lines(name: str, text: str) -> Iterator[tuple[str, list[str]]]:
    """Lines that hold anything, each with what to call it."""
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        for line in lines:
            cells = [cell.strip() for cell in line]
            if any(cells):
                yield f"{name}, line {lines.line_num}", cells
    except csv.Error as error:
        raise SourceError(f"{name}, line {lines.line_num}: is no CSV ({error})") from None


def _records(head: Sequence[str], lines: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, dict[str, str]]]:
    for where, cells in lines:
        if len(cells) != len(head):
            raise SourceError(f"{where}: {len(cells)} cells; wanted: {len(head)}, as its head")
        yield where, dict(zip(head, cells, strict=True))


def _long(where: str, cells: Mapping[str, str]) -> Row:
    return Row(
        where=where,
        date=cells["date"],
        total=_usd(where, LONG[2], cells[LONG[2]]),
        funds=_funds(where, cells.get(_FUNDS, "")),
        units=_number(where, _UNITS, cells.get(_UNITS, "")),
    )


def _wide(where: str, cells: Mapping[str, str]) -> Row:
    return Row(
        where=where,
        date=cells["date"],
        total=_usd(where, "Total", cells["Total"]),
        funds={fund: _usd(where, fund, text) for fund, text in cells.items() if fund not in ("date", "Total")},
    )


def _without_silent_end(rows: list[Row]) -> list[Row]:
    last = max(rows, key=lambda row: row.date, default=None)
    silent = last is not None and len(last.funds) >= _ALL_SILENT and not any(last.funds.values())
    return [row for row in rows if not (silent and row is last)]


def _funds(where: str, text: str) -> Mapping[str, float | None]:
    try:
        funds = msgspec.json.decode(text or "{}", type=dict[str, float | None])
    except (msgspec.MsgspecError, RecursionError):
        raise SourceError(f'{where}: {text[:40]!r} is no object of funds; wanted: {{"IBIT": 126.3}}') from None
    return {fund: None if value is None else round(value * _MILLION, 2) for fund, value in funds.items()}


def _usd(where: str, column: str, text: str) -> float | None:
    value = _number(where, column, text)
    return None if value is None else round(value * _MILLION, 2)


def _number(where: str, column: str, text: str) -> float | None:
    try:
        return float(text) if text not in ("", "-") else None
    except ValueError:
        raise SourceError(f"{where}: {column} is {text[:20]!r}; wanted: a number, or nothing") from None
