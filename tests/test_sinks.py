"""Couriers: in order, from where they stood, neither lost nor repeated."""

import asyncio
import contextlib
import logging
import random
from typing import ClassVar

import msgspec
import pytest

from service.bell import Bell
from service.ledger import LedgerError
from service.ledger.memory import MemoryLedger
from service.model import Alert, Failing
from service.sinks import SINKS, Courier, LogSink, SinkError, courier
from tests.test_text import OPENED


def alert(number: int) -> Alert:
    return Alert(**{name: getattr(OPENED, name) for name in OPENED.__struct_fields__} | {"id": f"e.{number}"})


class Notebook:
    """A sink that writes down what it got, and fails as told first."""

    name: ClassVar[str] = "notebook"

    def __init__(self, *failures: SinkError) -> None:
        self.got: list[str] = []
        self.failures = list(failures)

    async def send(self, alert: Alert) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.got.append(alert.id)


async def archive(ledger, *numbers: int) -> None:
    token = await ledger.lease("me", 60_000)
    await ledger.commit(token, {}, [alert(number) for number in numbers])


@contextlib.asynccontextmanager
async def running(ledger, sink):
    bell = Bell()
    task = asyncio.create_task(Courier(sink, ledger, bell.wait).run())
    await asyncio.sleep(0.05)
    try:
        yield bell
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_new_sink_starts_with_the_next_alert_and_a_restart_repeats_none():
    ledger, sink = MemoryLedger(), Notebook()
    await archive(ledger, 1, 2)
    async with running(ledger, sink) as bell:
        await archive(ledger, 3, 4)
        bell.ring()
        await asyncio.sleep(0.05)
    await archive(ledger, 5)
    async with running(ledger, sink):
        pass

    assert sink.got == ["e.3", "e.4", "e.5"]


async def test_a_line_of_a_larger_episode_is_passed_over_and_not_waited_for():
    ledger, sink = MemoryLedger(), Notebook()
    token = await ledger.lease("me", 60_000)
    async with running(ledger, sink) as bell:
        line = msgspec.structs.replace(alert(2), parent="ALL-short_squeeze-1")
        await ledger.commit(token, {}, [alert(1), line, alert(3)])
        bell.ring()
        await asyncio.sleep(0.05)

    assert sink.got == ["e.1", "e.3"]
    assert await ledger.cursor("notebook") == (await ledger.alerts(None, 1))[0][0]


async def test_a_sink_new_on_an_empty_archive_gets_the_very_first_alert():
    ledger, sink = MemoryLedger(), Notebook()
    async with running(ledger, sink) as bell:
        await archive(ledger, 1)
        bell.ring()
        await asyncio.sleep(0.05)

    assert sink.got == ["e.1"]


