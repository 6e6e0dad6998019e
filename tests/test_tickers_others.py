"""Open interest, funding and marks of the venues beside the five largest: documented and captured answers, local ones."""

import asyncio
import copy
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from service.clock import ScaledClock
from service.context.asking import Market as Wanted
from service.context.asking import TickerPoll
from service.model import Contract, DecodeError, Instrument, Side, Ticker
from service.simulator import Market
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.tape import Row
from service.venues import VENUES
from service.venues.base import Ask, Control, Spoilt, Tickers, Told
from tests.toyvenue import ORIGIN

FIXTURES = Path(__file__).parent / "fixtures"
NAMES = ("gate", "htx", "hyperliquid", "bitfinex", "kraken", "deribit", "bitmex", "dydx", "lighter")
SEEN = 1_791_565_600_000
FIGURES = ("oi_coins", "oi_usd", "funding", "interval_h", "mark", "volume_usd")


def tickers(name: str) -> Tickers:
    found = VENUES[name].tickers
    assert found is not None
    return found


def lines(name: str) -> list[dict[str, Any]]:
    text = (FIXTURES / "tickers" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def contract(venue: str, symbol: str, asset: str, kind: Contract = Contract.LINEAR, size: float = 1.0) -> Instrument:
    return Instrument(venue=venue, symbol=symbol, asset=asset, contract=kind, size=size)


#: The contracts the fixtures tell of, with what their venues' metadata say of them.
LISTED: Mapping[str, Sequence[Instrument]] = {
    "gate": (
        contract("gate", "BTC_USDT", "BTC", size=0.0001),
        contract("gate", "BTC_USD", "BTC", Contract.INVERSE),
    ),
    "htx": (
        *(contract("htx", f"{coin}-USDT", coin) for coin in ("BTC", "ETC", "ADA")),
        contract("htx", "LTC-USD", "LTC", Contract.INVERSE, 10.0),
        contract("htx", "BTC210813", "BTC", Contract.INVERSE, 100.0),
    ),
    "hyperliquid": (),
    "bitfinex": (contract("bitfinex", "tBTCF0:USTF0", "BTC"),),
    "kraken": (contract("kraken", "PF_XBTUSD", "BTC"), contract("kraken", "PI_XBTUSD", "BTC", Contract.INVERSE)),
    "deribit": tuple(contract("deribit", name, "BTC", Contract.INVERSE) for name in ("BTC-PERPETUAL", "BTC-22FEB19")),
    "bitmex": (contract("bitmex", "XBTUSD", "BTC", Contract.INVERSE),),
    "dydx": (contract("dydx", "BTC-USD", "BTC"), contract("dydx", "ETH-USD", "ETH")),
    "lighter": (
        contract("lighter", "0", "ETH", Contract.INVERSE),
        contract("lighter", "1", "BTC", Contract.INVERSE),
    ),
}

#: What each line reads to, worked out by hand: symbol, when (None: our time), coins, dollars, funding, hours, mark,
#: volume.
EXPECTED: Mapping[str, Sequence[Sequence[tuple[Any, ...]]]] = {
    "gate": (
        [("BTC_USDT", None, 3232.3904, 21_120_438.8736, None, None, 6534.0, 184_040_233_284.0)],
        [("BTC_USDT", None, None, None, 0.002053, 8.0, 37985.6, None)],
        [("BTC_USD", None, 622.2898183354457, 73_648.0, None, None, 118.35, None)],
    ),
    "htx": (
        [("BTC-USDT", 1603694760141, 1.489, 44_670.0, None, None, None, 515_168.541)],
        [
            ("ETC-USDT", 1614045373795, None, None, -0.0075, 8.0, None, None),
            ("ADA-USDT", 1614045373795, None, None, -0.0075, 8.0, None, None),
        ],
        [("LTC-USD", 1603852005954, 9.485294117647058, 1_290.0, None, None, None, 1_600.0)],
        [("BTC210813", 1628651933482, 877.273288561929, 39_997_600.0, None, None, None, 113_643_400.0)],
        [("BTC-USDT", 1611106791703, None, None, None, None, 31078.68, None)],
    ),
    "hyperliquid": (
        [
            ("BTC", None, 688.11, 9_851.051571, 0.0000125, 1.0, 14.3161, 1169046.29406),
            ("ETH", None, 1882.55, 11_377.37918, 0.0000125, 1.0, 6.0436, 1426126.295175),
            ("HPOS", None, 2912.05, 24_619.05311, 0.0000125, 1.0, 8.4542, 809774.565507),
        ],
        [
            ("BTC", None, 27353.17682, 2_121_567_100.51284, -0.0000015186, 1.0, 77562.0, 1516669192.1953897),
            ("ETH", None, 605822.2558, 1_286_584_724.6424599, 0.0000125, 1.0, 2123.7, 591989409.93924),
            ("ATOM", None, 1485517.84, 3_166_381.27596, 0.0000125, 1.0, 2.1315, 539123.919487),
        ],
    ),
    "bitfinex": (
        [("tBTCF0:USTF0", 1596124822000, 246502.09001551, 188_919.201787887, -0.01381344, 8.0, 0.7664, None)],
    ),
    "kraken": (
        # 1.444418177964 dollars an hour for a coin at 78,288.75
        [("PF_XBTUSD", 1789015960047, 2105.9165, 164_869_565.7303, 1.8449882e-05, 1.0, 78288.74778169378, None)],
        # 3.995839963e-09 coins an hour for a dollar
        [("PI_XBTUSD", 1763339677524, 232.546939, 21_279_580.0, -3.6564573e-04, 1.0, 91506.6009839176, 21_118_140.0)],
        [("PI_XBTUSD", None, 2460.7863069, 89_423_744.0, 1.2916670e-05, 1.0, 36339.5, 341_903_278.0)],
    ),
    "deribit": (
        [
            ("BTC-22FEB19", 1550230036440, 0.0, 0.0, None, None, 3579.73, 0.0),
            ("BTC-PERPETUAL", 1550230036440, 51.17145706, 183_180.0, 0.0002574, 8.0, 3579.73, 22_440.0),
        ],
    ),
    "bitmex": ([("XBTUSD", 1732491199034, 4206.933466, 411_647_400.0, 0.00011, 8.0, 97849.76, 419_742_700.0)],),
    "dydx": (
        [
            ("BTC-USD", None, 381.7348, 34_325_287.82816, 2.54545454545455e-06, 1.0, 89919.2, 247500844.6834),
            ("ETH-USD", None, 7457.108, 23_139_480.69508, 0.00000125, 1.0, 3103.01, 59598032.8897),
        ],
    ),
    "lighter": (
        [("0", None, 27350.8981, None, None, None, None, 460664167.955905)],
        [("1", None, None, None, 0.000096, 8.0, None, None)],
    ),
}


def every_fixture() -> Iterator[Any]:
    for name in NAMES:
        for number, line in enumerate(lines(name)):
            yield pytest.param(name, line, EXPECTED[name][number], id=f"{name}:{number + 1}")


def listed_of(name: str) -> dict[str, Instrument]:
    return {row.symbol: row for row in LISTED[name]}


def read(name: str, line: Mapping[str, Any], body: object = None) -> Sequence[Ticker]:
    ask = Ask(url=line["url"], post=line.get("post", ""))
    text = json.dumps(line["body"] if body is None else body).encode()
    return tickers(name).read(ask, text, listed_of(name), SEEN)


every_name = pytest.mark.parametrize("name", NAMES)


# --- answers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "line", "expected"), list(every_fixture()))
def test_a_fixture_reads_to_the_figures_worked_out_by_hand(name, line, expected) -> None:
    found = read(name, line)
    assert [one.symbol for one in found] == [row[0] for row in expected]
    for one, (_, at, *figures) in zip(found, expected, strict=True):
        assert (one.venue, one.seen, one.at) == (name, SEEN, at or SEEN)
        for field, figure in zip(FIGURES, figures, strict=True):
            told = getattr(one, field)
            assert told == (None if figure is None else pytest.approx(figure, rel=1e-7)), field


@every_name
def test_every_fixture_is_read_and_says_where_it_comes_from(name) -> None:
    assert len(lines(name)) == len(EXPECTED[name])
    assert all(line["source"].startswith(("documented", "captured")) for line in lines(name))


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where numbers stand in a body, spelt as text or not."""
    parts = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in parts:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            yield (*path, key)
        yield from places(value, (*path, key))


def swapped(body: Any, path: tuple[Any, ...], value: object) -> Any:
    copied = copy.deepcopy(body)
    held = copied
    for key in path[:-1]:
        held = held[key]
    held[path[-1]] = value
    return copied


@pytest.mark.parametrize("value", ["NaN", "", "-1", "1e400", "-0.5", "Infinity", "1_000", "٣", None, -7, 1e300, 0.5])
@pytest.mark.parametrize(("name", "line", "expected"), list(every_fixture()))
def test_what_cannot_be_is_left_out_and_never_told_as_nothing(name, line, expected, value) -> None:
    """Whatever number of an answer is swapped, no figure leaves its bounds and none becomes 0 that was none."""
    for path in places(line["body"]):
        try:
            found = read(name, line, swapped(line["body"], path, value))
        except DecodeError:
            continue
        zeros = {(row[0], field) for row in expected for field, told in zip(FIGURES, row[2:], strict=True) if told == 0}
        for one in found:
            told = {field: getattr(one, field) for field in FIGURES if getattr(one, field) is not None}
            assert {(one.symbol, field) for field, figure in told.items() if figure == 0} <= zeros, path
            assert all(figure >= 0 for field, figure in told.items() if field != "funding"), path
            assert told.get("oi_usd", 0) <= 1e12
            assert abs(told.get("funding", 0)) <= 0.1
            assert told


@pytest.mark.parametrize(
    ("name", "number", "path", "value", "gone"),
    [
        ("gate", 0, (0, "total_size"), "NaN", {"oi_coins", "oi_usd"}),
        ("gate", 0, (0, "mark_price"), "0", {"oi_usd", "mark"}),
        ("gate", 1, ("funding_rate",), "0.11", {"funding", "interval_h"}),
        ("gate", 1, ("funding_interval",), 0, {"funding", "interval_h"}),
        ("htx", 0, ("data", 0, "value"), -5, {"oi_usd"}),
        ("hyperliquid", 0, (1, 0, "openInterest"), "-688.11", {"oi_coins", "oi_usd"}),
        ("hyperliquid", 0, (1, 0, "openInterest"), "1e12", {"oi_coins", "oi_usd"}),
        ("bitfinex", 0, (0, 18), None, {"oi_coins", "oi_usd"}),
        ("kraken", 0, ("tickers", 0, "markPrice"), "NaN", {"oi_usd", "mark", "funding", "interval_h"}),
        ("deribit", 0, ("result", 0, "mark_price"), None, {"oi_coins", "mark"}),
        ("bitmex", 0, (0, "fundingInterval"), "soon", {"funding", "interval_h"}),
        ("dydx", 0, ("markets", "BTC-USD", "oraclePrice"), "", {"oi_usd", "mark"}),
        ("lighter", 0, ("order_book_details", 0, "open_interest"), -1, {"oi_coins"}),
    ],
)
def test_a_refused_value_costs_its_own_field_only(name, number, path, value, gone) -> None:
    line = lines(name)[number]
    whole, part = (read(name, line, body)[0] for body in (line["body"], swapped(line["body"], path, value)))
    lost = {field for field in FIGURES if getattr(whole, field) is not None and getattr(part, field) is None}
    assert lost == gone


@every_name
def test_an_open_interest_of_nothing_is_a_value(name) -> None:
    """Zero is told as zero where the venue says so, in whatever it counts."""
    keys = {"total_size", "amount", "volume", "openInterest", "open_interest", "value"}
    line = next(
        line for line in lines(name) if any(row[2] is not None for row in EXPECTED[name][lines(name).index(line)])
    )
    body = copy.deepcopy(line["body"])
    for path in [path for path in places(body) if path[-1] in keys or (name == "bitfinex" and path[-1] == 18)]:
        body = swapped(body, path, 0)
    assert read(name, line, body)[0].oi_coins == 0


@every_name
@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"[1]", b'"x"', b"<html>403</html>", b"\xff", b"[" * 100_000])
def test_an_answer_of_another_shape_is_refused(name, body) -> None:
    for line in lines(name):
        with pytest.raises(DecodeError):
            tickers(name).read(Ask(url=line["url"], post=line.get("post", "")), body, listed_of(name), SEEN)


@pytest.mark.parametrize(
    ("name", "number", "body", "word"),
    [
        ("htx", 0, {"status": "error", "err_code": 1030, "err_msg": "input error", "ts": SEEN}, "input error"),
        ("hyperliquid", 0, [{"universe": [{"name": "BTC"}]}, []], "1 names for 0 contexts"),
        ("bitfinex", 0, [], "no row"),
        ("kraken", 0, {"result": "error", "error": "apiLimitExceeded"}, "apiLimitExceeded"),
        ("lighter", 0, {"code": 20001, "message": "invalid param"}, "invalid param"),
        ("gate", 0, [{"contract": "BTC_USDT", "total_size": "NaN", "mark_price": ""}], "row 1"),
        ("dydx", 0, {"markets": {"BTC-USD": {"ticker": "BTC-USD", "oraclePrice": "-1"}}}, "row 1"),
    ],
)
def test_an_error_and_an_answer_without_one_usable_figure_say_what_is_wrong(name, number, body, word) -> None:
    with pytest.raises(DecodeError, match=word):
        read(name, lines(name)[number], body)


def test_a_time_ahead_of_ours_costs_the_row() -> None:
    line = lines("bitfinex")[0]
    with pytest.raises(DecodeError, match="ahead"):
        read("bitfinex", line, swapped(line["body"], (0, 1), SEEN + 2 * 3_600_000))


def test_contracts_that_are_not_listed_are_left_out() -> None:
    for name in NAMES:
        if name == "hyperliquid":  # it has no list: a name tells all there is
            continue
        for line in lines(name):
            ask = Ask(url=line["url"])
            assert tickers(name).read(ask, json.dumps(line["body"]).encode(), {}, SEEN) == []


def test_the_two_rates_a_kraken_frame_tells_are_one() -> None:
    """A captured frame of the socket has the absolute and the relative rate of the same hour: their ratio is the price."""
    absolute, relative, mark = -6.2604214e-11, -1.380384722222e-6, 21979.68641534714
    row = {"symbol": "PI_XBTUSD", "markPrice": mark, "fundingRate": absolute, "openInterest": 30072580.0}
    (found,) = read("kraken", lines("kraken")[0], {"result": "success", "tickers": [row]})
    assert found.funding == pytest.approx(relative, rel=0.005)


# --- streams ----------------------------------------------------------------------------------------------------------


def control_frame(name: str) -> tuple[str, int]:
    """The venue's captured or documented control frame, and when it was heard."""
    text = (FIXTURES / "venues" / f"{name}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()[1:]]
    row = next(row for row in rows if row.get("yields") == ["Control"] and not isinstance(row["frame"], str))
    return json.dumps(row["frame"], separators=(",", ":")), row["seen"]


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("gate", ("BTC_USD", 622.2898183354457, 73_648.0, -0.000114, 8.0, 118.35, None)),
        ("hyperliquid", ("BTC", 36585.31848, 3_078_581_379.45504, 0.0000018952, 1.0, 84148.0, 4161029539.696497)),
    ],
)
def test_a_control_frame_tells_marks_funding_and_open_interest(name, figures) -> None:
    frame, seen = control_frame(name)
    for form in (frame, frame.encode()):
        (one,) = tickers(name).hear(form, seen)
        assert (one.venue, one.asset, one.seen, one.symbol) == (name, "BTC", seen, figures[0])
        assert [getattr(one, field) for field in FIGURES] == [
            None if figure is None else pytest.approx(figure, rel=1e-9) for figure in figures[1:]
        ]


