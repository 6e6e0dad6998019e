"""A message in Chinese: the headline, what it leaves open, the lines around it. Everything else is the sentences'.

The headline is read half asleep: what, where, how much, which side, in that order, and a warning only where its
numbers would mislead.
"""

from service.model import ALL, Alert, Phase, Severity
from service.text import facts
from service.text.amounts import clocks_utc, ends_utc, lasting, level, percent, percents, stamp_utc, usd_zh, when_utc
from service.text.chinese.backdrop import backdrop
from service.text.chinese.event import course, record, unusual
from service.text.chinese.nouns import SIDE, SPOKE, coins, floor, name, sentence, share, spread
from service.text.chinese.sure import sure
from service.text.chinese.where import beside, where
from service.text.markup import clipped
from service.text.voice import Voice
from service.text.zones import zone_zh

_WARNING = {"whale": "（少数大单）", "mixed": "（单边不明显）", "": ""}
_SEVERITY = {Severity.WATCH: "关注", Severity.WARNING: "预警", Severity.CRITICAL: "紧急"}
_REASON = {"quiet": "免打扰期间（{span}）：", "mute": "静音期间（{span}）：", "burst": "同时发生："}
_LENGTH = ("{}天", "{}小时", "{}分钟")


def headline(alert: Alert) -> str:
    """What, where, how much, which side, and how little was heard."""
    return " · ".join(filter(None, (_what(alert), _where(alert), _much(alert), _side(alert), _heard(alert))))


def body(alert: Alert) -> tuple[str, ...]:
    """The lines after the headline, the most important first."""
    lines = _opening(alert), unusual(alert), record(alert), beside(alert), where(alert), _course(alert)
    return *lines, *backdrop(alert)


def late(ms: int) -> str:
    """How late it comes, and that the market may have moved on."""
    length = "".join(form.format(count) for form, count in zip(_LENGTH, lasting(ms), strict=True) if count)
    return f"延迟{length}送达：以下是当时的情况，并非现在。"


def foot(alert: Alert) -> str:
    """How severe, when."""
    return f"{'最高级别：' if alert.phase is Phase.CLOSED else ''}{_SEVERITY[alert.severity]} · {stamp_utc(alert.at)}"


def episode(alert: Alert, at_peak: str, now: int) -> str:
    """An episode in one line: what became of it, its peak hour, the side at the peak, when."""
    over = alert.phase is Phase.CLOSED
    peak = f"峰值1小时{'' if over else '暂计'}{floor(alert)}{usd_zh(alert.peak_usd)}"
    began, told = ends_utc(facts.began(alert), alert.at, now)
    latest = f"{'至' if over else '起，截至'}{told} UTC" if told else f" UTC{'' if over else '起'}"
    state = f"{name(alert)}{'已结束' if over else '进行中'}"
    return " · ".join(filter(None, (state, _where(alert), peak, at_peak, _heard(alert), f"{began}{latest}")))


def heading(reason: str, span: str, episodes: int, running: int) -> str:
    """Why they come together, how many, and how many still run."""
    many = "" if episodes == 1 else "均" if running == episodes else f"其中{running}轮"
    still = f"，{many}仍在进行" if running else ""
    return f"{_REASON[reason].format(span=span)}{episodes}轮爆仓{still}"


def span(clocks: str, zone: str) -> str:
    """What two clocks show, and where: 北京时间23:00–07:00, 23:00–07:00 Europe/Berlin."""
    name = zone_zh(zone)
    return f"{clocks} {name}" if name.isascii() else f"{name}{clocks}"


def more(count: int) -> str:
    """What is left out."""
    return f"另有{count}轮未列出"


def _what(alert: Alert) -> str:
    if alert.phase is Phase.CLOSED:
        return f"{name(alert)}已结束"
    if alert.rule == "reminder":
        return f"{name(alert)}仍在持续"
    return f"{name(alert)}仍在扩大" if alert.phase is Phase.GREW else name(alert)


def _where(alert: Alert) -> str:
    return clipped(coins(alert), facts.NAME)


def _much(alert: Alert) -> str:
    if alert.phase is Phase.CLOSED:
        return f"峰值1小时{floor(alert)}{usd_zh(alert.peak_usd)}"
    burst = facts.burst(alert)
    if burst is not None:
        return f"5分钟已爆{SIDE[alert.side]}{floor(alert)}{usd_zh(burst)}"
    return f"1小时{'暂计' if facts.filling(alert) else ''}{floor(alert)}{usd_zh(facts.total(alert))}"


def _side(alert: Alert) -> str:
    """Of what is over, or has five minutes in front, the hour's share would be another number's."""
    if alert.phase is Phase.CLOSED or facts.burst(alert) is not None:
        return ""
    return f"{share(alert)}{_WARNING[facts.balance(alert)]}"


def _heard(alert: Alert) -> str:
    part = facts.little_heard(alert)
    return "" if part is None else f"只收到{percent(part)}"


def _opening(alert: Alert) -> str:
    """What the headline had no room for and a reader wants next."""
    if alert.phase is Phase.CLOSED:
        ran = clocks_utc([facts.began(alert), alert.at], alert.at, "至")
        return sentence([f"{ran}，最近一小时{floor(alert)}{usd_zh(facts.total(alert))}"])
    burst = facts.burst(alert) is not None
    hour = f"近1小时累计{floor(alert)}{usd_zh(facts.total(alert))}，{share(alert)}{spread(alert)}" if burst else ""
    return sentence(
        [
            "属于全币种这轮爆仓的一部分" if alert.parent and alert.asset != ALL else "",
            f"近1小时爆仓突破{level(usd_zh(alert.crossed_usd))}" if alert.crossed_usd is not None else "",
            SPOKE[alert.rule] if facts.filling(alert) else "",
            hour,
        ]
    )


def _course(alert: Alert) -> str:
    """Since when, where the sentence leaves that to the first one; how it went."""
    since = f"{when_utc(facts.began(alert), alert.at)}开始。" if alert.phase is Phase.GREW else ""
    return since + course(alert)


def _sure(alert: Alert) -> str:
    """Between what the share lies and what the true dollars may be, then the sentence."""
    parts = []
    if alert.phase is not Phase.CLOSED:
        between = None if facts.burst(alert) is not None else facts.side_range(alert)
        parts = [
            f"{SIDE[alert.side]}占比区间{percents(*between)}" if between else "",
            f"计入未公布部分，估计{usd_zh(alert.estimated.usd)}" if alert.estimated else "",
        ]
    return sentence(parts) + sure(alert)


CHINESE = Voice(
    simulation="模拟",
    trial="测试",
    invented="以下数字均为虚构，仅用于展示提醒的样式。",
    headline=headline,
    body=body,
    share=share,
    sure=_sure,
    late=late,
    foot=foot,
    board="看板",
    episode=episode,
    heading=heading,
    span=span,
    more=more,
)
