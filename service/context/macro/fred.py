"""FRED's file of US rates: where it is, its columns, what a line of it means. Owns the format; checks no rate itself.

`GET /graph/fredgraph.csv?id=DFEDTARL,...&cosd=2026-01-01` answers with a header (`observation_date` and the series;
`DATE` until 2025), then a line for each day: `2026-01-13,3.50,3.75,3.65,3.58,3.53`, a missing figure empty or `.`.
`cosd` is said to be passed over when several series are asked for; the answer is then the whole history, under a
megabyte, and its last days are read. Requests that pretend to be a browser are turned away, so none is pretended.

The series: DFEDTARL and DFEDTARU, the target range, of the Board of Governors; SOFR of the Federal Reserve Bank of New
York; DGS3MO and DGS2, constant-maturity Treasury yields, of the Board of Governors (H.15). FRED marks its series
"Public Domain: Citation Requested", and its terms (fred.stlouisfed.org/legal) forbid to store, cache or archive its
content and to pass on what was stored: so nothing of it is kept here beyond the process (`keep`).
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from service.context.macro.days import eastern
from service.context.macro.rates import Macro, Observation
from service.context.source import Question, SourceError

#: How the source is cited.
CITATION = "FRED, Federal Reserve Bank of St. Louis"
URL = "https://fred.stlouisfed.org"
PATH = "/graph/fredgraph.csv"
EVERY_S = 6 * 3_600.0
#: Column of the file -> field of `Rates`.
COLUMNS: Mapping[str, str] = {
    "DFEDTARL": "target_low",
    "DFEDTARU": "target_high",
    "SOFR": "sofr",
    "DGS3MO": "three_month",
    "DGS2": "two_year",
}
#: Days that are asked for and read.
WINDOW = timedelta(days=45)
_DATES = ("observation_date", "date")
_MISSING = ("", ".")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,4}(?:\.\d{1,8})?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,4}\.\d{2}", re.ASCII)
_QUOTED = 60


class Fred:
    """A source of US rates. What it reads goes to `book`; `url` may be another server that speaks the same."""

    name = "rates fred"

    def __init__(self, book: Macro, url: str = URL, every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self._book, self._url = book, url.rstrip("/")

    def question(self, now: int) -> Question:
        """The last 45 days of all series."""
        since = eastern(now).date() - WINDOW
        return Question(url=f"{self._url}{PATH}?id={','.join(COLUMNS)}&cosd={since}", headers={"Accept": "text/csv"})

    def take(self, body: bytes, now: int) -> None:
        """Read an answer and hand it on. Raises SourceError, and then nothing of it is used."""
        observations = read(body, eastern(now).date() - WINDOW)
        told = {one.series for one in observations}
        absent = [series for series in COLUMNS.values() if series not in told]
        self._book.take(observations, CITATION, now, absent=absent, keep=False)


def read(body: bytes, since: date = date.min) -> list[Observation]:
    """The figures of a file from the day `since` on, in its order. Raises SourceError for what is no such file."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError("the answer is not text; a CSV file is wanted") from None
    _finished(text)
    rows = csv.reader(text.splitlines(), strict=True)
    try:
        columns = _columns(next(rows, []))
        return [one for row in rows if row for one in _row(columns, row, rows.line_num, since)]
    except csv.Error as error:
        raise SourceError(f"line {rows.line_num} is not CSV ({error})") from None


def _finished(text: str) -> None:
    """A line without its end may be cut inside a number: 3.5 of 3.53."""
    last = text.rpartition("\n")[2]
    cell = last.rpartition(",")[2].strip()
    if last and cell not in _MISSING and not _WHOLE.fullmatch(cell):
        raise SourceError(f"the last line ends inside a figure: {last[-_QUOTED:]!r}; a whole file is wanted")


def _columns(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    if not names or names[0].lower() not in _DATES:
        found = ",".join(header)[:_QUOTED]
        raise SourceError(f"the first line is {found!r}; allowed: observation_date and {', '.join(COLUMNS)}")
    if not set(names) & COLUMNS.keys():
        raise SourceError(f"the columns are {','.join(names)[:_QUOTED]!r}; one of {', '.join(COLUMNS)} is needed")
    if len(set(names)) != len(names):
        raise SourceError(f"the columns are {','.join(names)[:_QUOTED]!r}; each may be there once")
    return names


def _row(columns: list[str], row: list[str], line: int, since: date) -> Iterator[Observation]:
    if len(row) != len(columns):
        raise SourceError(f"line {line} has {len(row)} cells: {','.join(row)[:_QUOTED]!r}; {len(columns)} are wanted")
    day = _day(row[0].strip(), line)
    if day < since:
        return
    for name, cell in zip(columns, (text.strip() for text in row), strict=True):
        if name not in COLUMNS or cell in _MISSING:
            continue
        if not _NUMBER.fullmatch(cell):
            raise SourceError(f"line {line}: {name} is {cell[:_QUOTED]!r}; allowed: a number, '.' or nothing")
        yield Observation(series=COLUMNS[name], day=day, value=float(cell))


def _day(text: str, line: int) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise SourceError(f"line {line}: {text[:_QUOTED]!r} is not a day; allowed: a day as 2026-01-13")
