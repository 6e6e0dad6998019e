"""The command line as a user meets it: real processes, real pipes, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.cli import main
from tests.test_replay import cascade

FRAME = {
    "e": "forceOrder",
    "E": 1695714031883,
    "o": {
        "s": "BTCUSDT",
        "S": "SELL",
        "o": "LIMIT",
        "f": "IOC",
        "q": "0.2",
        "p": "26142.12",
        "ap": "26245.10",
        "X": "FILLED",
        "l": "0.115",
        "z": "0.115",
        "T": 1695714031881,
    },
}


def test_decode_tells_the_position_closed_and_the_dollars_filled():
    answer = cascade("decode", "binance", input=json.dumps(FRAME) + '\n\n{"result":null,"id":1}\n')

    assert answer.returncode == 0, answer.stderr
    [order] = [json.loads(line) for line in answer.stdout.splitlines()]
    assert list(order) == ["venue", "symbol", "asset", "side", "price", "quantity", "usd", "at", "id"]
    assert (order["venue"], order["asset"], order["side"]) == ("binance", "BTC", "long")
    assert order["usd"] == pytest.approx(0.115 * 26245.10)
    assert order["at"] == 1695714031881


def test_decode_goes_on_after_a_bad_frame_and_says_so_at_the_end():
    answer = cascade("decode", "binance", input="{\n" + json.dumps(FRAME) + "\n")

    assert answer.returncode == 1
    assert len(answer.stdout.splitlines()) == 1
    assert answer.stderr.startswith("line 1: ")


def test_decode_never_guesses_a_contract_value(tmp_path):
    frame = '{"arg":{"channel":"liquidation-orders","instType":"SWAP"},"data":[{"instId":"CNPY-USDT-SWAP","instType":"SWAP","details":[{"bkLoss":"0","bkPx":"0.4162","ccy":"","posSide":"short","side":"buy","sz":"2137","ts":"1789669898955"}]}]}\n'
    metadata = tmp_path / "okx.json"
    metadata.write_text(
        '{"code":"0","data":[{"instType":"SWAP","instId":"CNPY-USDT-SWAP","ctVal":"10","ctMult":"1","ctValCcy":"CNPY","ctType":"linear","settleCcy":"USDT","state":"live","uly":"CNPY-USDT","instFamily":"CNPY-USDT"}],"msg":""}'
    )

    unknown = cascade("decode", "okx", input=frame)
    known = cascade("decode", "okx", "--instruments", str(metadata), input=frame)

    assert unknown.returncode == 1
    assert "CNPY-USDT-SWAP: its contract value is not known and never guessed" in unknown.stderr
    assert json.loads(known.stdout)["usd"] == pytest.approx(2137 * 10 * 0.4162)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "nowhere.csv"], "cascade replay: nowhere.csv: no such file"),
        (["check", "--config", "nowhere.toml"], "cascade check: nowhere.toml: "),
        (["decode", "okx", "--instruments", "nowhere.json"], "cascade decode: "),
        (["status", "--url", "http://127.0.0.1:9"], "cascade status: no service answers at http://127.0.0.1:9"),
        (["demo", "--speed", "0"], "must be a number above 0, got '0'"),
        (["simulate", "okx", "--faults", "dorp=3"], "cascade simulate: unknown fault 'dorp' (did you mean drop?)"),
        (["decode", "mtgox"], "invalid choice: 'mtgox'"),
    ],
)
def test_what_a_user_can_mend_is_one_sentence_and_no_traceback(arguments, message, tmp_path):
    answer = cascade(*arguments, cwd=tmp_path, env={"PYTHONPATH": "."} | _environment())

    assert answer.returncode == 2
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def test_venues_lists_every_row_with_what_it_leaves_out(capsys):
    assert main(["venues"]) == 0

    out = capsys.readouterr().out
    for venue, kind in (("binance", "sampled largest"), ("bybit", "complete complete"), ("okx", "partial unknown")):
        assert any(line.split()[:3] == [venue, *kind.split()] for line in out.splitlines())


def test_check_prints_the_effective_settings_without_secrets(tmp_path):
    answer = cascade("check", cwd=tmp_path, env=_environment() | {"REDIS_URL": "redis://user:hunter2@db:6379/0"})

    assert answer.returncode == 0, answer.stderr
    assert "share = 0.8" in answer.stdout
    assert "hunter2" not in answer.stdout + answer.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    lines = "\n".join([json.dumps(FRAME)] * 5000)
    file = tmp_path / "frames"
    file.write_text(lines)

    with file.open() as stdin:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "decode", "binance"],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()

    assert process.wait(20) is not None
    assert b"Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_running_simulator_ends_cleanly_within_two_seconds(number, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "simulate", "binance", "okx", "--settings", "rehearsal.toml"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=_environment(),
    )
    assert process.stdout.readline().startswith("settings in rehearsal.toml")
    assert "[venues.okx.endpoints]" in (tmp_path / "rehearsal.toml").read_text()
    time.sleep(0.5)

    asked = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=20)

    assert time.monotonic() - asked < 2
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
