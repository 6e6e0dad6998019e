"""The service as `app` builds it, in this process, against local venue servers: hostile frames, health, an orderly stop."""

import asyncio
import contextlib
import json
import socket
import time

import httpx
import pytest

from service.api.serve import listen
from service.app import App, StartError
from service.clock import ScaledClock
from service.ledger.memory import MemoryLedger
from service.model import ALL, FeedState, Side
from service.settings import load
from service.simulator import Market
from service.tape import Row
from tests.orders import T0

SYMBOLS = {"binance": ["BTCUSDT"], "bybit": ["BTCUSDT"], "okx": ["BTC-USDT-SWAP"]}


def row(venue: str, number: int) -> Row:
    symbol = SYMBOLS[venue][0]
    return Row(at=T0 + number, venue=venue, symbol=symbol, side=Side.SHORT, usd=95_000.0, price=95_000.0, qty=1.0)


class Stage:
    """A market, an app that listens to it, and what a test asks of them."""

    def __init__(self, market: Market, app: App, ledger: MemoryLedger) -> None:
        self.market, self.app, self.ledger = market, app, ledger

    async def until(self, condition) -> None:
        deadline = time.monotonic() + 15
        while not await condition():
            assert time.monotonic() < deadline, "it did not happen within 15 s"
            await asyncio.sleep(0.05)

    async def live(self) -> bool:
        return all(report.state is FeedState.LIVE for report in await self.app.venues())

    async def hour(self):
        [reading] = await self.ledger.read([ALL], self.app.clock.now())
        return reading.spans["1h"]


@contextlib.asynccontextmanager
async def stage(tmp_path):
    clock, ledger, stop = ScaledClock(T0, 1.0), MemoryLedger(), asyncio.Event()
    async with Market(list(SYMBOLS), clock, symbols=SYMBOLS) as market, httpx.AsyncClient(trust_env=False) as client:
        lines = ["[clock]", 'origin = "2026-01-13T22:00:00Z"', "[api]", "port = 0"]
        lines += ["[service]", f"data_dir = {json.dumps(str(tmp_path))}"]
        lines += ["[venues]", f"enabled = {json.dumps(list(SYMBOLS))}"]
        for venue, urls in market.endpoints.items():
            lines += [f"[venues.{venue}.endpoints]", *(f'{key} = "{url}"' for key, url in urls.items())]
        file = tmp_path / "cascade.toml"
        file.write_text("\n".join(lines))
        app = App(load(file, {}), ledger, clock, client)
        task = asyncio.create_task(app.run(stop))
        there = Stage(market, app, ledger)
        await there.until(there.live)
        yield there
        stop.set()
        await asyncio.wait_for(task, 3)


def hostile(now: int) -> dict[str, str]:
    order = {
        "e": "forceOrder",
        "E": now,
        "o": {
            "s": "BTCUSDT",
            "S": "BUY",
            "o": "LIMIT",
            "f": "IOC",
            "q": "1",
            "p": "95000",
            "ap": "95000",
            "X": "FILLED",
            "l": "1",
            "z": "1",
            "T": now,
        },
    }

    def with_order(**changes: object) -> str:
        return json.dumps({"stream": "!forceOrder@arr", "data": order | {"o": order["o"] | changes}})

    return {
        "ten megabytes": '{"e":"forceOrder","x":"' + "a" * 10_000_000 + '"}',
        "deep nesting": "[" * 100_000,
        "truncated": with_order()[:120],
        "not a number": with_order(z="NaN"),
        "infinite": with_order(ap="Infinity"),
        "negative": with_order(z="-5"),
        "nothing filled": with_order(z="0"),
        "wrong type": with_order(s=5),
        "unknown side": with_order(S="LONG"),
        "far future": with_order(T=now + 3_600_000),
        "garbage": "\x00\x01 not json",
    }


async def test_hostile_frames_are_kept_harm_no_feed_and_enter_no_window(tmp_path):
    async with stage(tmp_path) as there:
        await there.market.play([row("binance", 1)])
        await there.until(lambda: _counted(there, 1))
        before = await there.hour()
        frames = hostile(there.app.clock.now())
        for text in frames.values():
            await there.market.inject("binance", text)

        async def kept() -> bool:
            return len({(bad.detail, bad.frame[:50]) for bad in await there.ledger.kept("binance", 100)}) >= len(frames)

        await there.until(kept)
        assert await there.hour() == before
        assert await there.live()
        reasons = {bad.reason for bad in await there.ledger.kept("binance", 100)}
        assert reasons == {"decode", "too_long", "future"}
        assert all(len(bad.frame) < 10_000 for bad in await there.ledger.kept("binance", 100))

        await there.market.play([row("binance", 2)])
        await there.until(lambda: _counted(there, 2))


async def _counted(there: Stage, orders: int) -> bool:
    return (await there.hour()).short_count == orders


async def test_one_dollar_means_the_same_on_every_venue(tmp_path):
    async with stage(tmp_path) as there:
        await there.market.play([row(venue, 1) for venue in SYMBOLS])
        await there.until(lambda: _counted(there, 3))
        detail = await there.ledger.detail(ALL, "1h", there.app.clock.now())

    assert {venue: totals.short_usd for venue, totals in detail.venues.items()} == dict.fromkeys(SYMBOLS, 95_000.0)
    assert list(detail.assets) == ["BTC"]


async def test_each_change_of_a_socket_is_a_record_others_can_read(tmp_path):
    async with stage(tmp_path) as there:
        records = {f"{record.venue} {record.socket}": record.state for record in await there.ledger.health()}
        assert records["okx public"] is FeedState.LIVE
        assert {"binance um", "binance cm", "bybit linear-0", "bybit inverse-0"} <= records.keys()
        there.market.faults = type(there.market.faults)(refuse=True)
        await there.market.servers["okx"].announce_close(0)

        async def gone() -> bool:
            found = {record.socket: record.state for record in await there.ledger.health()}
            return found["public"] in {FeedState.DOWN, FeedState.REFUSED}

        await there.until(gone)


def test_a_taken_port_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=rf"cannot listen on 127.0.0.1:{port}: .*; set \[api\] host and port"):
            listen("127.0.0.1", port)


def test_a_host_that_is_none_is_said_in_a_sentence():
    with pytest.raises(StartError, match=r"cannot listen on a\.\.b:1: "):
        listen("a..b", 1)
