"""The other half of the ledger in this process: lease, states, alerts, cursors, health, kept frames.

Stands in for the server's clock too: cursors and the lease follow real time here as there.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence

from service.ledger import LeaseLostError
from service.ledger.archive import ALERTS_KEEP, FRAMES, REFUSALS, at_least_one, place
from service.model import RETIRED, Alert, BadFrame, Refusal, SocketHealth


class MemoryArchive:
    """Everything but the windows."""

    def __init__(self) -> None:
        self._holder: str | None = None
        self._lease_ends = 0.0
        self._token = 0
        self._states: dict[str, bytes] = {}
        self._alerts: dict[str, tuple[tuple[int, int], Alert]] = {}
        self._last = (0, 0)
        self._cursors: dict[str, str] = {}
        self._refused: dict[str, deque[Refusal]] = {}
        self._health: dict[tuple[str, str], SocketHealth] = {}
        self._frames: dict[str, deque[BadFrame]] = {}

    async def lease(self, holder: str, ttl_ms: int) -> int | None:
        """Take or renew; the token grows whenever a free lease is taken."""
        if self._holder is not None and time.monotonic() >= self._lease_ends:
            self._holder = None
        if self._holder not in (None, holder):
            return None
        if self._holder is None:
            self._token += 1
        self._holder = holder
        self._lease_ends = time.monotonic() + ttl_ms / 1000
        return self._token

    async def release(self, holder: str) -> None:
        """Drop the lease if it is ours."""
        if self._holder == holder:
            self._holder = None

    async def states(self) -> dict[str, bytes]:
        """By market."""
        return dict(self._states)

    async def commit(self, token: int, states: Mapping[str, bytes | None], alerts: Sequence[Alert]) -> None:
        """All or nothing."""
        if token != self._token:
            raise LeaseLostError(f"token {token} is not the current one; nothing was written")
        for market, state in states.items():
            if state is None:
                self._states.pop(market, None)
            else:
                self._states[market] = state
        for alert in alerts:
            self._append(alert)

    async def alerts(self, since: str | None, limit: int) -> list[tuple[str, Alert]]:
        """After `since`, or the newest. Raises ValueError for a malformed cursor or a limit below 1."""
        at_least_one(limit)
        kept = list(self._alerts.values())
        if since is not None:
            after = place(since)
            kept = [one for one in kept if one[0] > after][:limit]
        return [(f"{at[0]}-{at[1]}", alert) for at, alert in kept[-limit:]]

    async def alert(self, id: str) -> Alert | None:
        """By id, as long as the archive reaches."""
        found = self._alerts.get(id)
        return found and found[1]

    async def cursor(self, sink: str) -> str | None:
        """As last advanced."""
        return self._cursors.get(sink)

    async def advance(self, sink: str, cursor: str) -> None:
        """Forward only. Raises ValueError for a malformed cursor."""
        self._advance_cursor(sink, cursor)

    async def refuse(self, sink: str, cursor: str, alert_id: str, reason: str) -> None:
        """Kept only with the first word of it. Raises ValueError for a malformed cursor."""
        if self._advance_cursor(sink, cursor):
            row = Refusal(sink=sink, alert=alert_id, cursor=cursor, reason=reason, at=time.time_ns() // 1_000_000)
            self._refused.setdefault(sink, deque(maxlen=REFUSALS)).appendleft(row)

    async def refused(self, sink: str, limit: int = 20) -> list[Refusal]:
        """Newest first. Raises ValueError for a limit below 1."""
        at_least_one(limit)
        return list(self._refused.get(sink, ()))[:limit]

    async def pending(self, sink: str, most: int) -> int | None:
        """Raises ValueError when `most` is below 1."""
        at_least_one(most)
        known = self._cursors.get(sink)
        return None if known is None else min(most, sum(at > place(known) for at, _ in self._alerts.values()))

    async def save_health(self, records: Sequence[SocketHealth]) -> None:
        """The last word of each socket; a retired one leaves."""
        for record in records:
            self._health[record.venue, record.socket] = record
            if record.reason == RETIRED:
                del self._health[record.venue, record.socket]

    async def health(self) -> list[SocketHealth]:
        """By venue and socket."""
        return [self._health[socket] for socket in sorted(self._health)]

    async def keep(self, bad: BadFrame) -> None:
        """Newest first, cut to 200."""
        self._frames.setdefault(bad.venue, deque(maxlen=FRAMES)).appendleft(bad)

    async def kept(self, venue: str, limit: int = 20) -> list[BadFrame]:
        """Newest first."""
        at_least_one(limit)
        return list(self._frames.get(venue, ()))[:limit]

    def _advance_cursor(self, sink: str, cursor: str) -> bool:
        known = self._cursors.get(sink)
        moved = place(cursor) > (place(known) if known else (-1, 0))
        if moved:
            self._cursors[sink] = cursor
        return moved

    def _append(self, alert: Alert) -> None:
        if alert.id in self._alerts:
            return
        now = time.time_ns() // 1_000_000
        ms, number = self._last
        self._last = (now, 0) if now > ms else (ms, number + 1)
        self._alerts[alert.id] = (self._last, alert)
        for old, (at, _) in list(self._alerts.items()):
            if at[0] >= now - ALERTS_KEEP:
                break
            del self._alerts[old]
