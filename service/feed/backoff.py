"""How long to wait before the next dial. Pure: no clock, no sleep, the dice are handed in."""

import random
from datetime import UTC
from email.utils import parsedate_to_datetime

#: Binance's longest documented ban is three days; a server asking for more is not taken at its word.
WAIT_MOST_S = 3 * 86_400.0
_DOUBLINGS = 30


def backoff(attempt: int, first: float, most: float, rng: random.Random) -> float:
    """Seconds before dial number `attempt` + 1 (0 is the first failure): full jitter under a doubling ceiling."""
    return rng.uniform(0.0, min(most, first * 2.0 ** min(attempt, _DOUBLINGS)))


def retry_after(value: str | None, now: int) -> float | None:
    """Seconds an HTTP `Retry-After` asks for (RFC 9110, 10.2.3: a count or a date), at `now` ms UTC; None if unread."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), WAIT_MOST_S)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    # a date without a zone is GMT by the RFC
    seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now / 1_000
    return min(max(seconds, 0.0), WAIT_MOST_S)
