"""Binance's public past: what its answers mean, what is refused, and in what order it is asked for over a real socket."""

import json
from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs, urlsplit

import pytest

from service.context.memory import Memory
from service.context.past import DAY, candles, funding, open_interest
from service.context.risk import STEP, Point
from service.context.seed import AGAIN_S, EVERY_S, FUNDING_DAYS, PAUSE_S, Past
from service.context.source import NotYetError, SourceError
from service.model import HOUR, SECOND, Contract, DecodeError, Instrument, Ticker
from tests.pages import Page, Pages, serving
from tests.test_poll import ORIGIN, gaps, running, until

NOW = ORIGIN - ORIGIN % DAY + 10 * HOUR
BTC = Instrument(venue="binance", symbol="BTCUSDT", asset="BTC", contract=Contract.LINEAR, size=1.0)


def contract(symbol: str, asset: str = "BTC", kind: Contract = Contract.LINEAR) -> Instrument:
    return Instrument(venue="binance", symbol=symbol, asset=asset, contract=kind, size=1.0)


def interest(at: int = NOW - STEP, coins: object = "20403.63700000", **changes: object) -> dict[str, object]:
    """A row as the venue's page shows it."""
    return {
        "symbol": "BTCUSDT",
        "sumOpenInterest": coins,
        "sumOpenInterestValue": "150570784.07809979",
        "CMCCirculatingSupply": "165880.538",
        "timestamp": at,
    } | changes


def payment(at: int, rate: object = "0.00010000", **changes: object) -> dict[str, object]:
    return {"symbol": "BTCUSDT", "fundingRate": rate, "fundingTime": at, "markPrice": "34287.5"} | changes


def candle(opened: int, close: object = "0.01577100", usd: object = "2434.19055334") -> list[object]:
    ends = opened + STEP - 1
    return [opened, "0.01634790", "0.8", "0.01575800", close, "148976.1", ends, usd, 308, "1756.8", "28.4", "0"]


def raw(*rows: object) -> bytes:
    return json.dumps(rows).encode()


def test_open_interest_is_told_in_coins_and_dollars() -> None:
    body = raw(interest(timestamp="1583127900000"), interest(1_583_128_200_000, 7))

    assert open_interest(body, BTC, NOW) == [
        Point(at=at, oi_coins=coins, oi_usd=150570784.07809979)
        for at, coins in ((1_583_127_900_000, 20403.637), (1_583_128_200_000, 7.0))
    ]
    assert open_interest(b"[]", BTC, NOW) == []


@pytest.mark.parametrize(
    "wrong",
    [
        interest(coins="-1"),
        interest(coins="0"),
        interest(coins="NaN"),
        interest(coins="1e400"),
        interest(symbol="ETHUSDT"),
        interest(NOW + HOUR),
        interest(0),
        interest(sumOpenInterestValue="many"),
    ],
)
def test_a_row_that_cannot_be_is_left_out_and_an_answer_of_such_rows_refused(wrong: dict[str, object]) -> None:
    assert len(open_interest(raw(wrong, interest(), wrong), BTC, NOW)) == 1
    with pytest.raises(SourceError, match="no row can be used: "):
        open_interest(raw(wrong), BTC, NOW)


@pytest.mark.parametrize("body", [b"<html>", b'{"code":-1121,"msg":"Invalid symbol."}', b'[{"symbol":"BTCUSDT"}]', b""])
@pytest.mark.parametrize("read", [open_interest, funding, candles])
def test_an_answer_of_another_shape_is_refused(read, body) -> None:
    with pytest.raises(DecodeError):
        read(body, BTC, NOW)


def paid(*ats: int, rate: object = "0.00010000") -> dict[int, float | None]:
    return {point.at: point.funding_8h for point in funding(raw(*(payment(at, rate) for at in ats)), BTC, NOW)}


@pytest.mark.parametrize("hours", [1, 2, 4, 8])
def test_funding_is_told_per_eight_hours_by_the_time_between_two_payments(hours: int) -> None:
    start, step = NOW - DAY, hours * HOUR

    assert paid(start, start + step + 7, start + 2 * step) == pytest.approx(
        {start + step: 0.0001 * 8 / hours, start + 2 * step: 0.0001 * 8 / hours}
    )
    assert paid(start, start + step, start + 2 * step, rate="-0.0375")[start + step] == pytest.approx(-0.3 / hours)
    assert paid(start, start + step, start + 2 * step, rate="0.00000000")[start + step] == 0.0


