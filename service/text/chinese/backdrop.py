"""What stood beside it, in Chinese: ETF flows and their day, funding, open interest, the rule of slow against fast."""

from collections.abc import Mapping

from service.model import Alert, OiMove, Side
from service.text import backdrop as picked
from service.text.amounts import listed, usd_zh, when_utc
from service.text.backdrop import Flow
from service.text.chinese.nouns import floor, sentence

_RULE: Mapping[str, str] = {
    "aligned_up": "空单被强平，ETF净流入：两边都是买盘",
    "hollow_squeeze": "空单被强平，ETF却净流出：慢钱方向相反",
    "leverage_only_up": "空单被强平，ETF资金基本持平：只有杠杆在动",
    "absorption": "多单被强平，ETF却净流入：慢钱方向相反",
    "aligned_down": "多单被强平，ETF净流出：两边都是卖盘",
    "leverage_only_down": "多单被强平，ETF资金基本持平：只有杠杆在动",
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
    return sentence(figures), sentence([_RULE.get(picked.rule(alert), ""), _unknown(alert)])


def _flow(flow: Flow) -> str:
    row = f"，连续第{flow.streak}个交易日" if flow.streak else ""
    since = f"，为{flow.largest_since}以来最多" if flow.largest_since else ""
    others = f"（连同{listed(flow.others, '和', '、')}共{_way(flow.all_usd)}）" if flow.others else ""
    return f"{flow.day.month}月{flow.day.day}日{flow.asset}现货ETF{_way(flow.usd)}{others}{row}{since}"


def _way(usd: float) -> str:
    if usd == 0:
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
    where = f"{found.venues[0]}上" if len(found.venues) == 1 else ""
    return f"{where}{picked.of(alert)}未平仓量自{when_utc(found.since, alert.at)}起{_moved(found)}"


def _moved(oi: OiMove) -> str:
    if not picked.moved(oi):
        return "未见减少"
    word = "减少" if oi.change_pct < 0 else "增加"
    return f"{word}{abs(oi.change_pct):.1f}%{'，多于已知爆仓' if oi.word == 'more' else ''}"


def _liquidated(alert: Alert) -> str:
    found = picked.liquidated(alert)
    if found is None or found.share is None:
        return ""
    part = f"{floor(alert) if found.at_least else ''}占{'其' if picked.open_interest(alert) else '未平仓量的'}"
    return f"近1小时{picked.of(alert)}爆仓{part}{100 * found.share:.1f}%"


def _unknown(alert: Alert) -> str:
    what, why = picked.unknown(alert)
    if not what:
        return ""
    status, day = picked.refused(why), picked.dated(why)
    known = f"来源返回{status}" if status else f"{day}的数据尚未得到" if day else ""
    return f"{_UNKNOWN[what]}{known and f'（{known}）'}"
