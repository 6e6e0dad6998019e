"""The smallest words: spans, money, sides, kinds, states. Their meaning is the same in every room."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

#: Rolling spans by their public name, in milliseconds, shortest first.
SPANS: Mapping[str, int] = {
    "1m": MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "1h": HOUR,
    "4h": 4 * HOUR,
    "24h": 24 * HOUR,
}

#: The asset name of all coins on the enabled venues together.
ALL = "ALL"


def coin_of(asset: str) -> str:
    """The coin whose price and leverage stand for an asset: BTC for all coins together."""
    return "BTC" if asset == ALL else asset


#: Stored money is integer ten-thousandths of a dollar: recordings carry four decimals and their sums must come out
#: equal; 2^53 of them, the most a Redis script can add exactly, is 900 billion dollars.
USD_UNIT = 10_000
USD_DIGITS = 4


def to_units(usd: float) -> int:
    """Dollars to the stored integer unit (1/10,000 USD), rounded half to even."""
    return round(usd * USD_UNIT)


def to_usd(units: int) -> float:
    """The stored integer unit back to dollars."""
    return units / USD_UNIT


class Side(StrEnum):
    """The side of the POSITION that was closed by force. Order directions never leave a venue file."""

    LONG = "long"
    SHORT = "short"


class Kind(StrEnum):
    """What an episode is: shorts forced to buy, or longs forced to sell."""

    SHORT_SQUEEZE = "short_squeeze"
    LONG_FLUSH = "long_flush"


class Phase(StrEnum):
    """Where in its life an episode is when an alert is written."""

    OPENED = "opened"
    GREW = "grew"
    CLOSED = "closed"


class Severity(StrEnum):
    """How large an episode is against its market's floor, smallest first."""

    WATCH = "watch"
    WARNING = "warning"
    CRITICAL = "critical"


class Completeness(StrEnum):
    """What a venue's public feed leaves out: nothing, all but one order a second, or an unstated part."""

    COMPLETE = "complete"
    SAMPLED = "sampled"
    PARTIAL = "partial"


class FeedRule(StrEnum):
    """Which orders of a second a venue's feed shows; but for `complete` and `unknown` one of each contract."""

    COMPLETE = "complete"
    LARGEST = "largest"
    LATEST = "latest"
    FIRST = "first"
    """The first, then nothing for a second."""
    UNKNOWN = "unknown"
    """Nobody says which."""


class FeedState(StrEnum):
    """State of one venue socket, or of a venue as the worst of its sockets."""

    CONNECTING = "connecting"
    LIVE = "live"
    SILENT = "silent"
    REFUSED = "refused"
    DOWN = "down"


class Contract(StrEnum):
    """How a quantity becomes dollars."""

    LINEAR = "linear"
    """usd = quantity x size x price x rate; the rate is 1 for what is quoted in dollars."""
    INVERSE = "inverse"
    """usd = quantity x size; the price plays no part: the quantity is a sum of dollars."""
    QUANTO = "quanto"
    """usd = quantity x size x price x rate: size is payout coin per unit of price, rate that coin in dollars."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record: immutable, made with keywords, encoded to JSON by msgspec."""


class DecodeError(ValueError):
    """A frame is not what its venue documents. Counted, kept, never fatal."""
