"""The outbox on a real server: each alert once for each chat, in order, whoever dies meanwhile; and a chat that leaves leaves nothing."""

import time

import msgspec
import pytest

from service.model import Severity
from service.outbox import Outbox, Row, State, Told, Turn
from service.outbox.outbox import KEEP, WEEK
from service.subscribers import Chat, Rule
from tests.conftest import keys_of
from tests.test_sinks import alert

NOW = 1_768_341_600_000
CLAIM = 30_000


@pytest.fixture
async def outbox(redis_ledger):
    box = Outbox(redis_ledger.server)
    for chat in (1, 2, -3):
        await box.save(Chat(id=chat, rules=(Rule(id=1),)), NOW)
    return box


def done(row: Row, message: int) -> Row:
    return msgspec.structs.replace(row, state=State.SENT, message=message, done=NOW)


async def settle_all(outbox: Outbox, box, now: int = NOW, **changes) -> bool:
    rows = tuple(done(row, 10) for row in box.rows)
    told = {row.episode: Told(message=10, severity="watch") for row in rows}
    turn = {
        "chat": box.chat.id,
        "record": box.record,
        "rows": rows,
        "told": told,
        "free": now + 1_000,
        "due": now,
        "left": 0,
        "words": 0,
    } | changes
    return await outbox.settle(Turn(**turn), now)


async def test_an_alert_becomes_one_row_a_chat_however_often_it_is_posted(outbox):
    assert await outbox.post(alert(1), [1, 2, 99], NOW) == 2, "a stranger has no box"
    assert await outbox.post(alert(1), [1, 2, -3], NOW) == 1
    (first, *_) = await outbox.take(NOW, CLAIM, 9)
    await settle_all(outbox, first)

    assert await outbox.post(alert(1), [1, 2, -3], NOW + WEEK) == 0, "one that was sent is not sent again"
    assert {row.state for row in await outbox.rows(first.chat.id, NOW)} == {State.SENT}


async def test_rows_of_a_chat_come_in_the_order_they_were_posted_even_within_one_millisecond(outbox):
    for number in range(1, 40):
        await outbox.post(alert(number), [1], NOW)

    (box,) = await outbox.take(NOW + 100, CLAIM, 1)

    assert [row.alert for row in box.rows] == [f"e.{number}" for number in range(1, 40)]


async def test_a_claimed_chat_is_nobody_elses_until_the_claim_ends(outbox):
    await outbox.post(alert(1), [1, 2], NOW)

    one, two = (await outbox.take(NOW, CLAIM, 1))[0], (await outbox.take(NOW, CLAIM, 5))[0]
    assert {one.chat.id, two.chat.id} == {1, 2}
    assert await outbox.take(NOW + CLAIM - 1, CLAIM, 5) == []
    again = await outbox.take(NOW + CLAIM, CLAIM, 5)
    assert {box.chat.id for box in again} == {1, 2}, "whoever held them died; nothing is lost"


async def test_a_settled_chat_is_left_alone_until_it_is_free(outbox):
    await outbox.post(alert(1), [1], NOW)
    await settle_all(outbox, (await outbox.take(NOW, CLAIM, 5))[0], free=NOW + 10_000_000)
    await outbox.post(alert(2), [1], NOW)

    assert await outbox.take(NOW + 9_999_999, CLAIM, 5) == []
    (box,) = await outbox.take(NOW + 10_000_000, CLAIM, 5)
    assert [row.alert for row in box.rows] == ["e.2"]
    assert box.told == {alert(2).episode: Told(message=10, severity="watch")}


async def test_what_comes_while_a_chat_is_served_is_not_forgotten_behind_a_long_hold(outbox):
    await outbox.post(alert(1), [1], NOW)
    (box,) = await outbox.take(NOW, CLAIM, 5)
    await outbox.post(alert(2), [1], NOW)
    held = msgspec.structs.replace(box.rows[0], held=True)
    await outbox.settle(
        Turn(chat=1, record=box.record, stay=(held,), free=NOW, due=NOW + 9_000_000, left=1, words=1), NOW
    )

    (box,) = await outbox.take(NOW + 1, CLAIM, 5)
    assert [(row.alert, row.held) for row in box.rows] == [("e.1", True), ("e.2", False)]


async def test_a_held_chat_is_looked_at_when_it_is_due_or_changes_its_mind(outbox):
    await outbox.post(alert(1), [1], NOW)
    (box,) = await outbox.take(NOW, CLAIM, 5)
    await outbox.settle(
        Turn(chat=1, record=box.record, stay=box.rows, free=NOW, due=NOW + 9_000_000, left=1, words=1), NOW
    )
    assert await outbox.take(NOW + 1_000, CLAIM, 5) == []
    await outbox.save(box.chat, NOW + 1_000)

    assert len(await outbox.take(NOW + 1_000, CLAIM, 5)) == 1


