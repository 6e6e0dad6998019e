"""A second opinion: asked with the key in one header and nowhere else, over real HTTP; and all the ways to be refused."""

import asyncio
import contextlib
import json
import time
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from service import metrics
from service.clock import ScaledClock
from service.model import MINUTE, SECOND, SecondOpinion, Side
from service.reconcile.opinion import EVERY_S, PATH, REFUSED_S, STALE_MS, Opinion
from service.settings import SettingsError, load, public, toml_text
from service.simulator import Market
from service.tape import Row
from service.venues.base import ContractStats
from service.venues.okx import Okx
from tests.orders import T0, order
from tests.stage import NOW, Stage, inside
from tests.test_reconcile import Stepped
from tests.test_watch import running, until

KEY = "k3y-0f-s0mebody"
#: The answer of the interface's page, https://docs.coinglass.com/reference/liquidation-exchange-list.
DOCUMENTED = {
    "code": "0",
    "msg": "success",
    "data": [
        {
            "exchange": "All",
            "liquidation_usd": 14673519.81739075,
            "long_liquidation_usd": 451394.17404598,
            "short_liquidation_usd": 14222125.64334477,
        },
        {
            "exchange": "Bybit",
            "liquidation_usd": 4585290.13404,
            "long_liquidation_usd": 104560.13885,
            "short_liquidation_usd": 4480729.99519,
        },
    ],
}


