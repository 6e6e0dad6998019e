"""What a coin cost when the exchanges closed on a day of flows, as far as memory knows it. Pure; judges no flow.

Issuers count coins by the price of that moment. Where it is not known the mark of now stands for it, and may be off by
more the longer ago that was.
"""

import math
from statistics import median

from service.context.divergence import UNIT_SLACK
from service.context.etf.days import closes
from service.context.memory import Memory
from service.context.risk import STEP
from service.model import HOUR, Record

_DAY = 24 * HOUR
#: For each day begun since, the mark of now may be off by as much again; after so many it says nothing.
_MOST_DAYS = 4


class Price(Record, frozen=True, kw_only=True):
    """Dollars a coin, None where they are not known, and what part of them coins may be off."""

    usd: float | None
    slack: float
    name: str
    """What it is, in a sentence."""


def closing_price(memory: Memory, asset: str, day: str, now: int) -> Price:
    """The price of `asset` at the close of `day`, within four hours; else its mark at `now` (ms UTC)."""
    at = closes(day)
    known = [contract.points for contract in memory.contracts(asset) if not contract.lots]
    prices = [price for points in known for price in points.values("price", at - STEP + 1, min(at, now))]
    if prices:
        return Price(usd=median(prices), slack=UNIT_SLACK, name=f"the price of {day}")
    days = max(1, math.ceil((now - at) / _DAY))
    mark = memory.price(asset, now) if days <= _MOST_DAYS else None
    return Price(usd=mark, slack=UNIT_SLACK * (1 + days), name="the mark")
