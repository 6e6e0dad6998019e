"""Binance since the merger of 2026-06-30: both hosts tell the orders of both products, and each is counted once."""

import asyncio
import random
from collections import Counter

import httpx

from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.instruments.source import Source
from service.model import ALL, HOUR, SECOND, Print, Side
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import settle
from tests.toyvenue import ORIGIN, until

VENUE = VENUES["binance"]
SYMBOLS = ("BTCUSDT", "BTCUSD_PERP", "ETHUSDT", "ETHUSD_PERP")


def tape() -> list[Row]:
    return [
        Row(at=ORIGIN + n * SECOND, venue="binance", symbol=SYMBOLS[n % 4], side=Side.LONG, usd=1_000.0 + n)
        for n in range(40)
    ]


async def test_an_order_that_comes_by_both_hosts_enters_the_ledger_once(ledger) -> None:
    """Two real sockets to one local venue that tells everything on both, into a real ledger."""
    clock = ScaledClock(ORIGIN + HOUR, 1)
    queue: asyncio.Queue[Item] = asyncio.Queue()
    async with Market(["binance"], clock, symbols={"binance": SYMBOLS}) as market, httpx.AsyncClient() as client:
        assert market.servers["binance"].merged
        book = await Source(VENUE, market.endpoints["binance"], clock, client).fetch()
        feeds = Feeds(VENUE, market.endpoints["binance"], queue, clock, Knobs(), random.Random(1))
        running = asyncio.create_task(feeds.run())
        try:
            await until(lambda: feeds.heard_at() is not None)
            await market.play(tape())
            orders: list[Print] = []

            def heard() -> bool:
                while not queue.empty():
                    if isinstance(item := queue.get_nowait(), Print):
                        orders.append(item)
                return len(orders) >= 2 * len(tape())

            await until(heard)
        finally:
            running.cancel()
            await asyncio.wait((running,))
    assert set(Counter(order.id for order in orders).values()) == {2}, "every order came by both"
    for order in orders:
        await ledger.add([settle(order, book[order.symbol])], clock.now())
    [reading] = await ledger.read([ALL], clock.now() + 60 * SECOND)
    totals = reading.spans["4h"]
    assert totals.long_count == len(tape())
    assert totals.long_usd == sum(row.usd for row in tape())
