"""A source is asked politely over a real socket: its pace, its conditions, its failures, and what is said of them."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import httpx
import pytest

from service.clock import ScaledClock
from service.context.poll import DECLINED_S, Poll, backoff
from service.context.source import Question, SourceError
from service.metrics import REGISTRY
from tests.pages import Page, Pages, packed, serving

ORIGIN = 1_768_341_600_000


class Diary:
    """A source that keeps what it is told. What starts with `<` it cannot read."""

    every_s = 60.0

    def __init__(self, url: str, name: str = "diary", **asks: object) -> None:
        self.name, self.url, self.asks = name, url, asks
        self.took: list[bytes] = []
        self.bug: BaseException | None = None

    def question(self, now: int) -> Question:
        assert now >= ORIGIN
        return Question(url=self.url, **self.asks)  # type: ignore[arg-type]

    def take(self, body: bytes, now: int) -> None:
        assert now >= ORIGIN
        if self.bug is not None:
            raise self.bug
        if body.startswith(b"<"):
            raise SourceError(f"a day must be a number, got {body[:20]!r}")
        self.took.append(body)


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with serving() as pages:
        yield pages


class Noting(ScaledClock):
    """Keeps how long it was slept on."""

    def __init__(self, origin: int, speed: float) -> None:
        super().__init__(origin, speed)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await super().sleep(seconds)


@contextlib.asynccontextmanager
async def running(
    *sources: Diary, speed: float = 1, clock: ScaledClock | None = None, seed: int = 1
) -> AsyncIterator[list[Poll]]:
    """Polls at work; times of the server are real, so `speed` tells how many clock seconds one of them is."""
    clock = clock or ScaledClock(ORIGIN, speed)
    async with httpx.AsyncClient(trust_env=False) as client:
        polls = [Poll(source, clock, client, random.Random(seed + place)) for place, source in enumerate(sources)]
        tasks = [asyncio.create_task(poll.run()) for poll in polls]
        try:
            yield polls
            assert not [task for task in tasks if task.done()], "a poll ended by itself"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(said: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not said():  # noqa: ASYNC110  # what is waited for is in another's hands
            await asyncio.sleep(0.005)


def gaps(pages: Pages, speed: float) -> list[float]:
    """Clock seconds between two requests."""
    return [(after - before) * speed for before, after in pairwise(pages.times())]


async def test_a_source_is_asked_at_once_and_then_at_its_pace(pages):
    source, began, noting = Diary(pages.put("/page", Page(b"1"))), time.monotonic(), Noting(ORIGIN, 600)
    async with running(source, clock=noting):
        await until(lambda: len(source.took) >= 8)
        passed = (time.monotonic() - began) * 600

    assert noting.slept[0] <= 6
    assert all(54 <= slept <= 66 for slept in noting.slept[1:])
    assert min(gaps(pages, 600)) >= 60 * 0.9
    assert len(pages.asked) <= passed / (60 * 0.9) + 1
    assert set(source.took) == {b"1"}


async def test_many_sources_that_start_together_spread_and_stay_spread(pages):
    url = pages.put("/page", Page(b"1"))
    sources = [Diary(f"{url}?{number}", f"diary {number}") for number in range(20)]
    for source in sources:
        source.every_s = 600
    noting = Noting(ORIGIN, 2_000)
    async with running(*sources, clock=noting):
        await until(lambda: len(pages.asked) >= 40)
        await until(lambda: all(len(source.took) >= 2 for source in sources))

    first, second = noting.slept[:20], [one for one in noting.slept if one > 60][:20]
    assert {one.path for one in pages.asked[:20]} == {f"/page?{number}" for number in range(20)}
    for waits, least, most in ((first, 0, 30), (second, 540, 660)):
        assert least <= min(waits) < max(waits) <= most
        assert max(waits) - min(waits) > (most - least) / 2
        slots = [int((wait - least) / (most - least) * 10) for wait in waits]
        assert max(slots.count(slot) for slot in slots) <= 6, "of twenty in a tenth of the time"


async def test_the_page_is_read_only_when_it_has_changed(pages):
    page = Page(b"1", headers={"ETag": '"1"', "Last-Modified": "Tue, 13 Jan 2026 22:00:00 GMT"})
    source = Diary(pages.put("/page", page))
    async with running(source, speed=1_200) as [poll]:
        await until(lambda: len(pages.asked) >= 4)
        unchanged = poll.report
        pages.put("/page", Page(b"2", headers={"ETag": '"2"'}))
        await until(lambda: len(source.took) == 2)
        changed = poll.report

    assert source.took == [b"1", b"2"]
    assert [one.headers.get("if-none-match") for one in pages.asked[:4]] == [None, '"1"', '"1"', '"1"']
    assert pages.asked[1].headers["if-modified-since"] == "Tue, 13 Jan 2026 22:00:00 GMT"
    assert unchanged.answered_at > unchanged.changed_at, "unchanged is an answer, and no change"
    assert (unchanged.failures, unchanged.reason) == (0, "")
    assert changed.changed_at > unchanged.answered_at


async def test_the_same_page_sent_again_is_no_change(pages):
    source = Diary(pages.put("/page", Page(b"1")))
    async with running(source, speed=1_200) as [poll]:
        await until(lambda: len(source.took) >= 3)

    assert poll.report.answered_at > poll.report.changed_at


async def test_what_could_not_be_read_is_sent_in_full_again(pages):
    source = Diary(
        pages.put(
            "/page",
            Page(b"1", headers={"ETag": '"1"'}),
            Page(b"<html>", headers={"ETag": '"2"'}),
            Page(b"2", headers={"ETag": '"2"'}),
        )
    )
    async with running(source, speed=1_200) as [poll]:
        await until(lambda: poll.report.failures)
        failed = poll.report
        await until(lambda: len(pages.asked) >= 4)

    assert failed.reason == "the answer is not what is documented: a day must be a number, got b'<html>'"
    assert failed.changed_at <= failed.answered_at < failed.asked_at
    assert [one.headers.get("if-none-match") for one in pages.asked[:4]] == [None, '"1"', None, '"2"']
    assert source.took == [b"1", b"2"]
    assert poll.report.failures == 0


async def test_a_condition_belongs_to_its_address(pages):
    source = Diary(pages.put("/page", Page(b"1", headers={"ETag": '"1"'})))
    async with running(source, speed=1_200):
        await until(lambda: source.took)
        source.url += "?day=2"
        await until(lambda: len(pages.asked) >= 2)

    assert "if-none-match" not in pages.asked[1].headers


async def test_a_question_may_be_posted_and_has_its_own_limit(pages):
    source = Diary(pages.put("/page", packed(b"x" * 101)), post='{"a":1}', headers={"X-Key": "k"}, most_bytes=100)
    async with running(source, speed=60) as [poll]:
        await until(lambda: poll.report.failures)

    assert poll.report.reason == "sent an answer longer than 100 bytes"
    assert (pages.asked[0].method, pages.asked[0].body, pages.asked[0].headers["x-key"]) == ("POST", b'{"a":1}', "k")
    assert source.took == []


def test_the_pause_doubles_up_to_an_hour_or_the_usual_time() -> None:
    assert [backoff(failures, 60) for failures in (1, 2, 3, 7, 8, 10**9)] == [30, 60, 120, 1_920, 3_600, 3_600]
    assert backoff(100, 86_400) == 86_400


async def test_a_server_that_is_down_is_asked_more_and_more_seldom_and_found_again(pages, caplog):
    caplog.set_level(logging.INFO, logger="cascade.context")
    source = Diary(pages.put("/page", Page(b"1"), *[Page(b"oh", 500)] * 4, Page(b"2")), "counted")
    async with running(source, speed=600) as [poll]:
        await until(lambda: poll.report.failures == 4)
        down = poll.report
        await until(lambda: len(source.took) == 2)

    assert down.reason == "answered 500: 'oh'"
    labels = {"source": "counted", "reason": "500"}
    assert REGISTRY.get_sample_value("cascade_context_failures_total", labels) == 4
    assert REGISTRY.get_sample_value("cascade_context_requests_total", {"source": "counted"}) >= 6
    assert down.answered_at < down.asked_at
    for gap, pause in zip(gaps(pages, 600)[1:5], (30, 60, 120, 240), strict=True):
        assert pause * 0.9 <= gap <= pause * 1.1 + 120
    assert [record.getMessage() for record in caplog.records] == [
        "counted tells nothing new: answered 500: 'oh'",
        "counted answers again; it failed 4 times in a row",
    ]
    assert (poll.report.failures, poll.report.reason) == (0, "")


@pytest.mark.parametrize("status", [418, 429, 503])
async def test_nothing_is_asked_before_the_server_wants_it(pages, status):
    source = Diary(pages.put("/page", Page(b"", status, {"Retry-After": "300"}), Page(b"1")))
    async with running(source, speed=600):
        await asyncio.sleep(0.45)
        assert len(pages.asked) == 1, "270 s of the 300"
        await until(lambda: source.took)

    assert 300 <= gaps(pages, 600)[0] <= 330 + 60


@pytest.mark.parametrize("status", [401, 403, 404, 451])
async def test_a_lasting_no_is_left_alone_for_an_hour(pages, status):
    source = Diary(pages.put("/page", Page(b"<html>go away", status), Page(b"1")))
    async with running(source, speed=10_000) as [poll]:
        await until(lambda: poll.report.failures)
        refused = poll.report
        await until(lambda: source.took)

    assert refused.reason == f"asked again in an hour at the soonest: answered {status}"
    assert refused.answered_at is None
    assert DECLINED_S <= gaps(pages, 10_000)[0] <= DECLINED_S * 1.1 + 3_000


@pytest.mark.parametrize("page", [Page(b"x" * 100, cut=True), Page(b"", 302, {"Location": "http://other.example/x?y"})])
async def test_a_broken_answer_and_a_redirect_are_failures_in_words(pages, page):
    source = Diary(pages.put("/page", page))
    async with running(source, speed=60) as [poll]:
        await until(lambda: poll.report.failures)

    said = poll.report.reason
    assert said.startswith("did not answer: ") or said == "answered 302 and points to 'http://other.example/x?***'"


@pytest.mark.parametrize(
    "bug", [KeyError("date"), RecursionError("deep"), AssertionError(), StopIteration(), ZeroDivisionError()]
)
async def test_a_bug_in_one_source_costs_that_source_only(pages, caplog, bug):
    broken, sound = Diary(pages.put("/page", Page(b"1")), "broken"), Diary(pages.url + "/page", "sound")
    broken.bug, broken.every_s = bug, 10
    async with running(broken, sound, speed=1_200) as [first, second]:
        await until(lambda: first.report.failures >= 2)
        await until(lambda: len(sound.took) >= 2)
        broken.bug = None
        await until(lambda: broken.took)

    assert second.report.reason == ""
    assert [record.levelname for record in caplog.records if record.exc_info] == ["ERROR"], "once, with its traceback"


async def test_a_question_that_cannot_be_made_is_a_failure_too(pages):
    class Broken(Diary):
        def question(self, now: int) -> Question:
            raise ZeroDivisionError(now)

    source = Broken(pages.put("/page", Page(b"1")))
    async with running(source, speed=60) as [poll]:
        await until(lambda: poll.report.failures)

    assert "ZeroDivisionError" in poll.report.reason
    assert poll.report.asked_at is None
    assert pages.asked == []


async def test_no_secret_is_told_whoever_repeats_it(pages, caplog):
    page = Page(b"no such key: hunter2hunter2, hunter3hunter3, a+b c&hunter4", 400)
    url = pages.put("/page", page) + "?series=SOFR&api_key=a%2Bb+c%26hunter4"
    source = Diary(url, headers={"X-Key": "hunter2hunter2"}, post='{"key": "hunter3hunter3"}')
    async with running(source, speed=60) as [poll]:
        await until(lambda: poll.report.failures)

    assert poll.report.address == f"{pages.url}/page?***"
    assert poll.report.reason == "asked again in an hour at the soonest: answered 400: 'no such key: ***, ***, ***'"
    assert "hunter" not in caplog.text


async def test_a_servers_words_forge_no_line_and_fill_no_row(pages, caplog):
    source = Diary(pages.put("/page", Page(b"1")))
    source.bug = SourceError("one\nERROR two" + "x" * 5_000)
    async with running(source, speed=60) as [poll]:
        await until(lambda: poll.report.failures)

    assert "one ERROR two" in poll.report.reason
    assert len(poll.report.reason) <= 240
    assert all("\n" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("page", [Page(b"x", endless_s=0.05), Page(slow_s=20), Page(b"1")])
async def test_a_poll_that_is_stopped_is_over_at_once(pages, page):
    source = Diary(pages.put("/page", page))
    async with running(source, speed=60):
        await until(lambda: pages.asked)
        began = time.monotonic()

    assert time.monotonic() - began < 0.5
