"""One planned socket, kept alive over many connections. Owns when to dial, when to replace, and what state that is.

At most two connections at a time: the one that works, and the next. The next takes over when it is proven and only then
is the old one closed; a next one that fails costs nothing but a pause. What to do is read off the present each time
something stirs, so no order of events can confuse it.
"""

import asyncio
import logging
import time

from service.feed.backoff import backoff
from service.feed.connection import Connection
from service.feed.end import End
from service.feed.kit import Kit
from service.feed.vitals import Vitals
from service.model import FeedState
from service.venues.base import Plan

log = logging.getLogger("cascade.feed")

#: Ages are looked at once a second on the clock, but not more often than this in real seconds.
LOOK_S = 0.2
_QUIET = "the control stream has said nothing for more than {:g} s"


class Line:
    """Run `run` until cancelled; `change` its plan at any time."""

    def __init__(self, plan: Plan, kit: Kit) -> None:
        self.plan = plan
        self.vitals = Vitals(plan, kit.clock)
        self._kit = kit
        self._stirred = asyncio.Event()
        self._works: Connection | None = None
        self._next: Connection | None = None
        self._next_task: asyncio.Task[None] | None = None
        self._heard: Connection | None = None
        self._end: End | None = None
        self._attempt = 0
        self._retry_at = 0.0
        self._first: Connection | None = None
        """The connection that took over from nobody: heard without a break since its first sign of life."""
        self._look_s = max(LOOK_S, 1 / kit.clock.speed)

    @property
    def heard_at(self) -> float | None:
        """Last sign of life (`time.monotonic()` seconds) of the connection that works; None while none does."""
        works = self._works
        return works.pulse.heard_at if works is not None and works.end is None else None

    @property
    def unbroken_since(self) -> float:
        """Since when (`time.monotonic()` seconds) one working connection took over from the other without a break."""
        since = self._first.pulse.heard_since if self._first is not None else None
        return time.monotonic() if since is None else since

    def change(self, plan: Plan) -> None:
        """Another plan for the same socket: a successor by the new plan will take over."""
        if plan != self.plan:
            self.plan = plan
            self._stirred.set()

    async def run(self) -> None:
        """Keep the socket alive; cancelling closes its connections within half a second."""
        async with asyncio.TaskGroup() as group:
            while True:
                now = time.monotonic()
                self._look(now)
                self._bury_next(now)
                self._bury_works(now)
                self._promote()
                self._dial(group, now)
                await self._show(now)
                await self._wait()

    def _look(self, now: float) -> None:
        for connection in (self._works, self._next):
            if connection is not None:
                connection.pulse.check(now)
        if self._works is not None and self._works.pulse.settles(now):
            self._attempt = 0

    def _bury_next(self, now: float) -> None:
        connection = self._next
        if connection is None or self._next_task is None:
            return
        if connection.end is not None and self._next_task.done():
            self._next = None
            self._failed(connection.end, now)
        elif connection.plan != self.plan:
            self._next = None
            self._next_task.cancel()
        elif connection.pulse.silent and self._works is not None:
            self._next = None
            self._next_task.cancel()
            self._failed(End(reason="the control stream said nothing"), now)

    def _bury_works(self, now: float) -> None:
        connection = self._works
        if connection is None or connection.end is None:
            return
        self._works = None
        if self._next is None:
            self._failed(connection.end, now)
        else:
            self._end = connection.end

    def _failed(self, end: End, now: float) -> None:
        knobs, rng = self._kit.knobs, self._kit.rng
        limits = (
            (knobs.refused_first_s, knobs.refused_most_s) if end.slow else (knobs.backoff_first_s, knobs.backoff_most_s)
        )
        pause = max(end.wait_s, backoff(self._attempt, *limits, rng))
        self._attempt += 1
        self._retry_at = now + pause / self._kit.clock.speed
        if end.everywhere:
            self._kit.pace.hold(end.wait_s)
        if self._works is not None:
            log.warning("%s %s: no successor, the old connection stays: %s", *self._name, end.reason)
        else:
            self._end = end

    @property
    def _name(self) -> tuple[str, str]:
        return self.plan.venue, self.plan.key

    def _promote(self) -> None:
        connection = self._next
        if connection is None or connection.end is not None or connection.pulse.subscribed_at is None:
            return
        if self._works is None or connection.pulse.proven:
            if self._works is None:
                self._first = connection
            else:
                self._works.retire()
                log.info("%s %s: a successor has taken over", *self._name)
            self._works = self._heard = connection
            self._next = None

    def _dial(self, group: asyncio.TaskGroup, now: float) -> None:
        if self._next is not None or now < self._retry_at:
            return
        if self._works is not None:
            why = self._works.pulse.due(self.plan, now)
            if not why:
                return
            log.info("%s %s: dialing a successor: %s", *self._name, why)
        self._next = Connection(self.plan, self._kit, self._stirred.set)
        self._next_task = group.create_task(self._next.run())

    async def _show(self, now: float) -> None:
        connection = self._heard or self._next
        if connection is not None:
            self.vitals.ages(connection.pulse, now)
        record = self.vitals.turn(*self._state())
        if record is not None:
            await self._kit.queue.put(record)

    def _state(self) -> tuple[FeedState, str]:
        if self._works is not None:
            if self._works.pulse.silent:
                return FeedState.SILENT, _QUIET.format(self._works.plan.control_max_age_s)
            return FeedState.LIVE, ""
        if self._end is not None:
            return self._end.state, self._end.reason
        return FeedState.CONNECTING, ""

    async def _wait(self) -> None:
        began = time.monotonic()
        pause = self._look_s
        if self._next is None and began < self._retry_at:
            pause = min(pause, self._retry_at - began)
        try:
            async with asyncio.timeout(pause):
                await self._stirred.wait()
        except TimeoutError:
            pass
        self._stirred.clear()
        for connection in filter(None, (self._works, self._next)):
            connection.pulse.ear.woke(pause, began)
