"""Open interest, funding and marks of Binance, Aster, Bybit, OKX and Bitget: their units, their refusals, their servers."""

import copy
import json
import math
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from service.clock import ScaledClock
from service.fetch import get
from service.instruments.source import Source
from service.model import HOUR, SECOND, Contract, DecodeError, Instrument, Side, Ticker
from service.record import TappedVenue
from service.simulator import Market
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Ask, Control, Spoilt, Told
from tests.shared import recorded
from tests.test_venues import raw
from tests.toyvenue import ORIGIN

NAMES = ("binance", "aster", "bybit", "okx", "bitget")
FIXTURES = Path(__file__).parent / "fixtures" / "tickers"
SEEN = 1_790_000_000_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSD", "DOGEUSD", "BTCUSDT_260327", "1000PEPEUSDT")

every_venue = pytest.mark.parametrize("name", NAMES)


def fixtures(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def contract(name: str, symbol: str, size: float = 1.0, kind: Contract = Contract.LINEAR) -> Instrument:
    return Instrument(venue=name, symbol=symbol, asset=symbol[:3], contract=kind, size=size)


def book(*contracts: Instrument) -> dict[str, Instrument]:
    return {row.symbol: row for row in contracts}


LISTED = {
    "binance": book(
        contract("binance", "BTCUSDT"),
        contract("binance", "BLZUSDT"),
        contract("binance", "GTCUSDT"),
        contract("binance", "BTCUSDT_260327"),
        contract("binance", "BTCUSD_PERP", 100, Contract.INVERSE),
        contract("binance", "BTCUSD_200925", 100, Contract.INVERSE),
        contract("binance", "BTCUSD_200626", 100, Contract.INVERSE),
    ),
    "aster": book(contract("aster", "BTCUSDT"), contract("aster", "INJUSDT"), contract("aster", "ZORAUSDT")),
    "bybit": book(
        contract("bybit", "BTCUSDT"),
        contract("bybit", "BTC-26DEC25"),
        contract("bybit", "BTCUSD", 1, Contract.INVERSE),
    ),
    "okx": book(contract("okx", "BTC-USDT-SWAP", 0.01)),
    "bitget": book(contract("bitget", "BTCUSDT", 1, Contract.INVERSE)),
}


def read(name: str, url: str, body: object, seen: int = SEEN) -> list[Ticker]:
    tickers = VENUES[name].tickers
    return list(tickers.read(Ask(url=url), raw(body).encode(), LISTED[name], seen))


def known(ticker: Ticker) -> dict[str, Any]:
    """Its time and the figures that are not null."""
    names = ("at", "oi_coins", "oi_usd", "funding", "interval_h", "mark", "volume_usd")
    return {name: value for name in names if (value := getattr(ticker, name)) is not None}


def told(name: str, place: int) -> dict[str, dict[str, Any]]:
    line = fixtures(name)[place]
    return {ticker.symbol: known(ticker) for ticker in read(name, line["url"], line["body"])}


# --- what the documented answers say ----------------------------------------------------------------------------------


@every_venue
def test_every_fixture_says_where_it_comes_from(name: str) -> None:
    for line in fixtures(name):
        assert line["source"].startswith(("captured", "documented")), line["source"]


def test_binance_marks_carry_funding_and_leave_the_interval_to_another_answer() -> None:
    assert told("binance", 0) == {"BTCUSDT": {"at": 1597370495002, "mark": 11793.63104562, "funding": 0.00038246}}


def test_binance_open_interest_is_base_units_or_contracts_of_a_hundred_dollars() -> None:
    assert told("binance", 1) == {"BTCUSDT": {"at": 1589437530011, "oi_coins": 10659.509}}
    assert told("binance", 4) == {"BTCUSD_200626": {"at": 1591261042378, "oi_usd": 1_500_400.0}}


def test_binance_names_the_contracts_that_pay_at_other_hours_and_all_other_perpetuals_pay_each_eight() -> None:
    hours = {"BTCUSDT": 8.0, "BLZUSDT": 4.0, "GTCUSDT": 8.0}
    assert told("binance", 2) == {symbol: {"at": SEEN, "interval_h": every} for symbol, every in hours.items()}
    assert told("binance", 5) == {"BTCUSD_PERP": {"at": SEEN, "interval_h": 8.0}}, "none of COIN-M was adjusted"


def test_a_dated_binance_contract_has_a_mark_and_no_funding() -> None:
    assert told("binance", 3) == {
        "BTCUSD_PERP": {"at": 1596094042000, "mark": 11029.69574559, "funding": 0.00071003},
        "BTCUSD_200925": {"at": 1596094042000, "mark": 12077.0134375},
    }


def test_a_list_of_binance_intervals_that_names_nobody_is_no_answer() -> None:
    with pytest.raises(DecodeError, match="names no contract"):
        read("binance", fixtures("binance")[2]["url"], [])


def test_a_binance_answer_about_another_contract_is_refused() -> None:
    line = fixtures("binance")[1]
    with pytest.raises(DecodeError, match="symbol must be ETHUSDT"):
        read("binance", line["url"].replace("BTC", "ETH"), line["body"])


def test_aster_tells_hours_of_each_contract_and_none_is_guessed() -> None:
    assert told("aster", 0) == {"BTCUSDT": {"at": 1597370495002, "mark": 11793.63104562, "funding": 0.00038246}}
    hours = {"INJUSDT": 8.0, "ZORAUSDT": 4.0}
    assert told("aster", 1) == {symbol: {"at": SEEN, "interval_h": every} for symbol, every in hours.items()}


def test_aster_open_interest_is_one_side_in_base_units() -> None:
    line = fixtures("aster")[2]
    with pytest.raises(DecodeError, match="between 2015 and 2100"):  # the notes show a made-up time
        read("aster", line["url"], line["body"])
    (ticker,) = read("aster", line["url"], line["body"] | {"time": SEEN})
    assert known(ticker) == {"at": SEEN, "oi_coins": 12345.678}


def test_bybit_open_interest_is_halved_where_only_both_sides_are_told() -> None:
    found = told("bybit", 0)["BTCUSD"]
    assert found.pop("oi_coins") == pytest.approx(373504107 / 2 / 16596.0)
    assert found == {
        "at": 1672376496682,
        "oi_usd": 186752053.5,
        "funding": -0.001034,
        "mark": 16596.0,
        "volume_usd": 49337318.0,
    }


def test_bybit_tells_one_side_beside_both_and_the_one_is_read() -> None:
    found = told("bybit", 1)
    assert found["BTCUSDT"].pop("oi_usd") == pytest.approx(1905942284.58, rel=1e-8)  # its own singleOpenInterestValue
    assert found == {
        "BTCUSDT": {
            "at": 1786659827683,
            "oi_coins": 29986.128,
            "funding": 0.00005013,
            "interval_h": 8.0,
            "mark": 63560.8,
            "volume_usd": 3515096831.964,
        },
        "BTC-26DEC25": {
            "at": 1786659827683,
            "oi_coins": 3.311,
            "oi_usd": pytest.approx(401109.87),
            "mark": 121144.63,
            "volume_usd": 0.0,
        },
    }


def test_okx_tells_coins_and_dollars_itself() -> None:
    figures = {"at": 1597026383085, "oi_coins": 555.55, "oi_usd": 50000.0}
    assert told("okx", 0) == {"BTC-USDT-SWAP": figures}
    figures = {"at": 1743041250440, "oi_coins": 22161.1301000000309, "oi_usd": 1939251795.54769270396321}
    assert told("okx", 1) == {"BTC-USDT-SWAP": figures}
    assert told("okx", 2) == {"BTC-USDT-SWAP": {"at": 1597026383085, "mark": 200.0}}


def test_okx_contracts_stand_in_where_coins_or_dollars_are_missing() -> None:
    line = copy.deepcopy(fixtures("okx")[1])
    row = line["body"]["data"][0]
    row["oiCcy"] = ""
    (ticker,) = read("okx", line["url"], line["body"])
    assert ticker.oi_coins == pytest.approx(22161.1301)
    row |= {"oiUsd": "NaN"}
    (ticker,) = read("okx", line["url"], line["body"])
    assert (ticker.oi_coins, ticker.oi_usd) == (pytest.approx(22161.1301), None), "without a mark coins have no dollars"


def test_okx_hours_are_the_difference_of_the_next_two_payments() -> None:
    assert told("okx", 3) == {"BTC-USDT-SWAP": {"at": 1743588686291, "funding": 0.0000182221218054, "interval_h": 8.0}}
    line = copy.deepcopy(fixtures("okx")[3])
    for value in ("", "1743609600000", "1743609599999"):
        line["body"]["data"][0]["nextFundingTime"] = value
        (ticker,) = read("okx", line["url"], line["body"])
        assert (ticker.funding, ticker.interval_h) == (0.0000182221218054, None), value


def test_bitget_open_interest_is_coins_though_its_liquidations_are_dollars() -> None:
    assert told("bitget", 0) == {
        "BTCUSDT": {
            "at": 1765444282230,
            "oi_coins": 27606.0718,
            "oi_usd": pytest.approx(27606.0718 * 90216.4),
            "funding": 0.000047,
            "mark": 90216.4,
            "volume_usd": 4667820987.88478,
        }
    }
    assert told("bitget", 1) == {"BTCUSDT": {"at": 1743059269376, "funding": 0.000071, "interval_h": 8.0}}


def test_bitget_open_interest_of_coin_margined_contracts_is_not_guessed() -> None:
    line = copy.deepcopy(fixtures("bitget")[0])
    url = line["url"].replace("USDT-FUTURES", "COIN-FUTURES")
    (ticker,) = read("bitget", url, line["body"])
    assert known(ticker) == {"at": 1765444282230, "funding": 0.000047, "mark": 90216.4}


# --- what cannot be ---------------------------------------------------------------------------------------------------

#: Where each figure stands: venue, line of its fixture, where its row is, its word, and the fields that go with it.
FIGURES = [
    ("binance", 0, (0,), "markPrice", {"mark"}),
    ("binance", 0, (0,), "lastFundingRate", {"funding"}),
    ("binance", 1, (), "openInterest", {"oi_coins"}),
    ("binance", 4, (), "openInterest", {"oi_usd"}),
    ("aster", 0, (0,), "markPrice", {"mark"}),
    ("aster", 1, (0,), "fundingIntervalHours", {"interval_h"}),
    ("bybit", 1, ("result", "list", 0), "markPrice", {"mark", "oi_usd"}),
    ("bybit", 1, ("result", "list", 0), "fundingRate", {"funding"}),
    ("bybit", 1, ("result", "list", 0), "fundingIntervalHour", {"interval_h"}),
    ("bybit", 1, ("result", "list", 0), "turnover24h", {"volume_usd"}),
    ("bybit", 0, ("result", "list", 0), "openInterest", {"oi_coins", "oi_usd"}),
    ("okx", 2, ("data", 0), "markPx", {"mark"}),
    ("okx", 3, ("data", 0), "fundingRate", {"funding"}),
    ("bitget", 0, ("data", 0), "markPrice", {"mark", "oi_usd"}),
    ("bitget", 0, ("data", 0), "openInterest", {"oi_coins", "oi_usd"}),
    ("bitget", 0, ("data", 0), "fundingRate", {"funding"}),
    ("bitget", 1, ("data", 0), "fundingRateInterval", {"interval_h"}),
]


def swapped(body: Any, path: tuple[Any, ...], word: str, value: object) -> Any:
    body = copy.deepcopy(body)
    row = body
    for step in path:
        row = row[step]
    assert word in row
    row[word] = value
    return body


@pytest.mark.parametrize("value", ["", "NaN", "inf", "-1", "1e400", "1_0", "n/a", None, -1, "1e16"])
@pytest.mark.parametrize(("name", "place", "path", "word", "fields"), FIGURES)
def test_a_figure_that_cannot_be_is_left_out_and_its_row_stays(
    name: str, place: int, path: tuple[Any, ...], word: str, fields: set[str], value: object
) -> None:
    line = fixtures(name)[place]
    whole = known(read(name, line["url"], line["body"])[0])
    body = swapped(line["body"], path, word, value)
    left = {field: figure for field, figure in whole.items() if field not in fields}
    if set(left) == {"at"} and len(read(name, line["url"], line["body"])) == 1:
        with pytest.raises(DecodeError, match="no row can be used"):
            read(name, line["url"], body)
        return
    found = {ticker.symbol: known(ticker) for ticker in read(name, line["url"], body)}
    first = read(name, line["url"], line["body"])[0].symbol
    if set(left) == {"at"}:
        assert first not in found
    else:
        assert found[first] == pytest.approx(left)


@pytest.mark.parametrize(("name", "place", "path", "word"), [row[:4] for row in FIGURES if "open" in row[3].lower()])
def test_an_open_interest_of_nothing_is_a_figure(name: str, place: int, path: tuple[Any, ...], word: str) -> None:
    line = fixtures(name)[place]
    ticker = read(name, line["url"], swapped(line["body"], path, word, "0"))[0]
    assert {ticker.oi_coins, ticker.oi_usd} <= {0.0, None}
    assert (ticker.oi_coins, ticker.oi_usd) != (None, None)


@pytest.mark.parametrize("value", ["0.1001", "-0.1001", "100"])
def test_funding_of_more_than_a_tenth_is_left_out(value: str) -> None:
    line = fixtures("bybit")[1]
    body = swapped(line["body"], ("result", "list", 0), "fundingRate", value)
    assert read("bybit", line["url"], body)[0].funding is None


def test_more_than_a_trillion_dollars_of_open_interest_is_left_out_in_coins_too() -> None:
    line = fixtures("bitget")[0]
    ticker = read("bitget", line["url"], swapped(line["body"], ("data", 0), "openInterest", "20000000"))[0]
    assert (ticker.oi_coins, ticker.oi_usd, ticker.mark) == (None, None, 90216.4)


@every_venue
@pytest.mark.parametrize("body", [{}, [{}], {"code": "0"}, {"code": -1003, "msg": "Way too many requests"}, "x", None])
def test_an_answer_of_another_shape_is_refused(name: str, body: object) -> None:
    for line in fixtures(name):
        if "url" in line:
            with pytest.raises(DecodeError):
                read(name, line["url"], body)


@every_venue
def test_an_answer_that_was_cut_or_is_a_page_is_refused(name: str) -> None:
    tickers = VENUES[name].tickers
    for line in fixtures(name):
        for body in (raw(line.get("body"))[:-3].encode(), b"<html><body>403 Forbidden</body></html>", b""):
            with pytest.raises(DecodeError):
                tickers.read(Ask(url=line.get("url", "https://x/openInterest?symbol=X")), body, LISTED[name], SEEN)


@pytest.mark.parametrize(
    ("name", "place", "path", "word"),
    [
        ("binance", 0, (0,), "time"),
        ("binance", 1, (), "time"),
        ("bybit", 1, (), "time"),
        ("okx", 0, ("data", 0), "ts"),
        ("bitget", 0, ("data", 0), "ts"),
        ("bitget", 1, (), "requestTime"),
    ],
)
def test_a_time_far_ahead_of_ours_is_refused(name: str, place: int, path: tuple[Any, ...], word: str) -> None:
    line = fixtures(name)[place]
    kind = type(read_at(line["body"], path)[word])
    read(name, line["url"], swapped(line["body"], path, word, kind(SEEN + HOUR)))
    with pytest.raises(DecodeError, match="an hour ahead of ours"):
        read(name, line["url"], swapped(line["body"], path, word, kind(SEEN + HOUR + 1)))


def read_at(body: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


@every_venue
def test_contracts_that_are_not_listed_are_passed_over(name: str) -> None:
    tickers = VENUES[name].tickers
    for line in fixtures(name):
        if "url" in line and line["body"]:
            assert list(tickers.read(Ask(url=line["url"]), raw(line["body"]).encode(), {}, SEEN)) == []


# --- asked of the local servers ---------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(name: str):
    clock = ScaledClock(ORIGIN, 1)
    async with Market([name], clock, symbols={name: SYMBOLS}) as market, httpx.AsyncClient() as client:
        listed = await Source(VENUES[name], market.endpoints[name], clock, client).fetch()

        async def asked(*coins: str) -> dict[str, dict[str, Any]]:
            """One round, put together by contract."""
            tickers, found = VENUES[name].tickers, {}
            for ask in tickers.asks(market.endpoints[name], list(listed.values()), coins):
                for ticker in tickers.read(ask, await get(client, ask.url, clock), listed, clock.now()):
                    assert (ticker.venue, ticker.asset) == (name, listed[ticker.symbol].asset)
                    found.setdefault(ticker.symbol, {}).update(known(ticker))
            return found

        yield market.servers[name], listed, asked


@every_venue
async def test_a_round_reads_back_what_the_local_venue_holds(name: str) -> None:
    async with opened(name) as (server, listed, asked):
        server.interest.usd["BTC"] = 2.4e9
        server.interest.funding["BTC"] = -0.0003
        found = await asked("BTC", "SOL")
        assert set(found) == set(listed), "every contract is told of"
        for symbol, figures in found.items():
            own = server.describe(symbol)
            mark, coins = float(server.price(own)), server.interest.coins(own, float(server.price(own)))
            assert figures["mark"] == pytest.approx(mark)
            assert figures.get("funding") == (None if own.expiry else pytest.approx(server.interest.rate(own)))
            assert figures.get("interval_h") == (None if own.expiry else 8.0)
            single = name in ("binance", "aster")
            if (single and listed[symbol].asset not in ("BTC", "SOL")) or (name == "bitget" and own.quote == "USD"):
                assert not {"oi_coins", "oi_usd"} & set(figures), symbol
                continue
            usd = figures.get("oi_usd", figures.get("oi_coins", math.nan) * mark)
            assert usd == pytest.approx(coins * mark, rel=1e-5), symbol
        (btc,) = (symbol for symbol in found if server.describe(symbol) == server.describe("BTCUSDT"))
        assert found[btc]["funding"] == -0.0003
        assert found[btc].get("oi_coins", 0) * found[btc]["mark"] == pytest.approx(2.4e9)


@every_venue
async def test_open_interest_falls_by_what_was_liquidated(name: str) -> None:
    async with opened(name) as (server, _listed, asked):
        symbol = server.describe("BTCUSDT").symbol
        before = (await asked("BTC"))[symbol]["oi_coins"]
        row = Row(at=ORIGIN, venue=name, symbol="BTCUSDT", side=Side.LONG, usd=9_500_000.0, price=95_000.0, qty=100.0)
        server.remember([server.order(row)])
        assert (await asked("BTC"))[symbol]["oi_coins"] == pytest.approx(before - 100.0)


async def test_what_costs_a_request_each_is_asked_for_few_coins_and_last() -> None:
    async with opened("binance") as (_server, listed, _asked):
        endpoints = dict.fromkeys(("um_rest", "cm_rest"), "https://x")
        asks = VENUES["binance"].tickers.asks(endpoints, list(listed.values()), {"BTC"})
        paths = [ask.url.removeprefix("https://x") for ask in asks]
        assert paths[:4] == [
            f"/{api}/v1/{what}" for api in ("fapi", "dapi") for what in ("premiumIndex", "fundingInfo")
        ]
        wanted = {symbol for symbol, row in listed.items() if row.asset == "BTC"}
        assert {path.partition("symbol=")[2] for path in paths[4:]} == wanted
        assert len(listed) > 10 * len(wanted)


@every_venue
def test_requests_are_as_rare_as_the_limits_allow_many_times_over(name: str) -> None:
    assert VENUES[name].tickers.gap_s >= 0.25
    assert VENUES[name].tickers.every_s >= 60


# --- control streams --------------------------------------------------------------------------------------------------

BINANCE = {
    "stream": "!markPrice@arr@1s",
    "data": [
        {"e": "markPriceUpdate", "E": SEEN, "s": "BTCUSDT", "p": "79107.3", "r": "0.00008359", "T": SEEN + HOUR},
        {"e": "markPriceUpdate", "E": SEEN, "s": "BTCUSDT_261225", "p": "80000", "r": "", "T": 0},
    ],
}
OKX_ARG = {"channel": "mark-price", "instId": "BTC-USDT-SWAP"}
FRAMES: dict[str, tuple[object, dict[str, dict[str, Any]]]] = {
    "binance": (BINANCE, {"BTCUSDT": {"mark": 79107.3, "funding": 0.00008359}, "BTCUSDT_261225": {"mark": 80000.0}}),
    "aster": (BINANCE["data"][0], {"BTCUSDT": {"mark": 79107.3, "funding": 0.00008359}}),
    "bybit": (
        {"topic": "tickers.BTCUSD", "type": "delta", "data": {"symbol": "BTCUSD", "markPrice": "80000"}, "ts": SEEN},
        {"BTCUSD": {"mark": 80000.0}},
    ),
    "okx": (
        {"arg": OKX_ARG, "data": [{"instType": "SWAP", "instId": "BTC-USDT-SWAP", "markPx": "80000", "ts": str(SEEN)}]},
        {"BTC-USDT-SWAP": {"mark": 80000.0}},
    ),
    "bitget": (
        {
            "data": [{"markPrice": "80000", "openInterest": "100", "fundingRate": "-0.0001", "lastPrice": "79999"}],
            "arg": {"instType": "usdt-futures", "topic": "ticker", "symbol": "BTCUSDT"},
            "action": "snapshot",
            "ts": SEEN,
        },
        {"BTCUSDT": {"mark": 80000.0, "oi_coins": 100.0, "oi_usd": 8e6, "funding": -0.0001}},
    ),
}


def heard(name: str, frame: object, seen: int = SEEN) -> list[Ticker]:
    return list(VENUES[name].tickers.hear(raw(frame), seen))


@every_venue
def test_a_control_stream_tells_what_it_carries(name: str) -> None:
    frame, wanted = FRAMES[name]
    for form in (raw(frame), raw(frame).encode()):
        found = VENUES[name].tickers.hear(form, SEEN)
        assert {ticker.symbol: known(ticker) for ticker in found} == {
            symbol: {"at": SEEN} | figures for symbol, figures in wanted.items()
        }
        assert {ticker.asset for ticker in found} == {"BTC"}


def test_a_captured_bybit_snapshot_is_told_whole_and_a_delta_of_other_words_tells_nothing() -> None:
    snapshot, delta = (line["frame"] for line in fixtures("bybit")[2:])
    assert {ticker.symbol: known(ticker) for ticker in heard("bybit", snapshot)} == {
        "BTCUSDT": told("bybit", 1)["BTCUSDT"]
    }
    assert heard("bybit", delta) == []
    assert list(VENUES["bybit"].session().decode(raw(delta), SEEN)) == [Control()]


@every_venue
def test_a_session_tells_at_most_once_in_ten_seconds(name: str) -> None:
    session, (frame, _) = VENUES[name].session(), FRAMES[name]
    moments = (0, 1, 9_999, 10_000, 10_001, 19_999, 20_000)
    kinds = [[type(event) for event in session.decode(raw(frame), SEEN + ms)] for ms in moments]
    assert [kind == [Control, Told] for kind in kinds] == [ms % 10_000 == 0 for ms in moments]
    assert all(kind in ([Control], [Control, Told]) for kind in kinds)
    other = VENUES[name].session()
    assert [type(event) for event in other.decode(raw(frame), SEEN + 1)] == [Control, Told], "each connection by itself"


@every_venue
def test_between_two_sips_a_frame_is_known_by_its_ends(name: str) -> None:
    if name == "bitget":
        pytest.skip("bitget's frames are decoded anyhow: they open with the data")
    session, text = VENUES[name].session(), raw(FRAMES[name][0])
    session.decode(text, SEEN)
    broken = text[:45] + "\0" + text[46:]
    assert list(session.decode(broken, SEEN + 1)) == [Control()]


BROKEN: dict[str, Callable[[Any], Any]] = {
    "binance": lambda frame: frame | {"data": [row | {"p": "0", "r": "x"} for row in frame["data"]]},
    "aster": lambda frame: frame | {"E": 1},
    "bybit": lambda frame: frame | {"data": {"markPrice": "80000"}},
    "okx": lambda frame: frame | {"data": [{"instId": "BTC-USDT-SWAP", "markPx": "NaN", "ts": str(SEEN)}]},
    "bitget": lambda frame: frame | {"ts": SEEN + 2 * HOUR},
}


@every_venue
def test_words_that_are_refused_are_a_sign_of_life_and_one_complaint(name: str) -> None:
    session, frame = VENUES[name].session(), BROKEN[name](FRAMES[name][0])
    first = list(session.decode(raw(frame), SEEN))
    assert [type(event) for event in first] == [Control, Spoilt], first
    assert list(session.decode(raw(frame), SEEN + SECOND)) == [Control()]


def test_one_bad_contract_among_all_marks_costs_itself_only() -> None:
    frame = copy.deepcopy(BINANCE)
    frame["data"].insert(0, {"e": "markPriceUpdate", "E": SEEN, "s": "", "p": "1", "r": "0", "T": 1})
    assert [ticker.symbol for ticker in heard("binance", frame)] == ["BTCUSDT", "BTCUSDT_261225"]


@pytest.mark.parametrize(("name", "file"), [("bybit", "bybit"), ("okx", "okx"), ("binance", "binance_um")])
def test_recorded_control_frames_are_told(name: str, file: str) -> None:
    lines = recorded(f"frames/{file}.jsonl").read_text(encoding="utf-8").splitlines()
    frames = [json.loads(line)["raw"] for line in lines]
    controls = [frame for frame in frames if "mark-price" in raw(frame) or '"tickers.' in raw(frame)]
    for frame in controls:
        for ticker in heard(name, frame):
            assert ticker.mark
    found = [frame for frame in frames if isinstance(frame, dict) and "openInterest" in frame]
    for body in found if name == "binance" else ():
        ask = Ask(url=f"https://x/fapi/v1/openInterest?symbol={body['symbol']}")
        (ticker,) = VENUES[name].tickers.read(ask, msgspec.json.encode(body), LISTED[name], SEEN)
        assert ticker.oi_coins == 10659.509
    assert controls or found


@every_venue
def test_a_control_frame_that_tells_something_is_not_recorded_either(name: str) -> None:
    written: list[object] = []
    session = TappedVenue(VENUES[name], written.append).session()
    assert len(session.decode(raw(FRAMES[name][0]), SEEN)) == 2
    assert not written, "control streams dwarf the rest"


# --- what the local venues hold ---------------------------------------------------------------------------------------


def test_a_local_venue_holds_a_tenth_in_coin_margined_and_dated_contracts_and_never_less_than_nothing() -> None:
    server = Market(["binance"], ScaledClock(ORIGIN, 1)).servers["binance"]
    perpetual, inverse, dated = (server.describe(name) for name in ("BTCUSDT", "BTCUSD", "BTCUSDT_260327"))
    held = server.interest
    held.usd["BTC"] = 1.2e9
    assert held.coins(perpetual, 100_000) == 12_000
    assert held.coins(inverse, 100_000) == held.coins(dated, 100_000) == 1_200
    assert held.coins(perpetual, 50_000) == 12_000, "coins do not follow the price"
    row = Row(at=ORIGIN, venue="binance", symbol="BTCUSD", side=Side.SHORT, usd=10_000_000.0, price=80_000.0, qty=None)
    held.liquidated(server.order(row))
    assert held.coins(inverse, 100_000) == 1_100, "ten millions of its dollars are gone"
    assert held.coins(inverse, 200_000) == 550, "its dollars do not follow the price, its coins do"
    for _ in range(12):
        held.liquidated(server.order(row))
    assert held.coins(inverse, 100_000) == 0
