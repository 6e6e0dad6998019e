"""What happened and how unusual it is, in Chinese. The first sentence must do for a reader who stops there."""

from service.model import Alert, Baseline, Phase, Side, Since
from service.text import facts
from service.text.amounts import clock_utc, clocks_utc, date_utc, level, multiple, percent, usd_zh, when_utc
from service.text.chinese.nouns import (
    BURST,
    SIDE,
    SPOKE,
    coins,
    floor,
    market,
    name,
    once_in_zh,
    sentence,
    share,
    spread,
)

_SPAN = {"1m": "1分钟", "5m": "5分钟", "15m": "15分钟", "1h": "1小时", "4h": "4小时", "24h": "24小时"}
_MEASURE = {"hour": "1小时", "day": "UTC单日", "24h": "24小时"}
_WORD = {"fading": "减弱", "steady": "平稳", "growing": "加剧", "exploding": "急剧放大"}


def unheard(alert: Alert) -> str:
    """The warning before everything else."""
    part = facts.little_heard(alert)
    return "" if part is None else f"该小时只收到{percent(part)}！"


def event(alert: Alert) -> str:
    """When, what, where, how much, which side."""
    at, since = clock_utc(alert.at), when_utc(facts.began(alert), alert.at)
    if alert.phase is Phase.CLOSED:
        least, now = floor(alert), usd_zh(facts.total(alert))
        hours = f"峰值一小时{least}{usd_zh(alert.peak_usd)}，最近一小时{least}{now}"
        return f"{market(alert)}{name(alert)}结束（{since}至{at}）：{hours}。"
    turn = ""
    if alert.rule == "reminder":
        turn = f"自{since}起仍在持续"
    elif alert.phase is Phase.GREW:
        turn = f"自{since}起仍在扩大"
    return f"{at}，{market(alert)}{name(alert)}{turn}：{_amount(alert)}，{share(alert)}{spread(alert)}。"


def unusual(alert: Alert) -> str:
    """Against what is usual here, and whether it feeds on itself. Of an episode that is over neither is news."""
    if alert.phase is Phase.CLOSED:
        return ""
    growth = f"连锁爆仓{_WORD.get(alert.excitation.word, alert.excitation.word)}" if alert.excitation else ""
    return sentence([*(_against(alert, alert.baseline) if alert.baseline else ()), growth])


def record(alert: Alert) -> str:
    """Since when there was nothing larger; while it runs the record may still move, so it says already."""
    since = facts.standing(alert)
    if since is None:
        return ""
    span, _, side = since.measure.partition(" ")
    what = f"{_MEASURE.get(span, span)}{SIDE[Side(side)] if side in set(Side) else '多空合计'}爆仓"
    when, then = _since(since)
    usd = facts.record_now(since)
    then = "，".join(filter(None, ["" if usd is None else f"目前{floor(alert)}{usd_zh(usd)}", then]))
    return f"{'已是' if since.running else '为'}{when}以来最大的{what}{then and f'（{then}）'}。"


def course(alert: Alert) -> str:
    """How its dollars came, and the peak hour beside the day; when it began only where no sentence said so."""
    told, now = alert.course, alert.at
    if told is None:
        return ""
    parts = [f"{when_utc(told.onset, now)}开始"] if alert.phase is Phase.OPENED else []
    if came := facts.milestones(alert):
        shares, times = "/".join(str(one) for one, _ in came), clocks_utc([at for _, at in came], now, "、")
        parts.append(f"{SIDE[alert.side]}{floor(alert)}{usd_zh(told.usd)}，其{shares}%分别于{times}前爆出")
    day = "" if told.share_of_day is None else f"占近24小时的{percent(told.share_of_day)}"
    if not facts.peak_elsewhere(alert):
        return sentence([*parts, f"本小时{day}" if day and not facts.filling(alert) else ""])
    peak = "" if alert.phase is Phase.CLOSED else f"{floor(alert)}{usd_zh(alert.peak_usd)}，"
    return sentence([*parts, f"峰值一小时{peak}截至{when_utc(told.peak_hour_at, now)}{day and f'，{day}'}"])


def _since(since: Since) -> tuple[str, str]:
    """The date in both zones, and how much it was; a memory without an equal claims no more than its reach."""
    if since.largest_since is None or since.usd is None:
        return f"有记录（{date_utc(since.first_at)}，UTC）", "" if since.comparable else "其间统计口径不同"
    other = "" if since.zone_date in {None, since.largest_since} else f"，{since.zone}为{since.zone_date}"
    dates = f"{since.largest_since}（UTC{other}）"
    return dates, f"当时{usd_zh(since.usd)}{'' if since.comparable else '，统计口径不同'}"


def _amount(alert: Alert) -> str:
    hour = f"{floor(alert)}{usd_zh(facts.total(alert))}"
    if alert.estimated:
        hour += f"（估计{usd_zh(alert.estimated.usd)}）"
    if alert.crossed_usd is not None and alert.phase is not Phase.CLOSED:
        return f"近1小时爆仓突破{level(usd_zh(alert.crossed_usd))}，现为{hour}"
    if not facts.filling(alert):
        return f"近1小时爆仓{hour}"
    spoke = SPOKE[alert.rule]
    if alert.burst_usd is not None:
        burst = f"{SIDE[alert.side]}爆仓{floor(alert)}{usd_zh(alert.burst_usd)}"
        spoke = BURST[alert.rule].format(spoke=spoke, burst=burst)
    return f"{spoke}，近1小时累计{hour}"


def _against(alert: Alert, usual: Baseline) -> list[str]:
    parts = []
    if usual.usual_usd > 0:
        span, time = _SPAN.get(usual.span, usual.span), "迄今" if usual.learning else "该时段"
        parts.append(f"为{time}{span}常态（{usd_zh(usual.usual_usd)}）的{multiple(usual.multiple)}倍")
    if usual.learning:
        parts.append("常态仍在学习中")
    elif usual.rarity and usual.rarity_days:
        parts.append(f"{coins(alert)}{once_in_zh(usual.rarity_days)}")
    return parts
