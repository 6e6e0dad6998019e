"""What Binance's public histories of open interest, funding and prices mean. Pure: asks nothing, keeps nothing.

Documented (https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api): open interest
in base units and dollars, funding as a fraction of each payment, candles as lists. Rows are refused one by one.
A past is that of one contract: a reader must not add it to what all venues tell now.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

import msgspec

from service.context.risk import DAY, STEP, Point
from service.context.source import SourceError
from service.model import HOUR, MINUTE, DecodeError, Instrument
from service.venues.base import moment, number, parse

VENUE = "binance"
STEPS_A_DAY = DAY // STEP
#: No contract of the venue may ask for more in one interval.
_MOST_RATE = 0.1
#: Hours between two payments, as the venue sets them.
_INTERVALS = frozenset({1, 2, 4, 8})

T = TypeVar("T")
P = TypeVar("P")


class _Interest(msgspec.Struct, rename="camel"):
    symbol: str
    sum_open_interest: str | float
    sum_open_interest_value: str | float
    timestamp: int | str


class _Rate(msgspec.Struct, rename="camel"):
    symbol: str
    funding_rate: str | float
    funding_time: int | str


_INTERESTS: msgspec.json.Decoder[list[_Interest]] = msgspec.json.Decoder(list[_Interest])
_RATES: msgspec.json.Decoder[list[_Rate]] = msgspec.json.Decoder(list[_Rate])
_ROWS: msgspec.json.Decoder[list[list[int | float | str]]] = msgspec.json.Decoder(list[list[int | float | str]])


def open_interest(body: bytes, contract: Instrument, now: int) -> list[Point]:
    """Open interest, one point a step. Raises SourceError or DecodeError where nothing can be used."""

    def read(row: _Interest) -> Point:
        _same(row.symbol, contract)
        coins = number(row.sum_open_interest, "sumOpenInterest")
        usd = number(row.sum_open_interest_value, "sumOpenInterestValue")
        return _point(moment(row.timestamp, "timestamp"), now, oi_coins=coins, oi_usd=usd)

    rows = parse(_INTERESTS, body)
    return _each(rows, read)


def funding(body: bytes, contract: Instrument, now: int) -> list[Point]:
    """Funding as it was paid, per eight hours. Raises SourceError or DecodeError where nothing can be used.

    The history tells no interval: it is the time since the payment before, where a neighbour has the same. So a row
    behind a hole is left out, and the first one, rather than taken for what it may be.
    """

    def read(row: _Rate) -> tuple[int, float]:
        _same(row.symbol, contract)
        return _whole_hour(moment(row.funding_time, "fundingTime")), _rate(row.funding_rate)

    rows = parse(_RATES, body)
    paid = sorted(set(_each(rows, read)))
    gaps = [(after[0] - before[0]) / HOUR for before, after in pairwise(paid)]
    return [
        _point(at, now, funding_8h=rate * 8 / hours)
        for place, (hours, (at, rate)) in enumerate(zip(gaps, paid[1:], strict=True))
        if hours in _INTERVALS and hours in (*gaps[max(place - 1, 0) : place], *gaps[place + 1 : place + 2])
    ]


def candles(body: bytes, contract: Instrument, now: int) -> list[Point]:
    """Price at the end of each step that is over, and the dollars of the day before it where all of it is there.

    Raises SourceError or DecodeError where nothing can be used.
    """
    del contract  # candles do not say whose they are
    day: deque[tuple[int, float]] = deque(maxlen=STEPS_A_DAY)

    def read(row: list[int | float | str]) -> Point | None:
        try:
            opened, closed, price, usd = row[0], row[6], row[4], row[7]
        except IndexError:
            raise DecodeError(f"a candle must have 12 fields, got {len(row)}") from None
        if isinstance(opened, float) or isinstance(closed, float):
            raise DecodeError(f"a candle's times must be whole milliseconds, got {opened!r} and {closed!r}")
        at = moment(closed, "close time") + 1
        if at > now:
            return None
        day.append((moment(opened, "open time"), _traded(usd)))
        whole = len(day) == STEPS_A_DAY and at - day[0][0] == DAY
        volume = math.fsum(traded for _, traded in day) if whole else None
        return _point(at, now, price=number(price, "close"), volume_usd=volume or None)

    rows = parse(_ROWS, body)
    return _each(rows, read)


def _each(rows: Iterable[T], read: Callable[[T], P | None]) -> list[P]:
    """What can be used of the rows. Raises SourceError where there are some and all are refused."""
    found: list[P] = []
    why, used = "", False
    for row in rows:
        try:
            one = read(row)
        except DecodeError as error:
            why = why or str(error)
        else:
            used = True
            found += [] if one is None else [one]
    if why and not used:
        raise SourceError(f"no row can be used: {why}")
    return found


def _point(at: int, now: int, **fields: float | None) -> Point:
    if at > now + MINUTE:
        raise DecodeError(f"a time of the past must not lie ahead of {now}, got {at}")
    return Point(at=at, **fields)


def _same(symbol: str, contract: Instrument) -> None:
    if symbol != contract.symbol:
        raise DecodeError(f"symbol must be {contract.symbol}, got {symbol[:40]!r}")


def _whole_hour(at: int) -> int:
    """Payments are noted some milliseconds late."""
    return at - at % HOUR if at % HOUR < MINUTE else at


def _rate(value: str | float) -> float:
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not abs(found) <= _MOST_RATE:
        raise DecodeError(
            f"fundingRate must be a number between -{_MOST_RATE} and {_MOST_RATE}, got {str(value)[:40]!r}"
        )
    return found


def _traded(value: float | str) -> float:
    """A sum of dollars, nothing among them."""
    text = str(value)
    return 0.0 if text.startswith("0") and not text.strip("0.") else number(value, "quote asset volume")


#: What each history is read by, under the last word of its address.
READERS = {"openInterestHist": open_interest, "fundingRate": funding, "klines": candles}
