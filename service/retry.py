"""How long a server asks us to stay away: the HTTP `Retry-After` of sockets' handshakes and of metadata alike. Pure."""

from datetime import UTC
from email.utils import parsedate_to_datetime

#: Binance's longest documented ban is three days; a server asking for more is not taken at its word.
WAIT_MOST_S = 3 * 86_400.0


def retry_after(value: str | None, now: int) -> float | None:
    """Seconds an HTTP `Retry-After` asks for (RFC 9110, 10.2.3: a count or a date), at `now` ms UTC; None if unread."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), WAIT_MOST_S)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a date no calendar holds
        return None
    # a date without a zone is GMT by the RFC
    seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now / 1_000
    return min(max(seconds, 0.0), WAIT_MOST_S)
