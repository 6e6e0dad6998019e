"""The gate before the ledger: what no window may ever hold. Pure; whoever calls it counts and keeps what is refused."""

import math

from service.model import MINUTE, Liquidation
from service.venues.base import OLD_MS

#: Venue clocks run ahead by seconds at most; backfills reach back days. Beyond that a time is a unit error or hostile.
FUTURE_MS = MINUTE
#: Within this the ledger remembers every id, so that what comes late comes once.
PAST_MS = OLD_MS
#: No public feed has shown a larger single order; such a one is counted but kept for review.
REVIEW_USD = 200e6


def refusal(order: Liquidation, now: int) -> tuple[str, str] | None:
    """(reason, detail) why the order may not enter a window at `now`, or None when it may."""
    if order.at > now + FUTURE_MS:
        return "future", f"its time {order.at} is more than a minute ahead of {now}"
    if order.at < now - PAST_MS:
        return "past", f"its time {order.at} is more than 72 hours before {now}"
    if not math.isfinite(order.usd) or order.usd <= 0:
        return "amount", f"its dollars must be a finite number above 0, got {order.usd}"
    return None
