"""What stands beside the market now, as a list of facts: picked once for both languages, each with its age or its date.

Pure; holds no word of a language. What is not known is a fact too: it says that it is unknown, and why.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from service.model import ALL, HOUR, MINUTE, ContextReport, EtfFlow, Rates, Record, Risk, Side

_DAY = 24 * HOUR
#: A reason comes from outside; longer ones are cut.
_REASON = 120
_ETF = "etf "
#: What a report may say of an asset's coins; its dollars are told all the same.
_UNITS = " units"
#: Decimals of a funding rate in percent.
RATE_DIGITS = 4


class Fact(Record, frozen=True, kw_only=True):
    """One thing that is known, or not: all texts are plain."""

    topic: str
    """`short`, `long`, `open_interest`, `funding`, `etf` or `rates`."""
    head: str
    said: str
    notes: tuple[str, ...] = ()
    """What goes with it: its age or date, how it moved, why it is not known."""
    known: bool = True


class Voice(Record, frozen=True, kw_only=True):
    """The words of one language for it."""

    unknown: str
    old: Callable[[str], str]
    """In front of why a figure is too old."""
    ago: Callable[[int, str], str]
    """How long ago: a count, and `min`, `h` or `d`; 0 min is less than one."""
    oldest: Callable[[str], str]
    """That the oldest of several figures is so old."""
    fuel: Mapping[Side, str]
    score: Callable[[int, str | None], str]
    """Rounded down, so that it never reads higher than its word."""
    interest: Callable[[str], str]
    """Of the coin; empty while nobody says which."""
    at_least: Callable[[float], str]
    moved: Callable[[float | None, float | None], str]
    """In an hour and in a day, in percent, in coins."""
    venues: Callable[[int], str]
    funding: Callable[[str], str]
    rate: Callable[[float], str]
    """Of the part per 8 h: the number, and who pays."""
    etf: Callable[[str], str]
    flow: Callable[[float], str]
    day: Callable[[str], str]
    """The trading day."""
    streak: Callable[[int, bool], str]
    """Days, below 0 with money out, and whether they may be more."""
    unfinished: str
    """That some funds have not reported."""
    policy: str
    target: Callable[[float, float], str]
    of: Callable[[str], str]
    """That the figure is of a date."""
    two_year: Callable[[float, str, str], str]
    """Yield, date (or empty), and where it puts the policy rate."""
    meeting: Callable[[str, int | None], str]


def facts(report: ContextReport, voice: Voice) -> tuple[Fact, ...]:
    """All that can be said, what is fastest first. What is neither known nor missing nobody is asked for: no fact."""
    found = (
        *(_fuel(report, side, voice) for side in (Side.SHORT, Side.LONG)),
        _interest(report, voice),
        _funding(report, voice),
        *_flows(report, voice),
        _rates(report, voice),
    )
    return tuple(fact for fact in found if fact.known or fact.notes)


def _unknown(topic: str, head: str, why: str, voice: Voice) -> Fact:
    return Fact(topic=topic, head=head, said=voice.unknown, notes=(_cut(why),) if why else (), known=False)


def _cut(reason: str) -> str:
    return reason if len(reason) <= _REASON else reason[: _REASON - 1] + "…"


def _age(at: int, now: int, voice: Voice) -> str:
    """In whole units, so that a page need not change with every second."""
    age = max(0, now - at)
    if age >= 2 * _DAY:
        return voice.ago(age // _DAY, "d")
    return voice.ago(age // HOUR, "h") if age >= 2 * HOUR else voice.ago(age // MINUTE, "min")


def _fuel(report: ContextReport, side: Side, voice: Voice) -> Fact:
    risk: Risk | None = report.risk.get(side)
    if risk is None or risk.score is None:
        why = (risk.reason if risk else "") or report.missing.get("risk", "")
        return _unknown(side.value, voice.fuel[side], why, voice)
    told = [part.at for part in risk.parts if part.value is not None and part.at is not None]
    notes = (voice.oldest(_age(min(told), report.now, voice)),) if told else ()
    return Fact(
        topic=side.value, head=voice.fuel[side], said=voice.score(math.floor(risk.score), risk.word), notes=notes
    )


def _interest(report: ContextReport, voice: Voice) -> Fact:
    leverage = report.leverage
    head = voice.interest(_coin(report))
    if leverage is None or leverage.oi_usd is None:
        return _unknown("open_interest", head, report.missing.get("open_interest", ""), voice)
    moved = (leverage.oi_change_1h_pct, leverage.oi_change_24h_pct)
    told = [one.oi_at for one in leverage.venues if one.oi_usd is not None and one.oi_at is not None]
    notes = (
        "" if moved == (None, None) else voice.moved(*moved),
        voice.venues(sum(one.oi_usd is not None for one in leverage.venues)),
        voice.oldest(_age(min(told), report.now, voice)) if told else "",
    )
    return Fact(topic="open_interest", head=head, said=voice.at_least(leverage.oi_usd), notes=_some(notes))


def _funding(report: ContextReport, voice: Voice) -> Fact:
    leverage = report.leverage
    head = voice.funding(_coin(report))
    if leverage is None or leverage.funding_8h is None:
        return _unknown("funding", head, report.missing.get("funding", ""), voice)
    told = [one.funding_at for one in leverage.venues if one.funding_8h is not None and one.funding_at is not None]
    notes = (
        voice.venues(sum(one.funding_8h is not None for one in leverage.venues)),
        voice.oldest(_age(min(told), report.now, voice)) if told else "",
    )
    return Fact(topic="funding", head=head, said=voice.rate(leverage.funding_8h), notes=_some(notes))


def _coin(report: ContextReport) -> str:
    """Whose leverage it is; of ALL it is another's, and empty while nobody says whose."""
    if report.leverage:
        return report.leverage.asset
    other = next((risk.asset for risk in report.risk.values()), "")
    return other if report.asset == ALL else report.asset


