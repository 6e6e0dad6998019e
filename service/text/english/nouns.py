"""The English nouns of an alert: its kind, side, grade, market, share. Owns single phrases; no sentence but `brief`."""

from collections.abc import Mapping, Sequence

from service.model import ALL, Alert, Kind, Side
from service.text import facts
from service.text.amounts import percent, percents, usd_en

KIND: Mapping[Kind, str] = {Kind.SHORT_SQUEEZE: "short squeeze", Kind.LONG_FLUSH: "long flush"}
SIDE: Mapping[Side, str] = {Side.SHORT: "shorts", Side.LONG: "longs"}
SPOKE: Mapping[str, str] = {"early": "fast growth", "level": "unusual 5 min"}
BURST: Mapping[str, str] = {"early": "{spoke}, {burst} in 5 min", "level": "{spoke} with {burst}"}
_GRADE = ("", "notable", "major", "severe", "extreme", "historic")
_BALANCE = {"whale": ", few large orders", "mixed": ", not clearly one side", "": ""}


def brief(alert: Alert) -> str:
    """The size of it in half a line, for lists."""
    spoke = f"{SPOKE[alert.rule]}, hour so far " if facts.filling(alert) else ""
    return f"{spoke}{floor(alert)}{usd_en(facts.total(alert))}, {share(alert)}"


def grade_en(grade: int) -> str:
    """The name of a grade from 1 to 5; empty for a number that has none."""
    return _GRADE[grade] if 0 <= grade < len(_GRADE) else ""


def name(alert: Alert) -> str:
    """What it is, with its grade."""
    return f"{grade_en(alert.grade)} {'two-sided cascade' if facts.two_sided(alert) else KIND[alert.kind]}".strip()


def market(alert: Alert) -> str:
    """Where it is, and of what it is a part."""
    if alert.asset != ALL:
        return f"{alert.asset}, part of the {ALL} episode" if alert.parent else alert.asset
    return f"all coins on {alert.coverage.venues} venues" if alert.coverage else "all coins recorded"


def coins(alert: Alert) -> str:
    """Of which coins something is said."""
    return "all coins" if alert.asset == ALL else alert.asset


def floor(alert: Alert) -> str:
    """Said before a number that is one."""
    return "at least " if alert.at_least else ""


def share(alert: Alert) -> str:
    """The part of the episode's side."""
    part = facts.side_share(alert)
    return "side unknown" if part is None else f"{percent(part)} {SIDE[alert.side]}"


def spread(alert: Alert) -> str:
    """Between what that part lies, with a warning where one side is not clear."""
    between = facts.side_range(alert)
    return f" ({percents(*between)}){_BALANCE[facts.balance(alert)]}" if between else ""


def sentence(parts: Sequence[str]) -> str:
    """Parts as one sentence with a capital; of no parts none."""
    text = "; ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""
