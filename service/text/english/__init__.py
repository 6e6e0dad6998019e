"""An alert in English. Owns the order of the sentences; what is worth saying is picked in `facts`."""

from service.model import Alert
from service.text.english.backdrop import backdrop
from service.text.english.event import course, event, record, unheard, unusual
from service.text.english.nouns import brief, grade_en
from service.text.english.sure import sure
from service.text.english.where import beside, where

__all__ = ["brief", "english", "grade_en"]


def english(alert: Alert) -> str:
    """The sentences, the most important first."""
    sentences = [
        "SIMULATION." if alert.simulated else "",
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
    return " ".join(sentence for sentence in sentences if sentence)
