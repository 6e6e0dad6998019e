"""One venue's tickers, asked in rounds over a real socket: pace, who is asked again when, and what is said of a round."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from itertools import pairwise

import httpx
import pytest

from service.clock import ScaledClock
from service.context.asking import DECLINED_S, MOST_MISSES, Market, TickerPoll
from service.metrics import REGISTRY
from service.model import Contract, DecodeError, Instrument, Ticker
from service.venues.base import Ask, Tickers
from service.venues.okx import Okx
from tests.pages import Page, Pages, serving
from tests.test_poll import ORIGIN, until

ALL = ("BTC", "ETH", "SOL", "DOGE", "XRP")


class Toy(Tickers):
    """Prices of all contracts in one answer, open interest in one each, as many venues do."""

    gap_s = 1.0
    every_s = 60.0

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        wanted = [row.symbol for row in listed if row.asset in coins]
        return [
            Ask(url=f"{endpoints['rest']}/all?key=hunter2", post='{"type":"all"}'),
            *(Ask(url=f"{endpoints['rest']}/oi/{symbol}") for symbol in wanted),
        ]

    def read(self, ask: Ask, body: bytes, listed: Mapping[str, Instrument], seen: int) -> Sequence[Ticker]:
        rows = json.loads(body)
        assert ask.url
        if not isinstance(rows, dict):
            raise DecodeError(f"an answer must be an object, got {body[:20]!r}")
        return [
            Ticker(venue="toy", symbol=symbol, asset=listed[symbol].asset, at=seen, seen=seen, **fields)
            for symbol, fields in rows.items()
        ]


class Venue(Okx):
    """Of the venue nothing but its tickers is asked here."""

    name = "toy"
    tickers = Toy()


class Desk:
    """What is listed and wanted, and what was told."""

    def __init__(self, *coins: str) -> None:
        self.coins = set(coins)
        self.listed = [
            Instrument(venue="toy", symbol=f"{coin}-PERP", asset=coin, contract=Contract.LINEAR, size=1.0)
            for coin in ALL
        ]
        self.heard: list[Ticker] = []
        self.every_s = 0.0

    def market(self) -> Market:
        return Market(lambda: self.listed, lambda: self.coins, self.heard.extend, self.every_s)


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with serving() as pages:
        pages.put("/all", Page(json.dumps({f"{coin}-PERP": {"mark": 2.0} for coin in ALL}).encode()))
        for coin in ALL:
            pages.put(f"/oi/{coin}-PERP", Page(json.dumps({f"{coin}-PERP": {"oi_coins": 3.0}}).encode()))
        yield pages


@contextlib.asynccontextmanager
async def asking(pages: Pages, desk: Desk, speed: float) -> AsyncIterator[TickerPoll]:
    async with httpx.AsyncClient(trust_env=False) as client:
        clock = ScaledClock(ORIGIN, speed)
        poll = TickerPoll(Venue(), {"rest": pages.url}, desk.market(), clock, client, random.Random(7))
        task = asyncio.create_task(poll.run())
        try:
            yield poll
            assert not task.done(), "it ended by itself"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def counted(metric: str, reason: str) -> float:
    return REGISTRY.get_sample_value(metric, {"source": "tickers toy", "reason": reason}) or 0.0


def rounds(pages: Pages) -> list[list[str]]:
    """Paths by round: each begins with the answer for all."""
    found: list[list[str]] = []
    for path in pages.paths():
        if path.startswith("/all"):
            found.append([])
        found[-1].append(path.removeprefix("/oi/").removesuffix("-PERP").partition("?")[0])
    return found


def began(pages: Pages) -> list[float]:
    return [one.at for one in pages.asked if one.path.startswith("/all")]


async def test_a_round_asks_for_all_and_then_for_the_coins_that_are_wanted(pages):
    desk = Desk("BTC", "ETH")
    async with asking(pages, desk, speed=600) as poll:
        await until(lambda: len(began(pages)) >= 2)
        desk.coins.add("SOL")
        await until(lambda: len(began(pages)) >= 4)
        report = poll.report

    assert rounds(pages)[0] == ["/all", "BTC", "ETH"]
    assert rounds(pages)[2] == ["/all", "BTC", "ETH", "SOL"], "an episode opened"
    first = pages.asked[0]
    assert (first.method, first.body) == ("POST", b'{"type":"all"}')
    assert [(row.symbol, row.mark, row.oi_coins) for row in desk.heard[:6]] == [
        *((f"{coin}-PERP", 2.0, None) for coin in ALL),
        ("BTC-PERP", None, 3.0),
    ]
    assert (report.name, report.address, report.every_s) == ("tickers toy", f"{pages.url}/***", 60.0)
    assert (report.failures, report.reason) == (0, "")
    assert ORIGIN < report.answered_at <= report.asked_at


async def test_requests_keep_the_venues_gap_and_rounds_their_time(pages):
    desk, speed = Desk(*ALL), 60
    async with asking(pages, desk, speed):
        start = time.monotonic()
        await asyncio.sleep(2.2)
        passed = (time.monotonic() - start) * speed

    times = pages.times()
    assert 6 <= len(times) <= passed / 60 * 6 + 6, "six a minute"
    # a request may be noted late, the one behind it in time: the whole stretch shows the pace
    for since, until_ in ((0, 5), (6, 11)):
        assert (times[until_] - times[since]) * speed >= 5 * Toy.gap_s * 0.9
    assert min((after - before) * speed for before, after in pairwise(began(pages))) >= 60 * 0.95


@pytest.mark.parametrize(("wanted", "every_s"), [(30.0, 60.0), (180.0, 180.0)])
async def test_rounds_may_be_asked_for_more_seldom_but_never_more_often(pages, wanted, every_s):
    desk = Desk()
    desk.every_s = wanted
    async with asking(pages, desk, speed=1_200) as poll:
        await until(lambda: len(pages.asked) >= 5)

    assert poll.report.every_s == every_s
    # a first request is noted late: its connection is made first
    assert (pages.times()[4] - pages.times()[1]) * 1_200 >= 3 * every_s * 0.9


async def test_a_fast_clock_hurries_no_faster_than_the_venues_own_time(pages, monkeypatch):
    monkeypatch.setattr(Toy, "gap_s", 6.0)
    monkeypatch.setattr(Toy, "every_s", 1.0)
    async with asking(pages, Desk(*ALL), speed=100):
        start = time.monotonic()
        await until(lambda: len(pages.asked) >= 20)
        passed = (time.monotonic() - start) * 100

    assert passed >= 19 * 6.0 - 1, "one request in six seconds, whatever the rounds want"


async def test_what_part_of_a_round_failed_is_said_and_the_rest_is_used(pages):
    pages.put("/oi/ETH-PERP", Page(b"oh", 500))
    pages.put("/oi/SOL-PERP", Page(b"[]"))
    desk = Desk("BTC", "ETH", "SOL", "XRP")
    counts = counted("cascade_context_failures_total", "500"), counted("cascade_context_failures_total", "unread")
    async with asking(pages, desk, speed=600) as poll:
        await until(lambda: len(began(pages)) >= 2)
        report = poll.report
        pages.put("/oi/ETH-PERP", Page(b"{}"))
        pages.put("/oi/SOL-PERP", Page(b"{}"))
        await until(lambda: not poll.report.reason)

    assert report.reason == "2 of 5 requests gave nothing: answered 500: 'oh'"
    assert report.failures == 0
    assert report.answered_at
    assert {row.asset for row in desk.heard if row.oi_coins} == {"BTC", "XRP"}
    failures = counted("cascade_context_failures_total", "500"), counted("cascade_context_failures_total", "unread")
    assert [after > before for after, before in zip(failures, counts, strict=True)] == [True, True]


async def test_a_contract_the_venue_declines_is_left_alone_for_an_hour(pages):
    pages.put("/oi/ETH-PERP", Page(b"no such contract", 400))
    async with asking(pages, Desk("BTC", "ETH"), speed=6_000) as poll:
        await until(lambda: pages.paths().count("/oi/ETH-PERP") == 2)
        report = poll.report

    times = [one.at for one in pages.asked if one.path == "/oi/ETH-PERP"]
    assert (times[1] - times[0]) * 6_000 >= DECLINED_S
    assert rounds(pages)[1] == ["/all", "BTC"]
    assert report.reason == "1 of 3 requests gave nothing: answered 400: 'no such contract'"


@pytest.mark.parametrize(("status", "wish"), [(429, "300"), (503, "300"), (418, "300")])
async def test_the_whole_venue_is_left_alone_as_long_as_it_wants(pages, status, wish):
    page = json.dumps({"BTC-PERP": {"oi_coins": 3.0}}).encode()
    pages.put("/oi/BTC-PERP", Page(b"", status, {"Retry-After": wish}), Page(page))
    desk = Desk("BTC", "ETH")
    async with asking(pages, desk, speed=1_000) as poll:
        await until(lambda: desk.heard)
        await until(lambda: poll.report.answered_at)
        report = poll.report
        await until(lambda: len(pages.asked) >= 3)

    assert pages.paths()[:2] == ["/all?key=hunter2", "/oi/BTC-PERP"], "the rest of the round is not asked"
    assert (pages.asked[2].at - pages.asked[1].at) * 1_000 >= 300
    assert report.reason == f"2 of 3 requests gave nothing: answered {status}: ''"


async def test_too_much_without_a_word_how_long_is_answered_with_longer_and_longer_pauses(pages):
    pages.put("/oi/BTC-PERP", Page(b"slower", 429))
    async with asking(pages, Desk("BTC"), speed=3_000):
        await until(lambda: pages.paths().count("/oi/BTC-PERP") >= 5)

    times = [one.at for one in pages.asked if one.path == "/oi/BTC-PERP"]
    pauses = [(after - before) * 3_000 for before, after in pairwise(times)]
    assert [pause >= least * 0.8 for pause, least in zip(pauses, (30, 60, 120, 240), strict=False)] == [True] * 4, (
        pauses
    )


async def test_a_venue_that_is_down_is_spared_and_found_again(pages):
    known = pages.books.copy()
    for path in known:
        pages.put(path, Page(b"oh", 502))
    desk = Desk(*ALL)
    async with asking(pages, desk, speed=500) as poll:
        await until(lambda: poll.report.failures >= 3)
        down = poll.report
        pages.books.update(known)
        await until(lambda: poll.report.answered_at)

    assert [len(one) for one in rounds(pages)[:3]] == [MOST_MISSES] * 3, "of six requests a round"
    assert down.reason == "answered 502: 'oh'"
    assert down.answered_at is None
    assert min((after - before) * 500 for before, after in pairwise(began(pages)[:4])) >= 60 * 0.9
    assert poll.report.failures == 0


async def test_a_venue_that_locks_us_out_is_asked_again_after_an_hour(pages):
    for path in list(pages.books):
        pages.put(path, Page(b"<html>", 403))
    async with asking(pages, Desk(*ALL), speed=10_000) as poll:
        await until(lambda: poll.report.failures)
        report = poll.report
        await until(lambda: len(pages.asked) > MOST_MISSES)

    assert report.reason == "asked again in an hour at the soonest: answered 403"
    assert (pages.asked[MOST_MISSES].at - pages.asked[0].at) * 10_000 >= DECLINED_S


@pytest.mark.parametrize("wrong", [{"GHOST-PERP": {}}, {"BTC-PERP": {"oi": 1}}, {"BTC-PERP": 7}])
async def test_a_bug_in_a_venues_reader_costs_that_answer(pages, wrong, caplog):
    pages.put("/oi/BTC-PERP", Page(json.dumps(wrong).encode()))
    desk = Desk("BTC", "ETH")
    async with asking(pages, desk, speed=1_000) as poll:
        await until(lambda: len(began(pages)) >= 3)
        report = poll.report

    assert report.reason.startswith("1 of 3 requests gave nothing: the answer cannot be read: ")
    assert {row.asset for row in desk.heard if row.oi_coins} == {"ETH"}
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_nothing_is_asked_before_the_contracts_are_known(pages):
    desk = Desk("BTC")
    listed, desk.listed = desk.listed, []
    async with asking(pages, desk, speed=300) as poll:
        await asyncio.sleep(0.1)
        assert pages.asked == []
        assert poll.report.failures == 0
        desk.listed = listed
        await until(lambda: desk.heard)

    assert rounds(pages)[0][0] == "/all"


async def test_a_venue_without_tickers_is_refused():
    class Silent(Okx):
        name = "silent"
        tickers = None

    with pytest.raises(ValueError, match="silent publishes no open interest"):
        TickerPoll(Silent(), {}, Desk().market(), ScaledClock(ORIGIN, 1), httpx.AsyncClient())


async def test_a_poll_that_is_stopped_is_over_at_once(pages):
    pages.put("/all", Page(slow_s=30))
    async with asking(pages, Desk("BTC"), speed=60):
        await until(lambda: pages.asked)
        start = time.monotonic()

    assert time.monotonic() - start < 0.5
