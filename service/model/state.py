"""How the service itself is: its sockets, its venues, the frames nobody could accept."""

from collections.abc import Mapping

from service.model.words import Completeness, FeedRule, FeedState, Record

#: The reason of the last record of a socket that is no longer planned.
RETIRED = "retired"


class SocketHealth(Record, frozen=True, kw_only=True):
    """State of one venue socket; every change is one of these. `since` ms UTC, `reason` says why in words."""

    venue: str
    socket: str
    state: FeedState
    since: int
    reason: str = ""


class Gap(Record, frozen=True, kw_only=True):
    """A stretch of time (ms UTC) in which a venue's sockets were not all live; `healed` when its history filled it."""

    since: int
    until: int
    healed: bool


class Reconciled(Record, frozen=True, kw_only=True):
    """Our sums beside a venue's own, over the same contracts and intervals. `ratio` is ours over theirs, if any."""

    ours_usd: float
    theirs_usd: float
    ratio: float | None
    since: int
    until: int


class SecondOpinion(Record, frozen=True, kw_only=True):
    """What somebody else counted in the hour up to `at` (ms UTC). `ratio` is our hour of that moment over theirs."""

    source: str
    long_usd: float
    short_usd: float
    at: int
    ratio: float | None


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
    coverage: Mapping[str, float] = {}
    """Seconds of each span that were heard, live or healed, 0 to 1."""
    heals: bool = False
    """Whether the venue has a public history that gaps can be filled from."""
    gaps: tuple[Gap, ...] = ()
    """The latest stretches of the last day in which the venue was not live, oldest first."""
    reason: str = ""
    """Why it is not live though its sockets are."""
    reconciled: Reconciled | None = None
    """Our sums of the last 24 h beside the venue's own; None where it publishes none, or none are known yet."""
    expected_orders: float | None = None
    """Orders due since its last one, going by the other venues; None when that cannot be judged."""
    rule: FeedRule = FeedRule.UNKNOWN
    """Which orders of a second its feed shows, as its documentation says."""


class Healed(Record, frozen=True, kw_only=True):
    """A venue's history has told everything from `since` to `until` (ms UTC), and all of it is on the street."""

    venue: str
    since: int
    until: int


class Refusal(Record, frozen=True, kw_only=True):
    """An alert a sink will never take, and why. `at` is when it was given up, ms UTC of the store's own clock."""

    sink: str
    alert: str
    """Id of the alert."""
    cursor: str
    reason: str
    at: int


class Failing(Record, frozen=True, kw_only=True):
    """A sink whose last try failed: the error, and since when none was taken (ms UTC of the wall)."""

    error: str
    since: int


class SinkReport(Record, frozen=True, kw_only=True):
    """One sink as it stands: how far it is, whether it delivers, what it refused."""

    name: str
    pending: int | None
    """Alerts behind its cursor; None before it has one."""
    pending_at_least: bool
    """There are more than `pending`: counting stopped there."""
    delivered_through: str | None
    """Its cursor: everything up to it was delivered, refused or not for it; None before it has one."""
    failing: Failing | None
    """None when the last try was taken, and on a replica that does not speak."""
    refused: tuple[Refusal, ...]
    """Newest first."""


class BadFrame(Record, frozen=True, kw_only=True):
    """A frame (or a decoded row) nobody could accept, kept for inspection; `frame` is cut to a few KB."""

    venue: str
    frame: str
    reason: str
    detail: str
    seen: int
