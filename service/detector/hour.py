"""The hour rule: an episode opens when the rolling hour reaches its floor and one side holds the agreed share.

The plain, always explainable floor under every later rule. It is late by construction (the dollars must have fallen
first) and says so nowhere: what it claims is only that the hour was crossed. Source of the shape: detection study, A.3.

    quiet -> opened    total >= floor  and  one side >= share
    opened -> grew     the side's dollars >= grow x what was last said
    opened -> closed   total < close_total x floor  or  side < close_share,  unbroken for close_after_s

Opening and closing levels lie apart, so a total that trembles around either cannot flap.

What a venue's history tells after an outage is counted in its own past and can lift the running hour over the floor
long after the fact. Such an hour opens nothing unless the market is still at it: `FRESH` of the floor in the last
quarter of an hour.
"""

import msgspec

from service.detector.rules import Rules
from service.model import SECOND, Kind, Phase, Reading, Record, Severity, Side, Totals

SPAN = "1h"
#: Where late dollars carried the hour over its floor: this part of the floor must have fallen on the side lately.
LATELY, FRESH = "15m", 0.1
_KINDS = {Side.SHORT: Kind.SHORT_SQUEEZE, Side.LONG: Kind.LONG_FLUSH}


class Open(Record, frozen=True, kw_only=True):
    """An open episode: what was said of it, how high it went, since when it has been calm. Dollars, ms UTC."""

    id: str
    kind: Kind
    side: Side
    severity: Severity
    started_at: int
    said_usd: float
    """Dollars of the episode's side when the last alert was written."""
    peak_usd: float
    peak_at: int
    alerts: int
    calm_since: int | None = None


class State(Record, frozen=True, kw_only=True):
    """All the rule remembers of one market."""

    open: Open | None = None


class Verdict(Record, frozen=True, kw_only=True):
    """One phase change and the totals it rests on."""

    phase: Phase
    asset: str
    episode: Open
    totals: Totals
    at: int


def step(state: State, reading: Reading, rules: Rules) -> tuple[State, Verdict | None]:
    """The state after one reading, and what is to be said of it, if anything. Pure and total."""
    totals = reading.spans[SPAN]
    if state.open is None:
        opened = _opening(reading, totals, rules)
        return (State(open=opened), _verdict(Phase.OPENED, opened, reading)) if opened else (state, None)
    now = _advance(state.open, reading, rules)
    if _side_usd(totals, now.side) >= rules.grow * now.said_usd:
        grown = msgspec.structs.replace(now, said_usd=_side_usd(totals, now.side), alerts=now.alerts + 1)
        return State(open=grown), _verdict(Phase.GREW, grown, reading)
    if now.calm_since is not None and reading.now - now.calm_since >= rules.close_after_s * SECOND:
        ended = msgspec.structs.replace(now, alerts=now.alerts + 1)
        return State(), _verdict(Phase.CLOSED, ended, reading)
    return State(open=now), None


def severity_of(usd: float, floor: float, rules: Rules) -> Severity:
    """How large an hour is, in floors of its market."""
    if usd >= rules.critical * floor:
        return Severity.CRITICAL
    return Severity.WARNING if usd >= rules.warning * floor else Severity.WATCH


def _opening(reading: Reading, totals: Totals, rules: Rules) -> Open | None:
    floor = rules.floor(reading.asset)
    if totals.usd < floor:
        return None
    side = Side.SHORT if totals.short_usd >= totals.long_usd else Side.LONG
    if _side_usd(totals, side) < rules.share * totals.usd:
        return None
    if totals.usd - reading.late_usd < floor and _side_usd(reading.spans[LATELY], side) < FRESH * floor:
        return None
    kind = _KINDS[side]
    return Open(
        id=f"{reading.asset}-{kind}-{reading.now // SECOND}",
        kind=kind,
        side=side,
        severity=severity_of(totals.usd, floor, rules),
        started_at=reading.now,
        said_usd=_side_usd(totals, side),
        peak_usd=totals.usd,
        peak_at=reading.now,
        alerts=1,
    )


def _advance(episode: Open, reading: Reading, rules: Rules) -> Open:
    totals, floor = reading.spans[SPAN], rules.floor(reading.asset)
    calm = totals.usd < rules.close_total * floor or _side_usd(totals, episode.side) < rules.close_share * totals.usd
    since = episode.calm_since if episode.calm_since is not None else reading.now
    higher = totals.usd > episode.peak_usd
    return msgspec.structs.replace(
        episode,
        severity=max(episode.severity, severity_of(totals.usd, floor, rules), key=list(Severity).index),
        peak_usd=totals.usd if higher else episode.peak_usd,
        peak_at=reading.now if higher else episode.peak_at,
        calm_since=since if calm else None,
    )


def _side_usd(totals: Totals, side: Side) -> float:
    return totals.short_usd if side is Side.SHORT else totals.long_usd


def _verdict(phase: Phase, episode: Open, reading: Reading) -> Verdict:
    return Verdict(phase=phase, asset=reading.asset, episode=episode, totals=reading.spans[SPAN], at=reading.now)
