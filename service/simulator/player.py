"""Tapes onto the stage: rows at their time on the clock to the venue they name, and what became of them.

Also the arithmetic old tapes need (another start, shorter pauses, which symbols they hold). Knows no venue's words.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from service.clock import Clock
from service.model import SECOND, Record, Side, to_usd
from service.simulator.base import VenueServer
from service.simulator.contracts import Order
from service.tape import Row

#: Rows already due are handed on in runs of this many, so that the sockets get their turn.
_RUN = 100


class Played(Record, frozen=True, kw_only=True):
    """What became of a tape: rows told to somebody, by venue and side, and rows that were not."""

    rows: int
    venues: Mapping[str, int]
    """Rows told, by venue."""
    long_usd: float
    short_usd: float
    """Dollars of the rows told."""
    unheard: int
    """Rows nobody was there for, or that fell into silence."""
    skipped: int
    """Rows of venues that have no server here."""


class Tally:
    """The running count behind `Played`."""

    def __init__(self) -> None:
        self._venues: dict[str, int] = {}
        self._units = dict.fromkeys(Side, 0)
        self._given = 0
        self.skipped = 0

    def add(self, venue: str, given: int, told: Sequence[Order]) -> None:
        """A batch went out."""
        self._given += given
        self._venues[venue] = self._venues.get(venue, 0) + len(told)
        for order in told:
            self._units[order.side] += order.units

    def played(self) -> Played:
        """The count so far."""
        rows = sum(self._venues.values())
        return Played(
            rows=rows,
            venues=dict(self._venues),
            long_usd=to_usd(self._units[Side.LONG]),
            short_usd=to_usd(self._units[Side.SHORT]),
            unheard=self._given - rows,
            skipped=self.skipped,
        )


class Batch:
    """Rows of one venue that are told together at `due` (ms on the clock); `taken` once they are."""

    def __init__(self, due: int) -> None:
        self.due = due
        self.rows: list[Row] = []
        self.taken = False


class Player:
    """Plays one tape: each venue at its own pace, so that one without listeners does not hold up the others."""

    def __init__(self, servers: Mapping[str, VenueServer], clock: Clock, *, wait: bool) -> None:
        self.tally = Tally()
        self._servers = servers
        self._clock = clock
        self._wait = wait
        self._parts: dict[str, asyncio.Queue[Batch | None]] = {name: asyncio.Queue() for name in servers}
        self._open: dict[str, Batch] = {}

    async def play(self, rows: Iterable[Row]) -> Played:
        """Take rows one by one, none before its time, so that a tape may have no end."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._servers:
                tasks.create_task(self._perform(name))
            for count, row in enumerate(rows):
                await self._until(row.at, rest=count % _RUN == 0)
                self._hand_on(row)
            for part in self._parts.values():
                part.put_nowait(None)
        return self.tally.played()

    def _hand_on(self, row: Row) -> None:
        server = self._servers.get(row.venue)
        if server is None:
            self.tally.skipped += 1
            return
        batch, due = self._open.get(row.venue), server.due(row.at)
        if batch is None or batch.taken or batch.due != due:
            batch = self._open[row.venue] = Batch(due)
            self._parts[row.venue].put_nowait(batch)
        batch.rows.append(row)

    async def _perform(self, name: str) -> None:
        server = self._servers[name]
        while (batch := await self._parts[name].get()) is not None:
            await self._until(batch.due, rest=True)
            batch.taken = True
            told = await server.push([server.order(row) for row in batch.rows], wait=self._wait)
            self.tally.add(name, len(batch.rows), told)

    async def _until(self, at: int, *, rest: bool) -> None:
        wait_ms = at - self._clock.now()
        if wait_ms > 0 or rest:
            await self._clock.sleep(max(wait_ms, 0) / SECOND)


def symbols_of(rows: Iterable[Row], venue: str | None = None) -> dict[str, list[str]]:
    """The symbols of a tape by venue, in order of first sight; with `venue`, all of them under that one."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        found.setdefault(venue or row.venue, {})[row.symbol] = None
    return {name: list(symbols) for name, symbols in found.items()}


def relabelled(rows: Iterable[Row], venue: str) -> Iterable[Row]:
    """Every row as if it came from one venue."""
    return (msgspec.structs.replace(row, venue=venue) for row in rows)


def rebase(rows: Sequence[Row], start_ms: int) -> list[Row]:
    """The tape moved so that its earliest row is at `start_ms`; all distances stay."""
    shift = start_ms - min((row.at for row in rows), default=start_ms)
    return [msgspec.structs.replace(row, at=row.at + shift) for row in rows]


def shorten(rows: Sequence[Row], max_gap_ms: int) -> list[Row]:
    """The tape with every longer pause cut to `max_gap_ms`. Order stays, and so does every shorter distance."""
    if max_gap_ms < 1:
        raise ValueError(f"max_gap_ms must be 1 or more, got {max_gap_ms}")
    cut, last, result = 0, None, []
    for row in rows:
        if last is not None:
            cut += max(0, row.at - last - max_gap_ms)
        last = row.at
        result.append(msgspec.structs.replace(row, at=row.at - cut))
    return result
