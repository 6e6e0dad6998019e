"""A venue that changes its format costs its own orders, loudly, and no other venue anything.

On real sockets: the local server's frames are altered on their way out, once for each kind of change.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import metrics
from service.clock import ScaledClock
from service.feed import Feeds, Item, Knobs
from service.instruments.source import Source
from service.model import BadFrame, Instrument, Print, Side, to_units
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import settle
from tests.test_feed_venues import NAMES
from tests.toyvenue import ORIGIN, until

FIXTURES = Path(__file__).parent / "fixtures" / "venues"
COUNT = 6


def field_of(name: str) -> str:
    """A field every order of the venue needs: the first that may not be wrong in a batch, as the fixture tells it."""
    with (FIXTURES / f"{name}.jsonl").open(encoding="utf-8") as file:
        head = json.loads(file.readline())
    return str(next(iter(head["batch"]["values"] if head["batch"] else head["identity"]["fields"])))


Change = Callable[[Any, Any], None]


def altered(node: Any, key: str, change: Change) -> Any:
    """The frame with `change` made to every object that has the field, or array that has its place."""
    if isinstance(node, list):
        rows = [altered(one, key, change) for one in node]
        if key.isdigit() and len(rows) > int(key) and not isinstance(rows[-1], dict | list):
            change(rows, int(key))
        return rows
    if isinstance(node, dict):
        found = {name: altered(value, key, change) for name, value in node.items()}
        if key in found:
            change(found, key)
        return found
    return node


def drop(row: Any, key: Any) -> None:
    """The field is gone; of an array, all from its place on."""
    if isinstance(row, list):
        del row[key:]
    else:
        del row[key]


def retype(row: Any, key: Any) -> None:
    """A number for a text, a text for a number, an object for a word."""
    value = row[key]
    if isinstance(value, str):
        row[key] = {"value": value} if not value.replace(".", "").isdigit() else float(value)
    elif not isinstance(value, dict | list):
        row[key] = str(value)


def add(row: Any, _key: Any) -> None:
    """Something nobody has heard of, at the end."""
    if isinstance(row, list):
        row.append([1, "2", None])
    else:
        row["somethingNew"] = {"v": [1, "2", None]}


class Hall:
    """Two venues on their sockets; the first one's frames pass through `change`."""

    def __init__(self, name: str, change: Change) -> None:
        self.name, self.change = name, change
        self.beside = "okx" if name != "okx" else "bybit"
        self.orders: dict[str, dict[str, int]] = {self.name: {}, self.beside: {}}
        self.bad: list[BadFrame] = []

    async def play(self) -> None:
        queue: asyncio.Queue[Item] = asyncio.Queue(10_000)
        clock = ScaledClock(ORIGIN + 60_000, 20)  # some control streams speak every 15 s
        names = (self.name, self.beside)
        symbols = dict.fromkeys(names, ("BTCUSDT",))
        async with Market(names, clock, symbols=symbols) as market, httpx.AsyncClient() as client:
            self.alter(market)
            books: dict[str, dict[str, Instrument]] = {}
            tasks = []
            for name in names:
                books[name] = await Source(VENUES[name], market.endpoints[name], clock, client).fetch()
                feeds = Feeds(VENUES[name], market.endpoints[name], queue, clock, Knobs(), random.Random(1))
                await feeds.replan([row for row in books[name].values() if row.asset == "BTC"])
                tasks.append(asyncio.create_task(feeds.run()))
                await until(lambda feeds=feeds: feeds.heard_at() is not None, within=10)
            try:
                await market.play(rows(names))
                await until(lambda: self.heard(queue, books), within=10)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    def alter(self, market: Market) -> None:
        server, key, change = market.servers[self.name], field_of(self.name), self.change
        frame = server.frame
        server.frame = lambda *args: json.dumps(  # type: ignore[method-assign]
            altered(json.loads(frame(*args)), key, change), separators=(",", ":")
        )

    def heard(self, queue: "asyncio.Queue[Item]", books: dict[str, dict[str, Instrument]]) -> bool:
        while not queue.empty():
            item = queue.get_nowait()
            if isinstance(item, BadFrame):
                self.bad.append(item)
            elif isinstance(item, Print):
                book = books[item.venue]
                contract = book.get(item.symbol) or VENUES[item.venue].implied(item.symbol)
                if contract is not None:
                    self.orders[item.venue][item.id] = to_units(settle(item, contract).usd)
        done = len(self.orders[self.name]) == COUNT or len(self.bad) > 0
        return done and len(self.orders[self.beside]) == COUNT


def rows(names: tuple[str, ...]) -> list[Row]:
    return [
        Row(at=ORIGIN + n * 7_000, venue=name, symbol="BTCUSDT", side=Side.LONG, usd=1_000.0 + n)
        for n in range(COUNT)
        for name in names
    ]


WANTED = Counter(to_units(1_000.0 + n) for n in range(COUNT))


def counted(name: str) -> float:
    reasons = ("decode", "bug")
    return sum(metrics.BAD_FRAMES.labels(name, reason)._value.get() for reason in reasons)


@pytest.mark.parametrize("name", NAMES)
async def test_a_missing_field_is_counted_kept_and_costs_no_other_venue(name):
    hall, before = Hall(name, drop), counted(name)
    await hall.play()

    assert not hall.orders[name], "an order without a field it is known by"
    assert counted(name) > before
    assert {(bad.venue, bad.reason) for bad in hall.bad} == {(name, "decode")}
    assert all(bad.frame and bad.detail for bad in hall.bad)
    assert Counter(hall.orders[hall.beside].values()) == WANTED


@pytest.mark.parametrize("name", NAMES)
async def test_a_number_for_a_text_is_refused_or_read_right_but_never_misread(name):
    hall = Hall(name, retype)
    await hall.play()

    assert Counter(hall.orders[name].values()) <= WANTED
    assert hall.bad or Counter(hall.orders[name].values()) == WANTED
    assert {(bad.venue, bad.reason) for bad in hall.bad} <= {(name, "decode")}
    assert Counter(hall.orders[hall.beside].values()) == WANTED


@pytest.mark.parametrize("name", NAMES)
async def test_a_new_field_changes_nothing(name):
    hall = Hall(name, add)
    await hall.play()

    assert Counter(hall.orders[name].values()) == WANTED
    assert hall.bad == []
