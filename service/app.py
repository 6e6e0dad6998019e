"""The only file that builds things: settings -> objects -> one task group -> an orderly stop. Holds no rule."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import httpx

from service import api, metrics
from service.api import serve
from service.api.serve import STOP_S, StartError, listen
from service.bell import Bell
from service.board import Dress, plain
from service.bureau import Bureau, Scene
from service.clock import Clock, ScaledClock, WallClock
from service.ledger import Ledger, LedgerError
from service.mailroom import Mailroom, Town
from service.model import ALL, ContextReport, Coverage, VenueReport
from service.outpost import Listings, Outpost, Tools, book_of
from service.pipeline import (
    Boards,
    Cover,
    Depths,
    Health,
    Heard,
    Judge,
    Knobs,
    Parts,
    Pipeline,
    Recent,
    Roster,
    Sources,
)
from service.pipeline.shown import polled, regime
from service.reconcile import Reconcile
from service.selfcheck import SelfCheck
from service.settings import Settings, public
from service.settings.calendar import read_calendar
from service.venues import VENUES
from service.venues.base import Venue

__all__ = ["App", "StartError", "clock_of"]

log = logging.getLogger("cascade.app")

#: Waiters look for other replicas' alerts this often, in real seconds.
LOOK_S = 1.0
#: How often to look for signs of life, in real seconds.
BEAT_S = 0.5


def clock_of(settings: Settings) -> Clock:
    """The wall, or the rehearsal's scaled time."""
    knobs = settings.clock
    if not knobs.origin and knobs.speed == 1:
        return WallClock()
    origin = knobs.origin_ms if knobs.origin_ms is not None else WallClock().now()
    return ScaledClock(origin, knobs.speed, knobs.wall_origin_ms)


