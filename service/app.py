"""The only file that builds things: settings -> objects -> one task group -> an orderly stop. Holds no rule."""

import asyncio
import contextlib
import logging
import os
import random
import secrets
import socket
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import httpx
import uvicorn

from service import api, metrics
from service.bell import Bell
from service.clock import Clock, ScaledClock, WallClock
from service.detector import Rules
from service.feed import Feeds
from service.instruments import Book
from service.ledger import Ledger, LedgerError
from service.model import ALL, Episode, FeedState, Instrument, Liquidation, SecondOpinion, VenueReport
from service.pipeline import Health, Heard, Judge, Knobs, Parts, Pipeline
from service.reconcile import Reconcile
from service.settings import Settings, public
from service.sinks import SINKS, Courier
from service.venues import VENUES
from service.venues.base import Venue

log = logging.getLogger("cascade.app")

#: Waiters look for other replicas' alerts this often, in real seconds.
LOOK_S = 1.0
STOP_S = 1.0
#: How often to look for signs of life, in real seconds.
BEAT_S = 0.5


class StartError(Exception):
    """The service cannot start; the text says what to change."""


def clock_of(settings: Settings) -> Clock:
    """The wall, or the rehearsal's scaled time."""
    knobs = settings.clock
    if not knobs.origin and knobs.speed == 1:
        return WallClock()
    origin = knobs.origin_ms if knobs.origin_ms is not None else WallClock().now()
    return ScaledClock(origin, knobs.speed, knobs.wall_origin_ms)


def book_of(settings: Settings, venue: Venue, clock: Clock, client: httpx.AsyncClient) -> Book:
    """A venue's contracts, cached in the data directory."""
    cache = settings.service.data_dir / "instruments" / f"{venue.name}.json"
    return Book(venue, settings.venues.endpoints(venue.name), cache, clock, client)


