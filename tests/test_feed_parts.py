"""The small rooms of the feed by themselves: waiting times, pace, patience, the way out, a dial's failures."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

import pytest

from service.clock import ScaledClock, WallClock
from service.feed.backoff import backoff
from service.feed.dial import dial
from service.feed.ear import Ear
from service.feed.end import End, plain
from service.feed.inspection import KEPT_BURST, Inspection
from service.feed.outlet import Item, put
from service.feed.pace import Pace
from service.model import FeedState
from service.retry import WAIT_MOST_S, retry_after
from tests.toyvenue import ORIGIN, Dice, Peer, order

CLOCK = ScaledClock(ORIGIN, 60)


# -- backoff


def test_the_ceiling_doubles_up_to_the_most():
    dice = Dice()
    assert [backoff(attempt, 1, 60, dice) for attempt in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(10_000, 1, 60, dice) == 60


def test_the_jitter_is_full_and_comes_from_the_dice():
    pauses = [backoff(5, 1, 60, random.Random(seed)) for seed in range(300)]
    assert min(pauses) < 1.5
    assert 30.5 < max(pauses) <= 32
    assert pauses == [backoff(5, 1, 60, random.Random(seed)) for seed in range(300)]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Tue, 13 Jan 2026 22:01:00 GMT", 60),
        ("Tue, 13 Jan 2026 23:01:00 +0100", 60),
        ("Tue, 13 Jan 2026 21:00:00 GMT", 0),
        ("9" * 400, WAIT_MOST_S),
        (None, None),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("١٢", None),
    ],
)
def test_retry_after_is_read_as_a_count_or_a_date(value, seconds):
    assert retry_after(value, ORIGIN) == seconds


# -- pace


async def test_a_pace_lets_one_go_at_a_time_even_when_some_give_up():
    pace = Pace(3.0, CLOCK)
    at: list[float] = []

    async def go() -> None:
        await pace.turn()
        at.append(time.monotonic())

    tasks = [asyncio.create_task(go()) for _ in range(5)]
    await asyncio.sleep(0.01)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(at) == 4
    assert all(later - earlier >= 0.04 for earlier, later in pairwise(at))


async def test_a_hold_stops_those_already_waiting():
    pace = Pace(3.0, CLOCK)
    await pace.turn()
    waiting = asyncio.create_task(pace.turn())
    await asyncio.sleep(0.01)
    began = time.monotonic()
    pace.hold(12.0)
    await waiting
    assert time.monotonic() - began >= 0.199


# -- ear


async def test_an_answer_in_time_is_heard_and_a_missing_one_is_not():
    ear = Ear()
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    assert not await ear.within(answer, 0.02)
    answer.set_result(None)
    assert await ear.within(answer, 0.02)


async def test_nobody_is_blamed_while_we_did_not_listen():
    ear = Ear()
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with ear.shut():
        asking = asyncio.create_task(ear.within(answer, 0.05))
        await asyncio.sleep(0.2)
        assert not asking.done()
        last = time.monotonic()
    assert ear.deaf_at() >= last
    assert not await asyncio.wait_for(asking, 1)


# -- outlet, inspection


def test_garbage_is_thinned_but_what_is_kept_is_cut_and_in_one_line():
    inspection = Inspection("toy")
    kept = [inspection.bad("decode", b"x" * 10_000, "two\nlines" * 100, 7) for _ in range(100)]
    assert sum(bad is not None for bad in kept) == KEPT_BURST
    assert len(kept[0].frame) == 4_096
    assert kept[0].detail.startswith("two linestwo lines")
    assert len(kept[0].detail) == 200


async def test_a_full_queue_is_waited_for_and_only_that_is_deafness():
    queue: asyncio.Queue[Item] = asyncio.Queue(1)
    ear = Ear()
    began = time.monotonic()
    await put(queue, order("1", 0), ear)
    assert ear.deaf_at() < began
    putting = asyncio.create_task(put(queue, order("2", 0), ear))
    await asyncio.sleep(0.01)
    assert not putting.done()
    assert ear.deaf_at() >= began
    assert [(await queue.get()).id, (await queue.get()).id] == ["1", "2"]
    await putting


def test_a_peers_words_stay_in_one_line():
    assert plain("a\r\nINFO forged\x1b[2J") == "a  INFO forged [2J"
    assert len(plain("long " * 1_000)) == 200


# -- dial


@pytest.mark.parametrize(
    ("status", "headers", "end"),
    [
        (403, {}, End(reason="geo-blocked or forbidden (HTTP 403)", state=FeedState.REFUSED, slow=True)),
        (451, {}, End(reason="geo-blocked or forbidden (HTTP 451)", state=FeedState.REFUSED, slow=True)),
        (429, {}, End(reason="too many requests (HTTP 429)", slow=True)),
        (
            418,
            {"Retry-After": "90"},
            End(reason="too many requests (HTTP 418), told to wait 90 s", slow=True, wait_s=90, everywhere=True),
        ),
        (503, {"Retry-After": "5"}, End(reason="unavailable (HTTP 503), told to wait 5 s", wait_s=5)),
        (503, {"Retry-After": "soon"}, End(reason="unavailable (HTTP 503)")),
        (404, {}, End(reason="HTTP 404 instead of a WebSocket")),
        (302, {"Location": "mailto:nobody"}, End(reason="the configured address is no WebSocket URL", slow=True)),
    ],
)
async def test_an_http_answer_is_put_into_words(status, headers, end):
    async with Peer() as peer:
        peer.statuses = [(status, headers)]
        assert await dial(peer.url, WallClock()) == end


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ws://", "nonsense", "ws://[::1/x?key=secret"])
async def test_an_address_that_is_none_is_no_crash_and_shows_no_key(url):
    end = await dial(url, CLOCK)
    assert isinstance(end, End)
    assert end.state is FeedState.DOWN
    assert "secret" not in end.reason


@asynccontextmanager
async def raw_server(greeting: bytes) -> AsyncIterator[int]:
    """A TCP server that says one thing and then only listens; yields its port."""
    at_work: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_work.add(asyncio.current_task())
        writer.write(greeting)
        with suppress(ConnectionError):
            await reader.read()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await asyncio.gather(*filter(None, at_work))


async def test_a_peer_that_speaks_no_http_or_no_tls_is_down():
    async with raw_server(b"220 mail ready\r\n") as port:
        plainly = await dial(f"ws://127.0.0.1:{port}", CLOCK)
        safely = await dial(f"wss://127.0.0.1:{port}", CLOCK)
    assert plainly == End(reason="cannot connect: InvalidMessage: did not receive a valid HTTP response")
    assert isinstance(safely, End)
    assert safely.reason.startswith("cannot connect: SSLError")


async def test_a_peer_that_never_answers_the_handshake_is_given_up():
    class Hasty(WallClock):
        def grace(self, seconds: float) -> float:
            return seconds / 50

    async with raw_server(b"") as port:
        end = await dial(f"ws://127.0.0.1:{port}", Hasty())
    assert end == End(reason="cannot connect: TimeoutError: timed out during opening handshake")


@pytest.mark.parametrize("proxy", ["http://user:secret@127.0.0.1:1", "ftp://user:secret@127.0.0.1:1"])
async def test_loopback_needs_no_proxy_and_a_proxys_password_stays_secret(proxy, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    async with Peer() as peer:
        opened = await dial(peer.url, CLOCK)
        assert not isinstance(opened, End)
        await opened.close()
    end = await dial("wss://venue.invalid/ws", CLOCK)
    assert isinstance(end, End)
    assert "secret" not in end.reason