class App:
    """One replica of the service, and what its HTTP door sees of it."""

    def __init__(self, settings: Settings, ledger: Ledger, clock: Clock, client: httpx.AsyncClient) -> None:
        self.ledger, self.clock = ledger, clock
        self.simulated = settings.simulated
        self.started_at, self.stopping = clock.now(), False
        self.config: Mapping[str, Any] = public(settings)
        self.zone = settings.detector.tz
        self._listener = (settings.api.host, settings.api.port)
        self._bell = Bell()
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        enabled = {name: VENUES[name] for name in settings.venues.names}
        self._books = {name: book_of(settings, venue, clock, client) for name, venue in enabled.items()}
        self._outposts: dict[str, Outpost] = {}
        heard = Heard(lambda name, _now: self._outposts[name].heard(), clock.speed)
        self._health = Health({name: venue.completeness for name, venue in enabled.items()}, heard)
        listing = Listings(self._books).venues
        self._cover = Cover(ledger, self._health, listing, clock.speed)
        scene = Scene(self._books, listing, lambda: self._judge.open_markets)
        self._bureau = Bureau(settings, client, clock, scene)
        self._reconcile = self._make_reconcile(settings, client)
        self.selfcheck = SelfCheck(ledger, clock, list(enabled.values()))
        sources = self._make_sources(settings, enabled)
        self._judge = Judge(sources)
        self.episodes, self.watching = self._judge.episodes, self._judge.watching
        self.second_opinion = self._reconcile.opinion
        self._pipeline = self._make_pipeline(settings.pipeline, sources.recent)
        self.roster = Roster(
            venues=enabled,
            books=self._books,
            health=self._health,
            cover=self._cover,
            last_order_at=self._pipeline.last_order_at,
            expected=self._pipeline.watch.expected,
            reconciled=self._reconcile.of,
        )
        self.usual = lambda asset: self._judge.usual(asset) if self._pipeline.leads else None
        self._outposts.update(self._make_outposts(settings, client))
        self._mailroom = Mailroom(settings, client, Town(view=self, leads=lambda: self._pipeline.leads))
        self.sinks = self._mailroom.reports
        _tell(settings)

    def _make_sources(self, settings: Settings, enabled: Mapping[str, Venue]) -> Sources:
        boards = Boards(self.ledger, lambda now: regime(enabled, now), self.zone)
        sources = Sources(
            ledger=self.ledger,
            rules=settings.detector,
            recent=Recent(self.ledger),
            boards=boards,
            cover=self._cover.of,
            feeds=self.selfcheck.feeds,
            spread=lambda: self.selfcheck.spread,
            marks=self._bureau.price,
            moves=self._bureau.move,
            calendar=read_calendar(settings.detector.calendar),
            context=self._bureau.beside if self._bureau.enabled else None,
            simulated=self.simulated,
        )
        self.records, self.depth, self.recent = boards.of, Depths(sources).of, sources.recent
        return sources

    def context(self, asset: str) -> ContextReport | None:
        """What stands beside an asset's liquidations; None while context is switched off."""
        return self._bureau.report(asset)

    def _make_reconcile(self, settings: Settings, client: httpx.AsyncClient) -> Reconcile:
        def ours() -> float | None:
            reading = self._pipeline.readings.get(ALL)
            return reading.spans["1h"].usd if reading else None

        knobs = settings.second_opinion
        found = Reconcile(self.clock, client, ours, knobs.coinglass_url, knobs.coinglass_key.get_secret_value())
        for name, book in self._books.items():
            listed, live_since = partial(getattr, book, "listed"), partial(self._health.live_since, name)
            found.watch(VENUES[name], settings.venues.endpoints(name), listed, live_since)
        return found

    def _make_pipeline(self, knobs: Knobs, recent: Recent) -> Pipeline:
        parts = Parts(
            ledger=self.ledger,
            judge=self._judge,
            recent=recent,
            health=self._health,
            cover=self._cover,
            clock=self.clock,
            settle={name: book.settle for name, book in self._books.items()},
            announce=self._bell.ring,
            counted=(self._reconcile.counted,),
            usual={name: VENUES[name].usual_per_minute for name in self._books if not polled(VENUES[name])},
        )
        return Pipeline(parts, knobs, self._holder)

    def _make_outposts(self, settings: Settings, client: httpx.AsyncClient) -> dict[str, Outpost]:
        tools = Tools(
            queue=self._pipeline.queue,
            ledger=self.ledger,
            clock=self.clock,
            client=client,
            feed=settings.feed,
            backfill=settings.backfill,
            live=self._health.is_live,
            hear=self._bureau.hear,
            marked=self._bureau.mark,
        )
        return {
            name: Outpost(VENUES[name], settings.venues.endpoints(name), book, tools)
            for name, book in self._books.items()
        }

    async def run(self, stop: asyncio.Event, dress: Dress = plain) -> None:
        """Serve until `stop` is set, then leave in order: feeds, queue, lease, door. Raises StartError."""
        await self._mailroom.begin()
        self._bureau.load()
        listener = listen(*self._listener)
        server = serve.server(dress(api.build(self), self))
        log.info("listening on http://%s:%s, ledger: %s", *listener.getsockname()[:2], self.ledger.kind)
        async with asyncio.TaskGroup() as tasks:
            door = tasks.create_task(server.serve(sockets=[listener]), name="api")
            street = tasks.create_task(self._pipeline.run(), name="pipeline")
            venues = [
                tasks.create_task(work, name=name) for post in self._outposts.values() for name, work in post.tasks()
            ]
            ears = tasks.create_task(self._listen(), name="heard")
            others = tasks.create_task(self._reconcile.run(), name="reconcile")
            checks = tasks.create_task(self.selfcheck.run(), name="selfcheck")
            beside = [tasks.create_task(work, name=name) for name, work in self._bureau.tasks()]
            couriers = [tasks.create_task(work, name=name) for name, work in self._mailroom.tasks()]
            await stop.wait()
            self.stopping = server.should_exit = True
            self._bell.ring()
            await _cancel([*venues, *beside, ears, others, checks, street])
            await self._leave()
            self._bureau.close()
            for book in self._books.values():
                book.close()  # what still waits for its contract waits on disk
            await _cancel(couriers)
            await door

    async def _listen(self) -> None:
        while True:
            self._health.heard.beat(self.clock.now())
            await asyncio.sleep(BEAT_S)

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(STOP_S):
                await self._pipeline.drain()
                await self.ledger.release(self._holder)
        except (LedgerError, TimeoutError) as error:
            log.warning("what was still queued could not be written: %s", error or "the ledger took too long")

    async def venues(self) -> Sequence[VenueReport]:
        """Every enabled venue as it stands."""
        now = self.clock.now()
        await self._cover.refresh(now)
        return self.roster.all(now)

    async def coverage(self, asset: str, span: str, now: int) -> Coverage:
        """How much of a span was heard."""
        await self._cover.refresh(now)
        return self._cover.of(asset, span, now)

    def problems(self) -> Sequence[str]:
        """Why not ready: no store, or not one live venue."""
        down = self._pipeline.store_down_since is not None
        return [*(["the ledger does not answer; orders wait in the queue"] if down else []), *self.roster.problems()]

    async def changed(self, timeout_s: float) -> None:
        """Return when an alert may have been appended here or by another replica, or after `timeout_s`."""
        await self._bell.wait(min(timeout_s, LOOK_S))


def _tell(settings: Settings) -> None:
    """Settings that boards draw."""
    metrics.SIMULATED.set(settings.simulated)
    for market, floor in settings.detector.floors.items():
        metrics.FLOOR_USD.labels(market).set(floor)


async def _cancel(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