class App:
    """One replica of the service, and what its HTTP door sees of it."""

    def __init__(self, settings: Settings, ledger: Ledger, clock: Clock, client: httpx.AsyncClient) -> None:
        self.ledger = ledger
        self.clock = clock
        self.simulated = settings.simulated
        self.started_at = clock.now()
        self.stopping = False
        self.config: Mapping[str, Any] = public(settings)
        self._settings = settings
        self._bell = Bell()
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        enabled = {name: VENUES[name] for name in settings.venues.names}
        self._books = {name: book_of(settings, venue, clock, client) for name, venue in enabled.items()}
        self._feeds: dict[str, Feeds] = {}
        heard = Heard(lambda name, _now: self._feeds[name].heard_at(), clock.speed)
        self._health = Health({name: venue.completeness(clock.now()) for name, venue in enabled.items()}, heard)
        self._reconcile = self._make_reconcile(client)
        self._judge = self._make_judge(settings.detector)
        self._pipeline = self._make_pipeline(settings.pipeline)
        self._feeds.update({name: self._make_feeds(venue) for name, venue in enabled.items()})
        sections = {name: getattr(settings.sinks, name) for name in SINKS}
        sinks = [SINKS[name](section) for name, section in sections.items() if section.enabled]
        self._couriers = [Courier(sink, ledger, self.changed, lambda: self._pipeline.leads) for sink in sinks]
        metrics.SIMULATED.set(self.simulated)
        for market, floor in settings.detector.floors.items():
            metrics.FLOOR_USD.labels(market).set(floor)

    def _make_reconcile(self, client: httpx.AsyncClient) -> Reconcile:
        def ours() -> float | None:
            reading = self._pipeline.readings.get(ALL)
            return reading.spans["1h"].usd if reading else None

        knobs = self._settings.second_opinion
        found = Reconcile(self.clock, client, ours, knobs.coinglass_url, knobs.coinglass_key.get_secret_value())
        for name, book in self._books.items():
            listed, live_since = partial(getattr, book, "listed"), partial(self._health.live_since, name)
            found.watch(VENUES[name], self._settings.venues.endpoints(name), listed, live_since)
        return found

    def _make_judge(self, rules: Rules) -> Judge:
        cover = partial(self._health.coverage, self.ledger)
        return Judge(self.ledger, rules, cover, at_least=self._health.at_least(), simulated=self.simulated)

    def _make_pipeline(self, knobs: Knobs) -> Pipeline:
        parts = Parts(
            ledger=self.ledger,
            judge=self._judge,
            health=self._health,
            clock=self.clock,
            settle={name: book.settle for name, book in self._books.items()},
            announce=self._bell.ring,
            counted=(self._reconcile.counted,),
            usual={name: VENUES[name].usual_per_minute for name in self._books},
        )
        return Pipeline(parts, knobs, self._holder)

    def _make_feeds(self, venue: Venue) -> Feeds:
        endpoints = self._settings.venues.endpoints(venue.name)
        jitter = random.Random()  # noqa: S311  # no secret
        return Feeds(venue, endpoints, self._pipeline.queue, self.clock, self._settings.feed, jitter)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, then leave in order: feeds, queue, lease, door. Raises StartError."""
        for courier in self._couriers:
            await courier.begin()  # before the first alert can be written
        listener = _listen(self._settings.api.host, self._settings.api.port)
        server = _Server(
            uvicorn.Config(
                api.build(self),
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=int(STOP_S),
            )
        )
        log.info("listening on http://%s:%s, ledger: %s", *listener.getsockname()[:2], self.ledger.kind)
        async with asyncio.TaskGroup() as tasks:
            door = tasks.create_task(server.serve(sockets=[listener]), name="api")
            street = tasks.create_task(self._pipeline.run(), name="pipeline")
            feeds = [tasks.create_task(feeds.run(), name=f"feeds {name}") for name, feeds in self._feeds.items()]
            books = [tasks.create_task(self._keep_book(name), name=f"book {name}") for name in self._books]
            ears = tasks.create_task(self._listen(), name="heard")
            others = tasks.create_task(self._reconcile.run(), name="reconcile")
            couriers = [tasks.create_task(courier.run(), name="courier") for courier in self._couriers]
            await stop.wait()
            self.stopping = server.should_exit = True
            self._bell.ring()
            await _cancel([*feeds, *books, ears, others, street])
            await self._leave()
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

    async def _keep_book(self, name: str) -> None:
        async def release(orders: Sequence[Liquidation]) -> None:
            for order in orders:
                await self._pipeline.queue.put(order)

        async def changed(instruments: Sequence[Instrument]) -> None:
            await self._feeds[name].replan(instruments)

        book = self._books[name]
        await book.run(changed, release)

    async def venues(self) -> Sequence[VenueReport]:
        """Every enabled venue as it stands."""
        return [await self._report(name) for name in self._health.names]

    async def _report(self, name: str) -> VenueReport:
        venue, book, now = VENUES[name], self._books[name], self.clock.now()
        return VenueReport(
            name=name,
            state=self._health.state(name),
            completeness=venue.completeness(now),
            about=venue.about,
            docs=venue.docs,
            sockets=self._health.sockets(name),
            instruments=len(book.known),
            parked=book.parked,
            last_order_at=self._pipeline.last_order_at.get(name),
            live_share_1h=await self.ledger.live_share([name], "1h", now),
            reason=self._health.reason(name),
            reconciled=self._reconcile.of(name),
            expected_orders=self._pipeline.watch.expected(name),
        )

    def episodes(self) -> Sequence[Episode]:
        """Open episodes, largest first."""
        return self._judge.episodes()

    def second_opinion(self) -> SecondOpinion | None:
        """An aggregator's count of the last hour, if there is one."""
        return self._reconcile.opinion()

    def problems(self) -> Sequence[str]:
        """Why not ready: no store, or not one live venue."""
        found = []
        if self._pipeline.store_down_since is not None:
            found.append("the ledger does not answer; orders wait in the queue")
        states = {name: self._health.state(name) for name in self._health.names}
        if FeedState.LIVE not in states.values():
            found.append("no venue is live: " + ", ".join(f"{name} is {state}" for name, state in states.items()))
        return found

    async def changed(self, timeout_s: float) -> None:
        """Return when an alert may have been appended here or by another replica, or after `timeout_s`."""
        await self._bell.wait(min(timeout_s, LOOK_S))


class _Server(uvicorn.Server):
    """Signals are the command line's business, not the HTTP door's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else error
        raise StartError(f"cannot listen on {host}:{port}: {reason}; set [api] host and port") from None
    # asyncio sets it only on sockets it makes itself; without it each answer on a kept connection waits 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def _cancel(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
