"""When a chat is to be left alone: mutes and quiet hours. Owns what an hour means when the clocks are changed.

A day's quiet hours run from the first time the wall shows `start` to the last time it shows `end`: what happens twice
is held through both. A time the clocks skip is the moment they skip it. `now` is an argument; no clock is read here.
"""

from datetime import date, datetime, time, timedelta, tzinfo

from service.model import SECOND, Alert, Phase, Severity
from service.subscribers.chat import Chat, Quiet
from service.subscribers.zones import clock_of

_DAY = timedelta(days=1)
#: Days in a row that a change of the clocks can join to one; more would be a mistake of ours.
_JOINED = 3


def silent_until(chat: Chat, now: int) -> int | None:
    """When (ms UTC) something that may not be told to the chat now may be; None when everything may be now.

    A mute that ends inside quiet hours goes on to their end, except where these let through what is critical: then its
    end is a time to look again. So is, where quiet hours last all day and have no end, the moment they begin anew.
    """
    until = max(now, chat.muted_until or now)
    if until > now and chat.quiet is not None and chat.quiet.critical:
        return until
    if chat.quiet is not None:
        for _ in range(_JOINED):
            end = quiet_until(chat.quiet, until)
            if end is None:
                break
            until = end
            if chat.quiet.start == chat.quiet.end:
                break
    return until if until > now else None


def passes(chat: Chat, alert: Alert, now: int) -> bool:
    """Whether an alert may be told now. What is critical goes through quiet hours if the user says so, never a mute.

    That something is over wakes nobody, however grave it was.
    """
    if chat.muted_until is not None and chat.muted_until > now:
        return False
    if silent_until(chat, now) is None:
        return True
    waking = alert.severity is Severity.CRITICAL and alert.phase is not Phase.CLOSED
    return waking and chat.quiet is not None and chat.quiet.critical


def quiet_until(quiet: Quiet, now: int) -> int | None:
    """The end (ms UTC) of the quiet hours a moment lies in; None outside of them."""
    zone = clock_of(quiet.zone)
    today = datetime.fromtimestamp(now / 1_000, zone).date()
    over = timedelta(0) if quiet.start < quiet.end else _DAY
    whole = quiet.start == quiet.end
    for day in (today - _DAY, today, today + _DAY):
        begin = _moment(day, quiet.start, zone, last=False)
        end = _moment(day + over, quiet.end, zone, last=not whole)
        if begin <= now < end:
            return end
    return None


def _moment(day: date, minute: int, zone: tzinfo, *, last: bool) -> int:
    """When (ms UTC) the wall shows a minute of a day: the first time, or the last."""
    wall = datetime.combine(day, time(*divmod(minute, 60)))
    first, second = (round(wall.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    if first > second:  # the wall never shows it; the two answers lie around the moment the clocks skip it
        return _skipped(wall, zone, second, first) * SECOND
    return (second if last else first) * SECOND


def _skipped(wall: datetime, zone: tzinfo, before: int, after: int) -> int:
    """The first second in (before, after] at which the wall shows `wall` or later."""
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).replace(tzinfo=None) >= wall:
            after = middle
        else:
            before = middle
    return after
