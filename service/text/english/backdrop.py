"""What stood beside it, in English: ETF flows and their day, funding, open interest, the rule of slow against fast.

A day of flows is over when it is known: whatever is told of ETFs is past, and of its day.
"""

from collections.abc import Mapping
from datetime import date

from service.model import Alert, OiMove, Phase
from service.text import backdrop as picked
from service.text.amounts import listed, usd_en, when_utc
from service.text.backdrop import Flow
from service.text.english.nouns import SIDE, floor, sentence

_OTHER_WAY = "the slow money went the other way"
_RULE: Mapping[str, str] = {
    "aligned_up": "shorts {are} closed by force, and ETFs took money in on {day}: both buyers",
    "hollow_squeeze": f"shorts {{are}} closed by force, but ETFs paid money out on {{day}}: {_OTHER_WAY}",
    "leverage_only_up": "shorts {are} closed by force, and ETF flows were flat on {day}: leverage alone",
    "absorption": f"longs {{are}} closed by force, but ETFs took money in on {{day}}: {_OTHER_WAY}",
    "aligned_down": "longs {are} closed by force, and ETFs paid money out on {day}: both sellers",
    "leverage_only_down": "longs {are} closed by force, and ETF flows were flat on {day}: leverage alone",
}
_UNKNOWN: Mapping[str, str] = {"etf": "ETF flows unknown", "open_interest": "open interest unknown"}
_DECIDES = ("today", "tomorrow", "in 2 days")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def backdrop(alert: Alert) -> tuple[str, str]:
    """Two lines: the figures, and what they are together. Empty where nothing is known or worth a word."""
    flow, meeting = picked.flow(alert), picked.meeting(alert)
    figures = [
        _flow(flow) if flow else "",
        _funding(alert),
        _open_interest(alert),
        _liquidated(alert),
        "" if meeting is None else f"the Fed decides {_DECIDES[meeting]}",
    ]
    return sentence(figures), sentence([_rule(alert), _unknown(alert)])


def _rule(alert: Alert) -> str:
    found = picked.rule(alert)
    if found is None:
        return ""
    rule, day = found
    return _RULE.get(rule, "").format(are="were" if alert.phase is Phase.CLOSED else "are", day=_day(day))


def _day(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.day}"


def _flow(flow: Flow) -> str:
    least = "at least " if flow.at_least else ""
    row = f", {least}the {_ordinal(flow.streak)} day in a row" if flow.streak else ""
    since = f", most since {flow.largest_since}" if flow.largest_since else ""
    others = f" ({_together(flow)} with {listed(flow.others, ' and ')})" if flow.others else ""
    return f"ETFs {_way(flow.usd)} of {flow.asset}{others} on {_day(flow.day)}{row}{since}"


def _way(usd: float) -> str:
    if round(usd) == 0:
        return "saw no net flow"
    return f"took in {usd_en(usd)}" if usd > 0 else f"paid out {usd_en(-usd)}"


def _together(flow: Flow) -> str:
    same_way = flow.usd * flow.all_usd > 0
    return usd_en(abs(flow.all_usd)) if same_way else _way(flow.all_usd)


def _ordinal(count: int) -> str:
    teens = count % 100 in {11, 12, 13}
    return f"{count}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def _funding(alert: Alert) -> str:
    found = picked.funding(alert)
    if found is None:
        return ""
    whose = f"{SIDE[found.crowded]} crowded" if found.crowded else f"{'shorts' if found.rate_8h < 0 else 'longs'} pay"
    return f"{_of(alert)}funding {100 * found.rate_8h:+.3f}% per 8 h, {whose}"


def _open_interest(alert: Alert) -> str:
    found = picked.open_interest(alert)
    if found is None:
        return ""
    return f"{_of(alert)}open interest{_on(found)} {_moved(found)} since {when_utc(found.since, alert.at)}"


def _on(oi: OiMove) -> str:
    return f" on {oi.venues[0] if len(oi.venues) == 1 else f'{len(oi.venues)} venues'}"


def _moved(oi: OiMove) -> str:
    by = f"{abs(oi.change_pct):.1f}%"
    if picked.fell(oi):
        more = ", more than was seen liquidated," if oi.word == "more" else ""
        return f"fell {'only ' if oi.word == 'none' else ''}{by}{more}"
    return f"rose {by}" if picked.moved(oi) else "did not fall"


def _liquidated(alert: Alert) -> str:
    found = picked.liquidated(alert)
    if found is None or found.share is None:
        return ""
    told = picked.open_interest(alert) is not None
    where, whole = (" there", "it") if told else (_on(found), "open interest there")
    part = f"{floor(alert) if found.at_least else ''}{100 * found.share:.1f}%"
    return f"the hour's {_of(alert)}liquidations{where} are {part} of {whole}"


def _of(alert: Alert) -> str:
    asset = picked.of(alert)
    return asset and f"{asset} "


def _unknown(alert: Alert) -> str:
    what, why = picked.unknown(alert)
    return f"{_UNKNOWN[what]}{why and f' ({why})'}" if what else ""