def _flows(report: ContextReport, voice: Voice) -> Iterator[Fact]:
    """Of one coin its own, of ALL those of all."""
    told = {flow.asset: flow for flow in report.flows if report.asset in (ALL, flow.asset)}
    for asset, flow in told.items():
        yield _flow(asset, flow, voice)
    for key, why in report.missing.items():
        asset = key.removeprefix(_ETF)
        if key.startswith(_ETF) and not key.endswith(_UNITS) and asset not in told:
            yield _unknown("etf", voice.etf(asset), why, voice)


def _flow(asset: str, flow: EtfFlow, voice: Voice) -> Fact:
    notes = (
        voice.day(flow.date),
        voice.streak(flow.streak, flow.streak_at_least) if abs(flow.streak) > 1 else "",
        "" if flow.complete else voice.unfinished,
        "" if flow.fresh else voice.old(_cut(flow.reason)),
    )
    return Fact(topic="etf", head=voice.etf(asset), said=voice.flow(flow.usd), notes=_some(notes), known=flow.fresh)


def _rates(report: ContextReport, voice: Voice) -> Fact:
    rates: Rates | None = report.rates
    if rates is None:
        return _unknown("rates", voice.policy, report.missing.get("rates", ""), voice)
    known = rates.target_low is not None and rates.target_high is not None
    said = voice.unknown
    if rates.target_low is not None and rates.target_high is not None:
        said = voice.target(rates.target_low, rates.target_high)
    leans = rates.two_year is not None and rates.word is not None
    date = rates.dates.get("target_high", "")
    notes = (
        voice.of(date) if known and date else "",
        voice.two_year(rates.two_year or 0, rates.dates.get("two_year", ""), rates.word or "") if leans else "",
        voice.meeting(rates.next_meeting, rates.days_to_meeting) if rates.next_meeting else "",
        _why(rates, voice, known=known),
    )
    return Fact(topic="rates", head=voice.policy, said=said, notes=_some(notes), known=known and rates.fresh)


def _why(rates: Rates, voice: Voice, *, known: bool) -> str:
    if not known:
        return _cut(rates.reason)
    return "" if rates.fresh else voice.old(_cut(rates.reason))


def _some(notes: Sequence[str]) -> tuple[str, ...]:
    return tuple(note for note in notes if note)
