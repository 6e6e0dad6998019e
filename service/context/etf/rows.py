"""Rows of a source as days of flows: what must hold of them before one is believed. Knows no source's words.

All or nothing: a row that cannot be refuses all of them, since whoever wrote it wrote the others.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

from service.context.etf.days import day_of
from service.context.source import SourceError
from service.model import FlowDay, Record

#: No day of any asset's US spot ETFs came near this; beyond it is a change of unit or a slip.
MOST_USD = 20e9
#: Funds are told to a tenth of a million each; a dozen of them may miss their total by this much.
LOOSE_USD = 1e6
LOOSE_PART = 0.01
#: A fund is waited for on a day if it told a figure on one of this many days before: others are not launched or gone.
REMEMBERED = 5
#: Fewer rows than this beside the newest cannot show which funds report.
_ENOUGH = 3


class Row(Record, frozen=True, kw_only=True):
    """One day of one asset as it was told, dollars; null is what has not been told yet."""

    where: str
    """What to call it in an error, as `row 13 Jan 2026` or `flows.csv, line 7`."""
    date: str
    total: float | None
    """Null where it is not told, or no fund has reported."""
    funds: Mapping[str, float | None] = {}
    units: float | None = None


def days_from(asset: str, rows: Sequence[Row], now: int) -> tuple[FlowDay, ...]:
    """The days that have been told at all, oldest first, at `now` (ms UTC). Raises SourceError naming row and limit."""
    told = sorted((row for row in rows if _is_told(row)), key=lambda row: row.date)
    for row in told:
        _check(row, day_of(now))
    for row, after in pairwise(told):
        if row.date == after.date:
            raise SourceError(f"{after.where}: {row.date} stands there twice; wanted: one row a day")
    return tuple(_day(asset, told, index) for index in range(len(told)))


def _is_told(row: Row) -> bool:
    """Whether anybody has reported: a day on which all funds are open has a total of 0 or none."""
    return any(value is not None for value in row.funds.values()) if row.funds else row.total is not None


def _check(row: Row, today: str) -> None:
    if not _is_date(row.date):
        raise SourceError(f"{row.where}: {row.date!r} is no date; wanted: a day as 2026-01-13")
    if row.date > today:
        raise SourceError(f"{row.where}: {row.date} has not come yet; wanted: days up to {today}")
    for name, value in (("Total", row.total), *row.funds.items()):
        if value is not None and not abs(value) <= MOST_USD:
            raise SourceError(
                f"{row.where}: {name} is {_millions(value)}; wanted: at most {MOST_USD / 1e9:.0f} bn a day"
            )
    if row.units is not None and not math.isfinite(row.units):
        raise SourceError(f"{row.where}: units are {row.units}; wanted: a number of coins")
    if row.funds and row.total is not None:
        together = _sum(row)
        if abs(together - row.total) > max(LOOSE_USD, LOOSE_PART * abs(row.total)):
            raise SourceError(
                f"{row.where}: the funds add up to {_millions(together)}, the total is {_millions(row.total)}; "
                "wanted: the same to 1 % or 1 M$"
            )


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _day(asset: str, rows: Sequence[Row], index: int) -> FlowDay:
    row = rows[index]
    return FlowDay(
        asset=asset,
        date=row.date,
        usd=_sum(row) if row.total is None else row.total,
        units=row.units,
        funds={name: value for name, value in row.funds.items() if value is not None},
        complete=_complete(rows, index),
    )


def _complete(rows: Sequence[Row], index: int) -> bool:
    row = rows[index]
    if row.funds and row.total is None:
        return False
    silent = {name for name, value in row.funds.items() if value is None}
    if not silent:
        return True
    earlier = rows[max(index - REMEMBERED, 0) : index]
    if index == len(rows) - 1 and len(earlier) < _ENOUGH:
        return False
    return not any(other.funds.get(name) is not None for other in earlier for name in silent)


def _sum(row: Row) -> float:
    return math.fsum(value for value in row.funds.values() if value is not None)


def _millions(usd: float) -> str:
    return f"{usd / 1e6:,.1f} M$"