async def test_a_chat_that_leaves_leaves_no_trace_whatever_it_was_told(outbox, redis_ledger):
    secret = 777_000_777
    await outbox.save(Chat(id=secret, rules=(Rule(id=1, severity=Severity.CRITICAL),)), NOW)
    for week, number in enumerate((1, 2, 3)):
        await outbox.post(msgspec.structs.replace(alert(number), episode=f"x{number}"), [secret], NOW + week * WEEK)
        (box,) = await outbox.take(NOW + week * WEEK, CLAIM, 5)
        await settle_all(outbox, box, NOW + week * WEEK)
    later = NOW + 2 * WEEK
    await outbox.post(alert(4), [secret, 1], later)
    (held, *_) = [box for box in await outbox.take(later + 5_000, CLAIM, 5) if box.chat.id == secret]
    assert str(secret) in await everything(redis_ledger), "the test looks in the right places"

    assert await outbox.erase(secret, later)

    assert str(secret) not in await everything(redis_ledger)
    assert not await settle_all(outbox, held, later), "who still served it writes nothing"
    assert await outbox.post(alert(5), [secret], later) == 0
    assert str(secret) not in await everything(redis_ledger)
    assert not await outbox.erase(secret, later)


async def everything(ledger) -> str:
    """Every key with its whole value, as text."""
    client, texts = ledger._server.client, []
    for key in await keys_of(ledger):
        match await client.type(key):
            case b"hash":
                value = await client.hgetall(key)
            case b"zset":
                value = await client.zrange(key, 0, -1, withscores=True)
            case b"stream":
                value = await client.xrange(key)
            case b"string":
                value = await client.get(key)
            case b"none":
                continue  # it has ended since the scan
            case kind:
                raise AssertionError(f"what is {kind}?")
        texts.append(f"{key} {_plain(value)}")
    return "\n".join(texts)


def _plain(value) -> str:
    match value:
        case dict():
            return " ".join(_plain(part) for pair in value.items() for part in pair)
        case list() | tuple():
            return " ".join(map(_plain, value))
        case bytes():
            try:
                return f"{value!r} {msgspec.msgpack.decode(value)!r}"
            except msgspec.MsgspecError:
                return repr(value)
    return repr(value)


async def test_a_group_that_became_another_chat_keeps_what_it_waits_for_and_edits_no_old_message(outbox):
    await outbox.post(alert(1), [-3], NOW)
    (box,) = await outbox.take(NOW, CLAIM, 5)
    await settle_all(outbox, box)
    await outbox.post(alert(2), [-3], NOW)
    await outbox.move(-3, -100_3, NOW)

    assert await outbox.chat(-3) is None
    (box,) = await outbox.take(NOW + 1_000, CLAIM, 5)
    assert (box.chat.id, [row.alert for row in box.rows]) == (-100_3, ["e.2"])
    assert box.told == {alert(1).episode: Told()}
    assert [row.alert for row in await outbox.rows(-100_3, NOW)] == ["e.1", "e.2"]
    assert await outbox.rows(-3, NOW) == []


async def test_what_is_settled_is_forgotten_by_itself(outbox, redis_ledger):
    await outbox.post(alert(1), [1], NOW)
    await settle_all(outbox, (await outbox.take(NOW, CLAIM, 5))[0])

    lives = {key: await redis_ledger._server.client.pttl(key) for key in await keys_of(redis_ledger)}
    mortal = {key: life for key, life in lives.items() if b":done:" in key or b":told:" in key}
    assert len(mortal) == 2
    assert all(0 < life <= KEEP for life in mortal.values())


async def test_the_whole_bot_may_be_told_to_stay_away_and_remembers_it(outbox):
    assert await outbox.away_until() == 0
    await outbox.stay_away(NOW + 10_000_000, NOW)
    assert await outbox.away_until() == NOW + 10_000_000


async def test_words_go_before_pictures_however_long_those_have_waited(outbox):
    await outbox.post(alert(1), [1, 2], NOW)
    for box in await outbox.take(NOW, CLAIM, 5):
        picture = Row(alert="e.1", episode=alert(1).episode, queued=NOW, chart=True)
        rows = tuple(done(row, 10) for row in box.rows)
        await outbox.settle(
            Turn(chat=box.chat.id, record=box.record, rows=rows, stay=(picture,), free=NOW, due=NOW, left=1, words=0),
            NOW,
        )
    await outbox.post(alert(2), [-3], NOW + 5_000)
    first, *others = await outbox.take(NOW + 6_000, CLAIM, 5)

    assert first.chat.id == -3
    assert {box.chat.id for box in others} == {1, 2}
    assert all(row.chart for box in others for row in box.rows)
    assert (await outbox.counts()).waiting == 3


