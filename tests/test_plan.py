"""A chat's turn, from its pending rows to one request: one message an episode, held hours, digests instead of a drip."""

import msgspec
import pytest

from service.model import Phase, Severity
from service.outbox import Box, Row, Told
from service.sinks.telegram.plan import Kind, picture_after, plan, told_by
from service.subscribers import Chat, Quiet, Rule
from tests.test_text import OPENED

NOW = 1_768_341_600_000  # 2026-01-13 22:00 UTC
ANY = (Rule(id=1),)
NIGHT = Quiet(start=22 * 60, end=7 * 60, zone="UTC")


def alert(name: str, episode: str = "all", phase: Phase = Phase.OPENED, severity: Severity = Severity.WATCH):
    return msgspec.structs.replace(OPENED, id=name, episode=episode, phase=phase, severity=severity)


def rows(*alerts, queued: int = NOW) -> tuple[Row, ...]:
    return tuple(Row(alert=one.id, episode=one.episode, queued=queued + n) for n, one in enumerate(alerts))


def step_of(*alerts, told=None, chat: Chat | None = None, now: int = NOW, pending=None):
    chat = chat or Chat(id=1, rules=ANY)
    box = Box(chat=chat, rows=pending or rows(*alerts), told=told or {})
    return plan(box, {one.id: one for one in alerts}, now)


OPEN = alert("a.1")
GREW = alert("a.2", phase=Phase.GREW)
CLOSED = alert("a.3", phase=Phase.CLOSED)
OWN = {"all": Told(message=5, severity="watch")}


def test_an_episode_is_one_message_edited_as_it_grows_and_answered_when_it_is_over():
    first, second, last = step_of(OPEN), step_of(GREW, told=OWN), step_of(CLOSED, told=OWN)

    assert (first.kind, first.message) == (Kind.TEXT, None)
    assert (second.kind, second.message) == (Kind.EDIT, 5)
    assert (last.kind, last.message) == (Kind.REPLY, 5)


def test_rows_of_one_episode_that_waited_become_its_latest_word():
    step = step_of(OPEN, GREW, CLOSED)

    assert step.kind is Kind.TEXT
    assert step.alerts == (CLOSED,)
    assert [row.alert for row in step.rows] == ["a.1", "a.2", "a.3"]


def test_a_chat_is_told_the_oldest_episode_first_and_keeps_the_others():
    other = alert("b.1", episode="btc")
    step = step_of(OPEN, other, GREW)

    assert (step.kind, step.alerts) == (Kind.TEXT, (GREW,))
    assert [row.alert for row in step.rows] == ["a.1", "a.2"]


def test_many_episodes_at_once_are_a_digest_but_many_edits_are_not():
    opened = [alert(f"x{n}.1", episode=f"x{n}") for n in range(4)]
    assert step_of(*opened[:3]).kind is Kind.TEXT
    step = step_of(*opened)
    assert (step.kind, step.reason, len(step.rows)) == (Kind.DIGEST, "burst", 4)
    assert told_by(step, 9)["x2"] == Told(message=9, digest=True, severity="watch")

    grown = [msgspec.structs.replace(one, phase=Phase.GREW) for one in opened]
    told = {one.episode: Told(message=n, severity="watch") for n, one in enumerate(grown)}
    assert step_of(*grown, told=told).kind is Kind.EDIT, "edits ring no bell"


def test_what_was_told_in_a_digest_is_answered_and_from_then_on_has_a_message_of_its_own():
    step = step_of(GREW, told={"all": Told(message=9, digest=True)})

    assert (step.kind, step.message) == (Kind.REPLY, 9)
    assert told_by(step, 11) == {"all": Told(message=11, severity="watch")}


def test_quiet_hours_hold_and_end_in_one_digest():
    chat = Chat(id=1, rules=ANY, quiet=NIGHT)
    held = step_of(OPEN, chat=chat, now=NOW)
    morning = NOW + 9 * 3_600_000
    assert (held.kind, held.until, held.reason) == (Kind.HOLD, morning, "quiet")
    later = step_of(OPEN, GREW, chat=chat, now=morning, pending=(*held.rows, *rows(GREW)))

    assert (later.kind, later.reason, later.alerts) == (Kind.DIGEST, "quiet", (OPEN, GREW))
    assert len(later.rows) == 2


def test_what_is_critical_passes_if_it_may_and_takes_its_own_episode_along_but_no_other():
    chat = Chat(id=1, rules=ANY, quiet=msgspec.structs.replace(NIGHT, critical=True))
    other = alert("b.1", episode="btc")
    critical = msgspec.structs.replace(GREW, severity=Severity.CRITICAL)
    step = step_of(other, OPEN, critical, chat=chat)

    assert (step.kind, step.alerts) == (Kind.TEXT, (critical,))
    assert [row.alert for row in step.rows] == ["a.1", "a.2"]
    assert step_of(other, OPEN, critical, chat=msgspec.structs.replace(chat, quiet=NIGHT)).kind is Kind.HOLD


