"""An alert as a message: a headline that does alone on a locked screen, a line for each thing worth knowing, how sure.

Owns the order of the lines, their marks, and what is left out when they are too many. The sign in front is filled
as far as it is severe: no arrow and no colour, which would be taken for a direction. Words are the languages'.
"""

from collections.abc import Mapping

from service.model import MINUTE, Alert, Phase, Severity
from service.text.chinese.message import CHINESE
from service.text.english.message import ENGLISH
from service.text.markup import clipped, escaped, fitted, link, plain, tagged
from service.text.voice import Voice

VOICES: Mapping[str, Voice] = {"en": ENGLISH, "zh": CHINESE}
SIGN: Mapping[Severity, str] = {Severity.WATCH: "○", Severity.WARNING: "◐", Severity.CRITICAL: "●"}
OVER = "✓"
#: Signs of a headline; more than four lines of a locked screen nobody sees.
HEADLINE = 140
#: A message that comes later than this (ms) says so: what it tells may have passed.
LATE_MS = 5 * MINUTE
#: Room for how sure it is, which always stays.
_SURE = 1_500


def voice(language: str) -> Voice:
    """The words of `en` or `zh`. Raises ValueError for another language."""
    if language not in VOICES:
        raise ValueError(f"no words in {language!r}; there are {', '.join(VOICES)}")
    return VOICES[language]


def sign(alert: Alert) -> str:
    """The severity as one sign, the fuller the more; a check where it is over."""
    return OVER if alert.phase is Phase.CLOSED else SIGN[alert.severity]


def headline(alert: Alert, language: str, *, trial: bool = False) -> str:
    """The first line as plain text of at most 140 signs: for captions, titles, lists. Raises ValueError as `voice`."""
    words = voice(language)
    first = words.trial if trial else words.simulation if alert.simulated else ""
    return clipped(plain(" ".join(filter(None, (first, sign(alert), words.headline(alert))))), HEADLINE)


def message(alert: Alert, language: str, *, board_url: str = "", late_ms: int = 0, trial: bool = False) -> str:
    """Telegram HTML (b, i, a) of at most 4,096 units; `late_ms` after the alert was written, `trial` as a test.

    Raises ValueError for a language without words.
    """
    words = voice(language)
    head = [
        tagged("b", headline(alert, language, trial=trial)),
        escaped(words.invented) if trial else "",
        escaped(words.late(late_ms)) if late_ms > LATE_MS else "",
    ]
    foot = " · ".join(filter(None, (escaped(words.foot(alert)), link(words.board, board_url))))
    sure = tagged("i", words.sure(alert), _SURE)
    return fitted(head, [escaped(line) for line in words.body(alert)], ["", *filter(None, (sure, foot))])
