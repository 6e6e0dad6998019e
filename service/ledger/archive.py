"""The ledger on a server, the other half: lease, states, alerts, cursors, health, kept frames.

Owns what was said and who may speak. Cursors are ids of the `alerts` stream.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from service.ledger import LeaseLostError, LedgerError
from service.ledger.server import Server
from service.model import HOUR, RETIRED, Alert, BadFrame, Refusal, SocketHealth

#: Alerts, and the memory of their ids, stay this long (ms of the server's clock).
ALERTS_KEEP = 90 * 24 * HOUR
#: Bad frames kept of each venue.
FRAMES = 200
#: Refusals kept of each sink.
REFUSALS = 100

_CURSOR = re.compile(r"(\d{1,20})-(\d{1,20})", re.ASCII)
_HIGHEST = 2**64


def place(cursor: str) -> tuple[int, int]:
    """A cursor as numbers that compare. Raises ValueError naming a cursor of another form."""
    parts = _CURSOR.fullmatch(cursor)
    numbers = (int(parts[1]), int(parts[2])) if parts else (_HIGHEST, 0)
    if max(numbers) >= _HIGHEST:
        raise ValueError(f"a cursor looks like 1768345200000-0, as an earlier answer gave it; got {cursor!r}")
    return numbers


def at_least_one(limit: int) -> None:
    """Raises ValueError for a limit that asks for nothing."""
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")


class RedisArchive:
    """Everything but the windows."""

    def __init__(self, server: Server) -> None:
        self.kind = server.kind
        self._server = server
        self._keys = server.keys

    @property
    def server(self) -> Server:
        """For what else lives there."""
        return self._server

    async def lease(self, holder: str, ttl_ms: int) -> int | None:
        """Take or renew; the token grows whenever a free lease is taken."""
        token: int | None = await self._server.run("lease", (self._keys.lease, self._keys.token), holder, ttl_ms)
        return token

    async def release(self, holder: str) -> None:
        """Drop the lease if it is ours."""
        await self._server.run("release", (self._keys.lease,), holder)

    async def states(self) -> dict[str, bytes]:
        """By market."""
        stored = await self._server.ask("HGETALL", self._keys.states)
        return {market.decode(): state for market, state in stored.items()}

    async def commit(self, token: int, states: Mapping[str, bytes | None], alerts: Sequence[Alert]) -> None:
        """One script: the token is checked in the same step that writes."""
        keys = self._keys
        sets = {market: state for market, state in states.items() if state is not None}
        drops = [market for market, state in states.items() if state is None]
        names = [keys.token, keys.states, keys.alerts, *(keys.alert(alert.id) for alert in alerts)]
        args = [ALERTS_KEEP, len(sets), len(drops), *(part for pair in sets.items() for part in pair), *drops]
        texts = [msgspec.json.encode(alert) for alert in alerts]
        if not await self._server.run("commit", names, token, *args, *texts):
            raise LeaseLostError(f"token {token} is not the current one; nothing was written")

    async def alerts(self, since: str | None, limit: int) -> list[tuple[str, Alert]]:
        """After `since`, or the newest. Raises ValueError for a malformed cursor or a limit below 1."""
        at_least_one(limit)
        name = self._keys.alerts
        if since is None:
            entries = await self._server.ask("XREVRANGE", name, "+", "-", "COUNT", limit)
            entries.reverse()
        else:
            place(since)
            entries = await self._server.ask("XRANGE", name, f"({since}", "+", "COUNT", limit)
        return [self._alert(entry) for entry in entries]

    async def alert(self, id: str) -> Alert | None:
        """By id, as long as the archive reaches."""
        cursor = await self._server.ask("GET", self._keys.alert(id))
        entries = await self._server.ask("XRANGE", self._keys.alerts, cursor, cursor) if cursor else []
        return self._alert(entries[0])[1] if entries else None

    async def cursor(self, sink: str) -> str | None:
        """As last advanced."""
        stored: bytes | None = await self._server.ask("HGET", self._keys.cursors, sink)
        return None if stored is None else stored.decode()

    async def advance(self, sink: str, cursor: str) -> None:
        """Forward only. Raises ValueError for a malformed cursor."""
        place(cursor)
        await self._server.run("advance", (self._keys.cursors,), sink, cursor)

    async def refuse(self, sink: str, cursor: str, alert_id: str, reason: str) -> None:
        """One script; the server stamps it. Raises ValueError for a malformed cursor."""
        place(cursor)
        row = msgspec.json.encode(Refusal(sink=sink, alert=alert_id, cursor=cursor, reason=reason, at=0))
        names = (self._keys.cursors, self._keys.refused(sink))
        await self._server.run("refuse", names, sink, cursor, row, REFUSALS)

    async def refused(self, sink: str, limit: int = 20) -> list[Refusal]:
        """Newest first. Raises ValueError for a limit below 1."""
        at_least_one(limit)
        entries = await self._server.ask("XREVRANGE", self._keys.refused(sink), "+", "-", "COUNT", limit)
        rows = [(place(at.decode())[0], self._decoded(fields[b"refusal"], Refusal)) for at, fields in entries]
        return [msgspec.structs.replace(row, at=at) for at, row in rows]

    async def pending(self, sink: str, most: int) -> int | None:
        """Counted on the server. Raises ValueError when `most` is below 1."""
        at_least_one(most)
        count: int | None = await self._server.run("pending", (self._keys.cursors, self._keys.alerts), sink, most)
        return count

    async def save_health(self, records: Sequence[SocketHealth]) -> None:
        """One field per socket, the last word wins; a retired socket leaves."""
        gone = [f"{record.venue}|{record.socket}" for record in records if record.reason == RETIRED]
        if gone:
            await self._server.ask("HDEL", self._keys.health, *gone)
        here = (record for record in records if record.reason != RETIRED)
        fields = {f"{record.venue}|{record.socket}": msgspec.json.encode(record) for record in here}
        if fields:
            await self._server.ask("HSET", self._keys.health, *(part for pair in fields.items() for part in pair))

    async def health(self) -> list[SocketHealth]:
        """By venue and socket."""
        stored = await self._server.ask("HVALS", self._keys.health)
        records = [self._decoded(text, SocketHealth) for text in stored]
        return sorted(records, key=lambda record: (record.venue, record.socket))

    async def keep(self, bad: BadFrame) -> None:
        """Newest first, cut to 200."""
        await self._server.run("keep", (self._keys.frames(bad.venue),), msgspec.json.encode(bad), FRAMES)

    async def kept(self, venue: str, limit: int = 20) -> list[BadFrame]:
        """Newest first."""
        at_least_one(limit)
        stored = await self._server.ask("LRANGE", self._keys.frames(venue), 0, limit - 1)
        return [self._decoded(text, BadFrame) for text in stored]

    def _alert(self, entry: tuple[bytes, dict[bytes, bytes]]) -> tuple[str, Alert]:
        cursor, fields = entry
        return cursor.decode(), self._decoded(fields[b"alert"], Alert)

    def _decoded(self, text: bytes, kind: type[Any]) -> Any:
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as error:
            raise LedgerError(f"{self.kind}: a stored {kind.__name__} cannot be read: {error}") from error