def test_that_something_critical_is_over_wakes_nobody():
    chat = Chat(id=1, rules=ANY, quiet=msgspec.structs.replace(NIGHT, critical=True))
    over = msgspec.structs.replace(CLOSED, severity=Severity.CRITICAL)

    assert step_of(over, told=OWN, chat=chat).kind is Kind.HOLD


def test_nothing_passes_a_mute():
    chat = Chat(id=1, rules=ANY, muted_until=NOW + 7_200_000, quiet=msgspec.structs.replace(NIGHT, critical=True))
    step = step_of(msgspec.structs.replace(OPEN, severity=Severity.CRITICAL), chat=chat)

    assert (step.kind, step.reason) == (Kind.HOLD, "mute")


@pytest.mark.parametrize(
    ("before", "severity", "wanted"),
    [("", "critical", True), ("warning", "critical", True), ("critical", "critical", False), ("", "warning", False)],
)
def test_a_picture_follows_once_when_an_episode_becomes_critical(before, severity, wanted):
    one = msgspec.structs.replace(GREW, severity=Severity(severity))
    box = Box(
        chat=Chat(id=1, rules=ANY), rows=rows(one), told={"all": Told(message=5 if before else None, severity=before)}
    )
    row = picture_after(plan(box, {one.id: one}, NOW), box)

    assert (row is not None) is wanted
    if row:
        assert (row.chart, row.episode) == (True, "all")


def test_a_picture_answers_its_message_and_is_left_out_when_it_is_old_news():
    picture = (Row(alert="a.2", episode="all", queued=NOW, chart=True),)
    step = step_of(GREW, told=OWN, pending=picture)
    assert (step.kind, step.message) == (Kind.CHART, 5)

    assert step_of(GREW, told=OWN, pending=picture, now=NOW + 2 * 3_600_000).kind is Kind.DROP
    assert step_of(GREW, told={"all": Told()}, pending=picture).kind is Kind.DROP


def test_a_closed_chat_and_a_forgotten_alert_are_settled_with_their_reason():
    closed = step_of(OPEN, chat=Chat(id=1, closed="Forbidden: bot was blocked by the user"))
    assert (closed.kind, closed.reason) == (Kind.DROP, "Forbidden: bot was blocked by the user")

    box = Box(chat=Chat(id=1, rules=ANY), rows=rows(OPEN, GREW), told={})
    lost = plan(box, {GREW.id: GREW}, NOW)
    assert (lost.kind, [row.alert for row in lost.rows]) == (Kind.DROP, ["a.1"])


def test_a_picture_does_not_wait_and_holds_up_nothing():
    chat = Chat(id=1, rules=ANY, muted_until=NOW + 60_000)
    picture = Row(alert="a.2", episode="all", queued=NOW, chart=True)
    box = Box(chat=chat, rows=(picture, *rows(GREW)), told=OWN)
    dropped = plan(box, {GREW.id: GREW}, NOW)
    assert (dropped.kind, dropped.rows) == (Kind.DROP, (picture,))

    old = msgspec.structs.replace(picture, held=True, reason="mute")
    assert step_of(GREW, told=OWN, pending=(old,)).kind is Kind.CHART, (
        "an old row of such a kind is no digest of nothing"
    )


def test_what_is_critical_by_now_goes_before_the_digest_of_what_was_held():
    held = tuple(msgspec.structs.replace(row, held=True, reason="quiet") for row in rows(alert("b.1", episode="btc")))
    fresh = alert("a.2", phase=Phase.GREW, severity=Severity.CRITICAL)
    alerts = (alert("b.1", episode="btc"), fresh)
    step = step_of(*alerts, pending=(*held, *rows(fresh)))

    assert (step.kind, step.alerts) == (Kind.TEXT, (fresh,))
    assert step_of(*alerts, pending=held).kind is Kind.DIGEST


def test_something_critical_that_is_over_already_wakes_nobody():
    chat = Chat(id=1, rules=ANY, quiet=msgspec.structs.replace(NIGHT, critical=True))
    critical, over = (msgspec.structs.replace(one, severity=Severity.CRITICAL) for one in (OPEN, CLOSED))

    assert step_of(critical, over, chat=chat).kind is Kind.HOLD


def test_what_no_rule_asks_for_any_more_is_not_told():
    for chat in (
        Chat(id=1),
        Chat(id=1, rules=(Rule(id=1, paused=True),)),
        Chat(id=1, rules=(Rule(id=1, asset="DOGE"),)),
    ):
        step = step_of(OPEN, chat=chat)
        assert (step.kind, step.reason) == (Kind.DROP, "no rule asks for it any more")


def test_a_picture_follows_what_becomes_critical_after_a_digest_and_not_what_was_so_in_it():
    critical = msgspec.structs.replace(GREW, severity=Severity.CRITICAL)
    for severity, wanted in (("watch", True), ("critical", False)):
        told = {"all": Told(message=9, digest=True, severity=severity)}
        box = Box(chat=Chat(id=1, rules=ANY), rows=rows(critical), told=told)
        assert (picture_after(plan(box, {critical.id: critical}, NOW), box) is not None) is wanted
