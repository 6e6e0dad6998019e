"""Rules in Chinese: what one asks for, how one is made, what became of it."""

from collections.abc import Sequence

from service.bot.phrases import whole
from service.model import ALL, Kind, Severity
from service.subscribers import Rule
from service.text.amounts import level, usd_zh

_KIND = {Kind.SHORT_SQUEEZE: "只看轧空", Kind.LONG_FLUSH: "只看多头踩踏"}
_SEVERITY = {Severity.WARNING: "预警及以上", Severity.CRITICAL: "仅紧急"}

GREETING = (
    "<b>连环爆仓，一开始就告诉你。</b>\n"
    "我接收各衍生品交易所公开的爆仓数据。强平单集中出现时，我会发消息告诉你：发生了什么、至少多少金额、"
    "哪一边在爆、数据有多可靠。"
)
WELCOME = f"{GREETING}\n\n想看哪个市场？点一下就订阅好了。"
CHOOSE_MARKET = (
    "看哪个市场？\n\n"
    "其他币种直接输入：<code>/subscribe DOGE</code>。条件也可以一次写完："
    "<code>/subscribe BTC 轧空 1000万 binance 紧急</code>"
)
NO_RULES = "你还没有订阅规则，所以我什么也不会推送。"
_UNSEEN = "\n最近还没有见过这个币种的爆仓单，一出现就开始算。"


def dollars(usd: float) -> str:
    """A level somebody has set: 1,000万美元."""
    return level(usd_zh(usd))


def asset(name: str) -> str:
    """A market by its name on buttons."""
    return "全市场" if name == ALL else name


def rule(rule: Rule) -> str:
    """What a rule asks for: BTC：只看轧空，仅紧急，binance满1,000万美元."""
    venue = rule.venue or ""
    size = f"{venue}满{dollars(rule.usd)}" if rule.usd else ""
    led = f"由{venue}最先启动或占比最大" if venue and not rule.usd else ""
    kind = _KIND[rule.kind] if rule.kind else ""
    parts = [part for part in (kind, _SEVERITY.get(rule.severity, ""), size, led) if part]
    return f"{asset(rule.asset)}：{'，'.join(parts) or '所有连环爆仓'}"


def lines(rules: Sequence[Rule]) -> str:
    """One a line, by number."""
    return "\n".join(f"{one.id}. {whole(rule(one))}{'（已暂停）' if one.paused else ''}" for one in rules)


def welcome_back(rules: Sequence[Rule], more: int) -> str:
    """To somebody who is here already; `more` rules are not shown."""
    rest = f"\n另有{more}条，见 /rules" if more else ""
    return f"<b>你已订阅：</b>\n{lines(rules)}{rest}\n\n再点一下就能加一个市场。"


def offered(one: Rule) -> str:
    """A rule that came with a link."""
    return f"{GREETING}\n\n你打开的链接想订阅：\n<b>{whole(rule(one))}</b>"


def subscribed(one: Rule, unseen: bool, running: bool) -> str:
    """A rule was made; `running` when there is a cascade of it at the moment."""
    now = "眼下正有一波在进行，/status 可以看到。\n\n" if running else ""
    return (
        f"好了，以后推送给你：\n<b>{whole(rule(one))}</b>{_UNSEEN if unseen else ''}\n\n{now}要不要先看看消息长什么样？"
    )


def changed(one: Rule, unseen: bool) -> str:
    """A rule was changed."""
    return f"规则{one.id}已改为\n<b>{whole(rule(one))}</b>{_UNSEEN if unseen else ''}"


def twin(one: Rule) -> str:
    """The rule is there already."""
    paused = "\n它目前暂停着，可在 /rules 中恢复。" if one.paused else ""
    return f"这条你已经有了，是规则{one.id}：\n<b>{whole(rule(one))}</b>{paused}"


def full(most: int) -> str:
    """No room for another."""
    return f"每个会话最多{most}条规则，已经满了。删掉一条就能再加。"


def choose_venue(one: Rule) -> str:
    """The page of venues."""
    if one.usd:
        return f"要哪家交易所满{dollars(one.usd)}才推送？"
    return "要由哪家交易所最先启动或占比最大？"


def board(one: Rule) -> str:
    """The page on which a rule is put together."""
    return f"<b>{whole(rule(one))}</b>\n\n选好条件后，点最后一个按钮。"


def rules(shown: Sequence[Rule], page: int, pages: int) -> str:
    """A page of the list, its number from 1."""
    which = f"（第{page}页，共{pages}页）" if pages > 1 else ""
    return f"<b>你的规则{which}</b>\n{lines(shown)}"


def deleted(one: Rule) -> str:
    """A rule is gone."""
    return f"已删除：{whole(rule(one))}"
