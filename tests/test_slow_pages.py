"""The local server of slow sources: real HTTP, validators, faults, and a count of who asked when."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from service.clock import ScaledClock
from service.context.macro import Fred, Macro, read_meetings
from service.context.source import SourceError
from service.simulator.slow import ETF_PATHS, FRED_PATH, SlowPages
from service.simulator.slow import fred as figures

EVENING = round(datetime.fromisoformat("2026-01-13T22:00Z").timestamp() * 1_000)
DAY_MS = 86_400_000


class Stopped(ScaledClock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        super().__init__(EVENING, 100)
        self.at = EVENING

    def now(self) -> int:
        return self.at


def etf(asset: str, now: int) -> bytes:
    """Stands for the page of flows: a table that changes once a day."""
    return f"<table><tr><td>{asset}</td><td>day {now // DAY_MS}</td><td>12.50</td></tr></table>".encode()


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
async def pages(clock: Stopped) -> AsyncIterator[SlowPages]:
    server = SlowPages(clock, etf)
    yield server
    await server.close()


@pytest.fixture
async def site(pages: SlowPages) -> AsyncIterator[httpx.AsyncClient]:
    endpoints = await pages.start("127.0.0.1")
    assert set(endpoints) == {"etf", "fred"}
    async with httpx.AsyncClient(base_url=endpoints["fred"], timeout=5) as client:
        yield client


async def test_each_page_stands_where_its_site_has_it(site: httpx.AsyncClient, clock: Stopped):
    for path, asset in ETF_PATHS.items():
        answer = await site.get(path)
        assert (answer.status_code, answer.content) == (200, etf(asset, clock.at))
        assert answer.headers["content-type"].startswith("text/html")
    answer = await site.get(FRED_PATH, params={"id": "DGS2,SOFR", "cosd": "2026-01-09"})
    assert answer.headers["content-type"] == "text/csv"
    assert answer.text.splitlines()[:2] == ["observation_date,DGS2,SOFR", "2026-01-09,3.52,3.65"]
    for wrong in ("/doge/", FRED_PATH + "?id=TEA", FRED_PATH + "?cosd=soon"):
        assert (await site.get(wrong)).status_code == 404
    assert (await site.post("/btc/")).status_code == 405


async def test_the_source_reads_the_page_over_the_wire(site: httpx.AsyncClient, clock: Stopped):
    book = Macro(read_meetings())
    source = Fred(book, str(site.base_url))
    question = source.question(clock.at)
    source.take((await site.get(question.url, headers=dict(question.headers))).content, clock.at)
    rates = book.of(clock.at)
    assert rates is not None
    assert (rates.target_low, rates.target_high, rates.word) == (3.5, 3.75, "unchanged")
    assert (rates.fresh, rates.dates["two_year"]) == (True, "2026-01-12")


async def test_a_page_that_has_not_changed_is_not_sent_again(site: httpx.AsyncClient, clock: Stopped):
    first = await site.get("/btc/")
    tag, changed = first.headers["etag"], first.headers["last-modified"]
    clock.at += 3_600_000
    for headers in ({"If-None-Match": f'"other", W/{tag}'}, {"If-Modified-Since": changed}):
        again = await site.get("/btc/", headers=headers)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    both = await site.get("/btc/", headers={"If-None-Match": '"other"', "If-Modified-Since": changed})
    assert both.status_code == 200, "a tag goes before a date"
    assert (await site.get("/btc/", headers={"If-Modified-Since": "soon"})).status_code == 200
    clock.at += DAY_MS
    for headers in ({"If-None-Match": tag}, {"If-Modified-Since": changed}):
        new = await site.get("/btc/", headers=headers)
        assert (new.status_code, new.content) == (200, etf("BTC", clock.at))
        assert new.headers["etag"] != tag


async def test_every_request_is_counted_with_its_time_and_what_it_asked(
    pages: SlowPages, site: httpx.AsyncClient, clock: Stopped
):
    await site.get("/btc/", headers={"User-Agent": "me"})
    clock.at += 1_000
    await site.get(FRED_PATH, params={"id": "DGS2"})
    await site.get("/btc/")
    assert pages.times("/btc/") == [EVENING, EVENING + 1_000]
    assert pages.times(FRED_PATH) == [EVENING + 1_000]
    assert pages.asked[0].headers["user-agent"] == "me"
    assert pages.asked[1].query == {"id": "DGS2"}
    assert [one.status for one in pages.asked] == [200, 200, 200]


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_a_refusal_strikes_the_paths_it_is_meant_for(pages: SlowPages, site: httpx.AsyncClient, status: int):
    pages.only, pages.status, pages.retry_after = "/btc/", status, 120
    answer = await site.get("/btc/")
    assert (answer.status_code, answer.headers["retry-after"]) == (status, "120")
    assert b"<html>" in answer.content
    assert (await site.get("/eth/")).status_code == 200
    pages.status = 200
    assert (await site.get("/btc/")).status_code == 200
    assert [one.status for one in pages.asked] == [status, 200, 200]


async def test_a_bent_page_reaches_the_reader_whole_and_is_refused_there(pages: SlowPages, site: httpx.AsyncClient):
    book = Macro(read_meetings())
    source = Fred(book, str(site.base_url))
    url = source.question(EVENING).url

    async def refused() -> str:
        answer = await site.get(url)
        assert answer.status_code == 200
        with pytest.raises(SourceError) as caught:
            source.take(answer.content, EVENING)
        return str(caught.value)

    pages.body = b"<!doctype html><html>Just a moment...</html>"
    assert "the first line is" in await refused()
    pages.body, pages.nan = None, True
    assert "'NaN'" in await refused()
    pages.nan = False
    source.take((await site.get(url)).content, EVENING)
    pages.stale = True
    assert "an older page" in await refused()
    pages.stale, pages.truncated = False, True
    assert (await site.get("/btc/")).content == etf("BTC", EVENING)[: len(etf("BTC", EVENING)) // 2]
    page = figures.page(EVENING)
    assert (await site.get(FRED_PATH)).content == page[: len(page) // 2]


async def test_a_page_of_yesterday_has_the_tag_it_had_yesterday(
    pages: SlowPages, site: httpx.AsyncClient, clock: Stopped
):
    tag = (await site.get("/sol/")).headers["etag"]
    clock.at += DAY_MS
    pages.stale = True
    assert (await site.get("/sol/")).headers["etag"] == tag


async def test_a_slow_answer_takes_its_time_on_the_clock(pages: SlowPages, site: httpx.AsyncClient):
    pages.delay_s = 20.0
    began = time.monotonic()
    assert (await site.get("/btc/")).status_code == 200
    assert 0.15 < time.monotonic() - began < 2.0, "20 s are 0.2 s at a hundredfold speed"
    pages.delay_s = 6_000.0
    with pytest.raises(httpx.ReadTimeout):
        await site.get("/btc/", timeout=0.2)


async def test_an_endless_answer_ends_when_the_client_leaves(pages: SlowPages, site: httpx.AsyncClient):
    pages.endless = True
    got = 0
    async with site.stream("GET", "/btc/") as answer:
        assert "content-length" not in answer.headers
        async for piece in answer.aiter_bytes():
            got += len(piece)
            if got > 2_000_000:
                break
    pages.endless = False
    assert (await site.get("/btc/")).status_code == 200


async def test_the_server_closes_while_clients_wait_and_can_be_started_again(clock: Stopped):
    came = asyncio.Event()

    def page(asset: str, now: int) -> bytes:
        came.set()
        return etf(asset, now)

    pages = SlowPages(clock, page)
    at = (await pages.start())["etf"]
    pages.delay_s = 100_000.0
    async with httpx.AsyncClient(timeout=5) as client:
        waiting = asyncio.create_task(client.get(f"{at}/btc/"))
        await asyncio.wait_for(came.wait(), 5)
        await pages.close()
        with pytest.raises(httpx.RemoteProtocolError):
            await waiting
        pages.delay_s = 0.0
        async with pages:
            pass
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{at}/btc/")
    assert pages.times("/btc/") == [EVENING]


async def test_noise_instead_of_a_request_is_hung_up_on(pages: SlowPages, site: httpx.AsyncClient):
    reader, writer = await asyncio.open_connection(site.base_url.host, site.base_url.port)
    writer.write(b"\x00" * 200_000)
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()
    assert pages.asked == []
    assert (await site.get("/btc/")).status_code == 200
