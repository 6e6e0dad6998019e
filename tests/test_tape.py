"""Tapes: what is read, what is refused, and in which words."""

import gzip
import json
from decimal import Decimal

import pytest

from service import tape
from service.model import Side, to_units
from tests.shared import recorded

ORDERS = "ts_ms,venue,symbol,side,price,qty,notional_usd,extra\n1600000001000,binance_usdm,BTCUSDT,short,10,2,20,x\n1600000000500,okx,BTC-USDT-SWAP,long,,,7.5,y\n"
BUCKETS = "ts_ms,bucket_ms,venue,symbol,long_usd,short_usd\n1600000000000,3600000,three,BTC,10,90\n1600003600000,3600000,three,BTC,0,5\n"


def test_orders_come_in_order_of_time_with_the_venues_own_name(tmp_path):
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS)

    rows = tape.read([file])

    assert [(row.at, row.venue, row.side, row.usd, row.price, row.qty) for row in rows] == [
        (1600000000500, "okx", Side.LONG, 7.5, None, None),
        (1600000001000, "binance", Side.SHORT, 20.0, 10.0, 2.0),
    ]


def test_a_bucket_counts_at_its_last_millisecond_and_an_empty_side_not_at_all(tmp_path):
    file = tmp_path / "buckets.csv.gz"
    file.write_bytes(gzip.compress(BUCKETS.encode()))

    rows = tape.read([file])

    assert [(row.at, row.side, row.usd) for row in rows] == [
        (1_600_003_599_999, Side.LONG, 10.0),
        (1_600_003_599_999, Side.SHORT, 90.0),
        (1_600_007_199_999, Side.SHORT, 5.0),
    ]


def test_json_lines_and_parquet_read_like_csv(tmp_path):
    cells = {
        "ts_ms": 1600000000005,
        "venue": "okx",
        "symbol": "ETHUSDT",
        "side": "long",
        "price": None,
        "qty": None,
        "notional_usd": 3,
    }
    lines = tmp_path / "orders.jsonl"
    lines.write_text(json.dumps(cells) + "\n\n")
    columns = tmp_path / "orders.parquet"
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist([cells]), columns)

    assert tape.read([lines]) == tape.read([columns]) == tape.read([lines])
    assert tape.read([lines])[0].usd == 3.0


def test_identical_rows_of_one_file_are_two_orders_and_a_tape_read_twice_has_the_same_ids(tmp_path):
    file = tmp_path / "orders.csv"
    row = "1600000000001,okx,BTCUSDT,long,,,5\n"
    file.write_text("ts_ms,venue,symbol,side,price,qty,notional_usd\n" + row * 3)

    first, again = ([tape.liquidation(row).id for row in tape.read([file])] for _ in range(2))

    assert len(set(first)) == 3
    assert first == again


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.csv",
            "ts_ms,venue\n1,okx\n",
            "needs the columns ts_ms, venue, symbol, side, notional_usd (price and qty may be empty or absent), or ts_ms, bucket_ms, symbol, long_usd, short_usd; found ts_ms, venue",
        ),
        (
            "a.csv",
            ORDERS.replace("short", "sell"),
            "line 2: side must be long or short (the position closed), got 'sell'",
        ),
        (
            "a.csv",
            ORDERS.replace("7.5", "-7.5"),
            "line 3: notional_usd must be a finite number from 0 to 100 billion, got '-7.5'",
        ),
        (
            "a.csv",
            ORDERS.replace("7.5", "nan"),
            "line 3: notional_usd must be a finite number from 0 to 100 billion, got 'nan'",
        ),
        ("a.csv", ORDERS.replace("7.5", "lots"), "line 3: notional_usd is not a number: 'lots'"),
        ("a.csv", ORDERS.replace(",7.5,", ",,"), "line 3: notional_usd is empty"),
        ("a.csv", ORDERS.replace("1600000001000,", "soon,"), "line 2: ts_ms must be whole milliseconds, got 'soon'"),
        (
            "a.csv",
            ORDERS.replace("1600000001000,", "1600000001,"),
            "line 2: ts_ms must be milliseconds between 2015 and 2100, got 1600000001",
        ),
        (
            "a.csv",
            ORDERS.replace("7.5", "1e300"),
            "line 3: notional_usd must be a finite number from 0 to 100 billion, got '1e300'",
        ),
        ("a.csv", ORDERS.replace("BTCUSDT", ""), "line 2: symbol is empty"),
        (
            "a.csv",
            BUCKETS.replace("3600000,three", "86400000,three"),
            "line 2: bucket_ms is 86400000: a bucket longer than one hour (3600000) cannot be judged by the hour",
        ),
        ("a.jsonl", "[1]\n", "line 1: not a JSON object"),
        ("a.txt", "", "unknown kind of file; allowed are .csv, .jsonl, .parquet, the text ones also with .gz"),
        ("a.csv.gz", "not gzip", "cannot be read"),
        ("a.parquet", "not parquet", "cannot be read"),
    ],
)
def test_a_file_that_is_no_tape_is_refused_by_name_and_line(tmp_path, name, text, message):
    file = tmp_path / name
    file.write_text(text)

    with pytest.raises(tape.TapeError) as caught:
        tape.read([file])

    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_a_damaged_gzip_is_said_in_words(tmp_path):
    file = tmp_path / "cut.csv.gz"
    whole = bytearray(gzip.compress(ORDERS.encode() * 50))
    whole[40:60] = bytes(20)
    file.write_bytes(bytes(whole))

    with pytest.raises(tape.TapeError, match="cannot be read"):
        tape.read([file])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(tape.TapeError, match=r"nowhere\.csv: no such file"):
        tape.read([tmp_path / "nowhere.csv"])


def test_a_recording_sums_to_the_independent_sum_of_its_text():
    path = recorded("data/binance_bursts_2023_01/bursts.csv.gz")
    exact = {"long": Decimal(0), "short": Decimal(0)}
    with gzip.open(path, "rt") as file:
        header = file.readline().strip().split(",")
        for line in file:
            cells = dict(zip(header, line.strip().split(","), strict=True))
            exact[cells["side"]] += Decimal(cells["notional_usd"])

    units = {side: sum(to_units(row.usd) for row in tape.read([path]) if row.side == side) for side in exact}

    assert {side: Decimal(count) / 10_000 for side, count in units.items()} == exact