def test_what_was_paid_behind_a_hole_is_not_taken_for_a_longer_interval() -> None:
    start = NOW - 2 * DAY
    hourly = [start + hour * HOUR for hour in range(12) if hour != 5]

    assert sorted(set(paid(*hourly))) == [at for at in hourly[1:] if at != start + 6 * HOUR]
    assert paid(start) == {}
    assert paid(start, start + 8 * HOUR) == {}, "nothing confirms it"


def test_payments_are_put_in_order_and_counted_once() -> None:
    ats = [NOW - DAY + turn * 8 * HOUR for turn in (2, 0, 1, 1)]

    assert list(paid(*ats)) == [ats[2], ats[0]]


@pytest.mark.parametrize("rate", ["nan", "inf", "0.11", "-0.11", "much", 1])
def test_a_rate_no_contract_may_ask_for_is_refused(rate: object) -> None:
    with pytest.raises(SourceError, match="fundingRate must be a number between "):
        paid(NOW - DAY, NOW - HOUR, rate=rate)


def test_a_candle_tells_its_close_when_it_is_over_and_the_dollars_of_the_day_before() -> None:
    start = NOW - NOW % STEP - 8 * STEP
    points = candles(raw(*(candle(start + step * STEP, usd=str(100 + step)) for step in range(9))), BTC, NOW)

    assert [point.at for point in points] == [start + step * STEP for step in range(1, 9)], "the last is not over"
    assert points[0].price == 0.015771
    assert [point.volume_usd for point in points] == [None] * 5 + [615.0, 621.0, 627.0]


def test_a_day_with_a_hole_has_no_volume() -> None:
    start = NOW - NOW % STEP - 9 * STEP
    points = candles(raw(*(candle(start + step * STEP) for step in range(9) if step != 3)), BTC, NOW)

    assert [point.volume_usd is None for point in points] == [True] * 8


@pytest.mark.parametrize(
    "wrong", [[1, 2], candle(0), candle(NOW - DAY, "nan"), candle(NOW - DAY, usd="-1"), [1.5] * 12]
)
def test_a_candle_that_cannot_be_is_refused(wrong: list[object]) -> None:
    with pytest.raises(SourceError):
        candles(raw(wrong), BTC, NOW)
    assert len(candles(raw(wrong, candle(NOW - DAY)), BTC, NOW)) == 1


# --- asking -----------------------------------------------------------------------------------------------------------


class Shelf:
    """What a Past works with, and what it told."""

    def __init__(self, *listed: Instrument, rest: str = "http://h") -> None:
        self.listed: Sequence[Instrument] = listed
        self.told: list[Point] = []
        self.of: list[str] = []
        self.past = Past(rest, lambda: self.listed, lambda: {"BTC", "PEPE"}, self.hear)

    def hear(self, contract: Instrument, points: Sequence[Point]) -> None:
        self.of.append(contract.symbol)
        self.told.extend(points)

    def ask(self, now: int = NOW) -> tuple[str, dict[str, str]]:
        url = urlsplit(self.past.question(now).url)
        return url.path, {name: value for name, [value] in parse_qs(url.query).items()}


FULL = (
    BTC,
    contract("BTCUSDC"),
    contract("BTCUSDT_260327"),
    contract("BTCUSD_PERP", kind=Contract.INVERSE),
    contract("ETHUSDT", "ETH"),
    contract("1000PEPEUSDT", "PEPE"),
)


def test_only_perpetuals_in_usdt_of_the_wanted_coins_are_asked_for() -> None:
    shelf = Shelf(*FULL)
    asked = []
    for _ in range(6):
        asked.append(shelf.ask())
        shelf.past.take(b"[]", NOW)

    assert [(path, query["symbol"]) for path, query in asked] == [
        (path, symbol)
        for symbol in ("BTCUSDT", "1000PEPEUSDT")
        for path in ("/futures/data/openInterestHist", "/fapi/v1/fundingRate", "/fapi/v1/klines")
    ]
    assert asked[0][1] == {"symbol": "BTCUSDT", "period": "4h", "limit": "180"}
    assert asked[1][1] == {"symbol": "BTCUSDT", "startTime": str(NOW - FUNDING_DAYS * DAY), "limit": "1000"}
    assert asked[2][1] == {"symbol": "BTCUSDT", "interval": "4h", "limit": "187"}
    assert shelf.past.every_s == EVERY_S, "the next round is tomorrow"
    assert shelf.ask(NOW + DAY)[0] == "/futures/data/openInterestHist"


