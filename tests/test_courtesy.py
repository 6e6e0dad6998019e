"""Manners: whatever is asked at once, no second holds more than it may, no chat is addressed twice in its gap, people go first."""

import asyncio
import time
from itertools import pairwise

from service.sinks.telegram.courtesy import NEWS, PERSON, PICTURE, Courtesy, Limits

LIMITS = Limits(per_second=100.0, chat_s=0.2, group_s=0.5)


async def rounds(courtesy: Courtesy, asked: list[tuple[int, int, bool]]) -> list[tuple[float, int, int]]:
    """When each turn came: time, chat, urgency."""
    got: list[tuple[float, int, int]] = []

    async def one(chat: int, urgency: int, group: bool) -> None:
        await courtesy.turn(chat, urgency, group=group)
        got.append((time.monotonic(), chat, urgency))

    await asyncio.gather(*(one(*ask) for ask in asked))
    return got


async def test_a_fresh_process_waits_a_second_and_then_keeps_its_pace():
    began = time.monotonic()
    got = await rounds(Courtesy(LIMITS), [(chat, NEWS, False) for chat in range(60)])
    times = [at for at, _, _ in got]

    assert times[0] - began >= 0.99, "the process before may have used up this second"
    worst = max(sum(at <= other < at + 0.1 for other in times) for at in times)
    assert worst <= 11, "100 a second"
    assert times[-1] - times[0] < 59 / 100 + 0.5, "nor much slower than it may"


async def test_a_chat_is_addressed_once_in_its_gap_and_a_group_more_seldom():
    got = await rounds(Courtesy(LIMITS), [(1, NEWS, False)] * 4 + [(-2, NEWS, True)] * 3)
    private, group = ([at for at, chat, _ in got if chat == name] for name in (1, -2))

    assert all(after - before >= 0.199 for before, after in pairwise(private))
    assert all(after - before >= 0.499 for before, after in pairwise(group))
    assert max(private[-1] - private[0], group[-1] - group[0]) < 1.5


async def test_people_and_news_take_turns_and_pictures_come_last():
    asked = [(chat, urgency, False) for chat, urgency in enumerate([PICTURE] * 5 + [NEWS] * 5 + [PERSON] * 8)]
    got = await rounds(Courtesy(LIMITS), asked)

    assert [urgency for _, _, urgency in got] == [PERSON, NEWS] * 5 + [PERSON] * 3 + [PICTURE] * 5


async def test_many_people_who_talk_all_the_time_starve_no_alert():
    courtesy, ended = Courtesy(LIMITS), asyncio.Event()

    async def talk(chat: int) -> None:
        while not ended.is_set():
            await courtesy.turn(chat, PERSON, group=False)

    talkers = [asyncio.create_task(talk(chat)) for chat in range(60)]
    await asyncio.sleep(1.2)
    began = time.monotonic()
    for chat in range(100, 120):
        await courtesy.turn(chat, NEWS, group=False)
    took = time.monotonic() - began
    ended.set()
    for task in talkers:
        task.cancel()
    await asyncio.gather(*talkers, return_exceptions=True)

    assert took < 1.0, "twenty at every second slot of a hundred a second"


async def test_who_was_cancelled_costs_nobody_a_turn():
    courtesy = Courtesy(LIMITS)
    gone = [asyncio.create_task(courtesy.turn(chat, NEWS, group=False)) for chat in range(50)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    began = time.monotonic()
    await courtesy.turn(7, NEWS, group=False)

    assert time.monotonic() - began < 1.3
    assert courtesy.free_in(8) == 0, "a chat whose turn was given up is free"


async def test_a_pause_holds_everybody_for_as_long_as_it_was_asked():
    courtesy = Courtesy(LIMITS)
    courtesy.pause(1.4)
    began = time.monotonic()
    await rounds(courtesy, [(chat, PERSON, False) for chat in range(3)])

    assert time.monotonic() - began >= 1.39
    courtesy.pause(10_000)
    assert courtesy.paused_s > 9_990
    courtesy.pause(-5)
    assert courtesy.paused_s > 9_990, "a shorter one shortens nothing"
