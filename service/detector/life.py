"""The life of an episode: one machine per market, whatever rule speaks (detection study, A.3 to A.5).

    quiet  -> opened   a rule speaks: early, level (signal.py) or the hour's floor (hour.py)
    opened -> grew     the side's hour is `grow` times what was last said, at most every `update_s`; at once when the
                       severity rises or the hour crosses its floor; and once every `remind_s` as a reminder
    opened -> closed   the signals were low for `end_s` and the hour was calm for `close_after_s`

So what fades and comes back within `end_s` is the same episode. Severity and grade never fall inside one. A market of
which only totals are known has no signals: its hour alone opens and closes. The study's words inside, the house's
outside: alert is `opened`, fading is the stage `fading` of an open episode, ended is `closed`; `watch` tells nobody.
"""

import msgspec

from service.detector import hour, signal
from service.detector.episode import Open, State, Verdict
from service.detector.grade import grade, severity, worse
from service.detector.hour import SPAN, side_usd
from service.detector.rules import Rules
from service.model import ALL, HOUR, SECOND, Kind, Phase, Pulse, Reading, Side

_KINDS = {Side.SHORT: Kind.SHORT_SQUEEZE, Side.LONG: Kind.LONG_FLUSH}
#: What is part of a larger cascade shows within this long: a single asset waits for ALL to speak first.
GROUP_WAIT_MS = 10 * SECOND
#: An episode whose largest hour reached this part of the floor came to something.
REAL = 0.5
#: An onset dated further back than this (ms) is none: the market has been busier than usual for long, and only the last
#: minutes are known to belong to what is being told.
_OLDEST_ONSET = HOUR


def step(state: State, reading: Reading, rules: Rules, parent: Open | None = None) -> tuple[State, Verdict | None]:
    """The state after one reading, and what is to be said of it, if anything. Pure and total.

    `parent`: the open episode of ALL. An episode of the same side inside it is a line of it, and says less.
    """
    if state.open is None:
        state, verdict = _quiet(state, reading, rules)
        opened = state.open and _grouped(state.open, parent)
        opened = opened and msgspec.structs.replace(opened, told=opened.parent is None)
        return msgspec.structs.replace(state, open=opened), verdict and msgspec.structs.replace(verdict, episode=opened)
    now = _grouped(_advance(state.open, reading, rules), parent)
    rule = _news(state.open, now, reading, rules)
    if rule:
        crosses = rule == signal.HOUR_RULE and not now.crossed
        grown = _said(now, reading, crossed=now.crossed or crosses)
        return State(open=grown), _verdict(Phase.GREW, grown, reading, rule, crossed=crosses)
    if _over(now, reading, rules):
        # the end of what was never news by itself is none either
        ended = msgspec.structs.replace(now, alerts=now.alerts + 1, parent=now.parent if now.told else now.line_of)
        return State(), _verdict(Phase.CLOSED, ended, reading, signal.CALM)
    return State(open=now), None


def came_to_something(episode: Open, rules: Rules, asset: str) -> bool:
    """Whether an ended episode was one worth speaking of: its largest hour reached half of the floor, or crossed it.

    What did not is taken for a false alarm by the levels (tail.py).
    """
    return episode.crossed or episode.peak_usd >= REAL * rules.floor(asset)


def _grouped(episode: Open, parent: Open | None) -> Open:
    """As a line of what ALL has open now, or for itself again once that is over."""
    inside = parent is not None and parent.side is episode.side and parent.id != episode.id
    now = parent.id if parent and inside else None
    return msgspec.structs.replace(episode, parent=now, line_of=now or episode.line_of)


def _quiet(state: State, reading: Reading, rules: Rules) -> tuple[State, Verdict | None]:
    watching = _watching(state, reading.pulse, reading.now)
    side = hour.crossed(reading, rules)
    if side:
        opened = _open(signal.HOUR_RULE, side, reading, rules)
        return State(open=opened), _verdict(Phase.OPENED, opened, reading, signal.HOUR_RULE, crossed=True)
    spoken = signal.spoken(reading, rules)
    if spoken is None:
        return State(watch_since=watching), None
    since = state.waiting_since if state.waiting_since is not None else reading.now
    if reading.asset != ALL and reading.now - since < GROUP_WAIT_MS:
        return State(waiting_since=since, watch_since=watching), None
    opened = _open(*spoken, reading, rules)
    return State(open=opened), _verdict(Phase.OPENED, opened, reading, spoken[0])


