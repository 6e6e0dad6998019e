"""Alerts to people through a real outbox, the real client and a Bot API server that counts: each once, in order, inside the limits."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from service.ledger import LedgerError
from service.model import Phase, Severity
from service.outbox import Outbox, State
from service.simulator.botapi import BotServer, Faults, Hang, Limits, Said, Through
from service.sinks.telegram import deliver
from service.sinks.telegram.api import TelegramApi
from service.sinks.telegram.courtesy import Courtesy
from service.sinks.telegram.courtesy import Limits as Limits_
from service.sinks.telegram.deliver import Deliverer
from service.sinks.telegram.outcome import Closed, Delivered, Gone, Later, Moved, Refused, Shut
from service.sinks.telegram.sink import TelegramSink
from service.sinks.telegram.talk import Talk
from service.subscribers import Chat, Quiet, Rule
from tests.postman import PIXEL, TOKEN, kit_of
from tests.test_text import OPENED

ROOT = Path(__file__).resolve().parent.parent
FASTER = 10.0
#: Who died so long before or after the server took a message has not heard the answer: it may have been on its way.
ANSWER_S = 0.3


def alert(name: str, episode: str = "e", phase: Phase = Phase.OPENED, severity: Severity = Severity.WATCH, **more):
    return msgspec.structs.replace(OPENED, id=name, episode=episode, phase=phase, severity=severity, **more)


class Post:
    """A store, a Bot API server and subscribers; alerts go in by `say`, a deliverer may run or be missing."""

    def __init__(self, ledger, server: BotServer) -> None:
        self.ledger, self.server = ledger, server
        self.outbox = Outbox(ledger.server)
        self.sink = TelegramSink(self.outbox, lambda: round(time.time() * 1_000), lambda: None)
        self.api_url = server.url.removesuffix("/bot")

    async def subscribe(self, *chats: int, **changes) -> None:
        for chat in chats:
            if chat not in self.server.chats:
                self.server.private(chat)
            await self.outbox.save(Chat(id=chat, rules=(Rule(id=1, asset=OPENED.asset),), **changes), 0)

    async def say(self, *alerts) -> None:
        token = await self.ledger.lease("tests", 60_000)
        await self.ledger.commit(token, {}, alerts)
        for one in alerts:
            await self.sink.send(one)

    @contextlib.asynccontextmanager
    async def delivering(self, times: float = FASTER, **changes):
        api = TelegramApi(TOKEN, self.api_url)
        assert await api.open() is None
        self.kit = kit_of(self.ledger, api, times, **changes)
        task = asyncio.create_task(Deliverer(self.kit).run())
        try:
            yield api
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await api.close()

    async def until(self, met, patience_s: float = 8.0) -> None:
        async with asyncio.timeout(patience_s):
            while not met():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def settled(self, patience_s: float = 8.0) -> None:
        async with asyncio.timeout(patience_s):
            while (await self.outbox.counts()).waiting:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def texts(self, chat: int) -> list[str]:
        return [message.words for message in self.server.chat(chat).messages]

    async def states(self, chat: int) -> list[tuple[str, str, str]]:
        rows = await self.outbox.rows(chat, round(time.time() * 1_000))
        return [(row.alert, row.state.value, row.reason) for row in rows]


@pytest.fixture
async def post(redis_ledger, monkeypatch):
    monkeypatch.setattr(deliver, "LOOK_S", 0.02)
    async with BotServer(TOKEN, limits=Limits(speed=FASTER, slack_s=0.02)) as server:
        yield Post(redis_ledger, server)


async def test_an_episode_is_one_message_that_grows_one_picture_and_an_answer_at_its_end(post):
    await post.subscribe(1)
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.settled()
        await post.say(alert("e.2", phase=Phase.GREW, severity=Severity.CRITICAL, short_usd=9e8))
        await post.settled()
        await post.say(alert("e.3", phase=Phase.CLOSED, severity=Severity.CRITICAL))
        await post.settled()

    first, picture, last = post.server.chat(1).messages
    assert len(first.edits) == 1
    assert first.text.startswith("●")
    assert (picture.photo, picture.reply_to, last.reply_to) == (True, first.id, first.id)
    assert last.text.startswith("✓")
    assert picture.caption in first.text


async def test_a_group_that_takes_no_pictures_is_told_in_words_and_stays_open(post):
    post.server.group(-5)
    await post.subscribe(-5, group=True)
    rights = "Bad Request: not enough rights to send photos to the chat"
    post.server.script(-5, [Through(), Said(status=400, description=rights)])
    async with post.delivering():
        await post.say(alert("e.1", severity=Severity.CRITICAL))
        await post.settled()
        await post.say(alert("e.2", phase=Phase.CLOSED, severity=Severity.CRITICAL))
        await post.settled()

    assert len(post.texts(-5)) == 2
    assert (await post.outbox.chat(-5)).closed == ""


async def test_a_chat_that_was_told_later_gets_the_picture_of_what_it_was_told(post):
    await post.subscribe(1)
    drawn = []

    async def draw(one) -> bytes:
        drawn.append(one.id)
        return PIXEL

    async with post.delivering(draw=draw):
        await post.say(alert("e.1", severity=Severity.CRITICAL))
        await post.settled()
        await post.subscribe(2)
        await post.say(alert("e.2", phase=Phase.GREW, severity=Severity.CRITICAL, short_usd=9e8))
        await post.settled()

    assert drawn == ["e.1", "e.2"]
    assert post.server.chat(2).messages[1].caption in post.server.chat(2).messages[0].text


async def test_a_hundred_chats_get_a_critical_alert_once_and_one_upload_serves_all(post):
    await post.subscribe(*range(1, 101))
    drawn = []

    async def draw(one) -> bytes:
        drawn.append(one.id)
        return PIXEL

    async with post.delivering(draw=draw):
        await post.say(alert("e.1", severity=Severity.CRITICAL))
        await post.settled(20)

    assert all(len(post.server.chat(chat).messages) == 2 for chat in range(1, 101))
    assert all(post.server.chat(chat).messages[1].photo for chat in range(1, 101))
    assert drawn == ["e.1"], "the picture travelled once"
    assert post.server.counts.violations == []
    texts, photos = ([post.server.chat(chat).messages[place].at for chat in range(1, 101)] for place in (0, 1))
    assert sorted(texts)[90] < sorted(photos)[50], "words go before pictures"


async def test_a_message_that_was_deleted_is_sent_anew_when_it_should_grow(post):
    await post.subscribe(1)
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.settled()
        post.server.chat(1).erase(post.server.chat(1).messages[0].id)
        await post.say(alert("e.2", phase=Phase.GREW, short_usd=9e8))
        await post.settled()

    assert len(post.server.chat(1).messages) == 1
    assert [state for _, state, _ in await post.states(1)] == ["sent", "sent"]


async def test_a_wait_that_is_asked_for_is_kept_to_the_second_and_over_a_restart(post):
    await post.subscribe(1, 2)
    post.server.script(1, [Said.too_many(10_000)])
    before = time.time() * 1_000
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.until(lambda: post.server.counts.answers[429] == 1 and len(post.texts(2)) == 1)
    async with post.delivering():
        await asyncio.sleep(1.5)

    assert post.texts(1) == []
    now = before + 10_000_000
    assert await post.outbox.take(round(now - 1_000), 1_000, 5) == []
    (box,) = await post.outbox.take(round(now + 5_000), 1_000, 5)
    assert [(row.alert, row.tries) for row in box.rows] == [("e.1", 1)]


async def test_three_people_in_a_row_that_must_wait_silence_the_whole_bot_for_every_process(post):
    await post.subscribe(*range(1, 8))
    for chat in range(1, 8):
        post.server.script(chat, [Said.too_many(600)] * 2)
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.until(lambda: post.server.counts.answers[429] >= 3)
        await asyncio.sleep(0.5)
    asked = post.server.counts.answers[429]
    assert 3 <= asked <= 7
    assert await post.outbox.away_until() > time.time() * 1_000 + 590_000
    await post.subscribe(8)
    await post.say(alert("e.2", phase=Phase.GREW))
    async with post.delivering():
        await asyncio.sleep(1.5)

    assert post.texts(8) == [], "a new process stays away as well"
    assert post.server.counts.answers[429] == asked


async def test_a_process_that_takes_the_lead_later_hears_of_a_wait_it_was_not_told(post):
    await post.subscribe(1)
    leading = [False]
    async with post.delivering(leads=lambda: leading[0]):
        await asyncio.sleep(0.1)
        now = round(time.time() * 1_000)
        await post.outbox.stay_away(now + 600_000, now)
        await post.say(alert("e.1"))
        leading[0] = True
        await asyncio.sleep(1.5)

    assert post.texts(1) == []


async def test_groups_with_a_slow_mode_silence_nobody_else(post):
    for group in range(-9, 0):
        post.server.group(group)
        post.server.script(group, [Said.too_many(3_600)])
        await post.subscribe(group, group=True)
    await post.subscribe(*range(1, 30))
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.until(lambda: all(post.texts(chat) for chat in range(1, 30)))

    assert post.server.counts.answers[429] == 9
    assert await post.outbox.away_until() == 0


async def test_a_slow_and_a_dead_chat_delay_nobody(post):
    await post.subscribe(*range(1, 40))
    for chat in range(1, 6):
        post.server.script(chat, [Hang(seconds=30.0, taken=False)])
    began = time.monotonic()
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.until(lambda: all(post.texts(chat) for chat in range(6, 40)))

    assert time.monotonic() - began < 4, "34 chats at ten times the usual pace, and a second's grace"


async def test_whoever_blocked_the_bot_is_closed_with_the_reason_and_never_asked_again(post):
    await post.subscribe(1, 2)
    post.server.block(1)
    post.server.delete_user(2)
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.settled()
        asked = post.server.counts.requests["sendMessage"]
        await post.say(alert("e.2", phase=Phase.GREW))
        await asyncio.sleep(0.3)

    assert post.server.counts.requests["sendMessage"] == asked
    assert (await post.outbox.chat(1)).closed == "Forbidden: bot was blocked by the user"
    assert await post.states(2) == [("e.1", "failed", "Forbidden: user is deactivated")]


async def test_a_group_that_became_a_supergroup_is_told_there(post):
    post.server.group(-5, "group", title="traders")
    await post.subscribe(-5, group=True)
    post.server.migrate(-5, -100_5)
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.settled()

    assert len([text for text in post.texts(-100_5) if "liquid" in text or "1 h" in text]) == 1
    assert await post.outbox.chat(-5) is None
    assert (await post.outbox.chat(-100_5)).rules


async def test_a_page_of_something_in_between_closes_nobody_and_loses_nothing(post):
    await post.subscribe(1)
    page = "<html><h1>403 Forbidden</h1></html>"
    post.server.script(1, [Said(status=403, page=page), Said(status=400, page=page)])
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.settled(15)

    assert len(post.texts(1)) == 1
    assert (await post.outbox.chat(1)).closed == ""


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said.too_many(7), Later),
        (Said.internal(), Later),
        (Said.gateway(), Later),
        (Hang(seconds=0.0, taken=False), Later),
        (Said.forbidden(), Closed),
        (Said(status=403, description="Forbidden: bot is not a member of the channel chat"), Closed),
        (Said(status=400, description="Bad Request: chat not found"), Closed),
        (Said(status=400, description="Bad Request: need administrator rights in the channel chat"), Closed),
        (Said(status=400, description="Bad Request: not enough rights to send text messages to the chat"), Closed),
        (Said(status=400, description="Bad Request: not enough rights to send photos to the chat"), Refused),
        (Said(status=400, description="Bad Request: can't parse entities: unclosed tag"), Refused),
        (Said(status=400, description="Bad Request: message is too long"), Refused),
        (Said(status=400, description="Bad Request: message to edit not found"), Gone),
        (Said(status=400, description="Bad Request: message can't be edited"), Gone),
        (Said(status=400, description="Bad Request: message is not modified: it is the same"), Delivered),
        (Said.migrated(-100_77), Moved),
        (Said(status=401, description="Unauthorized"), Shut),
        (Said(status=404, description="Not Found"), Shut),
        (Said(status=409, description="Conflict: terminated by other getUpdates request"), Later),
    ],
)
async def test_every_answer_of_the_messenger_has_its_meaning(post, said, kind):
    post.server.private(1)
    post.server.script(1, [said])
    api = TelegramApi(TOKEN, post.api_url)
    assert await api.open() is None
    outcome = await api.send(1, "hello")
    await api.close()

    assert isinstance(outcome, kind)
    if kind is Later:
        assert (outcome.told, outcome.seconds) == (
            (True, 7.0) if said == Said.too_many(7) else (False, outcome.seconds)
        )
    assert TOKEN not in repr(outcome)


async def test_what_is_refused_for_good_fails_with_its_reason_and_what_follows_is_told(post):
    await post.subscribe(1)
    post.server.script(1, [Said(status=400, description="Bad Request: BUTTON_WRONG")])
    async with post.delivering():
        await post.say(alert("e.1"))
        await post.settled()
        await post.say(alert("e.2", phase=Phase.GREW))
        await post.settled()

    assert [(name, state) for name, state, _ in await post.states(1)] == [("e.1", "failed"), ("e.2", "sent")]
    assert (await post.states(1))[0][2] == "BadRequest: Button_wrong"


async def test_many_episodes_at_once_are_one_digest_and_each_end_answers_it(post):
    await post.subscribe(1)
    await post.say(*(alert(f"x{n}.1", episode=f"x{n}") for n in range(6)))
    async with post.delivering():
        await post.settled()
        await post.say(alert("x3.2", episode="x3", phase=Phase.CLOSED))
        await post.settled()

    digest, last = post.server.chat(1).messages
    assert digest.text.count("○") == 6
    assert last.reply_to == digest.id


async def test_rows_of_a_chat_are_told_in_order_whatever_fails_in_between(post):
    await post.subscribe(1)
    post.server.script(1, [Said.internal(), Hang(seconds=0.0, taken=False)])
    first, second = (alert(f"{name}.1", episode=name, short_usd=usd) for name, usd in (("x", 3.1e8), ("y", 7.2e8)))
    async with post.delivering():
        await post.say(first)
        await post.until(lambda: post.server.counts.answers[500] == 1)
        await post.say(second)
        await post.settled(20)

    assert ["$312.0M" in text for text in post.texts(1)] == [True, False]
    assert ["$722.0M" in text for text in post.texts(1)] == [False, True]


async def test_quiet_hours_hold_and_their_end_brings_one_digest(post):
    shanghai = ZoneInfo("Asia/Shanghai")
    night, morning = (
        round(datetime(2026, 11, day, hour, minute, tzinfo=shanghai).timestamp() * 1_000)
        for day, hour, minute in ((26, 23, 30), (27, 7, 0))
    )
    wall = [night]
    quiet = Quiet(start=23 * 60, end=7 * 60, zone="Asia/Shanghai")
    await post.subscribe(1, quiet=quiet)
    post.sink = TelegramSink(post.outbox, lambda: wall[0], lambda: None)
    async with post.delivering(now=lambda: wall[0]):
        await post.say(alert("e.1"))
        await asyncio.sleep(0.3)
        await post.say(alert("f.1", episode="f"), alert("e.2", phase=Phase.CLOSED))
        wall[0] = morning - 1
        await asyncio.sleep(1.3)
        assert post.texts(1) == []
        wall[0] = morning
        await post.settled()

    (digest,) = post.texts(1)
    assert "23:30" in digest
    assert "07:00" in digest
    rows = await post.outbox.rows(1, morning)
    assert [(row.alert, row.state.value, row.reason) for row in rows] == [
        ("e.1", "sent", "digest"),
        ("f.1", "sent", "digest"),
        ("e.2", "sent", ""),
    ]


async def test_a_slow_pace_wastes_no_turn(post, monkeypatch):
    monkeypatch.setattr(deliver, "STALE_S", 2.0)
    await post.subscribe(*range(1, 41))
    await post.say(alert("e.1"))
    began = time.monotonic()
    async with post.delivering(courtesy=Courtesy(Limits_(per_second=10.0, chat_s=0.1, group_s=0.3))):
        await post.settled(20)

    assert time.monotonic() - began < 1 + 40 / 10 + 2


async def test_an_orderly_stop_hears_the_answers_that_are_on_their_way_and_frees_the_others(post):
    await post.subscribe(*range(1, 61))
    await post.say(alert("e.1"))
    post.server.faults = Faults(slow_s=0.3)
    async with post.delivering():
        await post.until(lambda: post.server.counts.delivered >= 10)
    async with post.delivering():
        await post.settled(10)

    assert [len(post.texts(chat)) for chat in range(1, 61)] == [1] * 60


async def test_whoever_leaves_or_changes_while_an_alert_is_on_its_way_is_not_told_what_was_meant_before(post):
    await post.subscribe(1, 2, *range(10, 60))
    await post.say(alert("e.1"))
    async with post.delivering(times=2.0):
        await asyncio.sleep(0.3)
        await post.outbox.erase(1, round(time.time() * 1_000))
        await post.outbox.save(Chat(id=2, rules=(Rule(id=1, asset="DOGE"),)), round(time.time() * 1_000))
        await post.settled(20)

    assert post.texts(1) == []
    assert post.texts(2) == []
    assert [row[1:] for row in await post.states(2)] == [("failed", "no rule asks for it any more")]


async def test_a_lead_that_is_lost_while_a_chat_waits_for_its_turn_is_not_used(post):
    await post.subscribe(*range(1, 20))
    await post.say(alert("e.1"))
    leading = [True]
    async with post.delivering(times=1.0, leads=lambda: leading[0]):
        await asyncio.sleep(0.4)  # taken, and waiting for the first second to pass
        leading[0] = False
        await asyncio.sleep(1.2)
    assert post.server.counts.delivered == 0
    async with post.delivering():
        await post.settled()

    assert post.server.counts.delivered == 19


async def test_a_token_that_is_taken_again_brings_what_waited(post, monkeypatch, caplog):
    monkeypatch.setattr(deliver, "SHUT_S", 0.5)
    await post.subscribe(1)
    async with post.delivering():
        post.server.token = "654321:" + "B" * 35
        await post.say(alert("e.1"))
        await post.until(lambda: "does not know this bot" in caplog.text)
        post.server.token = TOKEN
        await post.settled()

    assert len(post.texts(1)) == 1


async def test_a_picture_that_was_sent_is_not_sent_again_because_the_store_blinked(post):
    await post.subscribe(1)

    class Blinking(Outbox):
        async def keep_picture(self, *_name_and_file):
            raise LedgerError("away")

    async with post.delivering(outbox=Blinking(post.ledger.server)):
        await post.say(alert("e.1", severity=Severity.CRITICAL))
        await post.settled()

    assert [message.photo for message in post.server.chat(1).messages] == [False, True]


async def test_alerts_answers_and_pictures_together_keep_every_limit_at_their_real_pace(post):
    post.server.limits = Limits()
    post.server.group(-5)
    await post.subscribe(-5, group=True)
    await post.subscribe(*range(1, 25))
    async with post.delivering(times=1.0) as api:
        talk = Talk(api, post.kit.courtesy, post.kit.patience, lambda: True)
        await post.say(alert("e.1", severity=Severity.CRITICAL))
        for _ in range(2):
            await asyncio.gather(*(talk.send(chat, "an answer") for chat in (1, 2, 3)), talk.send(-5, "x", group=True))
        await post.settled(20)

    assert post.server.counts.violations == []
    assert post.server.counts.worst_second <= 28


async def test_a_wrong_token_tells_nobody_loses_nothing_and_is_said_without_the_token(post, caplog):
    await post.subscribe(1)
    await post.say(alert("e.1"))
    post.server.token = "654321:" + "B" * 35
    api = TelegramApi(TOKEN, post.api_url)
    shut = await api.open()
    assert "***" in shut.reason
    await api.close()
    post.server.token = TOKEN
    async with post.delivering():
        post.server.token = "654321:" + "B" * 35
        await post.until(lambda: "does not know this bot" in caplog.text)

    assert TOKEN not in caplog.text
    assert (await post.outbox.rows(1, round(time.time() * 1_000)))[0].state is State.PENDING


async def test_a_store_that_is_away_after_a_message_went_out_repeats_nothing(post, monkeypatch):
    await post.subscribe(1)
    real, failures = post.outbox.settle, iter([True, True])

    class Failing(Outbox):
        async def settle(self, turn, now):
            if next(failures, False):
                raise LedgerError("away")
            return await real(turn, now)

    monkeypatch.setattr(deliver, "CLAIM_S", 0.1)
    async with post.delivering(outbox=Failing(post.ledger.server)):
        await post.say(alert("e.1"))
        await post.settled()

    assert len(post.texts(1)) == 1


async def test_two_processes_that_both_believe_they_lead_tell_each_chat_once(post):
    await post.subscribe(*range(1, 81))
    await post.say(alert("e.1"))
    async with post.delivering(times=5.0), post.delivering(times=5.0):
        await post.settled(20)

    assert [len(post.texts(chat)) for chat in range(1, 81)] == [1] * 80


async def test_a_process_that_does_not_lead_says_nothing(post):
    await post.subscribe(1)
    await post.say(alert("e.1"))
    async with post.delivering(leads=lambda: False):
        await asyncio.sleep(1.5)

    assert post.texts(1) == []
    assert [state for _, state, _ in await post.states(1)] == ["pending"]


async def test_a_group_gets_no_more_than_it_may_and_still_everything(post):
    post.server.group(-5)
    await post.subscribe(-5, group=True)
    async with post.delivering():
        for number in range(1, 5):
            await post.say(alert(f"x{number}.1", episode=f"x{number}"))
            await asyncio.sleep(0.1)
        await post.settled(20)

    assert post.server.counts.violations == []
    assert {state for _, state, _ in await post.states(-5)} == {"sent"}


async def killed_twice(post, chats: int, store: str, tag: str) -> list[float]:
    """Deliver by processes that are killed at a third and at two thirds; when they were, on the server's clock."""
    kills = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.postman", store, tag, post.api_url, str(FASTER)]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    for part in (1, 2, 3):
        process = start()
        try:
            if part == 3:
                await post.settled(30)
            else:
                await post.until(lambda part=part: post.server.counts.delivered >= part * chats // 3, 30)
        finally:
            process.send_signal(signal.SIGKILL if part < 3 else signal.SIGTERM)
            kills.append(time.monotonic())
            await asyncio.to_thread(process.wait)
            process.stdout.close()
    return kills[:2]


async def test_killed_twice_and_with_failures_every_chat_is_told_and_repeats_are_only_what_lost_its_answer(
    post, valkey, tag
):
    chats = 240
    await post.subscribe(*range(1, chats + 1))
    await post.say(alert("e.1"))
    post.server.faults = Faults(too_many=0.02, internal=0.02, lost=0.01, seed=3)
    kills = await killed_twice(post, chats, valkey.url, tag)

    told = {chat: len(post.server.chat(chat).messages) for chat in range(1, chats + 1)}
    assert min(told.values()) >= 1, "nobody is left out"
    assert post.server.counts.violations == []
    again = {chat for chat, count in told.items() if count > 1}
    first = {chat: post.server.chat(chat).messages[0].at for chat in again}
    unheard = {chat for chat, at in first.items() if any(abs(kill - at) < ANSWER_S for kill in kills)}
    assert again <= set(post.server.counts.lost) | unheard, "a repeat is a message whose answer never came"
    assert len(again) < chats / 20
    assert {row[1] for chat in range(1, 20) for row in await post.states(chat)} == {"sent"}