def test_what_an_update_of_a_bitmex_instrument_does_not_tell_is_not_there() -> None:
    frame = {"table": "instrument", "action": "update", "data": [{"symbol": "XBTUSD", "openInterest": 411647400}]}
    (one,) = tickers("bitmex").hear(json.dumps(frame), SEEN)
    assert (one.oi_usd, one.oi_coins, one.mark, one.funding) == (411_647_400.0, None, None, None)
    last = {"table": "instrument", "action": "update", "data": [{"symbol": "XBTUSD", "lastPrice": 97893.7}]}
    assert tickers("bitmex").hear(json.dumps(last), SEEN) == []


@pytest.mark.parametrize("name", ["gate", "hyperliquid", "bitmex"])
def test_a_stream_is_sipped_at_most_once_in_ten_seconds(name) -> None:
    frame, _ = control_frame(name)
    if name == "bitmex":
        frame = '{"table":"instrument","action":"update","data":[{"symbol":"XBTUSD","markPrice":97849.76}]}'
    session = VENUES[name].session()
    kinds = [[type(event) for event in session.decode(frame, SEEN + ms)] for ms in (0, 1, 9_999, 10_000, 19_999)]
    assert kinds == [[Control, Told], [Control], [Control], [Control, Told], [Control]]


def test_frames_between_two_sips_are_not_decoded() -> None:
    session = VENUES["hyperliquid"].session()
    words = '{"channel":"activeAssetCtx","data":{' + "this is not JSON" * 1_000 + "}}}"
    kinds = [[type(event) for event in session.decode(words, SEEN + ms)] for ms in (0, 1_000, 10_000)]
    assert kinds == [[Control, Spoilt], [Control], [Control, Spoilt]]


