"""What stood beside it, in English: ETF flows and their day, funding, open interest, the rule of slow against fast."""

from collections.abc import Mapping

from service.model import Alert, OiMove, Phase
from service.text import backdrop as picked
from service.text.amounts import listed, usd_en, when_utc
from service.text.backdrop import Flow
from service.text.english.nouns import SIDE, floor, sentence

_RULE: Mapping[str, str] = {
    "aligned_up": "shorts {are} closed by force while ETFs {buy}: both {are} buyers",
    "hollow_squeeze": "shorts {are} closed by force while ETFs {sell}: the slow money {goes} the other way",
    "leverage_only_up": "shorts {are} closed by force while ETF flows {are} flat: leverage alone",
    "absorption": "longs {are} closed by force while ETFs {buy}: the slow money {goes} the other way",
    "aligned_down": "longs {are} closed by force while ETFs {sell}: both {are} sellers",
    "leverage_only_down": "longs {are} closed by force while ETF flows {are} flat: leverage alone",
}
_NOW = {"are": "are", "buy": "buy", "sell": "sell", "goes": "goes"}
_THEN = {"are": "were", "buy": "bought", "sell": "sold", "goes": "went"}
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
    rule = _RULE.get(picked.rule(alert), "").format_map(_THEN if alert.phase is Phase.CLOSED else _NOW)
    return sentence(figures), sentence([rule, _unknown(alert)])


def _flow(flow: Flow) -> str:
    day = f"{_MONTHS[flow.day.month - 1]} {flow.day.day}"
    row = f", the {_ordinal(flow.streak)} day in a row" if flow.streak else ""
    since = f", most since {flow.largest_since}" if flow.largest_since else ""
    others = f" ({_together(flow)} with {listed(flow.others, ' and ')})" if flow.others else ""
    return f"ETFs {_way(flow.usd)} of {flow.asset}{others} on {day}{row}{since}"


def _way(usd: float) -> str:
    if usd == 0:
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
    where = f" on {found.venues[0]}" if len(found.venues) == 1 else ""
    return f"{_of(alert)}open interest{where} {_moved(found)} since {when_utc(found.since, alert.at)}"


def _moved(oi: OiMove) -> str:
    if not picked.moved(oi):
        return "did not fall"
    word = "fell" if oi.change_pct < 0 else "rose"
    return f"{word} {abs(oi.change_pct):.1f}%{', more than was seen liquidated,' if oi.word == 'more' else ''}"


def _liquidated(alert: Alert) -> str:
    found = picked.liquidated(alert)
    if found is None or found.share is None:
        return ""
    part = f"{floor(alert) if found.at_least else ''}{100 * found.share:.1f}%"
    return (
        f"the hour's {_of(alert)}liquidations are {part} of {'it' if picked.open_interest(alert) else 'open interest'}"
    )


def _of(alert: Alert) -> str:
    asset = picked.of(alert)
    return asset and f"{asset} "


def _unknown(alert: Alert) -> str:
    what, why = picked.unknown(alert)
    return f"{_UNKNOWN[what]}{why and f' ({why})'}" if what else ""
