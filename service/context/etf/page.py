"""HTML tables as grids of text. Owns the parser and what it is spared; knows nothing of what the cells mean.

Parsed as a browser would (lexbor follows the WHATWG rules), so missing `tbody`, unclosed cells and nested tags are no
matter. Lexbor's time grows with the square of the nesting (20,000 open `div` cost a second), so a page that nests
deeper than pages do is not given to it.
"""

import re
from collections import Counter
from collections.abc import Iterable

from selectolax.lexbor import LexborHTMLParser, LexborNode

from service.context.source import SourceError

_MOST_NESTED = 200
#: Tags that HTML lets one leave open: a page may have as many as it has cells.
_MOST_LEFT_OPEN = 20_000
_LEFT_OPEN = frozenset(
    ["html", "head", "body", "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "colgroup"]
)
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
#: A cell reaches over at most 99 columns or rows.
_SPAN_DIGITS = 2
_TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_UNREAD = ["script", "style", "template", "noscript"]

Grid = list[list[str]]
"""Rows of cells, white space collapsed; a cell that spans columns is followed by empty ones."""


def tables(body: bytes) -> list[Grid]:
    """The tables of a page in their order, without the rows of tables inside them.

    Raises SourceError where the page has none, breaks off inside one, or is nested beyond what pages are.
    """
    _spare(body)
    page = LexborHTMLParser(body)
    page.strip_tags(_UNREAD)
    found = page.css("table")
    if not found:
        raise SourceError(f"a page without a table{_titled(page)}; wanted: the table of daily flows")
    lower = body.lower()
    if lower.rfind(b"<table") > lower.rfind(b"</table"):
        raise SourceError(f"the page{_titled(page)} breaks off inside a table")
    return [_grid(row for row in table.css("tr") if _home(row) == table.mem_id) for table in found]


def _spare(body: bytes) -> None:
    """Refuse what would keep the parser busy."""
    open_now: Counter[str] = Counter()
    nested = 0
    for slash, tag in _TAG.findall(body):
        name = tag[:20].decode("ascii").lower()
        if name in _VOID:
            continue
        step = -1 if slash else 1
        if open_now[name] + step < 0:
            continue
        open_now[name] += step
        nested += step if name not in _LEFT_OPEN else 0
        if nested > _MOST_NESTED or open_now[name] > _MOST_LEFT_OPEN:
            raise SourceError(f"the page nests tags more than {_MOST_NESTED} deep, at <{name}>")


def _titled(page: LexborHTMLParser) -> str:
    title = page.css_first("title")
    said = _text(title)[:60] if title else ""
    return f", titled {said!r}" if said else ""


def _home(row: LexborNode) -> int | None:
    """The identity of the table a row belongs to."""
    above = row.parent
    while above is not None and above.tag != "table":
        above = above.parent
    return above.mem_id if above is not None else None


def _grid(rows: Iterable[LexborNode]) -> Grid:
    """Rows as columns see them: a cell over several rows or columns leaves empty ones where it reaches."""
    grid: Grid = []
    reach: dict[int, int] = {}
    """Rows still to come that a column is covered in."""
    for row in rows:
        line: list[str] = []
        covered, reach = reach, {column: left - 1 for column, left in reach.items() if left > 1}
        for cell in row.iter():
            if cell.tag not in ("td", "th"):
                continue
            while len(line) in covered:
                line.append("")
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            if high > 1:
                reach |= dict.fromkeys(range(len(line), len(line) + wide), high - 1)
            line += [_text(cell), *[""] * (wide - 1)]
        while len(line) in covered:
            line.append("")
        grid.append(line)
    return grid


def _span(cell: LexborNode, name: str) -> int:
    said = cell.attributes.get(name) or "1"
    return int(said) if said.isascii() and said.isdigit() and 0 < len(said) <= _SPAN_DIGITS and int(said) else 1


def _text(node: LexborNode) -> str:
    return " ".join(node.text(deep=True, separator=" ").split())
