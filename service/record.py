"""The record door: a venue's raw frames with our receive times, for fixtures, bug reports and later replays."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

import msgspec

from service.clock import Clock
from service.feed import Feeds, Item, Knobs
from service.model import DecodeError, Instrument, Print, Record, SocketHealth
from service.venues.base import Control, Event, Plan, Session, Told, Venue


class Frame(Record, frozen=True, kw_only=True):
    """One line of a recording: `seen` our time (ms UTC), `socket` the plan's key, `frame` as it came."""

    seen: int
    socket: str
    frame: str


class _Tapped:
    """A session that hands every frame on before it is decoded. Control streams are left out: they dwarf the rest."""

    def __init__(self, inner: Session, socket: str, write: Callable[[Frame], None]) -> None:
        self._inner, self._socket, self._write = inner, socket, write

    def hello(self, now: int) -> Sequence[str]:
        return self._inner.hello(now)

    def farewell(self) -> Sequence[Print]:
        return self._inner.farewell()

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        text = frame if isinstance(frame, str) else frame.decode("utf-8", "backslashreplace")
        try:
            events = self._inner.decode(frame, seen)
        except DecodeError:
            self._write(Frame(seen=seen, socket=self._socket, frame=text))
            raise
        if not events or not all(isinstance(event, Control | Told) for event in events):
            self._write(Frame(seen=seen, socket=self._socket, frame=text))
        return events


class TappedVenue:
    """A venue whose sessions are recorded; everything else is the venue's own."""

    def __init__(self, venue: Venue, write: Callable[[Frame], None]) -> None:
        self._venue, self._write = venue, write

    def __getattr__(self, name: str) -> object:
        return getattr(self._venue, name)

    def session(self, plan: Plan | None = None) -> Session:
        """A fresh session that is written down."""
        return _Tapped(self._venue.session(plan), plan.key if plan else "", self._write)


class Recording(Record, frozen=True, kw_only=True):
    """What to record: one venue, where it is, and the contracts its sockets need."""

    venue: Venue
    endpoints: Mapping[str, str]
    instruments: Sequence[Instrument]


async def record(
    what: Recording,
    clock: Clock,
    write: Callable[[str], None],
    say: Callable[[SocketHealth], None],
    stop: asyncio.Event,
) -> int:
    """Write one JSON line a frame until `stop`; how many were written."""
    count = 0

    def keep(frame: Frame) -> None:
        nonlocal count
        count += 1
        write(msgspec.json.encode(frame).decode())

    queue: asyncio.Queue[Item] = asyncio.Queue(1_000)
    tapped: Venue = TappedVenue(what.venue, keep)  # type: ignore[assignment]  # the rest is handed on by name
    feeds = Feeds(tapped, what.endpoints, queue, clock, Knobs(), random.Random())  # noqa: S311  # jitter, no secret
    await feeds.replan(what.instruments)
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(feeds.run()), tasks.create_task(_drain(queue, say))]
        await stop.wait()
        for task in running:
            task.cancel()
    return count


async def _drain(queue: "asyncio.Queue[Item]", say: Callable[[SocketHealth], None]) -> None:
    while True:
        item = await queue.get()
        if isinstance(item, SocketHealth):
            say(item)
