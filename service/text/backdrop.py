"""What of an alert's context is worth a word, before any language: fresh, large enough to notice, and of a named day.

Pure; writes no sentence. What is not here is left unsaid; of what people would look for the reason is picked.
"""

import re
from datetime import date

from service.model import ALL, Alert, EtfFlow, FundingNow, OiMove, Phase, Record, Side
from service.text.markup import clipped, plain

#: A smaller change of open interest (per cent) is what it does in any hour.
_CHANGE_PCT = 0.3
#: Decimals of a change as it is told.
_SHOWN = 1
#: A smaller part of open interest is lost in what is traded anyway.
_SHARE = 0.001
#: Funding nearer to nothing reads as 0.000 %.
_RATE_8H = 1e-5
_ROW = 2
#: A largest day since last week is no news.
_STOOD_DAYS = 30
#: So many days before it a meeting is near.
_NEAR_DAYS = 2
#: Of these people look for open interest; of the others most venues are never asked.
_LOOKED_FOR = frozenset({ALL, "BTC", "ETH", "SOL"})
_REASON = 80
_STATUS = re.compile(r"\banswered (\d{3})\b")
_AWAITED = re.compile(r"no figure for (\d{4}-\d\d-\d\d) yet")


class Flow(Record, frozen=True, kw_only=True):
    """ETF flows of one day as they are told: the first asset's, and all together where there are others."""

    asset: str
    day: date
    usd: float
    streak: int
    """Days in a row the same way, where that is more than one; else 0."""
    at_least: bool
    """Whether there may have been more of them."""
    largest_since: str
    """The date of the last day as large, where that is long ago; else empty."""
    others: tuple[str, ...]
    all_usd: float


def flow(alert: Alert) -> Flow | None:
    """The day the divergence rests on."""
    found = alert.context.divergence if alert.context else None
    if alert.context is None or found is None:
        return None
    told = [one for one in alert.context.flows if one.date == found.date and one.fresh and one.complete]
    day = _day(found.date)
    if not told or day is None:
        return None
    first = told[0]
    return Flow(
        asset=first.asset,
        day=day,
        usd=first.usd,
        streak=abs(first.streak) if abs(first.streak) >= _ROW else 0,
        at_least=first.streak_at_least,
        largest_since=_stood(first, day),
        others=tuple(one.asset for one in told[1:]),
        all_usd=found.flow_usd,
    )


def rule(alert: Alert) -> tuple[str, date] | None:
    """The rule of slow against fast and the day its flows are of; None where none holds, or of no day."""
    found = alert.context.divergence if alert.context else None
    day = _day(found.date) if found else None
    return (found.rule, day) if found and day else None


def funding(alert: Alert) -> FundingNow | None:
    """What is paid, where those who are closed by force pay it, or where somebody pays unusually much."""
    found = alert.context.funding if alert.context else None
    if found is None or alert.phase is Phase.CLOSED or abs(found.rate_8h) < _RATE_8H:
        return None
    pays = Side.SHORT if found.rate_8h < 0 else Side.LONG
    return found if pays is alert.side or found.crowded else None


def open_interest(alert: Alert) -> OiMove | None:
    """How it moved, where it did, or did not though much was liquidated."""
    found = alert.context.oi if alert.context else None
    if found is None:
        return None
    return found if moved(found) or found.word == "none" else None


def moved(oi: OiMove) -> bool:
    """Whether open interest changed by more than it does in any hour."""
    return abs(oi.change_pct) >= _CHANGE_PCT


def fell(oi: OiMove) -> bool:
    """Whether it fell by so much that a figure shows it."""
    return round(oi.change_pct, _SHOWN) < 0


def liquidated(alert: Alert) -> OiMove | None:
    """The hour's liquidations as a part of open interest; of what is over its last hour says nothing."""
    found = alert.context.oi if alert.context else None
    if found is None or found.share is None or found.share < _SHARE or alert.phase is Phase.CLOSED:
        return None
    return found


def meeting(alert: Alert) -> int | None:
    """Days to the next decision on US rates, where that is near; 0 on its day."""
    rates = alert.context.rates if alert.context else None
    if rates is None or not rates.fresh or rates.days_to_meeting is None:
        return None
    return rates.days_to_meeting if 0 <= rates.days_to_meeting <= _NEAR_DAYS else None


def unknown(alert: Alert) -> tuple[str, str]:
    """The one missing thing people would look for, `etf` or `open_interest`, and why; twice empty without one."""
    context = alert.context
    if context is None:
        return "", ""
    flows = [name for name in context.missing if name.startswith("etf ") and not name.endswith(" units")]
    if flows and context.divergence is None:
        return "etf", _reason(context.missing[flows[0]])
    if context.oi is None and "open_interest" in context.missing and alert.asset in _LOOKED_FOR:
        return "open_interest", _reason(context.missing["open_interest"])
    return "", ""


def refused(reason: str) -> str:
    """The HTTP status a source answered with, where a reason tells it; else empty."""
    found = _STATUS.search(reason)
    return found[1] if found else ""


def awaited(reason: str) -> str:
    """The day whose figure has not come yet, where a reason says no more than that; else empty."""
    found = _AWAITED.fullmatch(reason)
    return found[1] if found else ""


def of(alert: Alert) -> str:
    """The asset whose leverage it is, where that is another than the alert's; else empty."""
    return alert.context.asset if alert.context and alert.context.asset != alert.asset else ""


def _stood(flow: EtfFlow, day: date) -> str:
    then = _day(flow.largest_since or "")
    return str(then) if then is not None and (day - then).days >= _STOOD_DAYS else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _reason(text: str) -> str:
    return clipped(plain(text), _REASON).rstrip(" .;:,，。；：")
