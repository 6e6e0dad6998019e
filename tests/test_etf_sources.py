"""SoSoValue, CoinGlass and the dropped file: their documented shapes, and answers that lie."""

import asyncio
import contextlib
import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.clock import ScaledClock
from service.context.etf.coinglass import CoinGlass
from service.context.etf.days import due, published_by
from service.context.etf.dropped import Dropped, read
from service.context.etf.flows import Flows
from service.context.etf.sosovalue import SoSoValue
from service.context.source import Source, SourceError
from service.context.watching import FileWatch

NOW = due("2026-01-14")
MIDNIGHT = published_by("2026-01-14")
UTC_DAY = 86_400_000
JAN_14 = 1_768_348_800_000


def chart(*days: tuple[str, object], **more: object) -> bytes:
    rows = [{"date": date, "totalNetInflow": usd, "totalNetAssets": 1.2e11, "cumNetInflow": 5e10} for date, usd in days]
    return json.dumps({"code": 0, "msg": None, "traceId": "x", "data": rows, **more}).encode()


def history(*days: dict[str, object], code: object = "0") -> bytes:
    return json.dumps({"code": code, "msg": "success", "data": list(days)}).encode()


def entry(at: int, usd: float | None, **funds: float | None) -> dict[str, object]:
    told = [{"etf_ticker": name} | ({} if flow is None else {"flow_usd": flow}) for name, flow in funds.items()]
    return {"timestamp": at, "flow_usd": usd, "price_usd": 95_144.0, "etf_flows": told}


#: A fund told twice, which a dictionary could not hold.
TWICE = history(entry(JAN_14, 2e6, IBIT=1e6, FBTC=1e6)).replace(b"FBTC", b"IBIT")


@pytest.fixture
def book() -> Flows:
    return Flows(["farside", "sosovalue", "coinglass", "dropped"])


def test_sosovalue_is_asked_with_the_users_key_in_a_header(book: Flows) -> None:
    source: Source = SoSoValue("ETH", book, "secret-key")
    asked = source.question(NOW)
    assert json.loads(asked.post) == {"type": "us-eth-spot"}
    assert asked.headers == {"x-soso-api-key": "secret-key"}
    assert "secret" not in asked.url + source.name


def test_sosovalue_reads_its_chart_in_both_shapes(book: Flows) -> None:
    SoSoValue("BTC", book, "k").take(chart(("2026-01-13", 753.8e6), ("2026-01-14", 840.6e6)), NOW)
    flow = book.of("BTC", NOW)
    assert flow is not None
    assert (flow.date, flow.usd, flow.source, flow.streak) == ("2026-01-14", 840.6e6, "sosovalue", 2)
    again = chart(data={"list": [{"date": "2026-01-14", "totalNetInflow": 840.6e6}]})
    SoSoValue("BTC", book, "k").take(again, NOW)


def test_sosovalue_cannot_say_that_funds_are_missing_so_a_day_is_whole_at_noon(book: Flows) -> None:
    source = SoSoValue("BTC", book, "k")
    body = chart(("2026-01-13", 753.8e6), ("2026-01-14", 300e6))
    source.take(body, MIDNIGHT)
    flow = book.of("BTC", MIDNIGHT)
    assert flow is not None
    assert (flow.date, flow.complete) == ("2026-01-13", True)
    source.take(body, NOW)
    flow = book.of("BTC", NOW)
    assert flow is not None
    assert (flow.date, flow.complete, flow.revised_from_usd) == ("2026-01-14", True, None)