def _watching(state: State, pulse: Pulse | None, now: int) -> int | None:
    if pulse is None:
        return None
    if pulse.early >= pulse.watch_level:
        return state.watch_since if state.watch_since is not None else now
    return state.watch_since if pulse.early >= signal.LOW_EARLY * pulse.early_level else None


def _open(rule: str, side: Side, reading: Reading, rules: Rules) -> Open:
    totals, pulse, now = reading.spans[SPAN], reading.pulse, reading.now
    kind = _KINDS[side]
    rarity = pulse.rarity_days if pulse else None
    found = severity(reading.asset, totals.usd, rarity, rules)
    return Open(
        id=f"{reading.asset}-{kind}-{now // SECOND}",
        kind=kind,
        side=side,
        severity=found,
        started_at=now,
        said_usd=side_usd(totals, side),
        peak_usd=totals.usd,
        peak_at=now,
        alerts=1,
        onset=_onset(pulse, now),
        said_at=now,
        said_severity=found,
        crossed=rule == signal.HOUR_RULE,
        rule=rule,
        grade=grade(reading.asset, totals.usd, rarity),
        rarity_days=rarity,
    )


def _onset(pulse: Pulse | None, now: int) -> int:
    if pulse is None:
        return now
    return min(pulse.onset, now) if pulse.onset >= now - _OLDEST_ONSET else now - pulse.width_s * SECOND


def _advance(episode: Open, reading: Reading, rules: Rules) -> Open:
    totals, pulse, now = reading.spans[SPAN], reading.pulse, reading.now
    higher = totals.usd > episode.peak_usd
    rarity = max(filter(None, (episode.rarity_days, pulse.rarity_days if pulse else None)), default=None)
    low = signal.low(pulse, episode.side, reading.asset, rules) if pulse else True
    # an hour that the other side has filled up makes this episode no worse
    own = totals.usd if side_usd(totals, episode.side) >= rules.close_share * totals.usd else 0.0
    low_since = _since(low, episode.low_since, now)
    return msgspec.structs.replace(
        episode,
        severity=worse(episode.severity, severity(reading.asset, own, rarity, rules)),
        grade=max(episode.grade, grade(reading.asset, own, rarity)),
        rarity_days=rarity,
        peak_usd=totals.usd if higher else episode.peak_usd,
        peak_at=now if higher else episode.peak_at,
        calm_since=_since(hour.calm(episode.side, reading, rules), episode.calm_since, now),
        low_since=low_since,
        fading=low_since is not None and now - low_since >= rules.fade_s * SECOND,
    )


def _since(holds: bool, since: int | None, now: int) -> int | None:
    return (since if since is not None else now) if holds else None


def _news(before: Open, now: Open, reading: Reading, rules: Rules) -> str | None:
    """The rule that has something new to say of an open episode."""
    usd, quiet_for = side_usd(reading.spans[SPAN], now.side), reading.now - now.said_at
    if not now.crossed and hour.crossed(reading, rules) is now.side:
        return signal.HOUR_RULE
    if now.severity is not now.said_severity:
        return signal.HOUR_RULE if now.crossed else before.rule
    if now.parent:
        return None  # ALL speaks for it
    if usd >= rules.grow * now.said_usd and quiet_for >= rules.update_s * SECOND:
        return signal.HOUR_RULE if now.crossed else before.rule
    return signal.REMINDER if quiet_for >= rules.remind_s * SECOND and not _resting(now, reading) else None


def _resting(episode: Open, reading: Reading) -> bool:
    """Nothing is going on any more, the episode only waits for its end."""
    return episode.calm_since is not None and (reading.pulse is None or episode.fading)


def _over(episode: Open, reading: Reading, rules: Rules) -> bool:
    since = episode.calm_since
    if since is None or reading.now - since < rules.close_after_s * SECOND:
        return False
    if reading.pulse is None:
        return True
    return episode.low_since is not None and reading.now - episode.low_since >= rules.end_s * SECOND


def _said(episode: Open, reading: Reading, *, crossed: bool) -> Open:
    return msgspec.structs.replace(
        episode,
        said_usd=max(episode.said_usd, side_usd(reading.spans[SPAN], episode.side)),
        said_at=reading.now,
        said_severity=episode.severity,
        alerts=episode.alerts + 1,
        crossed=crossed,
        told=episode.told or episode.parent is None,
    )


def _verdict(phase: Phase, episode: Open, reading: Reading, rule: str, *, crossed: bool = False) -> Verdict:
    return Verdict(
        phase=phase,
        asset=reading.asset,
        episode=episode,
        totals=reading.spans[SPAN],
        at=reading.now,
        rule=rule,
        reading=reading,
        crossed=crossed,
    )
