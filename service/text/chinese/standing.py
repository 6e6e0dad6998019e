"""What stands beside the market now, in Chinese: single facts, each with its age or date. No advice, no forecast."""

from collections.abc import Mapping

from service.model import ContextReport, Side
from service.text.amounts import signed, usd_zh
from service.text.standing import RATE_DIGITS, Fact, Voice, facts

_WORD: Mapping[str, str] = {"low": "低", "raised": "偏高", "high": "高", "extreme": "极高"}
_LEAN: Mapping[str, str] = {"lower": "较政策利率偏低", "unchanged": "与政策利率相近", "higher": "较政策利率偏高"}
_UNIT: Mapping[str, str] = {"min": "分钟", "h": "小时", "d": "天"}


def standing(report: ContextReport) -> tuple[Fact, ...]:
    """All that is known, and what is not."""
    return facts(report, _VOICE)


def _ago(count: int, unit: str) -> str:
    return f"{count}{_UNIT[unit]}前" if count else "不到1分钟前"


def _score(score: int, word: str | None) -> str:
    return f"{score}分（满分100）{f'，{_WORD.get(word, word)}' if word else ''}"


def _moved(hour: float | None, day: float | None) -> str:
    spans = (("1小时", hour), ("24小时", day))
    return f"按币计{'，'.join(f'{name}{signed(pct, 1)}%' for name, pct in spans if pct is not None)}"


def _rate(part: float) -> str:
    shown = round(100 * part, RATE_DIGITS)
    pays = "多头付给空头" if shown > 0 else "空头付给多头" if shown < 0 else "互不支付"
    return f"每8小时{signed(shown, RATE_DIGITS) if shown else '0'}%，{pays}"


def _flow(usd: float) -> str:
    if not round(usd):
        return "流入流出相抵"
    return f"净流{'入' if usd > 0 else '出'}{usd_zh(abs(usd))}"


def _streak(days: int, least: bool) -> str:
    return f"{'至少' if least else ''}连续{abs(days)}个交易日净流{'入' if days > 0 else '出'}"


def _two_year(yields: float, date: str, word: str) -> str:
    of = f"（{date}）" if date else ""
    return f"2年期国债收益率{yields:.2f}%{of}，{_LEAN.get(word, word)}"


def _meeting(date: str, days: int | None) -> str:
    in_days = "" if days is None else "，就在今天" if days == 0 else f"，还有{days}天"
    return f"下次美联储议息会议{date}结束{in_days}"


_VOICE = Voice(
    unknown="未知",
    old=lambda reason: f"数据已旧：{reason}" if reason else "数据已旧",
    ago=_ago,
    oldest=lambda age: f"最旧数据{age}",
    fuel={Side.SHORT: "轧空燃料", Side.LONG: "多头踩踏燃料"},
    score=_score,
    interest=lambda asset: f"{asset}持仓量",
    at_least=lambda usd: f"至少{usd_zh(usd)}",
    moved=_moved,
    venues=lambda count: f"{count}家交易所",
    funding=lambda asset: f"{asset}资金费率",
    rate=_rate,
    etf=lambda asset: f"美国{asset}现货ETF",
    flow=_flow,
    day=lambda date: f"美东时间{date}当天",
    streak=_streak,
    unfinished="部分基金尚未公布",
    policy="美联储政策利率",
    target=lambda low, high: f"{low:.2f}%至{high:.2f}%",
    of=lambda date: f"截至{date}",
    two_year=_two_year,
    meeting=_meeting,
)
