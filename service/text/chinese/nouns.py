"""The Chinese nouns of an alert: its kind, side, grade, market, share. Owns single phrases; no sentence."""

from collections.abc import Mapping, Sequence

from service.model import ALL, Alert, Kind, Side, spell
from service.text import facts
from service.text.amounts import percent, percents

KIND: Mapping[Kind, str] = {Kind.SHORT_SQUEEZE: "轧空", Kind.LONG_FLUSH: "多头踩踏"}
SIDE: Mapping[Side, str] = {Side.SHORT: "空单", Side.LONG: "多单"}
SPOKE: Mapping[str, str] = {"early": "快速升温", "level": "5分钟异常放量"}
BURST: Mapping[str, str] = {"early": "{spoke}，近5分钟{burst}", "level": "{spoke}，{burst}"}
_GRADE = ("", "显著", "重大", "严重", "极端", "历史级")
_BALANCE = {"whale": "，由少数大单构成", "mixed": "，单边不明显", "": ""}
_UNIT = {"day": "天", "week": "周", "month": "个月", "year": "年"}


def grade_zh(grade: int) -> str:
    """The name of a grade from 1 to 5; empty for a number that has none."""
    return _GRADE[grade] if 0 <= grade < len(_GRADE) else ""


def once_in_zh(days: float) -> str:
    """A return time in days as 约4个月一遇. Raises ValueError for what is no length of time."""
    count, unit = spell(days)
    return f"约{count}{_UNIT[unit]}一遇" if count else "一天不止一次"


def name(alert: Alert) -> str:
    """What it is, with its grade."""
    return f"{grade_zh(alert.grade)}{'多空双杀' if facts.two_sided(alert) else KIND[alert.kind]}"


def market(alert: Alert) -> str:
    """Where it is, and of what it is a part."""
    if alert.asset != ALL:
        return f"{alert.asset}（属{ALL}事件）" if alert.parent else alert.asset
    return f"{alert.coverage.venues}家交易所全币种" if alert.coverage else "记录中全币种"


def coins(alert: Alert) -> str:
    """Of which coins something is said."""
    return "全币种" if alert.asset == ALL else alert.asset


def floor(alert: Alert) -> str:
    """Said before a number that is one."""
    return "至少" if alert.at_least else ""


def share(alert: Alert) -> str:
    """The part of the episode's side."""
    part = facts.side_share(alert)
    return "多空占比未知" if part is None else f"{SIDE[alert.side]}占{percent(part)}"


def spread(alert: Alert) -> str:
    """Between what that part lies, with a warning where one side is not clear."""
    between = facts.side_range(alert)
    return f"（{percents(*between)}）{_BALANCE[facts.balance(alert)]}" if between else ""


def sentence(parts: Sequence[str]) -> str:
    """Parts as one sentence; of no parts none."""
    text = "；".join(part for part in parts if part)
    return f"{text}。" if text else ""