@pytest.mark.parametrize("name", NAMES)
def test_venues_without_such_a_stream_hear_nothing(name) -> None:
    if name not in ("gate", "hyperliquid", "bitmex"):
        assert list(tickers(name).hear("{}", SEEN)) == []


@pytest.mark.parametrize(("name", "key"), [("gate", "usdt"), ("hyperliquid", "public"), ("bitmex", "public")])
async def test_a_live_control_stream_tells_what_the_local_venue_holds(name, key) -> None:
    venue = VENUES[name]
    async with Market([name], ScaledClock(ORIGIN, 1)) as market:
        server = market.servers[name]
        server.interest.funding["BTC"] = 0.00042
        (plan,) = [one for one in venue.plans(market.endpoints[name], ()) if one.key == key]
        session, told = venue.session(plan), list[Ticker]()
        async with connect(plan.url, additional_headers=dict(plan.headers)) as ws, asyncio.timeout(5):
            for words in session.hello(ORIGIN):
                await ws.send(words)
            while not told:
                events = session.decode(await ws.recv(), server.clock.now())
                told = [one for event in events if isinstance(event, Told) for one in event.tickers]
    (found,) = told
    assert (found.venue, found.asset, found.mark) == (name, "BTC", 95_000.0)
    assert (found.funding, found.interval_h) == (0.00042, server.interest.interval_h)


