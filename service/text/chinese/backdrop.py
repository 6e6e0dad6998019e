"""What stood beside it, in Chinese: ETF flows and their day, funding, open interest, the rule of slow against fast."""

from collections.abc import Mapping
from datetime import date

from service.model import Alert, OiMove, Side
from service.text import backdrop as picked
from service.text.amounts import listed, usd_zh, when_utc
from service.text.backdrop import Flow
from service.text.chinese.nouns import floor, sentence

_RULE: Mapping[str, str] = {
    "aligned_up": "空单被强平，{day}ETF净流入：同为买方",
    "hollow_squeeze": "空单被强平，{day}ETF却净流出：慢钱方向相反",
    "leverage_only_up": "空单被强平，{day}ETF资金基本持平：只有杠杆在动",
    "absorption": "多单被强平，{day}ETF却净流入：慢钱方向相反",
    "aligned_down": "多单被强平，{day}ETF净流出：同为卖方",
    "leverage_only_down": "多单被强平，{day}ETF资金基本持平：只有杠杆在动",
}
_UNKNOWN: Mapping[str, str] = {"etf": "ETF资金流向未知", "open_interest": "未平仓量未知"}
_SIDE: Mapping[Side, str] = {Side.SHORT: "空头", Side.LONG: "多头"}
_DECIDES = ("今日", "明日", "两日后")


def backdrop(alert: Alert) -> tuple[str, str]:
    """Two lines: the figures, and what they are together. Empty where nothing is known or worth a word."""
    flow, meeting = picked.flow(alert), picked.meeting(alert)
    figures = [
        _flow(flow) if flow else "",
        _funding(alert),
        _open_interest(alert),
        _liquidated(alert),
        "" if meeting is None else f"美联储{_DECIDES[meeting]}公布利率决议",
    ]
    return sentence(figures), sentence([_rule(alert), _unknown(alert)])


def _rule(alert: Alert) -> str:
    found = picked.rule(alert)
    return _RULE.get(found[0], "").format(day=_day(found[1])) if found else ""


def _day(day: date) -> str:
    return f"{day.month}月{day.day}日"


def _flow(flow: Flow) -> str:
    row = f"，{'至少' if flow.at_least else ''}连续第{flow.streak}个交易日" if flow.streak else ""
    since = f"，为{flow.largest_since}以来最多" if flow.largest_since else ""
    others = f"（连同{listed(flow.others, '和', '、')}共{_way(flow.all_usd)}）" if flow.others else ""
    return f"{_day(flow.day)}{flow.asset}现货ETF{_way(flow.usd)}{others}{row}{since}"


def _way(usd: float) -> str:
    if round(usd) == 0:
        return "净流量为零"
    return f"净流入{usd_zh(usd)}" if usd > 0 else f"净流出{usd_zh(-usd)}"


def _funding(alert: Alert) -> str:
    found = picked.funding(alert)
    if found is None:
        return ""
    pays = Side.SHORT if found.rate_8h < 0 else Side.LONG
    whose = f"{_SIDE[found.crowded]}拥挤" if found.crowded else f"{_SIDE[pays]}付费"
    return f"{picked.of(alert)}资金费率每8小时{100 * found.rate_8h:+.3f}%，{whose}"


def _open_interest(alert: Alert) -> str:
    found = picked.open_interest(alert)
    if found is None:
        return ""
    return f"{_on(found)}{picked.of(alert)}未平仓量自{when_utc(found.since, alert.at)}起{_moved(found)}"


def _on(oi: OiMove) -> str:
    return f"{oi.venues[0]}上" if len(oi.venues) == 1 else f"{len(oi.venues)}家交易所"


def _moved(oi: OiMove) -> str:
    by = f"{abs(oi.change_pct):.1f}%"
    if picked.fell(oi):
        more = "，多于已知爆仓" if oi.word == "more" else ""
        return f"{'仅' if oi.word == 'none' else ''}减少{by}{more}"
    return f"增加{by}" if picked.moved(oi) else "未见减少"


def _liquidated(alert: Alert) -> str:
    found = picked.liquidated(alert)
    if found is None or found.share is None:
        return ""
    told = picked.open_interest(alert) is not None
    where, whole = ("该所" if len(found.venues) == 1 else "这些交易所", "其") if told else (_on(found), "其未平仓量的")
    part = f"{floor(alert) if found.at_least else ''}占{whole}{100 * found.share:.1f}%"
    return f"{where}近1小时{picked.of(alert)}爆仓{part}"


def _unknown(alert: Alert) -> str:
    what, why = picked.unknown(alert)
    if not what:
        return ""
    status, day = picked.refused(why), picked.awaited(why)
    known = f"来源返回{status}" if status else f"{day}的数据尚未得到" if day else why
    return f"{_UNKNOWN[what]}{known and f'（{known}）'}"
