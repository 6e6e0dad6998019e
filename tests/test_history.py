"""The public histories, asked of the local servers: every order once, and the same order as its live twin."""

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager

import httpx
import pytest

from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.instruments.source import Source
from service.model import HOUR, SECOND, Instrument, Liquidation, Print, Side, to_units
from service.simulator import Faults, Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import settle
from tests.toyvenue import ORIGIN, until

NAMES = [name for name, venue in VENUES.items() if venue.history]
SOCKETS = [name for name in NAMES if VENUES[name].history.poll_s is None]
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSD")
COUNT = 260


def tape(name: str) -> list[Row]:
    """More than a page of any venue holds, both sides, three contracts, one of them inverse, all inside an hour."""
    return [
        Row(
            at=ORIGIN + n * 12 * SECOND,
            venue=name,
            symbol=SYMBOLS[n % 4],
            side=Side.LONG if n % 3 else Side.SHORT,
            usd=1_000.0 + n,
        )
        for n in range(COUNT)
    ]


@asynccontextmanager
async def played(name: str, faults: Faults, *, listen: bool):
    """The tape on a clock that is behind it, so that it is told at once; yields the endpoints, contracts and orders."""
    clock = ScaledClock(ORIGIN + 2 * HOUR, 20)  # some control streams speak every 15 s
    queue: asyncio.Queue[Item] = asyncio.Queue(10_000)
    async with Market([name], clock, symbols={name: SYMBOLS}, faults=faults) as market, httpx.AsyncClient() as client:
        book = await Source(VENUES[name], market.endpoints[name], clock, client).fetch()
        feeds = Feeds(VENUES[name], market.endpoints[name], queue, clock, Knobs(), random.Random(1))
        await feeds.replan([row for row in book.values() if row.asset in ("BTC", "ETH", "SOL")])
        task = asyncio.create_task(feeds.run())
        try:
            if listen:
                await until(lambda: feeds.heard_at() is not None, within=20)
            await market.play(tape(name), wait_for_listeners=listen)
            yield market, client, book, queue
        finally:
            task.cancel()
            await asyncio.wait((task,))


async def ask_all(name: str, market: Market, client: httpx.AsyncClient, book: dict[str, Instrument]) -> list[Print]:
    history, found = VENUES[name].history, []
    contracts = [row for row in book.values() if row.asset in ("BTC", "ETH", "SOL")]
    asks = list(history.asks(market.endpoints[name], contracts, ORIGIN - SECOND, ORIGIN + HOUR))
    async with asyncio.timeout(30):
        while asks:
            url = asks.pop()
            answer = await client.get(url)
            assert answer.status_code == 200, (url, answer.text)
            page = history.read(url, answer.content, ORIGIN + 2 * HOUR)
            found += page.orders
            asks += page.more
    assert all(isinstance(order, Print) for order in found)
    return found


def valued(book: dict[str, Instrument], order: Print) -> Liquidation:
    return settle(order, book[order.symbol])


@pytest.mark.parametrize("name", NAMES)
async def test_a_history_tells_every_order_with_its_side_and_dollars(name):
    async with played(name, Faults(hollow=True), listen=False) as (market, client, book, _queue):
        orders = {order.id: valued(book, order) for order in await ask_all(name, market, client, book)}
    wanted = Counter((row.side, to_units(row.usd)) for row in tape(name))
    assert Counter((order.side, to_units(order.usd)) for order in orders.values()) == wanted


@pytest.mark.parametrize("name", SOCKETS)
async def test_a_row_of_the_history_is_known_as_its_live_twin(name):
    async with played(name, Faults(), listen=True) as (market, client, book, queue):
        live: dict[str, Liquidation] = {}

        def heard() -> bool:
            while not queue.empty():
                if isinstance(item := queue.get_nowait(), Print):
                    live[item.id] = valued(book, item)
            return len(live) == COUNT

        await until(heard, within=20)
        rows = await ask_all(name, market, client, book)
    history, twins = VENUES[name].history, Counter()
    for row in rows:
        known = live.get(row.id)
        others = [one for one in live.values() if history.same(row, one)] if known is None else [known]
        assert len(others) == 1, row
        twins[others[0].id] += 1
    assert set(twins) == set(live)