# --- local servers ----------------------------------------------------------------------------------------------------


async def answer(client: httpx.AsyncClient, ask: Ask) -> bytes:
    told = await (client.post(ask.url, content=ask.post) if ask.post else client.get(ask.url))
    assert told.status_code == 200, (ask, told.text[:200])
    return told.content


async def contracts(name: str, endpoints: Mapping[str, str], client: httpx.AsyncClient) -> list[Instrument]:
    """What the local metadata list."""
    urls = VENUES[name].catalogue(endpoints)
    bodies = [await answer(client, Ask(url=url)) for url in urls]
    return [row for body in bodies for row in VENUES[name].instruments(body)[0]]


def together(parts: Sequence[Ticker]) -> dict[str, dict[str, float]]:
    """Parts of contracts put together, the later over the earlier."""
    found: dict[str, dict[str, float]] = {}
    for part in parts:
        told = {field: getattr(part, field) for field in FIGURES if getattr(part, field) is not None}
        found.setdefault(part.symbol, {}).update(told)
    return found


async def round_of(name: str, market: Market, client: httpx.AsyncClient) -> dict[str, dict[str, float]]:
    endpoints = market.endpoints[name]
    listed = await contracts(name, endpoints, client)
    known = {row.symbol: row for row in listed}
    asks = tickers(name).asks(endpoints, listed, {"BTC", "ETH"})
    assert len({(ask.url, ask.post) for ask in asks}) == len(asks)
    parts: list[Ticker] = []
    for ask in asks:
        parts += tickers(name).read(ask, await answer(client, ask), known, market.servers[name].clock.now())
    return together(parts)


