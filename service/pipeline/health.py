"""What is live now, as the feeds report it, and how much of the past was heard.

Keeps the present; history is the ledger's. A venue is live only while all its sockets are: a total missing one shard
is not a heard total.
"""

from collections.abc import Mapping, Sequence

from service.ledger import Ledger
from service.model import RETIRED, Completeness, Coverage, FeedState, SocketHealth
from service.pipeline.heard import Heard
from service.pipeline.watchdog import Silence

#: Worst first: a venue is as well as its worst socket.
_WORST = (FeedState.DOWN, FeedState.REFUSED, FeedState.SILENT, FeedState.CONNECTING, FeedState.LIVE)


class Health:
    """State of every socket. `heard` keeps what that means for the coverage."""

    def __init__(self, venues: Mapping[str, Completeness], heard: Heard) -> None:
        self.heard = heard
        self._completeness = dict(venues)
        self._sockets: dict[tuple[str, str], SocketHealth] = {}
        self.silenced: Mapping[str, Silence] = {}
        """Venues whose sockets are well and which show nothing though they should."""

    @property
    def names(self) -> list[str]:
        """Enabled venues, in table order."""
        return list(self._completeness)

    def told(self, record: SocketHealth) -> None:
        """A socket changed its state."""
        key = (record.venue, record.socket)
        if record.reason == RETIRED:
            self._sockets.pop(key, None)
        else:
            self._sockets[key] = record
        self._note(record.venue, record.since)

    def silence(self, silenced: Mapping[str, Silence], now: int) -> None:
        """Which venues are silent from now on; the others are no longer."""
        changed = silenced.keys() ^ self.silenced.keys()
        self.silenced = silenced
        for venue in changed:
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
        states = {record.state for (name, _), record in self._sockets.items() if name == venue}
        return next((state for state in _WORST if state in states), FeedState.CONNECTING)

    def sockets(self, venue: str) -> tuple[SocketHealth, ...]:
        """The latest record of each of the venue's sockets."""
        return tuple(record for (name, _), record in sorted(self._sockets.items()) if name == venue)

    def records(self) -> Sequence[SocketHealth]:
        """The latest record of every socket."""
        return list(self._sockets.values())

    def at_least(self) -> bool:
        """Whether any total is only a floor, because an enabled venue leaves orders out of its feed."""
        return any(kind is not Completeness.COMPLETE for kind in self._completeness.values())

    async def coverage(self, ledger: Ledger, span: str, now: int) -> Coverage:
        """Coverage of a span that ends now."""
        live = sum(self.state(venue) is FeedState.LIVE for venue in self.names)
        share = await ledger.live_share(self.names, span, now)
        return Coverage(venues_live=live, venues=len(self.names), seconds_share=share)
