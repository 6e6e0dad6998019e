"""An alert in Chinese. Owns the order of the sentences; what is worth saying is picked in `facts`."""

from service.model import Alert
from service.text.chinese.backdrop import backdrop
from service.text.chinese.event import course, event, record, unheard, unusual
from service.text.chinese.nouns import grade_zh, once_in_zh
from service.text.chinese.sure import sure
from service.text.chinese.where import beside, where

__all__ = ["chinese", "grade_zh", "once_in_zh"]


def chinese(alert: Alert) -> str:
    """The sentences, the most important first."""
    sentences = [
        "【模拟数据】" if alert.simulated else "",
        unheard(alert),
        event(alert),
        unusual(alert),
        record(alert),
        where(alert),
        beside(alert),
        course(alert),
        *backdrop(alert),
        sure(alert),
    ]
    return "".join(sentences)