def held(server: VenueServer, listing: Listing) -> tuple[float, float]:
    """One-sided coins and dollars a local venue holds of a contract."""
    mark = float(server.price(listing))
    coins = server.interest.coins(listing, mark)
    return coins, coins * mark


@every_name
async def test_a_round_of_asks_reads_back_what_the_local_venue_holds(name) -> None:
    async with Market([name], ScaledClock(ORIGIN, 1)) as market, httpx.AsyncClient() as client:
        server = market.servers[name]
        server.interest.funding["BTC"] = -0.00031
        found = await round_of(name, market, client)
        shown = [own for own in server.listings() if own.symbol in found]
        assert len(shown) >= 10
        quanto = {own.symbol for own in shown if own.quote == "USD" and not own.inverse and name in ("gate", "bitmex")}
        for own in shown:
            told, (coins, usd) = found[own.symbol], held(server, own)
            if own.symbol in quanto:
                assert "oi_usd" not in told
                continue
            if name == "bitfinex" and "F0:" not in own.symbol:
                continue
            assert told["oi_coins"] == pytest.approx(coins, rel=1e-6)
            if name != "lighter":
                assert told["oi_usd"] == pytest.approx(usd, rel=1e-6)
            if name not in ("htx", "lighter"):
                assert told["mark"] == float(server.price(own))
        bitcoins = [found[own.symbol] for own in shown if own.base in ("BTC", "XBT") and not own.expiry]
        rates = {(round(told["funding"], 9), told["interval_h"]) for told in bitcoins}
        assert rates == {(-0.00031, server.interest.interval_h)}


