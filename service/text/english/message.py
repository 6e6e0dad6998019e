"""A message in English: the headline, what it leaves open, the lines around it. Everything else is the sentences'.

The headline is read half asleep: what, where, how much, which side, in that order, and a warning only where its
numbers would mislead.
"""

from service.model import ALL, Alert, Phase, Severity
from service.text import facts
from service.text.amounts import clocks_utc, ends_utc, lasting, level, percent, percents, stamp_utc, usd_en, when_utc
from service.text.english.backdrop import backdrop
from service.text.english.event import course, record, unusual
from service.text.english.nouns import SIDE, SPOKE, coins, floor, name, sentence, share, spread
from service.text.english.sure import sure
from service.text.english.where import beside, where
from service.text.markup import clipped
from service.text.voice import Voice
from service.text.zones import zone_en

_WARNING = {"whale": ", few large orders", "mixed": ", side unclear", "": ""}
_SEVERITY = {Severity.WATCH: "watch", Severity.WARNING: "warning", Severity.CRITICAL: "critical"}
_REASON = {"quiet": "While you were quiet ({span}): ", "mute": "While alerts were muted ({span}): ", "burst": ""}
_LENGTH = ("{} d", "{} h", "{} min")


def headline(alert: Alert) -> str:
    """What, where, how much, which side, and how little was heard."""
    return " · ".join(filter(None, (_what(alert), _where(alert), _much(alert), _side(alert), _heard(alert))))


def body(alert: Alert) -> tuple[str, ...]:
    """The lines after the headline, the most important first."""
    lines = _opening(alert), unusual(alert), record(alert), beside(alert), where(alert), _course(alert)
    return *lines, *backdrop(alert)


def late(ms: int) -> str:
    """How late it comes, and that the market may have moved on."""
    length = " ".join(form.format(count) for form, count in zip(_LENGTH, lasting(ms), strict=True) if count)
    return f"Late by {length}: as it stood then, not now."


def foot(alert: Alert) -> str:
    """How severe, when."""
    was = "was " if alert.phase is Phase.CLOSED else ""
    return f"{was}{_SEVERITY[alert.severity]} · {stamp_utc(alert.at)}"


def episode(alert: Alert, at_peak: str, now: int) -> str:
    """An episode in one line: what became of it, its peak hour, the side at the peak, when."""
    over = alert.phase is Phase.CLOSED
    peak = f"peak hour {'' if over else 'so far '}{floor(alert)}{usd_en(alert.peak_usd)}"
    began, told = ends_utc(facts.began(alert), alert.at, now)
    latest = f"{' to ' if over else ', as of '}{told}" if told else ""
    when = f"{'' if over else 'since '}{began}{latest} UTC"
    parts = [f"{_name(alert)}, {'over' if over else 'running'}", _where(alert), peak, at_peak, _heard(alert), when]
    return " · ".join(filter(None, parts))


def heading(reason: str, span: str, episodes: int, running: int) -> str:
    """Why they come together, how many, and how many still run."""
    count = "1 episode" if episodes == 1 else f"{episodes} episodes{'' if _REASON[reason] else ' at once'}"
    many = "" if episodes == 1 else "all " if running == episodes else f"{running} "
    return f"{_REASON[reason].format(span=span)}{count}{f', {many}still running' if running else ''}"


def span(clocks: str, zone: str) -> str:
    """What two clocks show, and where: 23:00–07:00 Asia/Shanghai."""
    return f"{clocks} {zone_en(zone)}"


def more(count: int) -> str:
    """What is left out."""
    return f"and {count} more"


def _name(alert: Alert) -> str:
    what = name(alert)
    return what[0].upper() + what[1:]


def _what(alert: Alert) -> str:
    if alert.phase is Phase.CLOSED:
        return f"{_name(alert)} over"
    if alert.rule == "reminder":
        return f"{_name(alert)}, still running"
    return f"{_name(alert)}, growing" if alert.phase is Phase.GREW else _name(alert)


def _where(alert: Alert) -> str:
    return clipped(coins(alert), facts.NAME)


def _much(alert: Alert) -> str:
    if alert.phase is Phase.CLOSED:
        return f"peak hour {floor(alert)}{usd_en(alert.peak_usd)}"
    burst = facts.burst(alert)
    if burst is not None:
        return f"{floor(alert)}{usd_en(burst)} of {SIDE[alert.side]} in 5 min so far"
    return f"{floor(alert)}{usd_en(facts.total(alert))} in 1 h{' so far' if facts.filling(alert) else ''}"


def _side(alert: Alert) -> str:
    """Of what is over, or has five minutes in front, the hour's share would be another number's."""
    if alert.phase is Phase.CLOSED or facts.burst(alert) is not None:
        return ""
    return f"{share(alert)}{_WARNING[facts.balance(alert)]}"


def _heard(alert: Alert) -> str:
    part = facts.little_heard(alert)
    return "" if part is None else f"only {percent(part)} heard"


def _opening(alert: Alert) -> str:
    """What the headline had no room for and a reader wants next."""
    if alert.phase is Phase.CLOSED:
        ran = clocks_utc([facts.began(alert), alert.at], alert.at, " to ")
        return sentence([f"{ran}, last hour now {floor(alert)}{usd_en(facts.total(alert))}"])
    burst = facts.burst(alert) is not None
    hour = f"hour so far {floor(alert)}{usd_en(facts.total(alert))}, {share(alert)}{spread(alert)}" if burst else ""
    return sentence(
        [
            "part of the episode of all coins" if alert.parent and alert.asset != ALL else "",
            f"the hour crossed {level(usd_en(alert.crossed_usd))}" if alert.crossed_usd is not None else "",
            SPOKE[alert.rule] if facts.filling(alert) else "",
            hour,
        ]
    )


def _course(alert: Alert) -> str:
    """Since when, where the sentence leaves that to the first one; how it went."""
    since = f"Since {when_utc(facts.began(alert), alert.at)}." if alert.phase is Phase.GREW else ""
    return " ".join(filter(None, (since, course(alert))))


def _sure(alert: Alert) -> str:
    """Between what the share lies and what the true dollars may be, then the sentence."""
    parts = []
    if alert.phase is not Phase.CLOSED:
        between = None if facts.burst(alert) is not None else facts.side_range(alert)
        parts = [
            f"share of {SIDE[alert.side]} {percents(*between)}" if between else "",
            f"estimated {usd_en(alert.estimated.usd)} with what feeds hide" if alert.estimated else "",
        ]
    return " ".join(filter(None, (sentence(parts), sure(alert))))


ENGLISH = Voice(
    simulation="SIMULATION",
    trial="TEST",
    invented="All figures here are invented, to show what an alert looks like.",
    headline=headline,
    body=body,
    share=share,
    sure=_sure,
    late=late,
    foot=foot,
    board="board",
    episode=episode,
    heading=heading,
    span=span,
    more=more,
)
