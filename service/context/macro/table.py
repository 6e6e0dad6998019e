"""A CSV file with a day in front of each line and a rate in each column: what may stand in it. Knows no source.

One that is cut short, has a line of another length, or a cell that is neither a number nor empty is refused whole.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date

from service.context.macro.observation import Observation
from service.context.source import SourceError
from service.model import Record

_NUMBER = re.compile(r"-?\d{1,4}(?:\.\d{1,8})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,4}\.\d{2}", re.ASCII)
_MISSING = ("", ".", "N/A")
_QUOTED = 60


class Table(Record, frozen=True, kw_only=True):
    """How one source writes it."""

    dates: tuple[str, ...]
    """What the first column may be called, in lower case."""
    columns: Mapping[str, str]
    """Name of a column -> field of `Rates`; other columns are passed over."""
    day: str
    """A pattern of a day with the groups `y`, `m` and `d`."""
    example: str
    """A day, for errors."""

    def read(self, body: bytes, since: date = date.min) -> list[Observation]:
        """The rates from the day `since` on, in the order of the file. Raises SourceError for what is no such file."""
        try:
            text = body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SourceError("the answer is not text; a CSV file is wanted") from None
        rows = csv.reader(text.splitlines(), strict=True)
        try:
            columns = self._header(next(rows, []))
            _finished(text)
            return [one for row in rows if row for one in self._row(columns, row, rows.line_num, since)]
        except csv.Error as error:
            raise SourceError(f"line {rows.line_num} is not CSV ({error})") from None

    def _header(self, header: list[str]) -> list[str]:
        names, wanted = [name.strip() for name in header], ", ".join(self.columns)
        shown = ",".join(names)[:_QUOTED]
        if not names or names[0].lower() not in self.dates:
            raise SourceError(f"the first line is {shown!r}; allowed: {self.dates[0]} and {wanted}")
        if not set(names) & self.columns.keys():
            raise SourceError(f"the columns are {shown!r}; one of {wanted} is needed")
        if len(set(names)) != len(names):
            raise SourceError(f"the columns are {shown!r}; each may be there once")
        return names

    def _row(self, columns: list[str], row: list[str], line: int, since: date) -> Iterator[Observation]:
        if len(row) != len(columns):
            shown = ",".join(row)[:_QUOTED]
            raise SourceError(f"line {line} has {len(row)} cells: {shown!r}; {len(columns)} are wanted")
        day = self._day(row[0].strip(), line)
        if day < since:
            return
        for name, cell in zip(columns, (text.strip() for text in row), strict=True):
            if name not in self.columns or cell in _MISSING:
                continue
            if not _NUMBER.fullmatch(cell):
                raise SourceError(f"line {line}: {name} is {cell[:_QUOTED]!r}; allowed: a number, '.' or nothing")
            yield Observation(series=self.columns[name], day=day, value=float(cell))

    def _day(self, text: str, line: int) -> date:
        found = re.fullmatch(self.day, text, re.ASCII)
        try:
            if found:
                return date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:  # no calendar has it
            pass
        raise SourceError(f"line {line}: {text[:_QUOTED]!r} is not a day; allowed: a day as {self.example}")


def _finished(text: str) -> None:
    """A line without its end may be cut inside a number: 3.5 of 3.53."""
    last = text.rpartition("\n")[2]
    cell = last.rpartition(",")[2].strip()
    if last and cell not in _MISSING and not _WHOLE.fullmatch(cell):
        raise SourceError(f"the last line ends inside a figure: {last[-_QUOTED:]!r}; a whole file is wanted")
