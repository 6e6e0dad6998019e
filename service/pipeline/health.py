"""What is live now, as the feeds report it, and how much of the past was heard.

Keeps the present; history is the ledger's. A venue is live only while all its sockets are: a total missing one shard
is not a heard total.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from service.model import RETIRED, Completeness, FeedState, SocketHealth
from service.pipeline.heard import Heard
from service.pipeline.watchdog import Silence

#: Worst first: a venue is as well as its worst socket.
_WORST = (FeedState.DOWN, FeedState.REFUSED, FeedState.SILENT, FeedState.CONNECTING, FeedState.LIVE)


Completenesses = Mapping[str, Callable[[int], Completeness]]
"""Venue -> what its feed leaves out at a time (ms UTC)."""


class Health:
    """State of every socket. `heard` keeps what that means for the coverage."""

    def __init__(self, venues: Completenesses, heard: Heard) -> None:
        self.heard = heard
        self._completeness = dict(venues)
        self._sockets: dict[str, dict[str, SocketHealth]] = defaultdict(dict)
        self.silenced: Mapping[str, Silence] = {}
        """Venues whose sockets are well and which show nothing though they should."""

    @property
    def names(self) -> list[str]:
        """Enabled venues, in table order."""
        return list(self._completeness)

    def told(self, record: SocketHealth) -> None:
        """A socket changed its state."""
        if record.reason == RETIRED:
            self._sockets[record.venue].pop(record.socket, None)
        else:
            self._sockets[record.venue][record.socket] = record
        self._note(record.venue, record.since)

    def silence(self, silenced: Mapping[str, Silence], now: int) -> None:
        """Which venues are silent from now on; the others are no longer."""
        before, self.silenced = self.silenced, silenced
        for venue in silenced.keys() ^ before.keys():
            if venue in silenced:
                self.heard.deafen(venue, silenced[venue].since)
            self._note(venue, now)

    def _note(self, venue: str, since: int) -> None:
        if self.state(venue) is FeedState.LIVE:
            self.heard.begin(venue, since)
        else:
            self.heard.end(venue)

    def connected(self) -> list[str]:
        """Venues whose sockets are all live, silent ones among them."""
        return [venue for venue in self.names if self._worst(venue) is FeedState.LIVE]

    def live_since(self, venue: str) -> int | None:
        """Since when (ms UTC) all the venue's sockets are live; None while the venue is not."""
        since = max((record.since for record in self.sockets(venue)), default=None)
        return since if self.state(venue) is FeedState.LIVE else None

    def state(self, venue: str) -> FeedState:
        """The worst state among the venue's sockets; connecting while it has none, silent when it should speak."""
        worst = self._worst(venue)
        return FeedState.SILENT if worst is FeedState.LIVE and venue in self.silenced else worst

    def reason(self, venue: str) -> str:
        """Why a venue with live sockets is not live."""
        silent = self._worst(venue) is FeedState.LIVE and venue in self.silenced
        return self.silenced[venue].words if silent else ""

    def _worst(self, venue: str) -> FeedState:
        states = {record.state for record in self._sockets[venue].values()}
        return next((state for state in _WORST if state in states), FeedState.CONNECTING)

    def sockets(self, venue: str) -> tuple[SocketHealth, ...]:
        """The latest record of each of the venue's sockets."""
        return tuple(record for _, record in sorted(self._sockets[venue].items()))

    def records(self) -> Sequence[SocketHealth]:
        """The latest record of every socket."""
        return [record for sockets in self._sockets.values() for record in sockets.values()]

    def is_live(self, venue: str) -> bool:
        """Whether all its sockets are."""
        return self.state(venue) is FeedState.LIVE

    def leaves_out(self, venue: str, now: int) -> bool:
        """Whether the venue's feed leaves orders out, so that a total with it is a floor."""
        return self._completeness[venue](now) is not Completeness.COMPLETE