async def test_one_damaged_record_silences_nobody_else(outbox, redis_ledger, caplog):
    server = redis_ledger.server
    await server.ask("HSET", server.keys.chats, "1", b"\xc1 not a record")
    await outbox.post(alert(1), [1, 2], NOW)

    assert {chat.id for chat in await outbox.chats()} == {2, -3}
    assert [box.chat.id for box in await outbox.take(NOW, CLAIM, 5)] == [2]
    assert "is passed over, it cannot be read" in caplog.text


async def test_a_damaged_row_leaves_the_box_and_a_damaged_word_of_the_past_is_as_if_nothing_was_told(
    outbox, redis_ledger
):
    server, bad = redis_ledger.server, b"\xc1 not a record"
    await outbox.post(alert(1), [1], NOW)
    await server.ask("HSET", server.keys.box(1), "e.0", bad)
    await server.ask("HSET", server.keys.told(alert(1).episode), "1", bad)
    (box,) = await outbox.take(NOW, CLAIM, 5)

    assert ([row.alert for row in box.rows], box.told) == (["e.1"], {})
    assert await server.ask("HLEN", server.keys.box(1)) == 1
    assert await outbox.told(alert(1).episode) == {1: Told()}


async def test_a_chat_that_changed_while_it_was_served_is_neither_closed_nor_left_to_an_old_time(outbox):
    await outbox.post(alert(1), [1], NOW)
    (box,) = await outbox.take(NOW, CLAIM, 5)
    assert await outbox.same(box)
    await outbox.save(Chat(id=1, language="zh", rules=box.chat.rules), NOW)

    assert not await outbox.same(box)
    assert not await outbox.close(box, "Forbidden: bot was blocked by the user")
    assert await outbox.chat(1) == Chat(id=1, language="zh", rules=box.chat.rules)
    held = Turn(chat=1, record=box.record, stay=box.rows, free=NOW, due=NOW + 9_000_000, left=1, words=1)
    await outbox.settle(held, NOW)
    assert len(await outbox.take(NOW + 1, CLAIM, 5)) == 1, "what it wants by now is looked at"


async def test_whoever_left_is_not_brought_back_by_a_refusal_that_comes_late(outbox, redis_ledger):
    await outbox.save(Chat(id=777_000_778, rules=(Rule(id=1),)), NOW)
    await outbox.post(alert(1), [777_000_778], NOW)
    (box,) = await outbox.take(NOW, CLAIM, 5)
    await outbox.erase(777_000_778, NOW)

    assert not await outbox.close(box, "blocked")
    await outbox.rest(777_000_778, NOW + 5_000)
    assert "777000778" not in await everything(redis_ledger)


async def test_what_was_told_after_weeks_of_waiting_still_ends_and_is_still_found(outbox, redis_ledger):
    late = NOW + 3 * WEEK
    await outbox.post(alert(1), [1], NOW)
    server = redis_ledger.server
    await server.ask("DEL", server.keys.told(alert(1).episode), server.keys.episodes)
    (box,) = await outbox.take(late, CLAIM, 5)
    await settle_all(outbox, box, late)

    assert 0 < await server.ask("PTTL", server.keys.told(alert(1).episode)) <= KEEP
    await outbox.erase(1, late)
    assert await server.ask("HLEN", server.keys.told(alert(1).episode)) == 0


async def test_a_wait_that_was_asked_for_is_never_shortened(outbox):
    await outbox.rest(1, NOW + 9_000)
    await outbox.rest(1, NOW + 5_000)

    assert await outbox.free_at(1) == NOW + 9_000
    assert await outbox.free_at(2) == 0


async def test_a_claim_that_is_given_back_frees_the_chat_but_shortens_no_wait(outbox):
    await outbox.post(alert(1), [1, 2], NOW)
    for box in await outbox.take(NOW, CLAIM, 5):
        if box.chat.id == 1:
            free = Turn(chat=1, record=box.record, stay=box.rows, free=NOW + 10_000_000, due=NOW, left=1, words=1)
            await outbox.settle(free, NOW)
        await outbox.release(box, NOW)

    assert [box.chat.id for box in await outbox.take(NOW + 1, CLAIM, 5)] == [2]


async def test_replicas_read_one_clock_whatever_their_own_show(outbox):
    assert abs(await outbox.now() - time.time() * 1_000) < 2_000


async def test_counts_tell_who_waits_and_since_when(outbox):
    await outbox.save(Chat(id=2, closed="blocked"), NOW)
    await outbox.post(alert(1), [1, -3], NOW - 5_000)

    counts = await outbox.counts()
    assert (counts.chats, counts.closed, counts.waiting, counts.oldest) == (2, 1, 2, NOW - 5_000)
