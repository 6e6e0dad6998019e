"""What is live now, as the feeds report it, and how much of the past was heard.

Keeps the present; history is the ledger's. A venue is live only while all its sockets are: a total missing one shard
is not a heard total.
"""

from collections.abc import Mapping, Sequence

from service.ledger import Ledger
from service.model import RETIRED, Completeness, Coverage, FeedState, SocketHealth

#: Worst first: a venue is as well as its worst socket.
_WORST = (FeedState.DOWN, FeedState.REFUSED, FeedState.SILENT, FeedState.CONNECTING, FeedState.LIVE)


class Health:
    """State of every socket, and since when each venue has been live without a break."""

    def __init__(self, venues: Mapping[str, Completeness]) -> None:
        self._completeness = dict(venues)
        self._sockets: dict[tuple[str, str], SocketHealth] = {}
        self._live_since: dict[str, int] = {}
        self._heard: list[tuple[str, int, int]] = []
        self._marked = 0

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
        live = self.state(record.venue) is FeedState.LIVE
        if live:
            self._live_since.setdefault(record.venue, record.since)
        elif (since := self._live_since.pop(record.venue, None)) is not None:
            self._heard.append((record.venue, max(since, self._marked), record.since))

    def state(self, venue: str) -> FeedState:
        """The worst state among the venue's sockets; connecting while it has none."""
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

    async def mark(self, ledger: Ledger, now: int) -> None:
        """Write down who was live since the last call; on a LedgerError nothing is forgotten."""
        spans = [*self._heard]
        spans += [(venue, max(since, self._marked), now) for venue, since in self._live_since.items()]
        by_span: dict[tuple[int, int], list[str]] = {}
        for venue, since, until in spans:
            by_span.setdefault((since, until), []).append(venue)
        for (since, until), venues in by_span.items():
            await ledger.mark_live(venues, since, until)
        self._heard.clear()
        # a 10 s slot counts only when it was heard whole: start again at the slot's beginning, not in its middle
        self._marked = now - now % 10_000

    async def coverage(self, ledger: Ledger, span: str, now: int) -> Coverage:
        """Coverage of a span that ends now."""
        live = sum(self.state(venue) is FeedState.LIVE for venue in self.names)
        share = await ledger.live_share(self.names, span, now)
        return Coverage(venues_live=live, venues=len(self.names), seconds_share=share)
