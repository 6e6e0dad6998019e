"""The long commands against local venue servers: they show progress, they end when asked, they answer when asked."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.test_cli import _environment
from tests.test_street import ask, cascade, free_port, until


def tape_of(path: Path, rows: int) -> Path:
    lines = [f"{1_768_341_600_000 + 7 * number},bybit,BTCUSDT,short,,,5.5" for number in range(rows)]
    path.write_text("\n".join(["ts_ms,venue,symbol,side,price,qty,notional_usd", *lines]))
    return path


def ends_within_two_seconds(process: subprocess.Popen) -> None:
    asked = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(10)
    assert time.monotonic() - asked < 2


def test_run_record_and_status_against_local_venues(tmp_path):
    settings, port, frames = tmp_path / "rehearsal.toml", free_port(), tmp_path / "frames.jsonl"
    with cascade("simulate", "okx", "binance", "--settings", str(settings), home=tmp_path):
        until(settings.exists)
        with cascade("run", "--config", str(settings), home=tmp_path, port=port) as service:
            ask(f"http://127.0.0.1:{port}/readyz", 15, lambda seen: seen["ready"])
            status = [sys.executable, "-m", "service", "status", "--url", f"http://127.0.0.1:{port}"]
            answer = subprocess.run(status, capture_output=True, text=True, env=_environment(), timeout=20, check=False)
            ends_within_two_seconds(service)
        with cascade("record", "okx", "--config", str(settings), "--out", str(frames), home=tmp_path) as recorder:
            until(lambda: frames.exists() and frames.stat().st_size > 500)
            ends_within_two_seconds(recorder)
            assert recorder.returncode == 0

    assert answer.returncode == 0, answer.stderr
    assert [line.split()[:2] for line in answer.stdout.splitlines()] == [
        ["okx", "live"],
        ["binance", "live"],
        ["ready"],
    ]
    lines = [json.loads(line) for line in frames.read_text().splitlines()]
    assert all(set(line) == {"seen", "socket", "frame"} for line in lines)
    assert any('"event":"subscribe"' in line["frame"].replace(" ", "") for line in lines)


def test_the_demo_ends_within_two_seconds_and_leaves_no_data(tmp_path):
    port = free_port()
    with cascade("demo", home=tmp_path, port=port) as demo:
        ask(f"http://127.0.0.1:{port}/readyz", 25, lambda seen: seen["ready"])
        assert (tmp_path / "data" / "demo").is_dir()
        ends_within_two_seconds(demo)

    assert demo.returncode == 0
    assert not (tmp_path / "data" / "demo").exists()


def test_a_second_demo_in_the_same_place_is_refused_and_harms_nothing(tmp_path):
    port = free_port()
    with cascade("demo", home=tmp_path, port=port):
        ask(f"http://127.0.0.1:{port}/readyz", 25, lambda seen: seen["ready"])
        second = subprocess.run(
            [sys.executable, "-m", "service", "demo", "--fresh"],
            cwd=tmp_path,
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        ask(f"http://127.0.0.1:{port}/windows", 5, lambda seen: seen["total_usd"] > 0)

    assert second.returncode == 2
    assert "in use by process" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("when", [0.4, 2.5])
def test_a_replay_of_much_data_ends_when_asked(tmp_path, when):
    tape = tape_of(tmp_path / "big.csv", 400_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "replay", str(tape)],
        cwd=tmp_path,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(when + 0.6)

    ends_within_two_seconds(process)

    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.returncode in (2, 130)


def test_decode_that_waits_for_frames_ends_at_the_first_interrupt(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "decode", "okx"],
        cwd=tmp_path,
        env=_environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(1.5)

    ends_within_two_seconds(process)

    assert "Traceback" not in process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert process.returncode == 130


def test_a_store_that_never_answers_does_not_hold_the_command(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        environment = _environment() | {
            "REDIS_URL": f"redis://127.0.0.1:{deaf.getsockname()[1]}/0",
            "CASCADE_API__PORT": "0",
            "CASCADE_CONTEXT__ENABLED": "false",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "run"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
        )
        time.sleep(1.2)
        ends_within_two_seconds(process)


def test_progress_is_shown_on_a_terminal_and_nowhere_else(tmp_path):
    tape = tape_of(tmp_path / "small.csv", 3_000)
    command = [sys.executable, "-m", "service", "replay", str(tape)]
    ours, theirs = pty.openpty()
    subprocess.run(command, env=_environment(), stdout=subprocess.DEVNULL, stderr=theirs, timeout=30, check=True)
    os.close(theirs)
    on_terminal = b""
    while True:
        try:
            chunk = os.read(ours, 65_536)
        except OSError:
            break
        if not chunk:
            break
        on_terminal += chunk
    os.close(ours)
    elsewhere = subprocess.run(command, env=_environment(), capture_output=True, timeout=30, check=True).stderr

    assert b"rows" in on_terminal
    assert b"\r" in on_terminal
    assert b"\r" not in elsewhere
    assert elsewhere.startswith(b"replay: {")
