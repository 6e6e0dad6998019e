"""Words people read: an alert in a few short sentences, English and Chinese. Pure; sends nothing, decides nothing.

The first sentence alone must do: what, where, how much at least, which side. After it come how unusual that is, the
record, where it came from, price, course, what stood beside it, and how sure all of it is. What is not known is left
out or called unknown, never 0.

`why` is the alert as one paragraph, for programs and screens; `message`, `headline` and `digest` are what people are
sent.
"""

from service.model import Alert, Words
from service.text.amounts import clock_utc, percent, stamp_utc, usd_en, usd_zh
from service.text.chinese import chinese, grade_zh
from service.text.digest import Held, Reason, digest
from service.text.english import brief, english, grade_en
from service.text.message import VOICES, headline, message, sign
from service.text.sample import sample

#: The languages there are words in.
LANGUAGES = tuple(VOICES)

__all__ = [
    "LANGUAGES",
    "Held",
    "Reason",
    "brief",
    "clock_utc",
    "digest",
    "grade_en",
    "grade_zh",
    "headline",
    "message",
    "percent",
    "sample",
    "sign",
    "stamp_utc",
    "usd_en",
    "usd_zh",
    "why",
]


def why(alert: Alert) -> Words:
    """What happened, how much, how sure; numbers as the alert carries them."""
    return Words(en=english(alert), zh=chinese(alert))
