"""Figures of tickers: what a venue may say of open interest, funding and mark, and None for what cannot be. Pure.

What is refused is left out field by field and never turned into 0; a refused time costs the row, since nobody could
say how old it is.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from service.model import HOUR, Contract, DecodeError, Instrument, Ticker
from service.venues.base.reading import moment

#: A figure as venues spell it: text, a JSON number, nothing at all.
Figure = str | float | None
R = TypeVar("R")

_MOST = 1e15
_MOST_USD = 1e12
_MOST_FUNDING = 0.1
_MOST_HOURS = 24 * 7
_AHEAD_MS = HOUR


def plain_float(value: Figure) -> float:
    """The figure, NaN for what is no plain finite number."""
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return math.nan
    try:
        found = math.nan if value is None else float(value)
    except (ValueError, OverflowError):
        return math.nan
    return found if math.isfinite(found) else math.nan


def amount(value: Figure) -> float | None:
    """Coins or contracts, none of them among it."""
    found = plain_float(value)
    return found if 0 <= found < _MOST else None


def dollars(value: Figure) -> float | None:
    """Dollars, at most a trillion."""
    found = plain_float(value)
    return found if 0 <= found <= _MOST_USD else None


def price(value: Figure) -> float | None:
    """A mark price, above 0."""
    found = plain_float(value)
    return found if 0 < found < _MOST else None


def rate(value: Figure) -> float | None:
    """Funding of one interval, a fraction of either sign, at most a tenth."""
    found = plain_float(value)
    return found if abs(found) <= _MOST_FUNDING else None


def hours(value: Figure) -> float | None:
    """Hours between two payments, at most a week."""
    found = plain_float(value)
    return found if 0 < found <= _MOST_HOURS else None


def told_at(value: int | str, seen: int) -> int:
    """A venue's time in ms UTC. Raises DecodeError for no time, and for one more than an hour ahead of `seen`."""
    found = moment(value, "time")
    if seen and found > seen + _AHEAD_MS:
        raise DecodeError(f"time must not be more than an hour ahead of ours, {seen}; got {found}")
    return found


def interest(
    instrument: Instrument, quantity: float | None, mark: float | None = None
) -> tuple[float | None, float | None]:
    """Base units and dollars of `quantity` units of a contract, each None where it cannot be said.

    Linear units are worth base units, inverse ones dollars; the other of the two needs the mark of the same answer. A
    quanto contract has neither. More than a trillion dollars is refused.
    """
    if quantity is None or instrument.contract is Contract.QUANTO:
        return None, None
    worth = quantity * instrument.size
    coins: float | None = worth
    usd = worth * mark * instrument.rate if mark else None
    if instrument.contract is Contract.INVERSE:
        coins, usd = worth / mark if mark else None, worth
    if (usd is not None and usd > _MOST_USD) or (coins is not None and not coins < _MOST):
        return None, None
    return coins, usd


def part(instrument: Instrument, at: int, seen: int, **fields: float | None) -> Ticker | None:
    """A ticker with those of the fields that are known; None where none is."""
    if all(value is None for value in fields.values()):
        return None
    return Ticker(
        venue=instrument.venue,
        symbol=instrument.symbol,
        asset=instrument.asset,
        at=at,
        seen=seen,
        inverse=instrument.contract is Contract.INVERSE,
        **fields,
    )


def usable(rows: Iterable[R], read: Callable[[R], Ticker | None]) -> list[Ticker]:
    """What `read` makes of each row; those it refuses or finds empty are left out.

    Raises DecodeError, with the first reason, when no row can be used though there are some.
    """
    found: list[Ticker] = []
    reason = ""
    for place, row in enumerate(rows, 1):
        try:
            ticker = read(row)
        except DecodeError as error:
            reason = reason or f"row {place}: {error}"
            continue
        if ticker is None:
            reason = reason or f"row {place}: none of its figures can be"
        else:
            found.append(ticker)
    if reason and not found:
        raise DecodeError(f"no row can be used: {reason}")
    return found


def row_of_each(
    rows: Iterable[tuple[str, R]], listed: Mapping[str, Instrument], read: Callable[[Instrument, R], Ticker | None]
) -> list[Ticker]:
    """The same for (symbol, row) pairs, of which only those of listed contracts are read."""
    known = ((listed[symbol], row) for symbol, row in rows if symbol in listed)
    return usable(known, lambda pair: read(*pair))
