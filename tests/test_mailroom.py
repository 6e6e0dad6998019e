"""The whole service with its bot, in this process: a person taps, an alert comes, the person leaves and nothing is left."""

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client import generate_latest

from service import metrics
from service.app import App, StartError
from service.clock import WallClock
from service.ledger.memory import MemoryLedger
from service.mailroom.pictures import Pictures
from service.masking import Scrubber, secrets_of
from service.model import ALL, MINUTE, Phase, Severity
from service.settings import load
from service.simulator.botapi import BotServer, User
from tests.orders import order
from tests.postman import TOKEN
from tests.test_outbox import everything
from tests.test_text import OPENED

ROOT = Path(__file__).resolve().parent.parent
ANN, MEI, GROUP = 4_242_001, 4_242_002, -4_242_003


class House:
    """A running service, the people around it, and what a test does."""

    def __init__(self, app: App, ledger, server: BotServer) -> None:
        self.app, self.ledger, self.server = app, ledger, server

    async def until(self, met, patience_s: float = 10.0) -> None:
        async with asyncio.timeout(patience_s):
            while not met():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def texts(self, chat: int) -> list[str]:
        return [message.words for message in self.server.chat(chat).messages]

    async def hears(self, chat: int, word: str) -> str:
        """The newest message of a chat once it holds a word."""
        await self.until(lambda: any(word in text for text in self.texts(chat)[-2:]))
        return next(text for text in reversed(self.texts(chat)) if word in text)

    async def publish(self, *alerts) -> None:
        server = self.ledger.server
        while not (token := await server.ask("GET", server.keys.token)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await self.ledger.commit(int(token), {}, alerts)


def settings_of(folder: Path, api_url: str):
    file = folder / "cascade.toml"
    lines = [
        "[api]",
        "port = 0",
        "[service]",
        f"data_dir = {json.dumps(str(folder))}",
        "[venues]",
        'enabled = ["bybit"]',
        "[context]",
        "enabled = false",
    ]
    lines += [
        "[venues.bybit.endpoints]",
        'linear = "ws://127.0.0.1:9"',
        'inverse = "ws://127.0.0.1:9"',
        'rest = "http://127.0.0.1:9"',
    ]
    lines += [
        "[sinks]",
        'board_url = "https://board.example/d/cascade"',
        "[sinks.telegram]",
        f"api_url = {json.dumps(api_url)}",
    ]
    lines += [f"owners = [{ANN}]"]
    file.write_text("\n".join(lines))
    return load(file, {"CASCADE_SINKS__TELEGRAM__TOKEN": TOKEN})


@contextlib.asynccontextmanager
async def running(folder: Path, ledger):
    stop = asyncio.Event()
    async with BotServer(TOKEN) as server, httpx.AsyncClient(trust_env=False) as client:
        app = App(settings_of(folder, server.url.removesuffix("/bot")), ledger, WallClock(), client)
        task = asyncio.create_task(app.run(stop))
        try:
            yield House(app, ledger, server)
        finally:
            stop.set()
            await asyncio.wait_for(task, 5)


def critical(name: str, phase: Phase = Phase.OPENED):
    return msgspec.structs.replace(
        OPENED,
        id=name,
        episode="live",
        asset=ALL,
        phase=phase,
        severity=Severity.CRITICAL,
        at=round(time.time() * 1_000),
    )


async def test_three_taps_from_start_to_a_test_an_alert_comes_and_a_stop_leaves_no_trace(tmp_path, redis_ledger):
    async with running(tmp_path, redis_ledger) as house:
        ann = house.server.private(ANN, language="en", started=False)
        house.server.say(ANN, "/start")  # the first tap: Telegram's own START button says this
        await house.hears(ANN, "Which market?")
        house.server.tap(ANN, "Whole market")
        await house.hears(ANN, "I will tell you about")
        house.server.tap(ANN, "Send a test")
        await house.hears(ANN, "TEST")

        await house.publish(critical("live.1"))
        await house.until(lambda: any(one.photo for one in ann.messages))
        told = next(one for one in ann.messages if one.text.startswith("●"))
        assert "https://board.example/d/cascade" in told.html
        assert str(ANN) in await everything(redis_ledger)

        house.server.say(ANN, "/stop")
        await house.hears(ANN, "delete")
        house.server.tap(ANN, next(label for label in ann.messages[-1].labels if "elete" in label))
        await house.hears(ANN, "eleted")
        assert str(ANN) not in await everything(redis_ledger)
        heard = len(ann.messages)
        await house.publish(critical("live.2", Phase.CLOSED))
        await asyncio.sleep(1.5)

    assert len(ann.messages) == heard
    assert str(ANN) not in await everything(redis_ledger)


async def test_a_person_who_speaks_chinese_is_spoken_to_in_chinese_and_a_group_listens_to_its_admins_only(
    tmp_path, redis_ledger
):
    async with running(tmp_path, redis_ledger) as house:
        house.server.private(MEI, language="zh-hans", started=False)
        house.server.say(MEI, "/start btc-30m")
        page = await house.hears(MEI, "BTC")
        assert "3,000万美元" in page

        house.server.group(GROUP, title="traders <b>")
        bob, boss = User(id=7, name="Bob"), User(id=8, name="Boss")
        house.server.join(GROUP, bob)
        house.server.say(GROUP, "/subscribe ETH 20M", user=bob.id)
        await house.hears(GROUP, "admin")
        await asyncio.sleep(1.1)
        house.server.join(GROUP, boss, status="administrator")
        house.server.say(GROUP, "/subscribe ETH 20M", user=boss.id)
        await house.hears(GROUP, "ETH")
        assert house.server.counts.violations == []
        assert house.server.counts.requests["setMyCommands"] == 3


async def test_the_token_is_in_no_log_no_answer_and_no_metric(tmp_path, redis_ledger, caplog):
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Kept(logging.DEBUG)
    root, level = logging.getLogger(), logging.getLogger().level
    settings = settings_of(tmp_path, "http://127.0.0.1:9")
    handler.setFormatter(Scrubber(logging.Formatter("%(name)s %(message)s"), secrets_of(settings)))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        async with running(tmp_path, redis_ledger) as house:
            house.server.private(ANN, language="en", started=False)
            house.server.say(ANN, "/start")
            await house.hears(ANN, "Which market?")
            house.server.token = "654321:" + "B" * 35
            house.server.say(ANN, "/help")  # ends the long poll; the next one is turned away
            await house.until(lambda: any("telegram tells nothing" in line for line in lines), 40)
            config, sinks = house.app.config, await house.app.sinks()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    assert any("httpx" in line and "/bot***" in line for line in lines), "the library does log the address"
    assert not any(TOKEN in line or TOKEN.partition(":")[2] in line for line in lines)
    assert TOKEN not in json.dumps(config)
    assert TOKEN not in msgspec.json.encode(list(sinks)).decode()
    assert TOKEN not in generate_latest(metrics.REGISTRY).decode()


async def test_a_picture_is_drawn_beside_the_loop_from_what_the_ledger_holds(redis_ledger, monkeypatch):
    seen = []

    def draw(picture):
        seen.append((picture, threading.current_thread()))
        return b"png"

    monkeypatch.setattr("service.mailroom.pictures.chart", draw)
    await redis_ledger.add([order(5e6, OPENED.at - MINUTE)], OPENED.at)
    assert await Pictures(redis_ledger, ["binance", "bybit", "okx"]).draw(OPENED) == b"png"

    ((picture, thread),) = seen
    assert thread is not threading.main_thread()
    assert sum(long + short for _, long, short in picture.minutes) == 5e6
    assert [price for _, price in picture.prices if price is not None] == [95_000.0]


async def test_a_store_that_forgets_is_refused_with_what_to_do(tmp_path):
    async with httpx.AsyncClient() as client:
        with pytest.raises(StartError, match=r"needs a store that keeps .* REDIS_URL"):
            App(settings_of(tmp_path, "http://127.0.0.1:9"), MemoryLedger(), WallClock(), client)


async def test_a_missing_extra_is_named_with_its_remedy(tmp_path, redis_ledger, monkeypatch):
    monkeypatch.setattr("service.mailroom.telegram.find_spec", lambda _name: None)
    async with httpx.AsyncClient() as client:
        with pytest.raises(StartError, match="extra `telegram` is not installed: make run EXTRA=telegram"):
            App(settings_of(tmp_path, "http://127.0.0.1:9"), redis_ledger, WallClock(), client)


def test_whoever_has_no_bot_loads_neither_its_library_nor_the_drawing():
    code = "import sys, service.app, service.cli; print([name for name in ('telegram', 'matplotlib', 'numpy') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=dict(os.environ), check=True
    )

    assert done.stdout.strip() == "[]"
