"""A venue of one-word frames and its server, for tests of the feed on real sockets. Owns no opinion of right or wrong.

The server says `ok` (one accepted topic), `p 7` (an order with id 7), `c` (the control stream), `pong`, `ask` (wants an
answer), `leave`, `no` (fatal), `no part`, `half 7` (a bad row beside an order with id 7) and `bug` (the decoder fails);
anything else is garbage. Every text a client says ends in the number of its session, so that a text on a wrong socket
shows.
"""

import asyncio
import http
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ClassVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.model import Completeness, DecodeError, FeedState, Instrument, Print, Side, SocketHealth
from service.venues.base import Control, Event, Leaving, Plan, Pong, Refused, Say, Session, Spoilt, Subscribed

ORIGIN = 1_768_341_600_000
SPEED = 60.0
KNOBS = Knobs(ack_within_s=0.4, pong_within_s=0.4, ping_every_s=6)


_WORDS: Mapping[str | bytes, Sequence[Event]] = {
    "c": [Control()],
    "pong": [Pong()],
    "leave": [Leaving(reason="maintenance")],
    "no": [Refused(reason="no such topic\nin the book")],
    "no part": [Refused(reason="no such topic\nin the book", fatal=False)],
}


class ToySession(Session):
    def __init__(self, plan: Plan, number: int) -> None:
        self._topics = plan.topics or ("all",)
        self._number = number
        self._missing = len(self._topics)

    def hello(self, now: int) -> Sequence[str]:
        del now
        return [f"sub {topic} {self._number}" for topic in self._topics]

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        match frame.split(" ") if isinstance(frame, str) else []:
            case ["ok"]:
                self._missing -= 1
                return [Subscribed()] if self._missing == 0 else []
            case ["p", name, *rest]:
                return [order(name, seen), *[Say(text=f"late {self._number}") for _ in rest]]
            case ["half", name]:
                return [Spoilt(detail="row 1: no price"), order(name, seen)]
            case ["ask"]:
                return [Say(text=f"answer {self._number}")]
            case ["bug"]:
                raise KeyError("a bug in the decoder")
            case _:
                return _WORDS.get(frame) or self._garbage()

    def _garbage(self) -> Sequence[Event]:
        raise DecodeError("a frame is one of ok, p, c, pong, ask, leave, no, bug")


def order(id: str, seen: int) -> Print:
    return Print(venue="toy", symbol="TOY", side=Side.LONG, price=1.0, quantity=1.0, at=seen, seen=seen, id=id)


