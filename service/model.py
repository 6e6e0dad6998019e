"""The words of the house: every record that travels down the street.

Owns the meaning of side, usd, at, seen, span, share, coverage, phase and severity. Knows no venue, no clock, no I/O.
"""

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

#: The asset name of the whole market.
ALL = "ALL"

#: Stored money is integer ten-thousandths of a dollar: recordings carry four decimals and their sums must come out
#: equal; 2^53 of them, the most a Redis script can add exactly, is 900 billion dollars.
USD_UNIT = 10_000
_USD_DIGITS = 4
_SHARE_DIGITS = 6


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
    """usd = quantity x size x price."""
    INVERSE = "inverse"
    """usd = quantity x size; the price plays no part."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every record: immutable, made with keywords, encoded to JSON by msgspec."""


class Instrument(Record, frozen=True, kw_only=True):
    """One contract as its venue's own metadata describes it. `size` is dollars or base units per unit of quantity."""

    venue: str
    symbol: str
    asset: str
    contract: Contract
    size: float


class Print(Record, frozen=True, kw_only=True):
    """One forced order as its venue told it, side already the position's; quantity in the venue's own unit.

    `price` is in quote currency, `at` the venue's time and `seen` ours, both in ms UTC. `id` is the venue's own id or a
    digest of the identifying raw fields: the same order seen twice has the same id.
    """

    venue: str
    symbol: str
    side: Side
    price: float
    quantity: float
    at: int
    seen: int
    id: str


class Liquidation(Record, frozen=True, kw_only=True):
    """One forced order in the house's words. `quantity` in base units of `asset`'s contract, `usd` in dollars."""

    venue: str
    symbol: str
    asset: str
    side: Side
    price: float | None
    quantity: float | None
    usd: float
    at: int
    seen: int
    id: str


class Totals(Record, frozen=True, kw_only=True):
    """Dollars and orders of both sides inside one span: a lower bound, since the oldest partial bucket is left out."""

    long_usd: float = 0.0
    short_usd: float = 0.0
    long_count: int = 0
    short_count: int = 0

    @property
    def usd(self) -> float:
        """Both sides together."""
        return round(self.long_usd + self.short_usd, _USD_DIGITS)

    @property
    def share(self) -> float | None:
        """The part of short in both, or None when nothing was liquidated: unknown is not zero."""
        return round(self.short_usd / self.usd, _SHARE_DIGITS) if self.usd else None


class Reading(Record, frozen=True, kw_only=True):
    """All spans of one asset at one moment (`now`, ms UTC)."""

    asset: str
    now: int
    spans: Mapping[str, Totals]


class Largest(Record, frozen=True, kw_only=True):
    """The largest single order of a span."""

    venue: str
    symbol: str
    side: Side
    usd: float
    at: int


class Detail(Record, frozen=True, kw_only=True):
    """One span of one asset broken down; every mapping is name -> Totals, largest total first."""

    asset: str
    span: str
    now: int
    venues: Mapping[str, Totals]
    symbols: Mapping[str, Totals]
    assets: Mapping[str, Totals]
    largest: Largest | None


class Coverage(Record, frozen=True, kw_only=True):
    """How much of a span was heard: venues live now of those enabled, and live venue-seconds over all venue-seconds."""

    venues_live: int
    venues: int
    seconds_share: float | None


class Words(Record, frozen=True, kw_only=True):
    """One sentence in the languages the house speaks."""

    en: str
    zh: str


class Alert(Record, frozen=True, kw_only=True):
    """One phase change of one episode, as programs read it. A field that is not known is null, never 0."""

    id: str
    episode: str
    kind: Kind
    phase: Phase
    severity: Severity
    asset: str
    side: Side
    span: str
    started_at: int
    at: int
    long_usd: float
    short_usd: float
    share: float | None
    at_least: bool
    peak_usd: float
    estimated: Mapping[str, float] | None = None
    baseline: Mapping[str, float] | None = None
    excitation: Mapping[str, float] | None = None
    record: Mapping[str, str] | None = None
    coverage: Coverage | None = None
    lead: Mapping[str, str | float] | None = None
    venues: Mapping[str, float] = {}
    symbols: Mapping[str, float] = {}
    largest: Largest | None = None
    price: Mapping[str, float] | None = None
    simulated: bool = False
    why: Words = Words(en="", zh="")


class Episode(Record, frozen=True, kw_only=True):
    """One cascade as it stands: the running hour, its peak hour so far, and what was last said of it."""

    id: str
    kind: Kind
    side: Side
    asset: str
    severity: Severity
    started_at: int
    at: int
    long_usd: float
    short_usd: float
    share: float | None
    peak_usd: float
    peak_at: int
    alerts: int


class SocketHealth(Record, frozen=True, kw_only=True):
    """State of one venue socket; every change is one of these. `since` ms UTC, `reason` says why in words."""

    venue: str
    socket: str
    state: FeedState
    since: int
    reason: str = ""


class VenueReport(Record, frozen=True, kw_only=True):
    """One venue as it stands: the worst of its sockets, what its feed leaves out, what we know of its contracts."""

    name: str
    state: FeedState
    completeness: Completeness
    about: str
    docs: str
    sockets: tuple[SocketHealth, ...]
    instruments: int
    parked: int
    last_order_at: int | None
    live_share_1h: float | None


class BadFrame(Record, frozen=True, kw_only=True):
    """A frame (or a decoded row) nobody could accept, kept for inspection; `frame` is cut to a few KB."""

    venue: str
    frame: str
    reason: str
    detail: str
    seen: int


class DecodeError(ValueError):
    """A frame is not what its venue documents. Counted, kept, never fatal."""
