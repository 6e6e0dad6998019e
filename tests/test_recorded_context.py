"""Recorded context: read from files, told in event time, and never earlier than it was known."""

import gzip
import json
from datetime import datetime

import pytest

from service import cli
from service.context.recorded import Recorded, RecordedError, read
from service.model import HOUR, MINUTE, Context, Side, Situation

START = 1_768_341_600_000
"""2026-01-13 22:00 UTC."""
OI = "ts_ms,venue,symbol,oi_base,oi_usd"
FUNDING = "ts_ms,venue,symbol,funding_rate"
FLOWS = "date,asset,total_net_flow_usd_m,per_fund_usd_m_json"


def file(folder, name, *lines):
    path = folder / name
    text = "\n".join(lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def asked(recorded: Recorded, at: int, *, onset: int = 0, asset: str = "BTC", venues=None) -> Context:
    return recorded.beside(
        Situation(asset=asset, side=Side.SHORT, onset=onset or at - HOUR, at=at, venues=venues, forced_24h_usd=577e6)
    )


def evening(folder, *rows):
    return file(folder, "oi.csv", OI, *rows)


def at(minutes: float) -> int:
    return START + int(minutes * MINUTE)


def test_open_interest_is_compared_from_the_last_row_before_the_onset_to_the_last_one_known(tmp_path):
    rows = [f"{at(5 * n)},binance_usdm,BTCUSDT,{97_358 - 200 * n},{(97_358 - 200 * n) * 95_000}" for n in range(14)]
    recorded = read([evening(tmp_path, *rows)])
    move = asked(recorded, at(60) - 1, onset=START, venues={"binance": 100e6}).oi

    assert move.venues == ("binance",)
    assert move.change_pct == pytest.approx(100 * -11 * 200 / 97_358, abs=1e-3), (
        "the row of 23:00 is not known at 22:59"
    )
    assert move.share == pytest.approx(100e6 / (97_358 * 95_000), abs=1e-6)


def test_an_open_interest_row_is_fresh_for_a_quarter_of_an_hour(tmp_path):
    path = evening(tmp_path, f"{at(-60)},binance,BTCUSDT,1000,95000000", f"{START},binance,BTCUSDT,990,94050000")

    assert asked(read([path]), at(15), onset=at(-50)).oi.change_pct == pytest.approx(-1.0)
    late = asked(read([path]), at(15) + 1, onset=at(-50))
    assert late.oi is None
    assert late.missing["open_interest"]


@pytest.mark.parametrize(("venue", "hours"), [("binance", 8), ("okx", 8), ("hyperliquid", 1)])
def test_a_funding_row_is_fresh_for_its_interval_and_told_per_eight_hours(tmp_path, venue, hours):
    path = file(tmp_path, "funding.csv.gz", FUNDING, f"{START},{venue},BTC,-0.0001", f"{at(9_000)},{venue},BTC,0.5e-1")
    end = START + hours * HOUR
    paid = asked(read([path]), end).funding

    assert paid.rate_8h == pytest.approx(-0.0001 * 8 / hours)
    assert (paid.at, paid.venues) == (START, (venue,))
    assert asked(read([path]), end + 1).funding is None
    assert asked(read([path]), START - 1).funding is None


@pytest.mark.parametrize(
    ("day", "published"),
    [("2026-01-13", "2026-01-14T05:00:00Z"), ("2026-03-09", "2026-03-10T04:00:00Z")],
)
def test_a_day_of_flows_counts_from_midnight_in_the_east_at_its_end(tmp_path, day, published):
    path = file(tmp_path, "flows.csv", FLOWS, "2026-01-12,BTC,116.7,{}", f"{day},BTC,753.8,{{}}")
    moment = round(datetime.fromisoformat(published).timestamp() * 1_000)

    assert asked(read([path]), moment - 1).flows[0].date == "2026-01-12"
    assert asked(read([path]), moment).flows[0].date == day


def test_funds_are_told_in_dollars_and_a_row_of_a_holiday_is_refused_in_words(tmp_path):
    funds = json.dumps({"IBIT": 126.3, "FBTC": 627.5}).replace('"', '""')
    path = file(tmp_path, "flows.csv", FLOWS, f'2026-01-13,BTC,753.8,"{funds}"', "2026-01-19,BTC,-287.1,{}")
    recorded = read([path])

    assert asked(recorded, START + 12 * HOUR).flows[0].funds == {"IBIT": 126.3e6, "FBTC": 627.5e6}
    assert recorded.refused == ("recorded: 1 row of BTC refused: 2026-01-19 (Martin Luther King, Jr. Day)",)


def test_what_no_file_tells_is_off_and_not_missing(tmp_path):
    context = asked(read([file(tmp_path, "flows.csv", FLOWS, "2026-01-12,BTC,116.7,{}")]), START)

    assert context.flows
    assert context.missing == {}


def test_what_the_files_do_not_tell_of_an_asset_is_missing_with_a_reason(tmp_path):
    paths = [
        evening(tmp_path, f"{START},binance,BTCUSDT,1,95000"),
        file(tmp_path, "f.csv", FLOWS, "2026-01-12,BTC,116.7,{}"),
    ]
    missing = asked(read(paths), START, asset="ETH").missing

    assert set(missing) == {"open_interest", "etf ETH"}
    assert all(missing.values())


def test_funding_by_coin_belongs_to_the_venues_one_contract_of_it(tmp_path):
    """Then open interest weighs it: Binance's rate stands, not the mean of two venues."""
    paths = [
        evening(tmp_path, f"{at(50)},binance_usdm,BTCUSDT,1000,95000000"),
        file(tmp_path, "funding.csv", FUNDING, f"{START},binance,BTC,-0.0003", f"{START},okx,BTC,0.0009"),
    ]
    paid = asked(read(paths), at(60)).funding

    assert (paid.rate_8h, paid.venues) == (pytest.approx(-0.0003), ("binance",))


def test_questions_about_later_moments_are_answered_as_if_the_files_had_ended_there(tmp_path):
    """No look-ahead, whatever comes after: the same answer from the rows up to the moment alone."""
    rows = [f"{at(5 * n)},binance,BTCUSDT,{1_000 + (-1) ** n * n},{95_000 * (1_000 + n)}" for n in range(100)]
    whole = read([evening(tmp_path, *rows)])
    for minutes in (7, 61, 200, 433):
        cut = file(tmp_path, "cut.csv", OI, *[row for row in rows if int(row.split(",")[0]) <= at(minutes)])
        assert asked(whole, at(minutes)) == asked(read([cut]), at(minutes))


@pytest.mark.parametrize(
    ("name", "lines", "error"),
    [
        ("oi.csv", [OI, "x,binance,BTCUSDT,1,2"], "oi.csv line 2: ts_ms must be whole milliseconds, got 'x'"),
        ("oi.csv", [OI, f"{START},binance,BTCUSDT,1,2", f"{START},binance,BTCUSDT,-5,2"], "oi.csv line 3: oi_base must be a finite number from 0 to 1,000 billion, got -5.0"),
        ("oi.csv", [OI, f"{START},binance,BTCUSDT,nan,2"], "oi.csv line 2: oi_base must be a finite number from 0 to 1,000 billion, got nan"),
        ("oi.csv", [OI, f"{START},binance,BTCUSDT,1"], "oi.csv line 2: oi_usd is empty"),
        ("oi.csv", [OI, f"{START},,BTCUSDT,1,2"], "oi.csv line 2: venue is empty"),
        ("funding.csv", [FUNDING, f"{START},okx,BTC,1.5"], "funding.csv line 2: funding_rate must be a fraction from -0.1 to 0.1, got 1.5"),
        ("funding.csv.gz", [FUNDING, f"{START},okx,BTC,much"], "funding.csv.gz line 2: funding_rate is not a number: 'much'"),
        ("flows.csv", [FLOWS, "2026-01-13,BTC,x,{}"], "flows.csv: line 2: total_net_flow_usd_m is 'x'; wanted: a number, or nothing"),
        ("flows.csv", [FLOWS, "2026-01-13,BTC,1e9,{}"], "flows.csv: line 2: "),
        ("other.csv", ["a,b", "1,2"], f"other.csv: needs the columns {OI.replace(',', ', ')}, or {FUNDING.replace(',', ', ')}, or date, asset, total_net_flow_usd_m; found a, b"),
        ("empty.csv", [], "empty.csv: needs the columns"),
        ("torn.csv.gz", None, "torn.csv.gz: cannot be read: "),
        ("absent.csv", None, "absent.csv: no such file"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_said_with_its_line_and_what_is_allowed(tmp_path, name, lines, error):
    if lines is not None:
        file(tmp_path, name, *lines)
    elif name == "torn.csv.gz":
        (tmp_path / name).write_bytes(gzip.compress((OI + "\n1,2,3,4,5" * 99).encode())[:40])

    with pytest.raises(RecordedError) as caught:
        read([tmp_path / name])
    assert str(caught.value).startswith(f"{tmp_path}/{error}")


def test_reading_can_be_ended_early(tmp_path):
    rows = [f"{START + n},binance,BTCUSDT,1,2" for n in range(2_500)]
    heard = []

    def stop(count: int) -> None:
        heard.append(count)
        if len(heard) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        read([evening(tmp_path, *rows)], stop)
    assert heard == [1_000, 1_000]


def test_the_command_says_which_file_of_context_is_wrong_and_ends_with_two(tmp_path, capsys):
    tape = file(tmp_path, "tape.csv", "ts_ms,venue,symbol,side,notional_usd", f"{START},bybit,BTCUSDT,short,1e6")

    assert cli.main(["replay", str(tape), "--context", str(tmp_path / "absent.csv")]) == 2
    assert capsys.readouterr().err == f"cascade replay: {tmp_path}/absent.csv: no such file\n"
