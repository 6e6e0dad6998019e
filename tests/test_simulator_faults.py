"""Each fault does what it says, over real sockets, and no other harm."""

import asyncio
import contextlib
import json
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from service.clock import ScaledClock
from service.model import Side
from service.simulator import Faults, Market
from service.tape import Row

T0 = 1_768_341_600_000
ORDERS = "!forceOrder@arr"
SUBSCRIBE = {"method": "SUBSCRIBE", "params": [ORDERS], "id": 1}
OKX = {"op": "subscribe", "args": [{"channel": "liquidation-orders", "instType": "SWAP"}]}


def tape(count, venue="binance", symbols=("BTCUSDT",), step=1) -> list[Row]:
    return [
        Row(at=T0 + n * step, venue=venue, symbol=symbols[n % len(symbols)], side=Side.LONG, usd=100.0 + n)
        for n in range(count)
    ]


def stage(*venues, faults="", origin=T0 + 60_000, speed=1.0) -> Market:
    return Market(venues, ScaledClock(origin, speed), faults=Faults.parse(faults))


class Listener:
    """A client that dials again whenever it is cut, and keeps every text it got."""

    def __init__(self, url, *requests) -> None:
        self.url, self.requests = url, requests
        self.texts: list[str] = []
        self.cuts = 0

    async def __aenter__(self):
        self.task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task

    async def run(self) -> None:
        while True:
            with contextlib.suppress(ConnectionClosed):
                async with connect(self.url) as ws:
                    for request in self.requests:
                        await ws.send(json.dumps(request))
                    async for text in ws:
                        self.texts.append(text)
            self.cuts += 1

    @property
    def times(self) -> list[int]:
        return [json.loads(text)["data"]["o"]["T"] - T0 for text in self.texts if "forceOrder" in text]


@contextlib.asynccontextmanager
async def listening(faults, *requests, at=("binance", "um"), **clock):
    """A market of one venue and one listener on it."""
    venue, key = at
    async with (
        stage(venue, faults=faults, **clock) as market,
        Listener(market.endpoints[venue][key], *(requests or [SUBSCRIBE])) as listener,
    ):
        yield market, listener


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def settled(listener, count) -> None:
    await until(lambda: len(listener.texts) >= count)


async def hear(ws) -> str:
    return await asyncio.wait_for(ws.recv(), 3)


# -- what can be ordered


def test_faults_are_read_from_one_line():
    assert Faults.parse("") == Faults()
    assert Faults.parse(
        " drop=200, duplicate=0.05 ,garbage=100,silence,lossy=on,refuse=off,slow=1.5,seed=-3"
    ) == Faults(drop=200, duplicate=0.05, garbage=100, silence=True, lossy=True, slow=1.5, seed=-3)


NAMES = (
    "drop, duplicate, garbage, slow, accept_then_close, refuse, silence, hollow, throttle, shuffle, mute_pongs, "
    "lossy, seed"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dorp=3", f"unknown fault 'dorp' (did you mean drop?); allowed are {NAMES}"),
        ("xyzzy", f"unknown fault 'xyzzy'; allowed are {NAMES}"),
        ("drop", "fault drop needs a whole number, as in drop=5, got ''"),
        ("drop=1.5", "fault drop needs a whole number, as in drop=5, got '1.5'"),
        ("slow=soon", "fault slow needs a number, as in slow=5, got 'soon'"),
        ("drop=-1", "fault drop must be 0 (off) or above, got -1"),
        ("slow=nan", "fault slow must be 0 (off) or above, got nan"),
        ("duplicate=inf", "fault duplicate must be 0 (off) or above, got inf"),
        ("duplicate=1.5", "fault duplicate must be a probability up to 1 or a whole number, got 1.5"),
        ("silence=maybe", "fault silence is a switch: say silence, silence=on or silence=off, not 'maybe'"),
    ],
)
def test_a_wrong_fault_is_named_with_what_is_allowed(text, message):
    with pytest.raises(ValueError, match="fault") as wrong:
        Faults.parse(text)
    assert str(wrong.value) == message


# -- drop