def test_a_day_without_a_figure_is_no_day_of_sosovalue(book: Flows) -> None:
    SoSoValue("BTC", book, "k").take(chart(("2026-01-13", 753.8e6), ("2026-01-14", None)), NOW)
    assert book.newest("BTC", "sosovalue") == "2026-01-13"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "another form"),
        (b"<html>Just a moment...</html>", "another form"),
        (chart(code=40001, msg="invalid api key"), "code 40001: 'invalid api key'"),
        (chart(data=None), "without data"),
        (chart(), "no day has been reported"),
        (chart(("2026-01-14", 25e9)), r"Total is 25,000.0 M\$"),
        (chart(("2026-01-14", "840")), "another form"),
        (chart(("2027-01-14", 1.0)), "has not come yet"),
        (chart(("14 Jan 2026", 1.0)), "is no date"),
        (chart(("2026-01-14", 1.0), ("2026-01-14", 2.0)), "stands there twice"),
        (b'{"code":0,"data":[{"date":"2026-01-14","totalNetInflow":NaN}]}', "another form"),
    ],
)
def test_an_answer_of_sosovalue_that_lies_is_refused(book: Flows, body: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        SoSoValue("BTC", book, "k").take(body, NOW)
    assert book.of("BTC", NOW) is None


def test_coinglass_is_asked_with_the_users_key_in_a_header(book: Flows) -> None:
    source: Source = CoinGlass("SOL", book, "secret-key")
    asked = source.question(NOW)
    assert asked.url == "https://open-api-v4.coinglass.com/api/etf/solana/flow-history"
    assert asked.headers["CG-API-KEY"] == "secret-key"


def test_coinglass_dates_its_days_at_midnight_utc(book: Flows) -> None:
    body = history(
        entry(JAN_14 - UTC_DAY, 753.8e6, IBIT=402.4e6, FBTC=351.4e6),
        entry(JAN_14, 840.6e6, IBIT=648.4e6, FBTC=192.2e6),
    )
    CoinGlass("BTC", book, "k").take(body, NOW)
    flow = book.of("BTC", NOW)
    assert flow is not None
    assert (flow.date, flow.usd, flow.complete) == ("2026-01-14", 840.6e6, True)
    assert flow.funds == {"IBIT": 648.4e6, "FBTC": 192.2e6}
    assert flow.units is None, "a price is no count of coins"


def test_a_fund_coinglass_has_no_figure_of_leaves_the_day_open(book: Flows) -> None:
    earlier = [entry(JAN_14 - (10 - day) * UTC_DAY, 2e6, IBIT=1e6, FBTC=1e6, NEWF=None) for day in range(5)]
    CoinGlass("BTC", book, "k").take(history(*earlier, entry(JAN_14, 1e6, IBIT=1e6, FBTC=None, NEWF=None)), NOW)
    flow = book.of("BTC", NOW)
    assert flow is not None
    assert (flow.date, flow.complete) == ("2026-01-14", False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"null", "another form"),
        (history(code="401"), "code 401: 'success'"),
        (history(), "no day has been reported"),
        (history(entry(JAN_14 + 3_600_000, 1.0)), "is no day; wanted: midnight UTC"),
        (history(entry(10**17 * UTC_DAY % (2**62) // UTC_DAY * UTC_DAY, 1.0)), "is no day"),
        (history(entry(JAN_14, 840.6e6, IBIT=1e6)), "add up to 1.0 M"),
        (b'{"code":"0","data":[{"timestamp":1768348800000,"flow_usd":1e999}]}', "another form|Total is inf"),
        (TWICE, "a fund stands there twice"),
    ],
)
def test_an_answer_of_coinglass_that_lies_is_refused(book: Flows, body: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        CoinGlass("BTC", book, "k").take(body, NOW)
    assert book.of("BTC", NOW) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["code", "data", "list", "date", "totalNetInflow", "timestamp", "flow_usd", "etf_flows"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=60), JSON.map(lambda value: json.dumps(value).encode()), st.just(b"[" * 50_000)))
def test_no_answer_raises_anything_but_a_source_error(body: bytes) -> None:
    book = Flows([])
    for source in (SoSoValue("BTC", book, "k"), CoinGlass("BTC", book, "k")):
        with contextlib.suppress(SourceError):
            source.take(body, NOW)


LONG = """date,asset,total_net_flow_usd_m,per_fund_usd_m_json,units
2026-01-13,BTC,753.8,"{""IBIT"": 402.4, ""FBTC"": 351.4}",8012.5
2026-01-14,BTC,840.6,,
2026-01-14,ETH,175.1,{},53012
"""
WIDE = """date,IBIT,FBTC,Total
2026-01-13,402.4,351.4,753.8
2026-01-14,648.4,192.2,840.6
"""


def dropped(folder: Path, text: str | bytes, name: str = "flows.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_long_form_has_dollars_coins_and_funds(tmp_path: Path) -> None:
    btc, newest, eth = read(dropped(tmp_path, LONG), NOW)
    assert (btc.usd, btc.units, btc.funds) == (753.8e6, 8012.5, {"IBIT": 402.4e6, "FBTC": 351.4e6})
    assert (newest.date, newest.usd, newest.units) == ("2026-01-14", 840.6e6, None)
    assert (eth.asset, eth.usd, eth.units) == ("ETH", 175.1e6, 53012.0)


@pytest.mark.parametrize(
    "pack", [str.encode, lambda text: gzip.compress(text.encode()), lambda text: text.encode("utf-8-sig")]
)
def test_the_wide_form_reads_packed_or_not(tmp_path: Path, pack: object) -> None:
    days = read(dropped(tmp_path, pack(WIDE)), NOW)
    assert [(day.asset, day.usd) for day in days] == [("BTC", 753.8e6), ("BTC", 840.6e6)]


def test_an_empty_cell_has_not_been_reported(tmp_path: Path) -> None:
    days = read(dropped(tmp_path, WIDE + "2026-01-15,,,\n"), published_by("2026-01-15"))
    assert days[-1].date == "2026-01-14"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "flows.csv, line 1: the columns are missing"),
        ("a,b\n1,2\n", "line 1: the columns are a,b; allowed: columns date, asset"),
        (LONG + "2026-01-14,SOL,x,,\n", "line 5: total_net_flow_usd_m is 'x'; wanted: a number"),
        (LONG + "2026-01-14,SOL,nan,,\n", "line 5: Total is nan"),
        (LONG + "2026-01-14,SOL,23.6,,inf\n", "line 5: units are inf"),
        (LONG + "2026-01-14,DOGE,1,,\n", "line 5: 'DOGE' has no ETFs; allowed: BTC, ETH, SOL"),
        (LONG + "14.01.2026,SOL,1,,\n", "line 5: '14.01.2026' is no date"),
        (LONG + "2026-01-14,SOL,1\n", "line 5: 3 cells; wanted: 5"),
        (LONG + "2026-01-14,SOL,1,[1],\n", r"line 5: '\[1\]' is no object of funds"),
        (LONG + '2026-01-14,SOL,9,"{""BSOL"": 1}",\n', r"line 5: the funds add up to 1.0 M"),
        (LONG + "2026-01-13,BTC,1,,\n", "line 5: 2026-01-13 stands there twice"),
        (LONG + '2026-01-14,SOL,"1"x,,\n', "line 5: is no CSV"),
        (WIDE + "2026-01-15,1,2,9\n", "line 4: the funds add up to 3.0 M"),
        ("date,IBIT,FBTC\n", "line 1: the columns are date,IBIT,FBTC"),
        ("date,IBIT,FBTC,Total\n", "has no day that has been reported"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (gzip.compress(LONG.encode())[:-20], "cannot be unpacked"),
        (gzip.compress(b"0" * 20_000_000), "is longer than 16,000,000 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_names_file_and_line(tmp_path: Path, text: str | bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        read(dropped(tmp_path, text), published_by("2026-01-15"))


async def test_a_file_is_read_when_it_changes_and_only_then(tmp_path: Path, book: Flows) -> None:
    path = tmp_path / "flows.csv"
    source = Dropped(path, book)
    assert not await source.look(NOW), "a file that is not there yet is no error"
    dropped(tmp_path, WIDE)
    assert await source.look(NOW)
    assert not await source.look(NOW)
    flow = book.of("BTC", NOW)
    assert flow is not None
    assert (flow.usd, flow.source) == (840.6e6, "dropped")
    dropped(tmp_path, WIDE.replace("192.2", "-192.2").replace("840.6", "456.2"))
    assert await source.look(NOW + 1)
    flow = book.of("BTC", NOW + 1)
    assert flow is not None
    assert (flow.usd, flow.revised_from_usd) == (456.2e6, 840.6e6)


async def test_a_broken_file_is_named_once_and_what_was_known_stays(tmp_path: Path, book: Flows) -> None:
    source = Dropped(dropped(tmp_path, WIDE), book)
    await source.look(NOW)
    dropped(tmp_path, WIDE + "2026-01-15,1,2,9\n")
    with pytest.raises(SourceError, match=r"flows\.csv, line 4"):
        await source.look(NOW + 1)
    assert not await source.look(NOW + 2), "it is read again only when it changes"
    flow = book.of("BTC", NOW + 2)
    assert flow is not None
    assert flow.usd == 840.6e6


async def test_a_day_deleted_from_the_file_is_taken_back(tmp_path: Path, book: Flows) -> None:
    source = Dropped(dropped(tmp_path, WIDE.replace("192.2,840.6", "7758.0,8406.4")), book)
    await source.look(NOW)
    dropped(tmp_path, "".join(WIDE.splitlines(keepends=True)[:2]))
    assert await source.look(NOW + 1)
    typo, now = book.of("BTC", NOW), book.of("BTC", NOW + 1)
    assert typo is not None
    assert now is not None
    assert (typo.date, typo.usd) == ("2026-01-14", 8406.4e6)
    assert (now.date, now.usd, now.fresh) == ("2026-01-13", 753.8e6, False)


async def test_a_file_that_is_gone_or_broken_takes_nothing_back(tmp_path: Path, book: Flows) -> None:
    path = dropped(tmp_path, WIDE)
    source = Dropped(path, book)
    await source.look(NOW)
    dropped(tmp_path, "a,b\n1,2\n")
    with pytest.raises(SourceError):
        await source.look(NOW + 1)
    path.unlink()
    assert not await source.look(NOW + 2)
    assert book.newest("BTC", "dropped") == "2026-01-14"


async def test_of_a_file_that_is_gone_that_is_said_and_not_what_was_wrong_with_it(tmp_path: Path, book: Flows) -> None:
    path = dropped(tmp_path, WIDE + "2026-01-15,1,2,9\n")
    source = Dropped(path, book, every_s=60)
    watch = FileWatch(source, ScaledClock(NOW, 6_000))
    looking = asyncio.create_task(watch.run())
    try:
        for change, failures, reason in (
            (lambda: None, 1, "flows.csv, line 4"),
            (path.unlink, 0, "there is no such file"),
            (lambda: dropped(tmp_path, WIDE), 0, ""),
        ):
            change()
            async with asyncio.timeout(2):
                while (watch.report.failures, watch.report.reason[: len(reason) or None]) != (failures, reason):
                    assert not looking.done()
                    await asyncio.sleep(0.005)
    finally:
        looking.cancel()


@pytest.mark.skipif(not hasattr(os, "mkfifo") or os.name == "nt", reason="needs a named pipe")
async def test_the_loop_goes_on_while_a_file_is_read(tmp_path: Path, book: Flows) -> None:
    path = tmp_path / "flows.csv"
    os.mkfifo(path)
    looking = asyncio.create_task(Dropped(path, book).look(NOW))
    await asyncio.sleep(0.05)
    assert not looking.done(), "it waits for the other end of the pipe, and nobody else does"
    await asyncio.to_thread(path.write_bytes, WIDE.encode())
    assert await asyncio.wait_for(looking, 2)
    assert book.newest("BTC", "dropped") == "2026-01-14"


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda more: (LONG + more).encode("utf-8", "replace")))
)
def test_no_file_raises_anything_but_a_source_error(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(body)
    with contextlib.suppress(SourceError):
        read(path, NOW)
