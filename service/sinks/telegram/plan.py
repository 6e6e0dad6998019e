"""What a chat's turn is: from its pending rows, what it was told and the hour, to one step. Pure; sends nothing.

One message an episode: it is edited as it grows and answered when it is over. What waited is merged, so that a chat
never gets a drip of old news: rows of one episode become its latest word, many episodes become a digest.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from service.model import HOUR, Alert, Phase, Record, Severity
from service.outbox import Box, Row, Told
from service.subscribers import Chat, about, passes, silent_until

#: So many episodes are told one by one; more at once are a digest.
ONE_BY_ONE = 3
#: A picture of an hour that long ago is no news.
PICTURE_MS = HOUR

Alerts = Mapping[str, Alert]


class Kind(StrEnum):
    """What to do."""

    HOLD = "hold"
    TEXT = "text"
    EDIT = "edit"
    REPLY = "reply"
    CHART = "chart"
    DIGEST = "digest"
    DROP = "drop"


class Step(Record, frozen=True, kw_only=True):
    """One request at most. `rows` are settled by it; of a hold they stay."""

    kind: Kind
    rows: tuple[Row, ...]
    alerts: tuple[Alert, ...] = ()
    """What it tells; of a digest one for each row, in the order they were put in the outbox."""
    message: int | None = None
    """The message to edit or to answer."""
    until: int = 0
    """How long to hold, ms UTC."""
    reason: str = ""
    """Of a digest or a hold `quiet`, `mute` or `burst`; of a drop why."""


def plan(box: Box, alerts: Alerts, now: int) -> Step:
    """The next step for a chat with pending rows, at `now` (ms UTC of the wall)."""
    if (useless := _useless(box, alerts)) is not None:
        return useless
    until = silent_until(box.chat, now)
    passing = [row for row in box.rows if until is None or _wakes(row, box, alerts, now)]
    if until is not None and not passing:
        return _hold(box, until, now)
    words = _words(passing)
    urgent = next((row for row in words if not row.held and _grave(alerts[row.alert])), None)
    if urgent is not None:
        return _of_episode(urgent.episode, box, alerts, now)
    held = next((row for row in words if row.held), None)
    if held is not None:
        return _digest(words, alerts, held.reason)
    new = _needing_a_message(words, box.told, alerts)
    if len(new) > ONE_BY_ONE:
        return _digest([row for row in words if row.episode in new], alerts, "burst")
    return _of_episode(passing[0].episode, box, alerts, now)


def _useless(box: Box, alerts: Alerts) -> Step | None:
    """Rows that nobody can or wants to be told, with the reason."""
    if box.chat.closed:
        return Step(kind=Kind.DROP, rows=box.rows, reason=box.chat.closed)
    if lost := tuple(row for row in box.rows if row.alert not in alerts):
        return Step(kind=Kind.DROP, rows=lost, reason="the alert is not in the archive any more")
    rules = [rule for rule in box.chat.rules if not rule.paused]
    unasked = tuple(row for row in box.rows if not any(about(rule, alerts[row.alert]) for rule in rules))
    return Step(kind=Kind.DROP, rows=unasked, reason="no rule asks for it any more") if unasked else None


def _wakes(row: Row, box: Box, alerts: Alerts, now: int) -> bool:
    """Whether a row may be told in quiet hours; what is over by now may not, whatever came before the end."""
    latest = [one for one in box.rows if one.episode == row.episode and not one.chart][-1:]
    over = any(alerts[one.alert].phase is Phase.CLOSED for one in latest)
    return not over and passes(box.chat, alerts[row.alert], now)


def _grave(alert: Alert) -> bool:
    return alert.severity is Severity.CRITICAL and alert.phase is not Phase.CLOSED


def told_by(step: Step, message: int) -> dict[str, Told]:
    """What the chat has been told of each episode once the step was taken."""
    kind = step.kind
    latest = {alert.episode: alert for alert in step.alerts}
    return {
        episode: Told(message=message, digest=kind is Kind.DIGEST, severity=alert.severity)
        for episode, alert in latest.items()
    }


def picture_after(step: Step, box: Box) -> Row | None:
    """The row of a picture that is due once the step was taken: an episode has become critical."""
    alert = step.alerts[-1] if step.kind in {Kind.TEXT, Kind.EDIT, Kind.REPLY} else None
    if alert is None or not _grave(alert):
        return None
    if box.told.get(alert.episode, Told()).severity == Severity.CRITICAL:
        return None
    last = step.rows[-1]
    return Row(alert=alert.id, episode=alert.episode, queued=last.queued, chart=True)


def _of_episode(episode: str, box: Box, alerts: Alerts, now: int) -> Step:
    rows = tuple(row for row in box.rows if row.episode == episode)
    told = box.told.get(episode, Told())
    words = tuple(_words(rows))
    if not words:
        return _picture(rows, told, alerts, now)
    latest = alerts[words[-1].alert]
    if told.message is None:
        return Step(kind=Kind.TEXT, rows=words, alerts=(latest,))
    if latest.phase is Phase.CLOSED or told.digest:
        return Step(kind=Kind.REPLY, rows=words, alerts=(latest,), message=told.message)
    return Step(kind=Kind.EDIT, rows=words, alerts=(latest,), message=told.message)


def _picture(rows: tuple[Row, ...], told: Told, alerts: Alerts, now: int) -> Step:
    if told.message is None or now - rows[0].queued > PICTURE_MS:
        return Step(kind=Kind.DROP, rows=rows, reason="too late for a picture")
    return Step(kind=Kind.CHART, rows=rows, alerts=(alerts[rows[0].alert],), message=told.message)


def _digest(rows: Sequence[Row], alerts: Alerts, reason: str) -> Step:
    return Step(kind=Kind.DIGEST, rows=tuple(rows), alerts=tuple(alerts[row.alert] for row in rows), reason=reason)


def _needing_a_message(rows: Sequence[Row], told: Mapping[str, Told], alerts: Alerts) -> set[str]:
    """Episodes that cannot be told by an edit."""
    closing = {row.episode for row in rows if alerts[row.alert].phase is Phase.CLOSED}
    return {row.episode for row in rows if row.episode in closing or told.get(row.episode, Told()).message is None}


def _words(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if not row.chart]


def _hold(box: Box, until: int, now: int) -> Step:
    """Words wait; a picture that waited would be one of long ago."""
    if pictures := tuple(row for row in box.rows if row.chart):
        return Step(kind=Kind.DROP, rows=pictures, reason="no pictures of what was held")
    reason = "mute" if now < (box.chat.muted_until or 0) else "quiet"
    rows = tuple(msgspec.structs.replace(row, held=True, reason=reason) for row in box.rows)
    return Step(kind=Kind.HOLD, rows=rows, until=until, reason=reason)


def owner_of(chat: Chat) -> str:
    """A chat as logs name it: kind and id, no words of a person."""
    return f"{'group' if chat.group else 'chat'} {chat.id}"