def test_what_failed_waits_until_the_others_had_their_turn() -> None:
    shelf = Shelf(BTC)
    assert shelf.ask()[0] == "/futures/data/openInterestHist"
    with pytest.raises(SourceError):
        shelf.past.take(raw(interest(coins="0")), NOW)
    assert shelf.ask()[0] == "/fapi/v1/fundingRate"
    shelf.past.take(b"[]", NOW)
    assert shelf.past.every_s == PAUSE_S
    assert shelf.ask()[0] == "/fapi/v1/klines"
    shelf.past.take(b"[]", NOW)
    assert shelf.past.every_s == AGAIN_S
    assert shelf.ask(NOW + HOUR)[0] == "/futures/data/openInterestHist"


def test_funding_by_the_hour_is_asked_for_page_by_page_and_never_in_a_circle() -> None:
    shelf = Shelf(BTC)
    shelf.ask()
    shelf.past.take(b"[]", NOW)
    first = NOW - 90 * DAY
    page = raw(*(payment(first + hour * HOUR) for hour in range(1_000)))
    shelf.ask()
    shelf.past.take(page, NOW)
    assert shelf.past.every_s == PAUSE_S

    path, query = shelf.ask()
    assert (path, query["startTime"]) == ("/fapi/v1/fundingRate", str(first + 999 * HOUR))
    shelf.past.take(page, NOW)
    assert shelf.ask()[0] == "/fapi/v1/klines", "the same page again is the last"
    assert len({point.at for point in shelf.told}) == 999


def test_without_a_contract_there_is_no_question() -> None:
    with pytest.raises(NotYetError, match="lists no contract in USDT"):
        Shelf(contract("BTCUSDC")).ask()


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with serving() as pages:
        yield pages


async def test_the_past_is_asked_for_at_the_start_one_after_the_other_and_again_next_day(pages):
    pages.put("/futures/data/openInterestHist", Page(raw(interest(ORIGIN - STEP))))
    pages.put("/fapi/v1/fundingRate", Page(b"[]"))
    pages.put("/fapi/v1/klines", Page(b"oh", 500), Page(raw(candle(ORIGIN - DAY))))
    shelf = Shelf(BTC, rest=pages.url)
    async with running(shelf.past, speed=40) as [poll]:  # type: ignore[arg-type]
        await until(lambda: len(pages.asked) == 3)
        await until(lambda: poll.report.failures)
        report = poll.report

    assert [path.partition("?")[0].rpartition("/")[2] for path in pages.paths()] == [
        "openInterestHist", "fundingRate", "klines"
    ]  # fmt: skip
    assert min(gaps(pages, 40)) >= PAUSE_S * 0.9
    assert (report.name, report.reason) == ("past binance", "answered 500: 'oh'")
    assert report.address == f"{pages.url}/fapi/v1/klines?***"
    assert [point.oi_coins for point in shelf.told] == [20403.637]
    assert shelf.of == ["BTCUSDT"]


async def test_a_whole_round_is_told_and_the_next_comes_a_day_later(pages):
    pages.put("/futures/data/openInterestHist", Page(raw(interest(ORIGIN - STEP))))
    pages.put("/fapi/v1/fundingRate", Page(b"[]"))
    pages.put("/fapi/v1/klines", Page(raw(candle(ORIGIN - DAY))))
    shelf = Shelf(BTC, rest=pages.url)
    async with running(shelf.past, speed=100_000):  # type: ignore[arg-type]
        await until(lambda: len(pages.asked) >= 4)

    assert gaps(pages, 100_000)[2] >= EVERY_S * 0.9 - 10 * SECOND
    assert {point.price for point in shelf.told} == {None, 0.015771}


def test_a_memory_takes_the_past_up_and_what_it_saw_itself_stands() -> None:
    memory = Memory()
    days = range(30)
    ats = [NOW - NOW % STEP - day * DAY for day in days]

    def recall(contract: Instrument, points: Sequence[Point]) -> None:
        names = {"venue": contract.venue, "symbol": contract.symbol, "asset": contract.asset}
        memory.recall(Ticker(**names, at=0, seen=0), points)

    past = Past("http://h", lambda: [BTC], lambda: {"BTC"}, recall)
    answers = {
        "openInterestHist": raw(*(interest(at, 7) for at in ats)),
        "fundingRate": raw(*(payment(at - turn * 8 * HOUR) for at in ats for turn in range(3))),
        "klines": raw(*(candle(at - STEP - turn * STEP) for at in reversed(ats) for turn in range(5, -1, -1))),
    }
    for _ in answers:
        past.take(answers[urlsplit(past.question(NOW).url).path.rpartition("/")[2]], NOW)

    [known] = memory.contracts("BTC")
    for field in ("oi_coins", "oi_usd", "funding_8h", "price", "volume_usd"):
        assert known.points.days(field, NOW - 30 * DAY, NOW) >= 28
    assert len(known.points.values("oi_coins", NOW - 30 * DAY, NOW)) == 30