class House:
    """The aggregator on a loopback port: one answer for everybody; requests are kept as they came."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.status, self.headers, self.body = 200, "", json.dumps(DOCUMENTED)
        self.url = ""

    def say(self, body: object, status: int = 200, headers: str = "") -> None:
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, str) else json.dumps(body)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = self.body.encode()
        head = f"HTTP/1.1 {self.status} X\r\n{self.headers}content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


class Asking:
    """An opinion that is asked for on a clock moved by hand."""

    def __init__(self, house: House, opinion: Opinion, clock: Stepped) -> None:
        self.house, self.opinion, self.clock = house, opinion, clock

    async def asked(self, times: int) -> None:
        """Until so many questions have been answered and the asker rests again."""
        for _ in range(2_000):
            if len(self.house.heads) >= times and self.clock.rests:
                return
            await asyncio.sleep(0.002)
        raise AssertionError(f"{len(self.house.heads)} questions, {self.clock.slept}")

    def after(self, seconds: float) -> None:
        self.clock.until += round(seconds * SECOND)
        self.clock.rests = False
        self.clock.moved.set()


@asynccontextmanager
async def asking(house: House, ours: Callable[[], float | None] = lambda: 7_336_759.9) -> AsyncIterator[Asking]:
    server = await asyncio.start_server(house.serve, "127.0.0.1", 0)
    house.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    clock = Stepped(T0)
    async with httpx.AsyncClient(trust_env=False) as client:
        opinion = Opinion(house.url, KEY, clock, client, ours)
        task = asyncio.create_task(opinion.run())
        try:
            yield Asking(house, opinion, clock)
        finally:
            task.cancel()
            await asyncio.wait((task,))
            server.close()
            await server.wait_closed()
    assert task.cancelled()


def sample(side: str) -> float | None:
    return metrics.REGISTRY.get_sample_value("cascade_second_opinion_usd", {"side": side})


async def test_the_hour_of_all_venues_is_read_and_held_against_ours() -> None:
    async with asking(House()) as desk:
        await desk.asked(1)

        assert desk.opinion.latest() == SecondOpinion(
            source="coinglass", long_usd=451394.17404598, short_usd=14222125.64334477, at=T0, ratio=0.5
        )
        assert (sample("long"), sample("short")) == (451394.17404598, 14222125.64334477)
        [head] = desk.house.heads
        assert head.startswith(f"GET {PATH} HTTP/1.1\r\n")
        assert f"cg-api-key: {KEY}" in head.lower()
        assert head.count(KEY) == 1


async def test_it_is_asked_every_five_minutes() -> None:
    async with asking(House()) as desk:
        await desk.asked(1)
        desk.after(EVERY_S - 1)
        await asyncio.sleep(0.05)
        assert len(desk.house.heads) == 1
        desk.after(1)
        await desk.asked(2)

        assert desk.opinion.latest().at == T0 + EVERY_S * SECOND


@pytest.mark.parametrize("ours", [None, 0.0])
async def test_what_we_do_not_know_has_no_ratio(ours: float | None) -> None:
    async with asking(House(), lambda: ours) as desk:
        await desk.asked(1)
        assert desk.opinion.latest().ratio == ours


async def test_an_hour_without_liquidations_has_no_ratio() -> None:
    house = House()
    house.say({"code": 0, "data": [{"exchange": "All", "long_liquidation_usd": "0", "short_liquidation_usd": 0}]})
    async with asking(house) as desk:
        await desk.asked(1)
        assert (desk.opinion.latest().long_usd, desk.opinion.latest().ratio) == (0, None)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"code": "401", "msg": f"no such key {KEY}"}, 401, "it answered 401"),
        ({"code": "401", "msg": f"Upgrade plan for {KEY}"}, 200, "it answered 401: 'Upgrade plan for ***'"),
        ({"code": 403, "msg": "interval"}, 200, "it answered 403: 'interval'"),
    ],
)
async def test_a_key_that_is_refused_is_said_once_and_tried_again_after_an_hour(
    body: object, status: int, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = House()
    house.say(body, status)
    async with asking(house) as desk:
        await desk.asked(1)
        desk.after(REFUSED_S - 1)
        await asyncio.sleep(0.1)
        assert len(desk.house.heads) == 1
        desk.after(1)
        await desk.asked(2)

        assert desk.opinion.latest() is None
    assert sample("long") is None
    [record] = [record for record in caplog.records if record.name == "cascade.opinion"]
    assert words in record.getMessage()
    assert KEY not in caplog.text


@pytest.mark.parametrize(("wish", "seconds"), [("1200", 1200), ("7", EVERY_S), ("soon", EVERY_S)])
async def test_the_wish_to_be_left_alone_is_honoured(wish: str, seconds: float) -> None:
    house = House()
    house.say({"code": "429", "msg": "too many"}, 429, f"Retry-After: {wish}\r\n")
    async with asking(house) as desk:
        await desk.asked(1)
        house.say(DOCUMENTED)
        desk.after(seconds - 1)
        await asyncio.sleep(0.1)
        assert len(desk.house.heads) == 1
        desk.after(1)
        await desk.asked(2)
        assert desk.opinion.latest() is not None


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        "",
        {"code": "0", "data": {}},
        {"code": "0", "data": None},
        {"code": "0"},
        {"code": "0", "data": [{"exchange": "Bybit", "long_liquidation_usd": 1, "short_liquidation_usd": 2}]},
        {"code": "0", "data": [{"exchange": "All", "long_liquidation_usd": "many", "short_liquidation_usd": 2}]},
        {"code": "0", "data": [{"exchange": "All", "long_liquidation_usd": -1, "short_liquidation_usd": 2}]},
        {"code": "0", "data": [{"exchange": "All", "long_liquidation_usd": "nan", "short_liquidation_usd": 2}]},
        {"code": "0", "data": [{"exchange": "All", "longVolUsd": 1, "shortVolUsd": 2}]},
    ],
    ids=str,
)
async def test_another_shape_is_no_opinion_and_the_next_question_comes_as_usual(
    body: object, caplog: pytest.LogCaptureFixture
) -> None:
    house = House()
    house.say(body)
    async with asking(house) as desk:
        await desk.asked(1)
        assert desk.opinion.latest() is None
        house.say(DOCUMENTED)
        desk.after(EVERY_S)
        await desk.asked(2)
        assert desk.opinion.latest() is not None
    assert "no second opinion from http://127.0.0.1" in caplog.text


async def test_a_redirect_does_not_get_the_key() -> None:
    house = House()
    house.say("", 302, "Location: http://127.0.0.1:9/\r\n")
    async with asking(house) as desk:
        await desk.asked(1)
        assert desk.opinion.latest() is None
        assert len(desk.house.heads) == 1


async def test_a_dead_line_names_no_key(caplog: pytest.LogCaptureFixture) -> None:
    clock = Stepped(T0)
    async with httpx.AsyncClient(trust_env=False) as client:
        task = asyncio.create_task(Opinion("http://127.0.0.1:9", KEY, clock, client, lambda: None).run())
        for _ in range(500):
            await asyncio.sleep(0.01)
            if clock.rests:
                break
        task.cancel()
        await asyncio.wait((task,))

    assert "did not answer: ConnectError" in caplog.text
    assert KEY not in caplog.text


async def test_an_old_opinion_is_none_on_the_last_hour() -> None:
    house = House()
    async with asking(house) as desk:
        await desk.asked(1)
        house.say("down", 500)
        desk.after(STALE_MS / SECOND)
        await desk.asked(4)
        assert desk.opinion.latest() is not None, "fifteen minutes it stands"
        desk.after(EVERY_S)
        await desk.asked(5)
        assert desk.opinion.latest() is None
        assert sample("long") is None


def test_a_key_is_shown_nowhere(tmp_path: Path) -> None:
    settings = load(None, {"CASCADE_SECOND_OPINION__COINGLASS_KEY": KEY})

    assert settings.second_opinion.coinglass_key.get_secret_value() == KEY
    assert public(settings)["second_opinion"] == {
        "coinglass_key": "***",
        "coinglass_url": "https://open-api-v4.coinglass.com",
    }
    assert KEY not in repr(settings) + json.dumps(public(settings)) + toml_text(settings)
    assert tomllib.loads(toml_text(settings))["second_opinion"]["coinglass_key"] == "***"
    assert public(load(None, {}))["second_opinion"]["coinglass_key"] == ""
    masked = load(None, {"CASCADE_SECOND_OPINION__COINGLASS_URL": f"https://me:{KEY}@h/"})
    assert public(masked)["second_opinion"]["coinglass_url"] == "https://***@h"
    with pytest.raises(SettingsError) as refusal:
        load(None, {"CASCADE_SECOND_OPINION__COINGLASS_KEY": f"{KEY} x"})
    assert KEY not in str(refusal.value)


async def test_the_door_shows_it_with_all_coins_and_the_hour_only() -> None:
    stage = Stage()
    stage.opinion = SecondOpinion(source="coinglass", long_usd=1.0, short_usd=3.0, at=NOW - MINUTE, ratio=0.5)
    await stage.ledger.add([order(8.0, NOW - MINUTE)], NOW)
    async with inside(stage) as client:
        every = (await client.get("/windows?span=all")).json()["spans"]
        bitcoin = (await client.get("/windows?asset=BTC")).json()

    shown = {"source": "coinglass", "long_usd": 1.0, "short_usd": 3.0, "at": NOW - MINUTE, "ratio": 0.5}
    assert every["1h"]["second_opinion"] == shown
    assert [span for span, window in every.items() if window["second_opinion"]] == ["1h"]
    assert bitcoin["second_opinion"] is None


class Stats(ContractStats):
    """Sums a minute long, told by a host of the test's own."""

    interval_s = 60
    delay_s = 30.0

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, endpoints: Mapping[str, str], symbol: str, since: int) -> str:
        del endpoints
        return super().ask({"rest": self.url}, symbol, since)