async def test_of_two_replicas_only_the_leader_speaks_and_the_other_goes_on_where_it_stood():
    ledger, first, second = MemoryLedger(), Notebook(), Notebook()
    leader = [first]
    bells = [Bell(), Bell()]
    couriers = [
        Courier(sink, ledger, bell.wait, lambda sink=sink: leader[0] is sink)
        for sink, bell in zip((first, second), bells, strict=True)
    ]
    await couriers[0].begin()
    tasks = [asyncio.create_task(courier.run()) for courier in couriers]
    await archive(ledger, 1, 2)
    for bell in bells:
        bell.ring()
    await asyncio.sleep(0.05)
    leader[0] = second
    await archive(ledger, 3)
    await asyncio.sleep(1.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (first.got, second.got) == (["e.1", "e.2"], ["e.3"])


async def test_a_sink_with_a_bug_does_not_end_the_service(monkeypatch):
    monkeypatch.setattr(courier, "PAUSE_S", (0.01, 0.02))

    class Broken(Notebook):
        async def send(self, alert: Alert) -> None:
            if not self.got:
                self.got.append("raised")
                raise KeyError("oops")
            await super().send(alert)

    ledger, sink = MemoryLedger(), Broken()
    async with running(ledger, sink) as bell:
        await archive(ledger, 1)
        bell.ring()
        await asyncio.sleep(0.1)

    assert sink.got == ["raised", "e.1"]


async def test_a_passing_failure_is_tried_again_in_order_and_a_permanent_one_is_left_behind():
    ledger = MemoryLedger()
    sink = Notebook(SinkError("busy", permanent=False, retry_after=0.01), SinkError("gone", permanent=True))
    async with running(ledger, sink) as bell:
        await archive(ledger, 1, 2, 3)
        bell.ring()
        await asyncio.sleep(0.2)

    assert sink.got == ["e.2", "e.3"]
    [row] = await ledger.refused("notebook")
    assert (row.sink, row.alert, row.cursor, row.reason) == (
        "notebook",
        "e.1",
        (await ledger.alerts(None, 3))[0][0],
        "gone",
    )


async def test_a_sink_that_wants_lines_gets_them_too():
    class Teller(Notebook):
        lines: ClassVar[bool] = True

    ledger, sink = MemoryLedger(), Teller()
    token = await ledger.lease("me", 60_000)
    async with running(ledger, sink) as bell:
        await ledger.commit(token, {}, [alert(1), msgspec.structs.replace(alert(2), parent="ALL-short_squeeze-1")])
        bell.ring()
        await asyncio.sleep(0.05)

    assert sink.got == ["e.1", "e.2"]


async def test_a_wait_the_sink_names_is_kept_to_exactly_and_every_other_doubles_with_jitter(monkeypatch):
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    ledger = MemoryLedger()
    said = [None, None, 5_000.0, 0.0, 0.25, None, *[None] * 6]
    sink = Notebook(*(SinkError("busy", permanent=False, retry_after=wait) for wait in said))
    errand = Courier(sink, ledger, Bell().wait)
    await errand.begin()
    await archive(ledger, 1)
    monkeypatch.setattr(courier.asyncio, "sleep", note)
    await errand.errand("0-0")

    assert sink.got == ["e.1"]
    assert [waits[2], waits[4]] == [5_000.0, 0.25]
    ceilings = [2, 4, None, 16, None, 60, 60, 60, 60, 60, 60, 60]
    assert len(waits) == len(ceilings)
    assert all(top / 2 <= wait <= top for wait, top in zip(waits, ceilings, strict=True) if top)


def test_the_pause_is_never_shorter_than_a_second_nor_longer_than_a_minute():
    dice = random.Random(7)
    pauses = [courier.pause(tries, dice) for tries in (1, 2, 5, 6, 7, 1_000) for _ in range(200)]

    assert min(pauses) >= 1
    assert max(pauses) <= 60
    assert len(set(pauses[-200:])) > 100, "without jitter all sinks come back at once"


async def test_a_courier_tells_how_far_it_is_what_fails_since_when_and_what_was_refused():
    ledger, now = MemoryLedger(), [1_000]
    sink = Notebook(
        *(SinkError("busy", permanent=False, retry_after=0.02) for _ in range(3)), SinkError("gone", permanent=True)
    )
    errand = Courier(sink, ledger, Bell().wait, now=lambda: now[0])
    new = await errand.report()
    start = await errand.begin()
    await archive(ledger, 1, 2)
    work = asyncio.create_task(errand.errand(start))
    await asyncio.sleep(0.01)
    now[0] = 2_000
    await asyncio.sleep(0.03)
    failing = await errand.report()
    end = await work
    done = await errand.report()

    assert (new.pending, new.delivered_through, new.failing, new.refused) == (None, None, None, ())
    assert (failing.name, failing.pending, failing.pending_at_least) == ("notebook", 2, False)
    assert (failing.delivered_through, failing.failing) == ("0-0", Failing(error="busy", since=1_000))
    assert (done.pending, done.delivered_through, done.failing) == (0, end, None)
    assert [row.reason for row in done.refused] == ["gone"]
    assert sink.got == ["e.2"]


async def test_a_sink_that_refuses_everything_fails_until_it_takes_something():
    ledger, sink = MemoryLedger(), Notebook(SinkError("no_service", permanent=True))
    errand = Courier(sink, ledger, Bell().wait, now=lambda: 5)
    start = await errand.begin()
    await archive(ledger, 1)
    since = await errand.errand(start)
    refused = await errand.report()
    await archive(ledger, 2)
    await errand.errand(since)

    assert refused.failing == Failing(error="no_service", since=5)
    assert (await errand.report()).failing is None


async def test_what_is_pending_is_counted_to_a_thousand(monkeypatch):
    monkeypatch.setattr(courier, "COUNTED", 3)
    ledger = MemoryLedger()
    errand = Courier(Notebook(), ledger, Bell().wait)
    await errand.begin()
    await archive(ledger, 1, 2, 3)
    three = await errand.report()
    await archive(ledger, 4, 5)
    more = await errand.report()

    assert (three.pending, three.pending_at_least) == (3, False)
    assert (more.pending, more.pending_at_least) == (3, True)


async def test_a_replica_that_lost_the_lead_while_it_waited_leaves_the_alert_to_the_other():
    ledger, leads = MemoryLedger(), [True]
    sink = Notebook(SinkError("busy", permanent=False, retry_after=0.02))
    errand = Courier(sink, ledger, Bell().wait, lambda: leads[0])
    start = await errand.begin()
    await archive(ledger, 1)
    work = asyncio.create_task(errand.errand(start))
    await asyncio.sleep(0.01)
    leads[0] = False

    assert await work == start == await ledger.cursor("notebook")
    assert sink.got == []


async def test_a_ledger_that_is_away_after_a_delivery_repeats_no_alert(monkeypatch):
    monkeypatch.setattr(courier, "PAUSE_S", (0.01, 0.02))

    class Away(MemoryLedger):
        failures = 2

        async def advance(self, sink: str, cursor: str) -> None:
            if cursor != "0-0" and self.failures:
                self.failures -= 1
                raise LedgerError("away")
            await super().advance(sink, cursor)

    ledger, sink = Away(), Notebook()
    async with running(ledger, sink) as bell:
        await archive(ledger, 1, 2)
        bell.ring()
        await asyncio.sleep(0.2)

    assert sink.got == ["e.1", "e.2"]


async def test_the_text_of_a_bug_is_shown_to_nobody():
    class Broken(Notebook):
        async def send(self, _alert: Alert) -> None:
            raise KeyError("https://h/hunter2")

    ledger = MemoryLedger()
    errand = Courier(Broken(), ledger, Bell().wait)
    start = await errand.begin()
    await archive(ledger, 1)
    work = asyncio.create_task(errand.errand(start))
    await asyncio.sleep(0.02)
    report = await errand.report()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)

    assert report.failing.error == "KeyError, a bug; the log has the details"


async def test_the_log_sink_writes_one_line(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "cascade.alerts"):
        await SINKS["log"](None, None).send(OPENED)

    assert caplog.messages == [f"opened watch {OPENED.id}: {OPENED.why.en}"]
    assert LogSink.name == "log"
