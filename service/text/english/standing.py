"""What stands beside the market now, in English: single facts, each with its age or date. No advice, no forecast."""

from collections.abc import Mapping

from service.model import ContextReport, Side
from service.text.amounts import signed, usd_en
from service.text.standing import RATE_DIGITS, Fact, Voice, facts

_LEAN: Mapping[str, str] = {"lower": "lower", "unchanged": "to no change", "higher": "higher"}


def standing(report: ContextReport) -> tuple[Fact, ...]:
    """All that is known, and what is not."""
    return facts(report, _VOICE)


def _ago(count: int, unit: str) -> str:
    return f"{count} {unit} ago" if count else "less than a minute ago"


def _moved(hour: float | None, day: float | None) -> str:
    spans = (("1 h", hour), ("24 h", day))
    return f"in coins {', '.join(f'{signed(pct, 1)}% in {name}' for name, pct in spans if pct is not None)}"


def _rate(part: float) -> str:
    shown = round(100 * part, RATE_DIGITS)
    pays = "longs pay shorts" if shown > 0 else "shorts pay longs" if shown < 0 else "nobody pays"
    return f"{signed(shown, RATE_DIGITS) if shown else '0'}% per 8 h, {pays}"


def _flow(usd: float) -> str:
    if not round(usd):
        return "as much in as out"
    return f"{usd_en(abs(usd))} {'in' if usd > 0 else 'out'}, net"


def _streak(days: int, least: bool) -> str:
    return f"{'at least ' if least else ''}{abs(days)} trading days in a row with money {'in' if days > 0 else 'out'}"


def _two_year(yields: float, date: str, word: str) -> str:
    of = f", {date}" if date else ""
    return f"the 2-year yield ({yields:.2f}%{of}) points {_LEAN.get(word, word)}"


def _meeting(date: str, days: int | None) -> str:
    in_days = {None: "", 0: ", today", 1: ", in 1 day"}.get(days, f", in {days} days")
    return f"next FOMC meeting ends {date}{in_days}"


_VOICE = Voice(
    unknown="unknown",
    old=lambda reason: f"old: {reason}" if reason else "old",
    ago=_ago,
    oldest=lambda age: f"oldest figure {age}",
    fuel={Side.SHORT: "Fuel for a short squeeze", Side.LONG: "Fuel for a long flush"},
    score=lambda score, word: f"{score} of 100{f', {word}' if word else ''}",
    interest=lambda asset: f"Open interest{asset and f', {asset}'}",
    at_least=lambda usd: f"at least {usd_en(usd)}",
    moved=_moved,
    venues=lambda count: f"{count} venue{'' if count == 1 else 's'}",
    funding=lambda asset: f"Funding{asset and f', {asset}'}",
    rate=_rate,
    etf=lambda asset: f"US spot ETFs, {asset}",
    flow=_flow,
    day=lambda date: f"on {date}, US Eastern",
    streak=_streak,
    unfinished="some funds have not reported",
    policy="US policy rate",
    target=lambda low, high: f"{low:.2f} to {high:.2f}%",
    of=lambda date: f"of {date}",
    two_year=_two_year,
    meeting=_meeting,
)