async def sums(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """For whatever minute is asked for, 2,000 dollars of longs."""
    path = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
    since = int(path.partition("from=")[2].partition("&")[0])
    rows = [{"time": since + n * 60, "long_liq_usd": 2_000, "short_liq_usd": 0} for n in range(2)]
    body = json.dumps(rows)
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_the_service_shows_both_comparisons_and_stops_in_order(tmp_path: Path, monkeypatch: Any) -> None:
    house, clock = House(), ScaledClock(T0, 60.0)
    async with contextlib.AsyncExitStack() as stack:
        servers = [await asyncio.start_server(serve, "127.0.0.1", 0) for serve in (house.serve, sums)]
        urls = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers]
        monkeypatch.setattr(Okx, "tallies", Stats(urls[1]))
        market = await stack.enter_async_context(Market(["okx"], clock, symbols={"okx": ["BTC-USDT-SWAP"]}))
        opinion = ["[second_opinion]", f'coinglass_key = "{KEY}"', f'coinglass_url = "{urls[0]}"']
        client = await stack.enter_async_context(
            inside(await stack.enter_async_context(running(tmp_path, market, clock, *opinion)))
        )
        await until(client, {"okx": "live"}, 15)
        rows = [
            Row(at=clock.now() + n * 15_000, venue="okx", symbol="BTC-USDT-SWAP", side=Side.LONG, usd=250.0 + n / 100)
            for n in range(16)
        ]
        await market.play(rows)
        deadline = time.monotonic() + 15
        while (found := (await client.get("/venues")).json()["venues"][0]["reconciled"]) is None:
            assert time.monotonic() < deadline, "nothing was compared within 15 s"
            await asyncio.sleep(0.1)

        assert found["theirs_usd"] >= 2_000
        assert 0 < found["ratio"] < 1
        assert found["ratio"] == pytest.approx(found["ours_usd"] / found["theirs_usd"], abs=1e-3)
        window, config = (await client.get("/windows")).json(), (await client.get("/config")).text
        assert window["second_opinion"]["source"] == "coinglass"
        assert window["second_opinion"]["long_usd"] == 451394.17404598
        assert json.loads(config)["second_opinion"]["coinglass_key"] == "***"
        assert KEY not in config + (await client.get("/metrics")).text + json.dumps(window)
    for server in servers:
        server.close()
        await server.wait_closed()
