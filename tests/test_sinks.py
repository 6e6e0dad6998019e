"""Couriers: in order, from where they stood, neither lost nor repeated."""

import asyncio
import contextlib
import logging
from typing import ClassVar

import msgspec
import pytest

from service.bell import Bell
from service.ledger.memory import MemoryLedger
from service.model import Alert
from service.sinks import SINKS, Courier, LogSink, SinkError
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


async def test_a_sink_with_a_bug_does_not_end_the_service():
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
        await asyncio.sleep(1.3)

    assert sink.got == ["raised", "e.1"]


async def test_a_passing_failure_is_tried_again_in_order_and_a_permanent_one_is_left_behind():
    ledger = MemoryLedger()
    sink = Notebook(SinkError("busy", permanent=False, retry_after=0.01), SinkError("gone", permanent=True))
    async with running(ledger, sink) as bell:
        await archive(ledger, 1, 2, 3)
        bell.ring()
        await asyncio.sleep(0.2)

    assert sink.got == ["e.2", "e.3"]


async def test_the_log_sink_writes_one_line(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "cascade.alerts"):
        await SINKS["log"](None).send(OPENED)

    assert caplog.messages == [f"opened watch {OPENED.id}: {OPENED.why.en}"]
    assert LogSink.name == "log"
