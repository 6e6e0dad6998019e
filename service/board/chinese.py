"""The board in Chinese. Owns its words; numbers are written by `service.text`."""

from service.board.phrases import Columns, Controls, Phrases
from service.model import Coverage, Episode, FeedState, Liquidation, Side, Since
from service.text import grade_zh, percent, usd_zh
from service.text.amounts import multiple, when_utc
from service.text.chinese.nouns import KIND, SIDE
from service.text.chinese.standing import standing

_STAGE = {"running": "进行中", "fading": "正在减弱"}
_SEVERITY = {"watch": "关注", "warning": "预警", "critical": "紧急"}
_MILLIONS = "v => { const a = Math.abs(v); return a >= 1e8 ? a / 1e8 + '亿' : a >= 1e4 ? a / 1e4 + '万' : a; }"


def _share(short: float) -> str:
    return f"空单占{percent(short)}" if short >= 1 / 2 else f"多单占{percent(1 - short)}"


def _since(found: Since) -> str:
    if found.largest_since is None:
        return "有记录以来最大"
    unlike = "" if found.comparable else "（当时统计口径不同）"
    return f"{found.largest_since}以来最大的1小时{unlike}"


def _hidden(coverage: Coverage) -> str:
    names = "、".join(coverage.leaving_out)
    return f"{names}只公布一部分" if names else ""


def _kind(episode: Episode) -> str:
    return f"{grade_zh(episode.grade)}{KIND[episode.kind]}"


def _order(order: Liquidation) -> str:
    return SIDE[order.side]


CHINESE = Phrases(
    code="zh",
    title="爆仓监测",
    simulation="模拟演练：数据来自本机模拟的交易所，并非真实行情。",
    columns=Columns(
        time="时间（UTC）",
        venue="交易所",
        contract="合约",
        side="方向",
        usd="金额",
        longs="多单",
        shorts="空单",
        price="价格",
        heard="收到",
        state="状态",
        last_order="最近一单",
    ),
    controls=Controls(
        market="市场",
        other_language="English",
        other_code="en",
        skip="跳到数据",
        theme={"auto": "外观：跟随系统", "light": "外观：浅色", "dark": "外观：深色"},
        docs="接口",
    ),
    all_coins="全币种",
    usd=usd_zh,
    floor="至少",
    side={Side.LONG: "多单", Side.SHORT: "空单"},
    kind=_kind,
    severity=lambda word: _SEVERITY.get(word, word),
    numbers="关键数据",
    hour="近1小时爆仓",
    day="近24小时爆仓",
    share=_share,
    no_share="多空占比未知",
    nothing="没有爆仓单",
    usual="与平时相比",
    times=lambda times: f"{multiple(times)}倍",
    usual_is=lambda usd: f"该时段1小时常态：{usd_zh(usd)}",
    learning="常态水平还在积累中",
    since=_since,
    since_lately="一天内有过同样规模",
    since_when="历史还短，暂不评纪录",
    heard="数据覆盖",
    heard_hour="近1小时已收到",
    live=lambda coverage: f"{coverage.venues}家交易所中{coverage.venues_live}家在线",
    hidden=_hidden,
    bars="每分钟爆仓金额",
    bars_about="空单向上，多单向下，近两小时；灰色时段数据不全",
    bars_label=lambda market, usd: f"柱状图，{market}每分钟爆仓金额。近1小时{usd}。",
    price_of=lambda contract: f"价格（{contract}）",
    not_heard="未收到",
    as_table="以表格查看",
    millions=_MILLIONS,
    episodes="正在进行",
    no_episode="目前没有连环爆仓。",
    began=lambda at, now: f"{when_utc(at, now)}开始",
    stage=lambda episode: _STAGE.get(episode.stage, episode.stage),
    hour_usd=lambda usd: f"近1小时{usd}",
    part="属于全市场这一波",
    beside="市场背景",
    standing=standing,
    no_context="背景数据没有开启：不读取持仓量、资金费率、ETF流向和利率。",
    no_forecast="燃料反映拥挤程度，尚未证明有预测能力。未知不等于零。",
    alerts="最近提醒",
    no_alert="还没有提醒。",
    started="开始",
    new_alert=lambda words: f"新提醒：{words}",
    tape="最新爆仓单",
    no_order="近75分钟没有爆仓单。",
    order=_order,
    venues="交易所",
    states={
        FeedState.CONNECTING: "连接中",
        FeedState.LIVE: "在线",
        FeedState.SILENT: "无数据",
        FeedState.REFUSED: "拒绝连接",
        FeedState.DOWN: "断线",
    },
    socket=lambda socket, reason: f"{socket}：{reason}",
    stale="{time}起数据停止更新。以下为最后已知数据，正在重新连接。",
    waiting="正在等待第一批数据。",
    unready=lambda why: f"当前没有在监测：{why}",
    no_advice="只做测量，不提供建议，不预测价格。",
)