class ToyVenue:
    name: ClassVar[str] = "toy"
    docs: ClassVar[str] = ""
    endpoints: ClassVar[Mapping[str, str]] = {}
    about: ClassVar[str] = ""

    def __init__(self, plans: Callable[[Sequence[Instrument]], Sequence[Plan]], dial_gap_s: float = 0.0) -> None:
        self.dial_gap_s = dial_gap_s
        self._plans = plans
        self._numbers = itertools.count(1)

    def completeness(self, _at: int) -> Completeness:
        return Completeness.COMPLETE

    def catalogue(self, _endpoints: Mapping[str, str]) -> Sequence[str]:
        return ()

    def instruments(self, _body: bytes) -> tuple[list[Instrument], str | None]:
        return [], None

    def next_page(self, url: str, _cursor: str) -> str:
        return url

    def implied(self, _symbol: str) -> Instrument | None:
        return None

    def plans(self, _endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        return self._plans(instruments)

    def session(self, plan: Plan | None = None) -> ToySession:
        assert plan is not None
        return ToySession(plan, next(self._numbers))


@dataclass
class Link:
    """One accepted connection as its server sees it."""

    number: int
    ws: ServerConnection
    opened_at: float
    heard: list[str] = field(default_factory=list)
    closed: bool = False
    accepted: bool = False

    async def say(self, *texts: str | bytes) -> None:
        for text in texts:
            await self.ws.send(text)


async def accept(link: Link, text: str) -> None:
    """The venue's usual answer: every topic is fine."""
    if text.startswith("sub"):
        link.accepted = True
        await link.say("ok")


class Peer:
    """The venue's server. `answer` reacts to texts, `statuses` are handed out instead of the next handshakes."""

    def __init__(self, answer: Callable[[Link, str], Awaitable[None]] = accept) -> None:
        self.answer = answer
        self.links: list[Link] = []
        self.statuses: list[tuple[int, dict[str, str]]] = []
        self.dialed_at: list[float] = []
        self.url = ""

    @property
    def open(self) -> list[int]:
        return [link.number for link in self.links if not link.closed]

    async def __aenter__(self) -> "Peer":
        self._server = await serve(
            self._serve, "127.0.0.1", 0, ping_interval=None, process_request=self._admit, max_size=None
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"ws://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for link in self.links:
            link.ws.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    async def shout(self, text: str) -> None:
        for link in self.links:
            if link.accepted and not link.closed:
                try:
                    await link.say(text)
                except ConnectionClosed:
                    continue

    def _admit(self, _ws: ServerConnection, _request: Request) -> Response | None:
        self.dialed_at.append(time.monotonic())
        if not self.statuses:
            return None
        status, headers = self.statuses.pop(0)
        return Response(status, http.HTTPStatus(status).phrase, Headers(headers))

    async def _serve(self, ws: ServerConnection) -> None:
        link = Link(len(self.links) + 1, ws, time.monotonic())
        self.links.append(link)
        try:
            async for text in ws:
                assert isinstance(text, str)
                link.heard.append(text)
                await self.answer(link, text)
        except ConnectionClosed:
            pass
        finally:
            link.closed = True


class Dice(random.Random):
    """Always the top of the range; remembers the ranges asked for."""

    def __init__(self) -> None:
        super().__init__(7)
        self.tops: list[float] = []

    def uniform(self, _a: float, b: float) -> float:
        self.tops.append(b)
        return b


@dataclass
class Stage:
    """Feeds at work and everything they put on the queue."""

    feeds: Feeds
    queue: asyncio.Queue[Item]
    task: asyncio.Task[None]
    dice: Dice
    items: list[Item] = field(default_factory=list)

    @property
    def orders(self) -> list[str]:
        return [item.id for item in self.items if isinstance(item, Print)]

    @property
    def health(self) -> list[SocketHealth]:
        return [item for item in self.items if isinstance(item, SocketHealth)]

    @property
    def states(self) -> list[FeedState]:
        return [record.state for record in self.health]

    async def drain(self) -> None:
        while True:
            self.items.append(await self.queue.get())


def plan(peer: Peer, key: str = "one", **more: object) -> Plan:
    return Plan(venue="toy", key=key, url=peer.url, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def playing(
    *plans: Plan, knobs: Knobs = KNOBS, venue: ToyVenue | None = None, room: int = 10_000, drained: bool = True
) -> AsyncIterator[Stage]:
    """Feeds over the given plans on a clock of `SPEED`; afterwards everything is cancelled and must be gone."""
    queue: asyncio.Queue[Item] = asyncio.Queue(room)
    dice = Dice()
    feeds = Feeds(venue or ToyVenue(lambda _: plans), {}, queue, ScaledClock(ORIGIN, SPEED), knobs, dice)
    stage = Stage(feeds, queue, asyncio.create_task(feeds.run()), dice)
    drain = asyncio.create_task(stage.drain()) if drained else None
    try:
        yield stage
    finally:
        for task in filter(None, (stage.task, drain)):
            task.cancel()
        results = await asyncio.gather(*filter(None, (stage.task, drain)), return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results), results


async def until(what: Callable[[], object], within: float = 5.0) -> None:
    """Wait until `what()` is true."""
    end = time.monotonic() + within
    while not what():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.005)
