"""Rows of a source as days of flows: what must hold of them before one is believed. Knows no source's words.

All or nothing: a row that cannot be refuses all of them, since whoever wrote it wrote the others.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from service.context.etf.days import FIRST, day_of, is_day
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
#: A source that has left out a fund and named it again within so many days leaves out those without a flow.
_HABIT = 20


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
    _check_date(row, today)
    _check_figures(row)


def _check_date(row: Row, today: str) -> None:
    if not is_day(row.date):
        raise SourceError(f"{row.where}: {row.date[:20]!r} is no date; wanted: a day as 2026-01-13")
    if row.date < FIRST:
        raise SourceError(f"{row.where}: {row.date} is before there were such ETFs; wanted: days from {FIRST} on")
    if row.date > today:
        raise SourceError(f"{row.where}: {row.date} has not come yet; wanted: days up to {today}")


def _check_figures(row: Row) -> None:
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
    """Whether nobody is waited for, as far as this row and those before it show."""
    row = rows[index]
    if row.funds and row.total is None:
        return False
    earlier = rows[max(index - REMEMBERED, 0) : index]
    silent = {name for name, value in row.funds.items() if value is None}
    if silent and index == len(rows) - 1 and len(earlier) < _ENOUGH:
        return False
    reporting = {name for other in earlier for name, value in other.funds.items() if value is not None}
    if not silent.isdisjoint(reporting):
        return False
    # a total without any fund is the word of somebody who counts none, unless it is nothing
    named = reporting if not row.funds and row.total else row.funds.keys()
    return reporting <= named or _leaves_out(rows[max(index - _HABIT, 0) : index])


def _leaves_out(rows: Sequence[Row]) -> bool:
    """Whether some fund was named, left out, and named again: this source leaves out funds without a flow."""
    named, gone = set[str](), set[str]()
    for row in rows:
        if not row.funds:
            continue
        if not gone.isdisjoint(row.funds):
            return True
        gone |= named - row.funds.keys()
        named |= row.funds.keys()
    return False


def _sum(row: Row) -> float:
    return math.fsum(value for value in row.funds.values() if value is not None)


def _millions(usd: float) -> str:
    return f"{usd / 1e6:,.1f} M$"
