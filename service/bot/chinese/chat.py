"""A chat's own matters in Chinese: hours, mutes, language, farewell, help, and what could not be read."""

from collections.abc import Mapping
from datetime import datetime

from service.bot.phrases import safe
from service.bot.seen import Counts
from service.model import HOUR, MINUTE
from service.subscribers import Chat, Quiet
from service.subscribers.amounts import written
from service.subscribers.misread import Misread, Slip
from service.text.amounts import listed, stamp_utc
from service.text.zones import clock, zone_zh

NO_QUIET = (
    "还没有设置免打扰时段。\n\n这样设置：<code>/quiet 23:00-07:00 北京时间</code>"
    "（也可以写<code>UTC+8</code>），或者点下面的按钮："
)
_DAY_MINUTES = 24 * 60
_ALLOWED = {
    Slip.USD: "{}不能当作金额。可填1,000美元到1万亿美元，"
    "例如<code>1000万</code>、<code>1.5亿</code>、<code>10M</code>。",
    Slip.DURATION: "看不懂{}是多长时间。可填一分钟到七天，"
    "例如<code>90分钟</code>、<code>2小时</code>、<code>1天</code>。",
    Slip.QUIET: "看不懂时段{}。请这样写：<code>/quiet 23:00-07:00 北京时间</code>，取消用<code>/quiet off</code>。",
    Slip.ZONE: "没有{}这个时区。例如<code>Asia/Shanghai</code>、<code>北京时间</code>、<code>UTC+8</code>。",
    Slip.NO_ZONE: "{}是哪里的时间？请加上时区，例如<code>北京时间</code>或<code>UTC+8</code>。",
    Slip.ASSET: "{}不是币种名。币种名最多15个字母或数字，例如<code>BTC</code>。",
    Slip.WORD: "看不懂{}。一条规则由币种、轧空或多头踩踏、关注／预警／紧急、金额、交易所组成，顺序随意。",
    Slip.TWICE: "{}多余了：一条规则只能有一个币种、一种方向、一个级别、一个金额、一家交易所。",
}


def slip(error: Misread) -> str:
    """What could not be read, what is allowed, what may have been meant."""
    said = _ALLOWED[error.slip].format(f"“{safe(error.given)}”" if error.given.strip() else "空白")
    near = [f"<code>{safe(name)}</code>" for name in error.near]
    return f"{said}\n是不是想写{listed(near, '或', '、')}？" if near else said


def quiet(hours: Quiet, now: int) -> str:
    """The quiet hours as they stand; `now` in ms UTC."""
    place = f"按{safe(_local(hours.zone))}（当地现在{_there(now, hours.zone)}）"
    if hours.start == hours.end:
        return f"<b>全天</b>免打扰，{place}。\n{'只推送紧急事件。' if hours.critical else '什么也不推送。'}"
    through = "紧急事件照常推送。" if hours.critical else "紧急事件也一样。"
    return (
        f"每天<b>{written(hours.start)}</b>到<b>{written(hours.end)}</b>免打扰，{place}。\n"
        f"这段时间的消息，结束后合成一条发给你。{through}"
    )


def choose_zone(hours: Quiet) -> str:
    """Hours without a zone."""
    span = f"{written(hours.start)}-{written(hours.end)}"
    return f"{span}是哪里的时间？点一下，或直接输入：<code>/quiet {span} 北京时间</code>"


def muted(until: int, hours: Quiet | None) -> str:
    """Nothing is told for a while; `until` in ms UTC."""
    there = f"（{safe(_local(hours.zone))}{_there(until, hours.zone)}）" if hours else ""
    return f"已静音至{stamp_utc(until)}{there}。这段时间的消息，结束后合成一条发给你。"


def stop(chat: Chat) -> str:
    """The question before everything is deleted."""
    return f"将删除本会话保存的全部内容：{_kept(chat)}。确定吗？"


def stopped(chat: Chat) -> str:
    """Everything is deleted."""
    return f"已删除：{_kept(chat)}。本会话不再保存任何内容。想重新开始请发 /start"


def overview(menu: Mapping[str, str]) -> str:
    """All commands."""
    return "<b>我听得懂这些</b>\n" + "\n".join(f"/{name}：{what}" for name, what in menu.items())


def unknown(name: str) -> str:
    """No command of ours."""
    return f"没看懂。是想用 /{name} 吗？" + ("" if name == "help" else "全部命令见 /help")


def stats(counts: Counts, now: int) -> str:
    """For the owners; `now` in ms UTC."""
    waits = "没有待发消息"
    if counts.oldest is not None:
        overdue = length(max(0, now - counts.oldest) // MINUTE)
        waits = f"{counts.waiting}个会话待发或暂缓，最早的已逾期{overdue}"
    return f"会话{counts.chats}个，已失效{counts.closed}个\n{waits}"


def length(minutes: int) -> str:
    """Minutes as people say them."""
    if minutes >= _DAY_MINUTES and not minutes % _DAY_MINUTES:
        return f"{minutes // _DAY_MINUTES}天"
    hours, rest = divmod(minutes, HOUR // MINUTE)
    return "".join((f"{hours}小时" if hours else "", f"{rest}分钟" if rest or not hours else ""))


def _local(zone: str) -> str:
    """A zone's time by name: 北京时间, UTC+8时间."""
    name = zone_zh(zone)
    return name if name.endswith("时间") else f"{name}时间"


def _there(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1_000, clock(zone)).strftime("%H:%M")


def _kept(chat: Chat) -> str:
    count = len(chat.rules)
    parts = [
        f"{count}条规则" if count else "",
        "免打扰时段" if chat.quiet else "",
        "静音设置" if chat.muted_until else "",
        "语言设置",
        "尚未发出的消息",
    ]
    return listed([part for part in parts if part], "和", "、")
