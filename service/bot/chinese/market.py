"""The market in Chinese: the last hour, what runs, what was told. Numbers as they are known; what is not is said so."""

from collections.abc import Sequence

from service.bot.chinese.rules import asset
from service.bot.market import Line, Status, Top
from service.bot.phrases import safe, whole
from service.model import Alert, ContextReport, Coverage, Episode, FeedState, Phase
from service.text import facts
from service.text.amounts import clock_utc, percent, usd_zh, when_utc
from service.text.chinese.nouns import KIND, floor, name, share
from service.text.chinese.standing import standing
from service.text.standing import Fact

_STATE = {
    FeedState.CONNECTING: "连接中",
    FeedState.LIVE: "在线",
    FeedState.SILENT: "无数据",
    FeedState.REFUSED: "拒绝连接",
    FeedState.DOWN: "断线",
}


def top(found: Top) -> str:
    """The last hour by coin."""
    head = f"<b>最近一小时爆仓，{clock_utc(found.now)}</b>"
    if found.market is None:
        return f"{head}\n未知：还没有统计到数据。"
    if not found.market.usd and not found.lines:
        return f"{head}\n没有收到爆仓单。\n{_heard(found.heard)}"
    lines = "\n".join(_line(line) for line in found.lines)
    return f"{head}\n{_line(found.market)}\n\n{lines}\n\n{_heard(found.heard)}"


def status(found: Status) -> str:
    """What runs, and who is heard."""
    runs = "\n".join(_episode(one, least, found.now) for one, least in found.episodes) or "目前没有连环爆仓。"
    away = "、".join(f"{safe(venue)}（{_STATE[state]}）" for venue, state in found.away)
    venues = f"{found.venues}家交易所中{found.live}家在线{away and f'；不在线：{away}'}。"
    return f"<b>现在，{clock_utc(found.now)}</b>\n{runs}\n\n{venues}\n{_heard(found.heard)}"


def last(alerts: Sequence[Alert], now: int) -> str:
    """The newest alerts, oldest of them first; `now` in ms UTC."""
    if not alerts:
        return "目前没有可显示的事件。"
    return "<b>最近的事件</b>\n" + "\n".join(_alert(alert, now) for alert in alerts)


def context(market: str, report: ContextReport | None) -> str:
    """What stands beside a market."""
    if report is None:
        return "这里没有开启背景数据：不读取持仓量、资金费率、ETF流向和利率。"
    head = f"<b>市场背景：{safe(asset(market))}，{clock_utc(report.now)}</b>"
    lines = "\n".join(_fact(fact) for fact in standing(report))
    return f"{head}\n{lines}\n\n燃料反映拥挤程度，尚未证明有预测能力。未知不等于零。"


def _fact(fact: Fact) -> str:
    notes = "".join(f" · {whole(note)}" for note in fact.notes)
    return f"{whole(fact.head)}：<b>{whole(fact.said)}</b>{notes}"


def _line(line: Line) -> str:
    return f"{safe(asset(line.asset))}：{'至少' if line.at_least else ''}{usd_zh(line.usd)}，{_side(line.share)}"


def _side(part: float | None) -> str:
    """The larger side's part, given that of shorts."""
    if part is None:
        return "多空占比未知"
    return f"空单占{percent(part)}" if part >= 1 / 2 else f"多单占{percent(1 - part)}"


def _episode(one: Episode, least: bool, now: int) -> str:
    fading = "，正在减弱" if one.stage == "fading" else ""
    line = Line(asset=one.asset, usd=one.long_usd + one.short_usd, share=one.share, at_least=least)
    return f"{KIND[one.kind]}，{when_utc(one.started_at, now)}开始{fading}。近1小时{_line(line)}"


def _alert(alert: Alert, now: int) -> str:
    head = f"{when_utc(alert.at, now)}，{safe(asset(alert.asset))}{name(alert)}"
    if alert.phase is Phase.CLOSED:
        return f"{head}结束，峰值一小时{floor(alert)}{usd_zh(alert.peak_usd)}"
    turn = "开始" if alert.phase is Phase.OPENED else "仍在持续" if alert.rule == "reminder" else "扩大"
    return f"{head}{turn}：{floor(alert)}{usd_zh(facts.total(alert))}，{share(alert)}"


def _heard(heard: Coverage | None) -> str:
    if heard is None or heard.seconds_share is None:
        return "该小时收到了多少数据，目前未知。"
    return f"该小时的数据已收到{percent(heard.seconds_share)}。"
