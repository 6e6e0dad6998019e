"""One dial: from the first word to the last frame. Owns its socket, its session and its tasks; dies with them.

Only the reader ends a connection, after the last frame that reached us; the others give their verdict and hang up. A
late task of this connection can speak on no other socket, for it knows no other.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from service import metrics
from service.feed.dial import dial
from service.feed.end import End, plain
from service.feed.kit import Kit
from service.feed.outlet import Item, put
from service.feed.pulse import Pulse
from service.feed.talk import HASTE_S, LEISURE_S, Talk
from service.feed.wire import text_of, unzipped
from service.model import DecodeError, FeedState, Print
from service.venues.base import Control, Event, Leaving, Plan, Pong, Refused, Say, Spoilt, Subscribed, Told

log = logging.getLogger("cascade.feed")

#: An acknowledgement says a subscription is noted, not that its first batch is whole (Bybit sends one each 500 ms): the
#: old connection is read this much longer (clock) before we say goodbye.
LINGER_S = 2.0
#: Planned ends are spread by this part of the lifetime, so that sockets do not all move at once.
SPREAD = 0.02


class Connection:
    """`pulse` says how it is doing, `end` why it is over; `stir` is called whenever one of them changed."""

    def __init__(self, plan: Plan, kit: Kit, stir: Callable[[], None]) -> None:
        self.plan = plan
        self.pulse = Pulse(plan, kit)
        self.end: End | None = None
        self._kit = kit
        self._stir = stir
        self._session = kit.venue.session(plan)
        self._frames = metrics.FRAMES.labels(plan.venue, plan.key)
        self._accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._retired = asyncio.Event()
        self._ws: ClientConnection
        self._talk: Talk

    async def run(self) -> None:
        """Dial and serve until it is over; then `end` says why."""
        await self._kit.pace.turn()
        metrics.DIALS.labels(self.plan.venue, self.plan.key).inc()
        opened = await dial(self.plan.url, self._kit.clock, self.plan.headers)
        if isinstance(opened, End):
            self._over(opened)
        else:
            self._ws = opened
            self._talk = Talk(opened, self.plan, self._kit, self.pulse, self._over)
            await self._serve()
        self.pulse.ended_at = time.monotonic()
        self._stir()

    def retire(self) -> None:
        """A successor has taken over: say goodbye, and read what is still on its way."""
        self._retired.set()

    async def _serve(self) -> None:
        if self.plan.lifetime_s is not None:
            share = self._kit.rng.uniform(1 - SPREAD, 1 + SPREAD)
            self.pulse.replace_at = time.monotonic() + self.plan.lifetime_s * share / self._kit.clock.speed
        talk = self._talk
        hello = self._session.hello(self._kit.clock.now())
        words = (talk.greet(hello, self._accepted), talk.beat(), talk.ping(), self._part())
        try:
            async with asyncio.TaskGroup() as group:
                talkers = [group.create_task(word) for word in words]
                await self._read()
                for task in talkers:
                    task.cancel()
        finally:
            await self._part_with_held()
            await self._talk.hang_up(HASTE_S)

    async def _part_with_held(self) -> None:
        for order in self._session.farewell():
            if not self._kit.queue.full():  # a stop waits for nobody
                await self._kit.queue.put(order)

    def _over(self, end: End) -> None:
        self.end = self.end or end

    async def _part(self) -> None:
        await self._retired.wait()
        await self._kit.clock.sleep(LINGER_S)
        self._over(End(reason="replaced"))
        await self._talk.hang_up(LEISURE_S)

    async def _read(self) -> None:
        while True:
            try:
                frame = await self._ws.recv(decode=False)
            except ConnectionClosed as closed:
                self._over(End(reason=plain(f"the connection was lost: {closed}")))
                await self._outsized(closed)
                return
            self.pulse.frame_at = time.monotonic()
            self._frames.inc()
            await self._take(frame, self._kit.clock.now())

    async def _take(self, frame: bytes, seen: int) -> None:
        longest = self._kit.knobs.max_frame_bytes
        frame = unzipped(frame, longest)
        if len(frame) > longest:
            await self._keep("too_long", frame, f"{len(frame)} bytes, at most {longest} are decoded", seen)
            return
        for event in await self._decode(frame, seen):
            await self._act(event, frame, seen)

    async def _outsized(self, closed: ConnectionClosed) -> None:
        """A frame above the socket's own limit ended the connection: nobody has its text, but it counts."""
        ours = closed.sent
        if ours is not None and ours.code == CloseCode.MESSAGE_TOO_BIG and not closed.rcvd_then_sent:
            await self._keep("too_long", b"", ours.reason, self._kit.clock.now())

    async def _decode(self, frame: bytes, seen: int) -> Sequence[Event]:
        try:
            return self._session.decode(text_of(frame), seen)
        except DecodeError as error:
            await self._keep("decode", frame, str(error), seen)
        except Exception as error:  # noqa: BLE001  # a decoder's bug costs one frame, not the feed
            await self._put(self._kit.inspection.bug(error, frame, seen))
        return ()

    async def _keep(self, reason: str, frame: bytes, detail: str, seen: int) -> bool:
        bad = self._kit.inspection.bad(reason, frame, detail, seen)
        await self._put(bad)
        return bad is not None

    async def _put(self, item: Item | None) -> None:
        if item is not None:
            await put(self._kit.queue, item, self.pulse.ear)

    async def _act(self, event: Event, frame: bytes, seen: int) -> None:
        match event:
            case Print():
                self.pulse.ordered()
                await self._put(event)
            case Spoilt(detail=detail, reason=reason):
                await self._keep(reason, frame, detail, seen)
            case Control() if self.pulse.spoke():
                self._stir()
            case Pong():
                self.pulse.pong_at = time.monotonic()
            case Say(text=text):
                await self._talk.say(text)
            case Refused():
                await self._refused(event, frame, seen)
            case Subscribed() | Leaving() | Told():
                self._told(event)

    def _told(self, event: Subscribed | Leaving | Told) -> None:
        if isinstance(event, Told):
            self._kit.tell(event.tickers)
            return
        if isinstance(event, Leaving):
            self.pulse.leaving = plain(event.reason) or "it gave no reason"
        elif not self._accepted.done():
            self._accepted.set_result(None)
            self.pulse.subscribed_at = time.monotonic()
        self._stir()

    async def _refused(self, event: Refused, frame: bytes, seen: int) -> None:
        reason = plain(event.reason)
        kept = await self._keep("refused", frame, reason, seen)
        if event.fatal and not self._accepted.done():
            self._over(End(reason=reason, state=FeedState.REFUSED, slow=True))
            await self._talk.hang_up(HASTE_S)
        elif kept:  # what was accepted goes on, and should it not, its control stream tells
            log.warning("%s %s was refused a part: %s", self.plan.venue, self.plan.key, reason)
