"""Since when there was nothing larger: the memory of one market's peaks, asked without being changed.

Owns what a peak is, when two may be compared, what is forgotten. Knows no wording and no store. Source: detection
study, F.

    measures   hour   rolling hour, its maximum inside each clock hour
               24h    rolling day, its maximum inside each clock hour
               day    calendar day in UTC, its total
    settled    block maxima no later one has reached: append drops everything <= it, a question is a binary search
    recent     every block maximum a question about a running event may still have to look behind

1. The fact is a moment; its date is named in UTC and in one more zone.
2. Like with like: one measure, side and market, dollars as reported, and a regime, the caller's word for which venues
   were counted by which rules. What lies behind a change of it, or was read off clock hours (they show a half to all of
   the rolling hour), is told but not `comparable`.
3. The search ends with the block that holds onset - W: a window must not be beaten by the same dollars. For the same
   reason a rolling reading is no peak while a larger one less than W ago still holds some of its dollars.
4. What still runs is `running`.
5. How rare it is, others say: the largest in k days comes by luck every k days.

Nothing is claimed beyond `first_at`. What nobody heard is not in here: see `interrupted`.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType

import msgspec

from service.model import HOUR, Reading, Record, Since, Totals

DAY = 24 * HOUR
#: An onset is estimated backwards: so much is kept open behind the earliest one that could be asked for.
SLACK = 3 * HOUR
SIDES = ("long", "short", "total")


class Measure(Record, frozen=True, kw_only=True):
    """What is compared. `span`: over how long it sums; `block`: one maximum is kept in each of these, ms."""

    span: int
    block: int
    rolling: str | None
    """The span of a reading that tells it; None for calendar days."""


MEASURES: Mapping[str, Measure] = {
    "hour": Measure(span=HOUR, block=HOUR, rolling="1h"),
    "day": Measure(span=DAY, block=DAY, rolling=None),
    "24h": Measure(span=DAY, block=HOUR, rolling="24h"),
}


class Peak(Record, frozen=True, array_like=True):
    """Dollars and when, ms UTC; a calendar day stands for its noon."""

    at: int
    usd: float


class Stack(Record, frozen=True, array_like=True):
    """Peaks of one measure and side by time: `settled` falls from each to the next, `recent` is later and complete."""

    settled: tuple[Peak, ...] = ()
    recent: tuple[Peak, ...] = ()


NOTHING = Stack()
NO_DAYS: Mapping[int, Totals] = MappingProxyType({})


class Board(Record, frozen=True, kw_only=True):
    """All that is remembered of one market."""

    first_at: int | None = None
    regime: str | None = None
    alike_since: int | None = None
    """Since when (ms UTC) everything was counted by `regime` without a hole; None: as long as the memory reaches."""
    heard_until: int = 0
    """The last hour (ms UTC) in which there was a reading."""
    rough_until: int = 0
    """Rolling peaks before this (ms UTC) were read off clock hours."""
    stacks: Mapping[str, Stack] = {}
    """By measure and side, as `24h short`."""


class Claim(Record, frozen=True, kw_only=True):
    """What is to be compared: an event's dollars, its onset (ms UTC), and whether it still runs."""

    measure: str
    side: str
    usd: float
    onset: int
    running: bool = True


def seen(
    board: Board, reading: Reading, regime: str, days: Mapping[int, Totals] = NO_DAYS, onset: int | None = None
) -> Board:
    """The board after one reading; the same object where it holds nothing new.

    `days`: what calendar days hold so far, by their start (ms UTC), oldest first, as far as the caller knows: today's,
    and after midnight yesterday's once more. `onset`: of the event that is open, if any; what lies around it is then
    kept open however long it lasts.
    """
    now, stacks = reading.now, dict[str, Stack]()
    first = min(now, onset if onset is not None else now) - SLACK
    for name, measure in MEASURES.items():
        moments = {now: reading.spans[measure.rolling]} if measure.rolling else days
        for at, totals in moments.items():
            known = {**board.stacks, **stacks} if stacks else board.stacks
            stacks |= noted(known, name, totals, at, first - measure.span)
    hour = now // HOUR * HOUR
    if not stacks and board.regime == regime and hour <= board.heard_until:
        return board
    return Board(
        first_at=now if board.first_at is None else board.first_at,
        regime=regime,
        alike_since=board.alike_since if board.regime in (None, regime) else now,
        heard_until=max(hour, board.heard_until),
        rough_until=board.rough_until,
        stacks={**board.stacks, **stacks},
    )


