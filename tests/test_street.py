"""The whole street over real sockets: venue servers, feeds, embedded store, judge, HTTP door, as separate processes."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import redis.asyncio

from service import tape
from service.demo.rehearsal import TAG
from service.ledger import wire
from service.ledger.embedded import EmbeddedServer
from service.ledger.keys import Keys
from service.model import HOUR, Liquidation, Side, to_units, to_usd
from service.simulator import scenario
from tests.shared import recorded

ROOT = Path(__file__).resolve().parents[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def cascade(*arguments: str, home: Path, port: int = 0):
    """A command in its own process and directory; what it prints is in `home / "out"`."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    environment |= {"PYTHONPATH": str(ROOT), "CASCADE_API__PORT": str(port)}
    log = home / f"{arguments[0]}-{time.monotonic_ns()}.log"
    with log.open("w") as err, (home / "out").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", *arguments], cwd=home, env=environment, stdout=out, stderr=err
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(20)
            print(f"--- {' '.join(arguments)} -> {process.returncode}\n{log.read_text()[-3000:]}")


def ask(url: str, seconds: float, condition) -> dict:
    deadline, last = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            answer = httpx.get(url, timeout=5)
            last = answer.json()
            if answer.is_success and condition(last):
                return last
        time.sleep(0.1)
    raise AssertionError(f"{url} did not get there within {seconds} s; last answer: {last}")


def until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 s"
        time.sleep(0.05)


def test_recorded_orders_played_over_sockets_with_faults_arrive_once_each(tmp_path):
    path = recorded("data/binance_force_orders_raw/force_orders.csv.gz")
    rows = tape.read([path])
    exact = {side: to_usd(sum(to_units(row.usd) for row in rows if row.side is side)) for side in Side}
    port, settings = free_port(), tmp_path / "rehearsal.toml"
    play = ["simulate", "binance", "--tape", str(path), "--relabel", "--max-gap", "10", "--speed", "1800"]
    with cascade(*play, "--faults", "drop=150,duplicate=0.1", "--settings", str(settings), home=tmp_path):
        until(settings.exists)
        with cascade("run", "--config", str(settings), home=tmp_path, port=port):
            window = ask(
                f"http://127.0.0.1:{port}/windows?asset=ALL&span=24h",
                45,
                lambda seen: seen["long_count"] + seen["short_count"] >= len(rows),
            )
            metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text

    assert window["long_count"] + window["short_count"] == len(rows)
    assert window["long_usd"] == exact[Side.LONG]
    assert window["short_usd"] == exact[Side.SHORT]
    assert window["simulated"] is True
    assert window["at_least"] is True
    duplicates = [line for line in metrics.splitlines() if line.startswith("cascade_duplicates_total")]
    assert float(duplicates[0].split()[1]) > 150  # one order in ten was sent twice
    dials = [float(line.split()[1]) for line in metrics.splitlines() if line.startswith("cascade_dials_total{")]
    assert sum(dials) > 4


async def orders_left_in(home: Path) -> list[Liquidation]:
    """Every order the store has counted, straight from the stream the demo left behind."""
    async with EmbeddedServer(home) as server:
        client = redis.asyncio.Redis.from_url(server.url)
        try:
            entries = await client.xrange(Keys(TAG).orders)
        finally:
            await client.aclose()
    return [order for _, fields in entries for blob in fields.values() for order in wire.unpack(blob)]


def test_a_demo_killed_in_the_middle_goes_on_to_the_same_sums_and_repeats_no_alert(tmp_path):
    port = free_port()
    command = ["demo", "--once", "--keep", "--speed", "600"]
    with cascade(*command, home=tmp_path, port=port) as first:
        ask(f"http://127.0.0.1:{port}/alerts?asset=ALL", 30, lambda seen: len(seen["alerts"]) >= 2)
        first.send_signal(signal.SIGKILL)
        first.wait(5)
    with cascade(*command, home=tmp_path, port=port) as second:
        second.wait(55)

    assert second.returncode == 0
    alerts = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    ids = [alert["id"] for alert in alerts]
    whole = [alert["phase"] for alert in alerts if alert["asset"] == "ALL"]
    assert len(ids) == len(set(ids))
    assert whole[0] == "opened"
    assert whole[-1] == "closed"
    assert whole.count("opened") == whole.count("closed") == 1
    assert all(alert["simulated"] and alert["why"]["en"].startswith("SIMULATION.") for alert in alerts)
    ten = scenario.START // HOUR * HOUR + HOUR
    counted = [
        order for order in asyncio.run(orders_left_in(tmp_path / "data" / "demo")) if ten <= order.at < ten + HOUR
    ]
    sums = {side: sum(to_units(order.usd) for order in counted if order.side is side) for side in Side}
    assert sums == {Side.LONG: to_units(39e6), Side.SHORT: to_units(419e6)}
    assert len({order.id for order in counted}) == len(counted)
