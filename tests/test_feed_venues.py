"""The feed on every real protocol, spoken by the local venue servers."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from service import clock, metrics
from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.feed.connection import SPREAD
from service.instruments import Book
from service.instruments.source import Source
from service.model import BadFrame, FeedState, Instrument, Liquidation, Print, Side, SocketHealth
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from tests.test_venues import header
from tests.toyvenue import ORIGIN, until

#: Venues with a socket; the others are heard by their history alone.
NAMES = [name for name, venue in VENUES.items() if venue.history is None or venue.history.poll_s is None]
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


async def contracts(venue: str, market: Market) -> list[Instrument]:
    """What the local server lists of the coins played: the rest would only cost subscriptions."""
    async with httpx.AsyncClient() as client:
        listed = await Source(VENUES[venue], market.endpoints[venue], ScaledClock(ORIGIN, 60), client).fetch()
    return [row for row in listed.values() if row.asset in ("BTC", "ETH", "SOL")]


def tape(venue: str, count: int) -> list[Row]:
    return [
        Row(at=ORIGIN + n * 400, venue=venue, symbol=SYMBOLS[n % 3], side=Side.LONG, usd=1_000.0 + n)
        for n in range(count)
    ]


class Listening:
    """What the feeds of one venue put on the queue."""

    def __init__(self, queue: asyncio.Queue[Item]) -> None:
        self.queue = queue
        self.items: list[Item] = []

    def drained(self) -> "Listening":
        while not self.queue.empty():
            self.items.append(self.queue.get_nowait())
        return self

    @property
    def orders(self) -> list[Print]:
        return [item for item in self.drained().items if isinstance(item, Print)]

    @property
    def bad(self) -> Counter[str]:
        return Counter(item.reason for item in self.drained().items if isinstance(item, BadFrame))

    @property
    def lives(self) -> dict[str, list[FeedState]]:
        """The states of each socket, in turn."""
        lives: dict[str, list[FeedState]] = {}
        for item in self.drained().items:
            if isinstance(item, SocketHealth):
                lives.setdefault(item.socket, []).append(item.state)
        return lives

    def states(self) -> dict[str, FeedState]:
        return {item.socket: item.state for item in self.drained().items if isinstance(item, SocketHealth)}

    def are(self, state: FeedState) -> bool:
        states = self.states()
        return bool(states) and set(states.values()) == {state}


@asynccontextmanager
async def listening(
    name: str, faults: Faults | None = None, speed: float = 60, knobs: Knobs | None = None, haste: float = 1
) -> AsyncIterator[tuple[Market, Listening]]:
    """A venue on a clock of `speed`, and the feeds on one that is `haste` times as fast."""
    clock = ScaledClock(ORIGIN, speed)
    queue: asyncio.Queue[Item] = asyncio.Queue(10_000)
    async with Market([name], clock, symbols={name: SYMBOLS}, faults=faults or Faults()) as market:
        rng = random.Random(1)
        ours = ScaledClock(ORIGIN, speed * haste)
        feeds = Feeds(VENUES[name], market.endpoints[name], queue, ours, knobs or Knobs(), rng)
        await feeds.replan(await contracts(name, market))
        task = asyncio.create_task(feeds.run())
        try:
            yield market, Listening(queue)
        finally:
            task.cancel()
            await asyncio.wait((task,))
        assert task.cancelled()


@pytest.mark.parametrize("name", NAMES)
async def test_every_socket_of_a_venue_becomes_live_and_hears_every_order(name):
    async with listening(name) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        await market.play(tape(name, 30))
        await until(lambda: len({order.id for order in heard.orders}) == 30)
        assert heard.bad == {}


@pytest.mark.parametrize("name", NAMES)
async def test_cuts_twins_and_garbage_cost_no_order(name):
    faults = Faults(drop=10, duplicate=0.3, garbage=4)
    async with listening(name, faults) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        async with asyncio.timeout(20):
            await market.play(tape(name, 60))
        # the frames of the far future are well-formed: the gate before the ledger is for them
        await until(lambda: len({order.id for order in heard.orders if order.at < ORIGIN + 86_400_000}) == 60)
        assert set(heard.bad) == {"decode"}


@pytest.mark.parametrize("name", NAMES)
async def test_a_refused_subscription_is_loud(name):
    async with listening(name, Faults(refuse=True), speed=1) as (_, heard):
        await until(lambda: heard.are(FeedState.REFUSED))


@pytest.mark.parametrize("name", NAMES)
async def test_a_venue_that_closes_at_once_is_never_live(name):
    async with listening(name, Faults(accept_then_close=True), speed=1) as (market, heard):
        await until(lambda: heard.are(FeedState.DOWN))
        market.faults = Faults()
        await until(lambda: heard.are(FeedState.LIVE), within=8)


@pytest.mark.parametrize("name", NAMES)
async def test_a_venue_that_answers_no_ping_is_left(name):
    knobs = Knobs(pong_within_s=0.3, ping_every_s=6)
    async with listening(name, knobs=knobs) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        market.faults = Faults(mute_pongs=True)
        await until(lambda: FeedState.DOWN in heard.states().values())
        market.faults = Faults()
        await until(lambda: heard.are(FeedState.LIVE))


@pytest.mark.parametrize("name", NAMES)
async def test_a_healthy_socket_that_brings_nothing_is_silent_until_it_speaks(name, monkeypatch):
    monkeypatch.setattr(clock, "MIN_GRACE_S", 1.5)  # the control streams here speak each half second
    async with listening(name) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        market.faults = Faults(silence=True)
        await until(lambda: heard.are(FeedState.SILENT))
        market.faults = Faults()
        await until(lambda: heard.are(FeedState.LIVE))
        await market.play(tape(name, 3))
        await until(lambda: len({order.id for order in heard.orders}) == 3)
        wanted = [FeedState.CONNECTING, FeedState.LIVE, FeedState.SILENT, FeedState.LIVE]
        assert list(heard.lives.values()) == [wanted] * len(heard.lives)


@pytest.mark.parametrize("name", NAMES)
async def test_an_error_frame_on_live_sockets_costs_nothing_but_itself(name):
    text = header(name)["error"]
    async with listening(name) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        before = market.servers[name].live
        counter = metrics.BAD_FRAMES.labels(name, "refused")
        counted = counter._value.get()
        await market.inject(name, text)
        await market.play(tape(name, 6))
        await until(lambda: len({order.id for order in heard.orders}) == 6)
        kept = [item.frame for item in heard.items if isinstance(item, BadFrame)]
        assert kept == [text] * len(before)
        assert heard.bad == {"refused": len(before)}
        assert counter._value.get() == counted + len(before)
        assert market.servers[name].live == before
        assert list(heard.lives.values()) == [[FeedState.CONNECTING, FeedState.LIVE]] * len(before)


async def test_binance_is_redialed_before_its_24_hours_and_no_order_is_lost_or_doubled():
    """23 hours of the real plan pass in three seconds; the venue's own day, on its slower clock, does not end."""
    plans = VENUES["binance"].plans(VENUES["binance"].endpoints, ())
    assert all(plan.lifetime_s and plan.lifetime_s * (1 + SPREAD) < 24 * 3600 for plan in plans)
    knobs = Knobs(ping_every_s=3600)
    async with listening("binance", knobs=knobs, haste=23 * 3600 / 3 / 60) as (market, heard):
        await until(lambda: heard.are(FeedState.LIVE))
        server = market.servers["binance"]
        first = list(server.live)
        rows = tape("binance", 800)
        playing = asyncio.create_task(market.play(rows))
        await until(lambda: len(server.live) == 2 and not set(server.live) & set(first), within=9)
        assert not playing.done(), "the tape plays through both changes"
        played = await playing
        assert (played.rows, played.unheard) == (800, 0)
        await until(lambda: len({order.id for order in heard.orders}) == 800)
        orders = {order.id: order for order in heard.orders}
        assert len({(order.symbol, order.at) for order in orders.values()}) == 800
        assert sum(order.price * order.quantity for order in orders.values()) == pytest.approx(
            sum(row.usd for row in rows), abs=0.01
        )
        assert heard.lives == {key: [FeedState.CONNECTING, FeedState.LIVE] for key in ("um", "cm")}
        assert heard.bad == {}


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance", "NEWUSDT"),
        ("okx", "NEW-USDT-SWAP"),
        ("bitget", "NEWUSDT"),
        ("gate", "NEW_USDT"),
        ("htx", "NEW-USDT"),
    ],
)
async def test_orders_of_a_new_contract_wait_for_its_listing_and_then_have_their_exact_dollars(name, symbol):
    released: list[Liquidation] = []

    async def release(orders: list[Liquidation]) -> None:
        released.extend(orders)

    async def changed(_listed: object) -> None:
        """The plans of these do not depend on what is listed."""

    rows = [Row(at=ORIGIN + n, venue=name, symbol="NEWUSDT", side=Side.SHORT, usd=1_234.5678 + n) for n in range(3)]
    async with listening(name) as (market, heard), httpx.AsyncClient() as client:
        await until(lambda: heard.are(FeedState.LIVE))
        book = Book(VENUES[name], market.endpoints[name], None, ScaledClock(ORIGIN, 60), client)
        keeping = asyncio.create_task(book.run(changed, release))
        try:
            await until(lambda: book.listed)
            await market.play(rows)
            await until(lambda: len({order.id for order in heard.orders}) == 3)
            orders = {order.id: order for order in heard.orders}
            assert [book.settle(order) for order in orders.values()] == [None] * 3
            assert (book.parked, symbol in book.known, released) == (3, False, [])
            market.list_symbol(name, "NEWUSDT")
            await until(lambda: len(released) == 3)
        finally:
            keeping.cancel()
            await asyncio.wait((keeping,))
        assert {(row.symbol, row.asset, row.side) for row in released} == {(symbol, "NEW", Side.SHORT)}
        assert sorted(round(row.usd, 4) for row in released) == [row.usd for row in rows]
        assert {row.id for row in released} == set(orders)
        assert book.parked == 0
