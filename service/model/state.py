"""How the service itself is: its sockets, its venues, the frames nobody could accept."""

from service.model.words import Completeness, FeedState, Record

#: The reason of the last record of a socket that is no longer planned.
RETIRED = "retired"


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
