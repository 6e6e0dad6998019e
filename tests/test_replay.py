"""Replays: the same detector over recordings, exact and repeatable."""

import asyncio
import gzip
import json
import subprocess
import sys
from decimal import Decimal

import pytest

from service import tape
from service.detector import Rules
from service.ledger.memory import MemoryLedger
from service.model import HOUR, Alert, Side
from service.replay import Replay, Summary
from service.tape import Row
from tests.shared import recorded


async def judged(*paths, rules: Rules | None = None) -> tuple[Summary, list[Alert]]:
    alerts: list[Alert] = []
    rows = tape.read(paths)
    summary = await Replay(rows, MemoryLedger(), rules or Rules(), alerts.append).run(asyncio.Event(), lambda _: None)
    return summary, alerts


def cascade(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        **options,
    )


def written(tmp_path, *rows: tuple[int, str, str, float]):
    file = tmp_path / "tape.csv"
    lines = [f"{at},bybit,{symbol},{side},,,{usd}" for at, symbol, side, usd in rows]
    file.write_text("\n".join(["ts_ms,venue,symbol,side,price,qty,notional_usd", *lines]))
    return file


async def test_an_hour_spread_over_orders_opens_when_it_is_crossed_and_closes_after_it_emptied(tmp_path):
    start = 1_768_341_600_000
    rows = [(start + minute * 60_000, "BTCUSDT", "short", 4e6) for minute in range(30)]
    rows += [(start + 4 * HOUR, "ETHUSDT", "long", 1.0)]

    summary, alerts = await judged(written(tmp_path, *rows))

    assert summary.short_usd == 120e6
    heard = [(alert.asset, alert.phase.value, (alert.at - start) // 60_000) for alert in alerts]
    assert heard[0] == ("BTC", "opened", 7)
    assert ("ALL", "opened", 24) in heard
    closed = {asset: minute for asset, phase, minute in heard if phase == "closed"}
    assert closed["BTC"] == pytest.approx(60 + 27 + 5, abs=1)
    assert closed["ALL"] == pytest.approx(60 + 18 + 5, abs=1)


async def test_a_replay_is_exact_twice(tmp_path):
    start = 1_768_341_600_000
    file = written(tmp_path, *((start + number * 7_000, "BTCUSDT", "long", 1e6 + number) for number in range(300)))

    assert await judged(file) == await judged(file)


async def test_files_that_overlap_count_each_row_once(tmp_path):
    file = written(tmp_path, (1_768_341_600_000, "BTCUSDT", "short", 5.5))

    summary, _ = await judged(file, file)

    assert (summary.rows, summary.duplicates, summary.short_usd) == (2, 1, 5.5)


async def test_an_episode_still_open_at_the_last_row_stays_open(tmp_path):
    _, alerts = await judged(written(tmp_path, (1_768_341_600_000, "BTCUSDT", "short", 200e6)))

    assert {alert.phase.value for alert in alerts} == {"opened"}


def test_the_recorded_squeeze_of_2026_01_13_is_found_by_the_command():
    path = recorded("data/coinglass_btc_liq/btc_liq_1h.csv.gz")

    answer = cascade("replay", str(path), "--json")

    assert answer.returncode == 0, answer.stderr
    alerts = [json.loads(line) for line in answer.stdout.splitlines()]
    [squeeze] = [alert for alert in alerts if alert["at"] == 1_768_341_600_000 + HOUR - 1 and alert["asset"] == "BTC"]
    assert (squeeze["kind"], squeeze["phase"], squeeze["severity"]) == ("short_squeeze", "opened", "critical")
    assert squeeze["short_usd"] == pytest.approx(109.0e6, abs=0.05e6)
    assert squeeze["long_usd"] + squeeze["short_usd"] == pytest.approx(118.9e6, abs=0.05e6)
    assert squeeze["largest"] is None
    assert squeeze["share"] == pytest.approx(0.917, abs=0.001)
    [whole] = [alert for alert in alerts if alert["at"] == squeeze["at"] and alert["asset"] == "ALL"]
    assert whole["episode"].startswith("ALL-short_squeeze-")


@pytest.mark.parametrize("name", ["binance_bursts_2023_01/bursts.csv.gz", "whalebot_ge50k_2025_09/liq_ge_50k.csv.gz"])
async def test_a_recording_runs_through_and_its_totals_equal_an_independent_sum_to_the_cent(name):
    path = recorded(f"data/{name}")
    text = gzip.decompress(path.read_bytes()).decode().splitlines()
    header = text[0].split(",")
    side, usd = header.index("side"), header.index("notional_usd")
    exact = {
        word: sum(Decimal(row.split(",")[usd]) for row in text[1:] if row.split(",")[side] == word)
        for word in ("long", "short")
    }

    summary, _ = await judged(path)

    assert summary.rows == len(text) - 1
    assert summary.duplicates == 0
    assert round(Decimal(repr(summary.long_usd)), 2) == round(exact["long"], 2)
    assert round(Decimal(repr(summary.short_usd)), 2) == round(exact["short"], 2)


def test_without_json_the_command_speaks_in_sentences(tmp_path):
    answer = cascade("replay", str(written(tmp_path, (1_768_341_600_000, "BTCUSDT", "short", 200e6))))

    whole, btc = answer.stdout.splitlines()
    assert whole.startswith(
        "2026-01-13 22:00 UTC  opened warning  22:00 UTC major short squeeze, all coins recorded: the hour crossed $100M, at least $200.0M "
    )
    assert btc.startswith(
        "2026-01-13 22:00 UTC  opened critical 22:00 UTC short squeeze, BTC, part of the ALL episode: the hour crossed $30M, at least $200.0M "
    )
    assert '"short_usd":200000000.0' in answer.stderr


@pytest.mark.parametrize(("hours", "kept"), [(2, False), (48, True), (2400, True)])
async def test_a_hole_between_recordings_teaches_no_quiet_and_a_pause_inside_one_does(hours, kept):
    def orders(since: int, count: int) -> list[Row]:
        sides = (Side.LONG, Side.SHORT)
        return [
            Row(at=since + number * 20_000, venue="bybit", symbol="BTCUSDT", side=sides[number % 2], usd=1e4 + number)
            for number in range(count)
        ]

    first = orders(1_768_341_600_000, 1080)
    rows = [*first, *orders(first[-1].at + hours * HOUR, 30)]
    replay = Replay(rows, MemoryLedger(), Rules(), lambda _: None)
    await replay.run(asyncio.Event(), lambda _: None)

    usual = replay._judge.markets.gauges["ALL"].scale.usual
    assert (usual == pytest.approx(1 / 20, rel=0.02)) is kept