def interrupted(board: Board, now: int) -> Board:
    """After a time in which nobody listened: what lies behind is not comparable, a larger one may be missing."""
    return msgspec.structs.replace(board, alike_since=now) if board.first_at is not None else board


def since(board: Board, claim: Claim, zone: tzinfo = UTC) -> Since | None:
    """The last time there was as much before this event; None while the memory does not reach behind its onset - W.

    With an onset that `seen` was not told of, farther back than the slack, the event itself may be named: a later date
    than the true one, never an earlier. Raises KeyError for an unknown measure.
    """
    measure = MEASURES[claim.measure]
    edge = claim.onset - measure.span
    if board.first_at is None or board.first_at > edge:
        return None
    key = f"{claim.measure} {claim.side}"
    peak = _last(board.stacks.get(key, NOTHING), measure.block, claim.usd, edge)
    there = datetime.fromtimestamp((peak.at if peak else board.first_at) / 1_000, zone)
    return Since(
        largest_since=date_in(peak.at, UTC) if peak else None,
        zone_date=there.date().isoformat() if peak else None,
        zone=_offset(there),
        at=peak.at if peak else None,
        usd=peak.usd if peak else None,
        now_usd=claim.usd,
        measure=key,
        comparable=comparable(board, claim.measure, peak),
        first_at=board.first_at,
        running=claim.running,
    )


def standing(board: Board, measure: str, side: str) -> list[Peak]:
    """What has not been reached since, latest (and so smallest) first: the last one is the largest of all."""
    stack, found = board.stacks.get(f"{measure} {side}", NOTHING), list[Peak]()
    for peak in reversed((*stack.settled, *stack.recent)):
        if not found or peak.usd > found[-1].usd:
            found.append(peak)
    return found


def comparable(board: Board, measure: str, peak: Peak | None) -> bool:
    """Whether all since a peak (None: since the memory begins) was counted alike, the peak's own span included."""
    kind = MEASURES[measure]
    at = peak.at if peak else board.first_at or 0
    if kind.rolling and at < board.rough_until:
        return False
    start = at - (kind.span if kind.rolling else kind.span // 2) if peak else at
    return board.alike_since is None or start >= board.alike_since


def date_in(at: int, zone: tzinfo) -> str:
    """The date of a moment (ms UTC) in a zone, as 2025-10-11."""
    return datetime.fromtimestamp(at / 1_000, zone).date().isoformat()


def zone_name(at: int, zone: tzinfo) -> str:
    """A zone by its distance from UTC at a moment (ms UTC), as `UTC+8`."""
    return _offset(datetime.fromtimestamp(at / 1_000, zone))


def noted(
    stacks: Mapping[str, Stack], name: str, totals: Totals, now: int, horizon: int
) -> Iterator[tuple[str, Stack]]:
    """The stacks of a measure that a value changes, by their key. What lies before `horizon` (ms UTC) settles."""
    measure = MEASURES[name]
    at = now if measure.rolling else now // DAY * DAY + DAY // 2
    for side, usd in zip(SIDES, (totals.long_usd, totals.short_usd, totals.usd), strict=True):
        key = f"{name} {side}"
        stack = stacks.get(key, NOTHING)
        if usd > 0 and _is_peak(stack.recent, measure, at, usd):
            yield key, _pushed(stack, measure.block, Peak(at, usd), horizon)


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02}" if rest else "")


def _is_peak(recent: tuple[Peak, ...], measure: Measure, at: int, usd: float) -> bool:
    if recent and at < recent[-1].at:
        return False  # a clock that went back
    reach = measure.span if measure.rolling else 1
    for peak in reversed(recent):
        if peak.at <= at - reach:
            return True
        if peak.usd >= usd:
            return False
    return True


def _pushed(stack: Stack, block: int, peak: Peak, horizon: int) -> Stack:
    recent = [*stack.recent, peak]
    if len(recent) > 1 and recent[-2].at // block == peak.at // block:
        del recent[-2]
    settled, ripe = list(stack.settled), 0
    while (recent[ripe].at // block + 1) * block <= horizon:
        while settled and settled[-1].usd <= recent[ripe].usd:
            settled.pop()
        settled.append(recent[ripe])
        ripe += 1
    return Stack(tuple(settled), tuple(recent[ripe:]))


def _last(stack: Stack, block: int, usd: float, edge: int) -> Peak | None:
    for peak in reversed(stack.recent):
        if peak.at // block <= edge // block and peak.usd >= usd:
            return peak
    place = bisect_right(stack.settled, -usd, key=lambda peak: -peak.usd)
    return stack.settled[place - 1] if place else None
