"""Farside Investors' public tables of daily ETF flows. Owns their layout; what must hold of rows is `rows`'s.

Layout (`https://farside.co.uk/btc/`, `/eth/`, `/sol/`, and the all-data pages): a row of tickers, above or beside it
the head `Total`; rows of fees and seed money; one row a day as `13 Jan 2026`, US$ millions, outflows in parentheses,
`-` where a fund has not reported; at the end rows Total, Average, Maximum, Minimum. Columns are found by their heads,
never by their place. The pages stand behind a Cloudflare challenge that most servers do not pass; nothing here tries.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from service.context.etf.flows import Flows
from service.context.etf.page import Grid, tables
from service.context.etf.rows import Row, days_from
from service.context.source import Question, SourceError

NAME = "farside"
PAGES: Mapping[str, str] = MappingProxyType(
    {
        "BTC": "https://farside.co.uk/btc/",
        "ETH": "https://farside.co.uk/eth/",
        "SOL": "https://farside.co.uk/sol/",
    }
)
#: Tickers by which the table of an asset is known. New funds need no entry: any ticker beside two of these is one.
KNOWN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "BTC": frozenset(["IBIT", "FBTC", "BITB", "ARKB", "BTCO", "EZBC", "BRRR", "HODL", "BTCW", "GBTC"]),
        "ETH": frozenset(["ETHA", "FETH", "ETHW", "TETH", "CETH", "ETHV", "QETH", "EZET", "ETHE"]),
        "SOL": frozenset(["BSOL", "VSOL", "FSOL", "TSOL", "GSOL", "SOEZ", "QSOL"]),
    }
)
_NEEDED = 2
_TICKER = re.compile(r"[A-Z][A-Z0-9]{2,5}", re.ASCII)
_DATE = re.compile(r"(\d{1,2}) ([A-Za-z]{3,9})\.? (\d{4})", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,6})?", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OPEN = frozenset({"", "-", "\u2013", "\u2014", "\u2212"})
_TOTAL = re.compile(r"\btotal\b", re.IGNORECASE)
_MILLION = 1e6


class Farside:
    """One asset's page, read into `book`."""

    def __init__(self, asset: str, book: Flows, url: str = "", every_s: float = 1_800) -> None:
        """`url` is the asset's page where it is empty. Raises ValueError for an asset that has no ETFs."""
        if asset not in PAGES:
            raise ValueError(f"{asset!r} has no table; allowed: {', '.join(PAGES)}")
        self.name = f"etf {NAME} {asset}"
        self.every_s = every_s
        self._asset, self._book, self._url = asset, book, url or PAGES[asset]

    def question(self, now: int) -> Question:  # noqa: ARG002  # the page is the same all day
        """The page; the all-data pages are about a megabyte."""
        return Question(url=self._url)

    def take(self, body: bytes, now: int) -> None:
        """Hand the days of the page to the book. Raises SourceError, and then the book has nothing of it."""
        days = days_from(self._asset, rows_of(self._asset, body), now)
        self._book.take_all(self._asset, days, NAME, now)


def rows_of(asset: str, body: bytes) -> list[Row]:
    """The dated rows of an asset's table, in dollars. Raises SourceError naming what is missing or unreadable."""
    found: list[list[Row]] = []
    reasons: list[str] = []
    for grid in tables(body):
        tickers = [row for row in grid if len(KNOWN[asset] & set(row)) >= _NEEDED]
        if tickers:
            try:
                found.append(_rows(grid, tickers))
            except SourceError as error:
                reasons.append(str(error))
    if reasons:
        raise SourceError(reasons[0])
    if not found:
        wanted = ", ".join(sorted(KNOWN[asset]))
        raise SourceError(f"no table has the tickers of {asset} funds in its head; wanted: two or more of {wanted}")
    return max(found, key=len)


def _rows(grid: Grid, tickers: list[list[str]]) -> list[Row]:
    dates = {column for row in grid for column, text in enumerate(row) if _DATE.fullmatch(text) or _ISO.fullmatch(text)}
    if len(dates) != 1:
        raise SourceError(f"the table has {len(dates)} columns of dates; wanted: one, dates as 13 Jan 2026")
    at = dates.pop()
    if any(row != tickers[0] for row in tickers):
        raise SourceError("the table has two heads that differ; wanted: one row of tickers")
    columns = {text: column for column, text in enumerate(tickers[0]) if _TICKER.fullmatch(text) and column != at}
    total = _total(grid, at)
    columns = {name: column for name, column in columns.items() if column != total}
    rows = []
    for row in grid:
        label = row[at] if at < len(row) else ""
        if label[:1].isdigit():
            rows.append(_row(label, row, columns, total, max(len(tickers[0]), total + 1)))
    return rows


def _total(grid: Grid, at: int) -> int:
    """The column headed Total, not the row of totals at the foot."""
    heads = {
        column
        for row in grid
        if not (at < len(row) and (_TOTAL.search(row[at]) or row[at][:1].isdigit()))
        for column, text in enumerate(row)
        if column != at and _TOTAL.search(text)
    }
    if len(heads) != 1:
        raise SourceError(f"the table has {len(heads)} columns headed Total; wanted: one")
    return heads.pop()


def _row(label: str, row: Sequence[str], columns: Mapping[str, int], total: int, width: int) -> Row:
    where = f"row {label[:20]}"
    if len(row) != width:
        raise SourceError(f"{where} has {len(row)} cells; wanted: {width}, as its head")
    return Row(
        where=where,
        date=_date(label),
        total=_usd(where, row[total]),
        funds={name: _usd(where, row[column]) for name, column in columns.items()},
    )


def _date(label: str) -> str:
    if _ISO.fullmatch(label):
        return label
    parts = _DATE.fullmatch(label)
    month = parts[2][:3].lower() if parts else ""
    if parts is None or month not in _MONTHS:
        raise SourceError(f"{label[:20]!r} is no date; wanted: a day as 13 Jan 2026")
    return f"{parts[3]}-{_MONTHS.index(month) + 1:02d}-{int(parts[1]):02d}"


def _usd(where: str, text: str) -> float | None:
    """Dollars of a cell; None where it has not been reported."""
    bare = text.replace("*", "").replace("$", "").replace(",", "").strip()
    if bare in _OPEN:
        return None
    out = bare.startswith("(") and bare.endswith(")")
    number = (bare[1:-1].strip() if out else bare).replace("\u2212", "-")
    if not _NUMBER.fullmatch(number):
        raise SourceError(f"{where}: {text[:20]!r} is no figure; wanted: millions as 126.3, (126.3) or -")
    value = round(float(number) * _MILLION, 2)
    return -value if out else value