async def test_drop_cuts_connections_and_loses_no_order():
    rows = tape(60)
    async with listening("drop=7") as (market, listener):
        played = await market.play(rows)
        await settled(listener, 60 + 1 + 60 // 7)
        assert listener.times == list(range(60))
        assert listener.cuts == 60 // 7
    assert played.rows == 60


async def test_drop_cuts_one_of_two_at_a_time():
    async with stage("binance", faults="drop=5") as market:
        url = market.endpoints["binance"]["um"]
        async with Listener(url, SUBSCRIBE) as one, Listener(url, SUBSCRIBE) as other:
            await settled(one, 1)
            await settled(other, 1)
            await market.play(tape(50))
            await until(lambda: set(one.times) | set(other.times) == set(range(50)))
            await until(lambda: one.cuts + other.cuts == 10)
            assert one.cuts > 0
            assert other.cuts > 0


def batch_times(listener) -> list[int]:
    return [each["T"] - T0 for text in listener.texts if "data" in text for each in json.loads(text)["data"]]


async def test_drop_waits_until_every_topic_has_somebody_again():
    symbols = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    requests = [{"op": "subscribe", "args": [f"allLiquidation.{symbol}"]} for symbol in symbols]
    async with listening("drop=2", *requests, at=("bybit", "linear")) as (market, listener):
        await settled(listener, 3)
        played = await market.play(tape(30, "bybit", symbols, step=500), wait_for_listeners=False)
        await until(lambda: len(batch_times(listener)) >= 30)
        heard = batch_times(listener)
    assert (played.rows, played.unheard) == (30, 0)
    assert sorted(heard) == [500 * n for n in range(30)]


@pytest.mark.parametrize("lossy", [False, True])
async def test_lossy_drop_does_not_wait_for_the_return(lossy):
    faults = f"drop=3,lossy={'on' if lossy else 'off'}"
    async with stage("binance", faults=faults) as market, connect(market.endpoints["binance"]["um"]) as ws:
        await ws.send(json.dumps(SUBSCRIBE))
        await hear(ws)
        playing = asyncio.create_task(market.play(tape(9), wait_for_listeners=False))
        await asyncio.sleep(0.2)
        assert playing.done() is lossy
        if lossy:
            assert (playing.result().rows, playing.result().unheard) == (3, 6)
        playing.cancel()


# -- frames


async def test_garbage_comes_in_turn_after_the_real_frame():
    async with listening("garbage=2") as (market, listener):
        await market.play(tape(12))
        await settled(listener, 1 + 12 + 6)
        texts = listener.texts[1:]
    spoilt = texts[2::3]
    real = [text for number, text in enumerate(texts) if number % 3 != 2]
    assert [json.loads(text)["data"]["o"]["T"] - T0 for text in real] == list(range(12))
    noise, truncated, nested, nan, negative, future = spoilt
    for text in (noise, truncated):
        with pytest.raises(json.JSONDecodeError):
            json.loads(text)
    assert nested.count("[") > 10_000
    assert json.loads(nan)["data"]["o"]["ap"] == json.loads(nan)["data"]["o"]["z"] == "NaN"
    assert json.loads(negative)["data"]["o"]["z"].startswith("-")
    assert json.loads(future)["data"]["o"]["T"] > T0 + 9 * 365 * 86_400_000


@pytest.mark.parametrize("venue", ["bybit", "okx"])
async def test_garbage_speaks_the_words_of_its_venue(venue):
    key, request = {
        "bybit": ("linear", {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}),
        "okx": ("public", OKX),
    }[venue]
    async with listening("garbage=1", request, at=(venue, key)) as (market, listener):
        await market.play(tape(6, venue, step=500))
        await settled(listener, 1 + 12)
    prices = [text.count('"NaN"') for text in listener.texts[1:]]
    assert prices == [0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]


@pytest.mark.parametrize(("duplicate", "copies"), [("1", [2] * 6), ("3", [1, 1, 2, 1, 1, 2])])
async def test_duplicate_sends_every_so_many_frames_twice(duplicate, copies):
    async with listening(f"duplicate={duplicate}") as (market, listener):
        played = await market.play(tape(6))
        await settled(listener, 1 + sum(copies))
        assert [listener.times.count(n) for n in range(6)] == copies
        assert played.rows == 6


async def test_duplicate_as_a_probability_is_the_same_for_the_same_seed():
    heard = []
    for seed in (1, 1, 2):
        async with listening(f"duplicate=0.5,seed={seed}") as (market, listener):
            await market.play(tape(40))
            await market.inject("binance", "the end")
            await until(lambda: listener.texts[-1] == "the end")
            heard.append(listener.times)
    assert heard[0] == heard[1] != heard[2]
    assert 45 < len(heard[0]) < 75
    assert set(heard[0]) == set(range(40))


async def test_slow_holds_every_frame_back_on_the_clock():
    async with listening("slow=60", origin=T0, speed=600.0) as (market, listener):
        await settled(listener, 1)
        began = time.monotonic()
        await market.play(tape(3))
        assert 0.28 < time.monotonic() - began < 3
        await settled(listener, 4)


async def test_shuffle_puts_orders_of_a_second_out_of_order():
    async with stage("binance", "okx", faults="shuffle") as market:
        ends = market.endpoints
        async with Listener(ends["binance"]["um"], SUBSCRIBE) as one, Listener(ends["okx"]["public"], OKX) as other:
            await market.play(tape(20) + tape(20, "okx"))
            await settled(one, 21)
            await settled(other, 2)
            details = json.loads(other.texts[1])["data"][0]["details"]
            times = one.times
    assert times != sorted(times) == list(range(20))
    told = [int(detail["ts"]) - T0 for detail in details]
    assert told != sorted(told) == list(range(20))


# -- connections


async def test_accept_then_close_takes_new_connections_only():
    async with stage("binance") as market:
        url = market.endpoints["binance"]["um"]
        async with connect(url) as old:
            market.faults = Faults(accept_then_close=True)
            new = await connect(url)
            with pytest.raises(ConnectionClosed):
                await hear(new)
            await old.send(json.dumps(SUBSCRIBE))
            assert json.loads(await hear(old))["result"] is None
            market.faults = Faults()
            async with connect(url) as late:
                await late.send(json.dumps(SUBSCRIBE))
                assert json.loads(await hear(late))["result"] is None


async def test_refuse_speaks_the_words_of_each_venue():
    bybit = {"op": "subscribe", "args": ["allLiquidation.BTCUSDT"]}
    dials = (("binance", "um", SUBSCRIBE), ("bybit", "linear", bybit), ("okx", "public", OKX))
    answers = []
    async with stage("binance", "bybit", "okx", faults="refuse") as market:
        for venue, key, request in dials:
            async with connect(market.endpoints[venue][key]) as ws:
                await ws.send(json.dumps(request))
                answers.append(json.loads(await hear(ws)))
        playing = asyncio.create_task(market.play(tape(1)))
        async with Listener(market.endpoints["binance"]["um"], SUBSCRIBE) as listener:
            await settled(listener, 1)
            assert not playing.done()
            playing.cancel()
    assert answers[0] == {"code": 2, "msg": "Invalid request: too many parameters"}
    assert (answers[1]["success"], answers[1]["op"]) == (False, "subscribe")
    assert (answers[2]["event"], answers[2]["code"]) == ("error", "60018")


async def test_silence_keeps_the_socket_healthy_and_says_nothing():
    request = {"method": "SUBSCRIBE", "params": [ORDERS, "!markPrice@arr@1s"], "id": 1}
    async with stage("binance", faults="silence") as market, connect(market.endpoints["binance"]["um"]) as ws:
        await ws.send(json.dumps(request))
        assert json.loads(await hear(ws)) == {"result": None, "id": 1}
        played = await market.play(tape(3))
        await asyncio.wait_for(await ws.ping(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ws.recv(), 0.7)
        assert (played.rows, played.unheard) == (0, 3)
        market.faults = Faults()
        await market.play(tape(1))
        assert ORDERS in await hear(ws)
        assert "markPriceUpdate" in await hear(ws)


async def test_silence_lets_a_waiting_tape_go_on():
    async with stage("binance") as market:
        playing = asyncio.create_task(market.play(tape(2)))
        await asyncio.sleep(0.05)
        assert not playing.done()
        market.faults = Faults(silence=True)
        assert (await asyncio.wait_for(playing, 1)).unheard == 2


async def test_mute_pongs_leaves_pings_unanswered_while_data_flows():
    async with stage("okx", faults="mute_pongs") as market, connect(market.endpoints["okx"]["public"]) as ws:
        await ws.send("ping")
        pong = await ws.ping()
        await ws.send(json.dumps(OKX))
        assert json.loads(await hear(ws))["event"] == "subscribe"
        await market.play(tape(1, "okx"))
        assert "details" in await hear(ws)
        assert not pong.done()
        market.faults = Faults()
        await asyncio.wait_for(await ws.ping(), 1)
        await ws.send("ping")
        assert await hear(ws) == "pong"


async def test_faults_can_be_one_venues_own_and_any_text_injected():
    async with stage("binance", "okx") as market:
        market.servers["okx"].faults = Faults(refuse=True)
        async with connect(market.endpoints["okx"]["public"]) as ws:
            await ws.send(json.dumps(OKX))
            assert json.loads(await hear(ws))["event"] == "error"
            await market.inject("okx", "{broken")
            assert await hear(ws) == "{broken"
        async with connect(market.endpoints["binance"]["um"]) as ws:
            await ws.send(json.dumps(SUBSCRIBE))
            assert json.loads(await hear(ws))["result"] is None
