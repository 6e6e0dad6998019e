"""All sockets of one venue. Owns which lines run; each line owns its socket."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence

from service.clock import Clock
from service.feed.inspection import Inspection
from service.feed.kit import Kit
from service.feed.knobs import Knobs
from service.feed.line import Line
from service.feed.outlet import Queue
from service.feed.pace import Pace
from service.model import Instrument, Ticker
from service.venues.base import Plan, Venue


class Feeds:
    """Run `run` in one task; call `replan` before it and whenever the venue's contracts changed."""

    def __init__(
        self,
        venue: Venue,
        endpoints: Mapping[str, str],
        out: Queue,
        clock: Clock,
        knobs: Knobs,
        rng: random.Random,
    ) -> None:
        self.tell: Callable[[Sequence[Ticker]], object] = lambda _tickers: None
        """Takes what control streams say of open interest, funding and marks; must not wait. May be set at any time."""
        self._venue = venue
        self._endpoints = dict(endpoints)
        pace, inspection = Pace(venue.dial_gap_s, clock), Inspection(venue.name)
        self._kit = Kit(venue, clock, knobs, rng, pace, inspection, out, self._hand)
        self._plans: dict[str, Plan] | None = None
        self._lines: dict[str, tuple[Line, asyncio.Task[None]]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._replanning = asyncio.Lock()

    async def run(self) -> None:
        """Keep every planned socket alive until cancelled; then all are closed within a second.

        Without a call of `replan` before, the venue plans without instruments.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                try:
                    await self._follow()
                    await asyncio.Event().wait()
                finally:
                    self._group = None
        finally:
            self._lines = {}

    async def replan(self, instruments: Sequence[Instrument]) -> None:
        """Follow the venue's plan for these contracts: start new sockets, stop vanished ones, replace changed ones.

        A changed socket is replaced only when its successor works. Raises ValueError when two plans share a key.
        """
        self._plans = self._planned(instruments)
        if self._group is not None:
            await self._follow()

    def heard_at(self) -> int | None:
        """Up to when (ms UTC, our clock) the whole venue was heard: the last sign of life of its quietest socket.

        None while a socket has no accepted connection. It ages by the monotonic clock, like every silence here.
        """
        heard = [line.heard_at for line, _ in self._lines.values()]
        known = [at for at in heard if at is not None]
        if not known or len(known) < len(heard):
            return None
        return self._moment(min(known))

    def heard(self) -> tuple[int, int] | None:
        """Since when without a break, and up to when (ms UTC, our clock), the whole venue was heard; as `heard_at`."""
        until = self.heard_at()
        if until is None:
            return None
        broken = max(line.unbroken_since for line, _ in self._lines.values())
        return min(self._moment(broken), until), until

    def _hand(self, tickers: Sequence[Ticker]) -> None:
        self.tell(tickers)

    def _moment(self, at: float) -> int:
        now = self._kit.clock.now()  # read first: a span heard may come out short, never long
        return now - math.ceil((time.monotonic() - at) * self._kit.clock.speed * 1_000)

    def _planned(self, instruments: Sequence[Instrument]) -> dict[str, Plan]:
        plans: dict[str, Plan] = {}
        for plan in self._venue.plans(self._endpoints, instruments):
            if plan.key in plans:
                raise ValueError(f"{self._venue.name} plans two sockets named {plan.key!r}; every key must be its own")
            plans[plan.key] = plan
        return plans

    async def _follow(self) -> None:
        async with self._replanning:
            if self._plans is None:
                self._plans = self._planned(())
            for key, plan in self._plans.items():
                if key in self._lines:
                    self._lines[key][0].change(plan)
                elif self._group is not None:
                    line = Line(plan, self._kit)
                    self._lines[key] = line, self._group.create_task(line.run())
            for key in self._lines.keys() - self._plans.keys():
                await self._stop(*self._lines.pop(key))

    async def _stop(self, line: Line, task: "asyncio.Task[None]") -> None:
        task.cancel()
        await asyncio.wait((task,))
        await self._kit.queue.put(line.vitals.retire())
