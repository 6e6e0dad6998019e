"""The market in English: the last hour, what runs, what was told. Numbers as they are known; what is not is said so."""

from collections.abc import Sequence

from service.bot.english.rules import asset
from service.bot.market import Line, Status, Top
from service.bot.phrases import safe, whole
from service.model import ALL, Alert, ContextReport, Coverage, Episode, FeedState, Phase
from service.text import facts
from service.text.amounts import clock_utc, percent, usd_en, when_utc
from service.text.english.nouns import KIND, floor, name, share
from service.text.english.standing import standing
from service.text.standing import Fact

_STATE = {
    FeedState.CONNECTING: "connecting",
    FeedState.LIVE: "live",
    FeedState.SILENT: "silent",
    FeedState.REFUSED: "refuses us",
    FeedState.DOWN: "down",
}


def top(found: Top) -> str:
    """The last hour by coin."""
    head = f"<b>The last hour, {clock_utc(found.now)}</b>"
    if found.market is None:
        return f"{head}\nNot known: nothing has been counted yet."
    if not found.market.usd and not found.lines:
        return f"{head}\nNo liquidation was heard.\n{_heard(found.heard)}"
    lines = "\n".join(_line(line) for line in found.lines)
    return f"{head}\n{_line(found.market)}\n\n{lines}\n\n{_heard(found.heard)}"


def status(found: Status) -> str:
    """What runs, and who is heard."""
    runs = "\n".join(_episode(one, least, found.now) for one, least in found.episodes) or "No cascade is running."
    away = ", ".join(f"{safe(venue)} ({_STATE[state]})" for venue, state in found.away)
    venues = f"{found.live} of {found.venues} venues live{away and f'; not live: {away}'}."
    return f"<b>Now, {clock_utc(found.now)}</b>\n{runs}\n\n{venues}\n{_heard(found.heard)}"


def last(alerts: Sequence[Alert], now: int) -> str:
    """The newest alerts, oldest of them first; `now` in ms UTC."""
    if not alerts:
        return "There is no alert to show yet."
    return "<b>The latest alerts</b>\n" + "\n".join(_alert(alert, now) for alert in alerts)


def context(market: str, report: ContextReport | None) -> str:
    """What stands beside a market."""
    if report is None:
        return "Context is switched off here: no open interest, funding, ETF flows or rates are read."
    head = f"<b>Context: {safe(asset(market))}, {clock_utc(report.now)}</b>"
    lines = "\n".join(_fact(fact) for fact in standing(report))
    return f"{head}\n{lines}\n\nFuel is a gauge of crowding that has not been shown to forecast. Unknown is not zero."


def _fact(fact: Fact) -> str:
    notes = "".join(f" · {whole(note)}" for note in fact.notes)
    return f"{whole(fact.head)}: <b>{whole(fact.said)}</b>{notes}"


def _line(line: Line) -> str:
    return f"{safe(asset(line.asset))}: {'at least ' if line.at_least else ''}{usd_en(line.usd)}, {_side(line.share)}"


def _side(part: float | None) -> str:
    """The larger side's part, given that of shorts."""
    if part is None:
        return "side unknown"
    return f"{percent(part)} shorts" if part >= 1 / 2 else f"{percent(1 - part)} longs"


def _episode(one: Episode, least: bool, now: int) -> str:
    fading = ", fading" if one.stage == "fading" else ""
    line = Line(asset=one.asset, usd=one.long_usd + one.short_usd, share=one.share, at_least=least)
    return (
        f"{KIND[one.kind].capitalize()} since {when_utc(one.started_at, now)}{fading}. {_line(line)} in the last hour"
    )


def _alert(alert: Alert, now: int) -> str:
    where = "whole market" if alert.asset == ALL else safe(alert.asset)
    head = f"{when_utc(alert.at, now)}: {name(alert)}, {where}"
    if alert.phase is Phase.CLOSED:
        return f"{head}, over; peak hour {floor(alert)}{usd_en(alert.peak_usd)}"
    turn = "started" if alert.phase is Phase.OPENED else "still running" if alert.rule == "reminder" else "growing"
    return f"{head}, {turn}: {floor(alert)}{usd_en(facts.total(alert))}, {share(alert)}"


def _heard(heard: Coverage | None) -> str:
    if heard is None or heard.seconds_share is None:
        return "How much of the hour was heard is not known."
    return f"{percent(heard.seconds_share)} of the hour was heard."
