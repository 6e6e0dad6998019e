"""A judge over a ledger, with everything it asks for made of real parts."""

from typing import Any

from service.detector import Rules
from service.pipeline import Boards, Judge, Recent, Sources


def judge_over(ledger: Any, rules: Rules, cover: Any = None, recent: Recent | None = None, **changes: Any) -> Judge:
    """`changes` go to Sources."""
    boards = Boards(ledger, lambda _now: "test")
    recent = recent or Recent(ledger)
    return Judge(Sources(ledger=ledger, rules=rules, recent=recent, boards=boards, cover=cover, **changes))
