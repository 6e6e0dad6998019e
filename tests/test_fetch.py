"""One question, one answer, over a real socket: what is sent, how much is taken, and what a bad answer is called."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from service import __version__, fetch
from service.clock import WallClock
from service.fetch import FetchError, Request, ask, get
from tests.pages import Page, Pages, packed, serving

CLOCK = WallClock()


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with serving() as pages:
        yield pages


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def refused(client: httpx.AsyncClient, url: str, **more: object) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await ask(client, Request(url=url, **more), CLOCK)
    return caught.value


async def test_a_question_says_who_asks_and_an_answer_carries_its_marks(pages, client):
    marks = {"ETag": 'W/"7"', "Last-Modified": "Tue, 13 Jan 2026 22:00:00 GMT"}
    url = pages.put("/page", Page(b"hello", headers=marks))

    answer = await ask(client, Request(url=url + "#ours", headers={"X-Key": "k"}), CLOCK)

    assert (answer.status, answer.body, answer.unchanged) == (200, b"hello", False)
    assert (answer.etag, answer.modified) == tuple(marks.values())
    [asked] = pages.asked
    assert (asked.method, asked.path, asked.headers["x-key"]) == ("GET", "/page", "k")
    assert asked.headers["user-agent"] == f"cascade-monitor/{__version__}"
    assert asked.headers["accept-encoding"] == "gzip"
    assert not {"if-none-match", "if-modified-since", "content-type"} & asked.headers.keys()


async def test_json_is_posted_and_never_under_a_condition(pages, client):
    url = pages.put("/info", Page(b"[]"))

    answer = await ask(client, Request(url=url, post='{"type":"meta"}', etag='"1"', modified="x"), CLOCK)

    assert answer.body == b"[]"
    [asked] = pages.asked
    assert (asked.method, asked.body, asked.headers["content-type"]) == ("POST", b'{"type":"meta"}', "application/json")
    assert not {"if-none-match", "if-modified-since"} & asked.headers.keys()


@pytest.mark.parametrize(
    ("header", "field", "sent"), [("ETag", "etag", "if-none-match"), ("Last-Modified", "modified", "if-modified-since")]
)
async def test_what_has_not_changed_is_not_sent_again(pages, client, header, field, sent):
    url = pages.put("/page", Page(b"hello", headers={header: "Tue, 13"}))

    again = await ask(client, Request(url=url, **{field: "Tue, 13"}), CLOCK)

    assert again.unchanged
    assert again.body == b""
    assert pages.asked[0].headers[sent] == "Tue, 13"


async def test_unchanged_without_a_condition_is_no_answer(pages, client):
    error = await refused(client, pages.put("/page", Page(b"", 304)))

    assert error.status == 304
    assert "answered 304" in str(error)


@pytest.mark.parametrize("mark", ["a\tb", "Zoë", "x" * 501])
async def test_a_mark_that_could_not_be_sent_back_is_none(pages, client, mark):
    url = pages.put("/page", Page(headers={"ETag": mark}))

    assert (await ask(client, Request(url=url), CLOCK)).etag == ""


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [Page, packed])
async def test_an_answer_of_the_allowed_length_is_taken_and_one_byte_more_is_not(pages, client, wrap):
    url = pages.put("/page", wrap(b"x" * 1_000), wrap(b"x" * 1_001))

    assert await get(client, url, CLOCK, most_bytes=1_000) == b"x" * 1_000
    error = await refused(client, url, most_bytes=1_000)
    assert str(error) == f"{url} sent an answer longer than 1000 bytes"
    assert error.status == 200
    assert not error.lasting


@pytest.mark.parametrize("told", [-1, 10_000_000])
async def test_the_length_that_is_announced_proves_nothing(pages, client, told):
    url = pages.put("/page", Page(b"x" * 200_000, told_length=told))

    assert "longer than 1000 bytes" in str(await refused(client, url, most_bytes=1_000))


async def test_an_endless_answer_ends_at_the_limit(pages, client):
    url = pages.put("/page", Page(b"x" * 50_000, endless_s=0))

    assert "longer than 1000000 bytes" in str(await refused(client, url, most_bytes=1_000_000))


def bomb() -> Page:
    stuff = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(stuff.compress(bytes(1_000_000)) for _ in range(50)) + stuff.flush()
    return Page(body, headers={"Content-Encoding": "gzip"})


async def test_a_bomb_is_unpacked_no_further_than_the_limit(pages, client):
    url = pages.put("/page", bomb())
    tracemalloc.start()
    try:
        error = await refused(client, url, most_bytes=100_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert "longer than 100000 bytes" in str(error)
    assert peak < 3_000_000, "50 MB were packed into 50 KB"


@pytest.mark.parametrize("packing", ["gzip, gzip", "br", "zstd", "x" * 300])
async def test_what_is_packed_otherwise_is_not_unpacked(pages, client, packing):
    url = pages.put("/page", Page(gzip.compress(b"x"), headers={"Content-Encoding": packing}))

    error = await refused(client, url)
    assert "only gzip was asked for" in str(error)
    assert len(str(error)) < 400


async def test_the_packings_everybody_knows_are_unpacked(pages, client):
    url = pages.put(
        "/page",
        packed(b"hello"),
        Page(zlib.compress(b"hello"), headers={"Content-Encoding": "deflate"}),
        Page(b"hello", headers={"Content-Encoding": "identity"}),
    )

    assert [await get(client, url, CLOCK) for _ in range(3)] == [b"hello"] * 3
    assert pages.connections == 1, "and the connection is kept"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (Page(gzip.compress(b"x" * 500)[:-9], headers={"Content-Encoding": "gzip"}), "breaks off"),
        (Page(b"<html>", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
        (Page(gzip.compress(b"x" * 100) * 2, headers={"Content-Encoding": "gzip"}), "goes on behind its end"),
        (Page(gzip.compress(b"x") + bytes(900_000), headers={"Content-Encoding": "gzip"}), "longer than what it holds"),
        (Page(b"x" * 1_000, cut=True), "did not answer"),
        (Page(b"x" * 1_000, told_length=2_000, cut=True), "did not answer"),
    ],
)
async def test_a_damaged_answer_is_no_answer(pages, client, page, words):
    assert words in str(await refused(client, pages.put("/page", page), most_bytes=100_000))


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [Page(slow_s=60), Page(b"x", endless_s=0.02)])
async def test_patience_is_for_the_whole_answer(pages, client, page, monkeypatch):
    monkeypatch.setattr(fetch, "PATIENCE_S", 0.2)
    began = time.monotonic()

    error = await refused(client, pages.put("/page", page))

    assert time.monotonic() - began < 1
    assert error.said in ("TimeoutError", "ReadTimeout")


async def test_a_refusal_is_told_though_its_body_never_ends(pages, client, monkeypatch):
    monkeypatch.setattr(fetch, "_REFUSAL_S", 0.2)
    url = pages.put("/page", Page(b"", 429, {"Retry-After": "7"}, endless_s=1))

    error = await refused(client, url)

    assert (error.status, error.retry_after, error.said) == (429, 7.0, "")


async def test_a_question_that_is_given_up_is_over_at_once(pages, client):
    url = pages.put("/page", Page(b"x", endless_s=0.05))
    task = asyncio.create_task(ask(client, Request(url=url), CLOCK))
    await asyncio.sleep(0.2)
    began = time.monotonic()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert pages.asked
    assert task.cancelled()
    assert time.monotonic() - began < 0.5


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "lasting"),
    [(401, True), (403, True), (404, True), (418, False), (429, False), (500, False), (206, False)],
)
async def test_a_refusal_says_what_it_was(pages, client, status, lasting):
    error = await refused(client, pages.put("/page", Page("zu früh ".encode() * 3_000, status)) + "?key=hunter2")

    assert (error.status, error.lasting) == (status, lasting)
    assert str(error).startswith(f"{pages.url}/page?*** answered {status}: 'zu früh zu")
    assert len(error.said) <= 200
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://other.example/login?next=hunter2", "'https://other.example/login?***'"),
        ("//joe:hunter2@other.example/", "'http://***@other.example/'"),
        ("/moved?key=hunter2", "'{url}/moved?***'"),
        ("http://[", "no usable address"),
    ],
)
async def test_no_redirect_is_followed(pages, location, shown):
    url = pages.put("/page", Page(b"", 302, {"Location": location}))
    pages.put("/moved", Page(b"hello"))
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
        error = await refused(client, url)

    assert str(error) == f"{url} answered 302 and points to {shown.format(url=pages.url)}"
    assert pages.paths() == ["/page"]


@pytest.mark.parametrize("value", ["hunter2\nX: y", "hünter2"])
async def test_a_header_that_cannot_be_sent_is_not_repeated(pages, client, value):
    error = await refused(client, pages.put("/page", Page()), headers={"X-Key": value})

    assert str(error) == f"{pages.url}/page was not asked: a header is no plain text"
    assert error.__context__ is None or error.__suppress_context__
    assert pages.asked == []


async def test_an_address_that_is_none_is_not_repeated(client):
    assert str(await refused(client, "http://h:port/?key=hunter2")) == "http://h:port/?*** is no usable address"


async def test_no_cookie_of_one_answer_goes_with_the_next_question(pages):
    url = pages.put("/page", Page(b"x", headers={"Set-Cookie": "who=\u00e9; Path=/"}))
    async with fetch.client(trust_env=False) as client:
        for _ in range(3):
            assert await get(client, url, WallClock()) == b"x"
    assert [one.headers.get("cookie") for one in pages.asked] == [None, None, None]
