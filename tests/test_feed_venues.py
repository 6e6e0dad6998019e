"""The feed on the three real protocols, spoken by the local venue servers."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.model import BadFrame, Contract, FeedState, Instrument, Print, Side, SocketHealth
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from tests.toyvenue import ORIGIN, until

NAMES = ("binance", "bybit", "okx")
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


def contracts(venue: str) -> list[Instrument]:
    return [
        Instrument(venue=venue, symbol=symbol, asset=symbol[:3], contract=Contract.LINEAR, size=1.0)
        for symbol in SYMBOLS
    ]


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

    def states(self) -> dict[str, FeedState]:
        return {item.socket: item.state for item in self.drained().items if isinstance(item, SocketHealth)}

    def are(self, state: FeedState) -> bool:
        states = self.states()
        return bool(states) and set(states.values()) == {state}


@asynccontextmanager
async def listening(
    name: str, faults: Faults | None = None, speed: float = 60, knobs: Knobs | None = None
) -> AsyncIterator[tuple[Market, Listening]]:
    clock = ScaledClock(ORIGIN, speed)
    queue: asyncio.Queue[Item] = asyncio.Queue(10_000)
    async with Market([name], clock, symbols={name: SYMBOLS}, faults=faults or Faults()) as market:
        rng = random.Random(1)
        feeds = Feeds(VENUES[name], market.endpoints[name], queue, clock, knobs or Knobs(), rng)
        await feeds.replan(contracts(name))
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
        await until(lambda: len({order.id for order in heard.orders if order.at < ORIGIN + 60_000}) == 60)
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