@pytest.mark.parametrize("name", ["gate", "htx", "kraken", "deribit"])
async def test_what_costs_a_request_each_is_asked_for_the_coins_only(name) -> None:
    async with Market([name], ScaledClock(ORIGIN, 1)) as market, httpx.AsyncClient() as client:
        found = await round_of(name, market, client)
        server = market.servers[name]
        dated = [found[own.symbol] for own in server.listings() if own.expiry and own.symbol in found]
        assert not any("funding" in told for told in dated)
        others = [found[own.symbol] for own in server.listings() if own.base == "DOGE" and own.symbol in found]
        assert others
        assert {"funding" in told for told in others} == {name != "gate"}
        assert {"mark" in told for told in others} == {name != "htx"}


@every_name
async def test_open_interest_falls_by_what_the_venue_has_liquidated(name) -> None:
    row = Row(
        venue=name, symbol="BTCUSDT", side=Side.LONG, price=95_000.0, qty=20.0, usd=1_900_000.0, at=ORIGIN, ordinal=0
    )
    async with Market([name], ScaledClock(ORIGIN, 1)) as market, httpx.AsyncClient() as client:
        server = market.servers[name]
        before = await round_of(name, market, client)
        order = server.order(row)
        server.remember([order])
        after = await round_of(name, market, client)
        symbol = order.listing.symbol
        fell = before[symbol]["oi_coins"] - after[symbol]["oi_coins"]
        assert fell == pytest.approx(20.0, rel=1e-5)
        assert all(
            after[other]["oi_coins"] == told["oi_coins"]
            for other, told in before.items()
            if other != symbol and "oi_coins" in told
        )


async def test_a_venue_without_a_list_of_contracts_is_asked_all_the_same() -> None:
    heard: asyncio.Queue[Sequence[Ticker]] = asyncio.Queue()
    venue, clock = VENUES["hyperliquid"], ScaledClock(ORIGIN, 60)
    async with Market(["hyperliquid"], clock) as market, httpx.AsyncClient(trust_env=False) as client:
        wanted = Wanted(tuple, set, heard.put_nowait)
        poll = TickerPoll(venue, market.endpoints["hyperliquid"], wanted, clock, client, random.Random(7))
        task = asyncio.create_task(poll.run())
        try:
            found = await asyncio.wait_for(heard.get(), 5)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    assert {one.symbol for one in found} >= {"BTC", "ETH", "kPEPE"}


async def test_a_local_venue_takes_a_post_in_pieces_and_refuses_what_it_does_not_speak() -> None:
    async def pieces() -> Any:
        for piece in (b'{"type":', b'"metaAnd', b'AssetCtxs"}'):
            yield piece

    async with Market(["hyperliquid", "dydx"], ScaledClock(ORIGIN, 1)) as market, httpx.AsyncClient() as client:
        url = f"{market.endpoints['hyperliquid']['rest']}/info"
        length = {"Content-Length": str(len(b'{"type":"metaAndAssetCtxs"}'))}
        told = await client.post(url, content=pieces(), headers=length)
        assert (told.status_code, len(told.json())) == (200, 2)
        assert (await client.post(url, content="{}")).status_code == 422
        assert (await client.post(url)).status_code == 422
        assert (await client.get(url)).status_code == 405
        assert (await client.post(f"{market.endpoints['dydx']['rest']}/v4/perpetualMarkets")).status_code == 405
