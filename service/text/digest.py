"""Many held alerts as one message: a line for each episode with its latest word, the newest last.

Owns which episodes are shown when they are too many (the gravest), and the order. Decides not why they were held.
"""

from collections.abc import Sequence
from enum import StrEnum

from service.model import Alert, Phase, Record, Severity
from service.text import facts
from service.text.amounts import span_on
from service.text.markup import escaped, link, tagged
from service.text.message import sign, voice
from service.text.zones import clock

#: More lines nobody reads on a telephone.
LINES = 25
#: Units of one: so many of them leave room for the heading.
_LINE = 150
_GRAVE = tuple(Severity)


class Reason(StrEnum):
    """Why the alerts come together."""

    QUIET = "quiet"
    """Daily quiet hours held them."""
    MUTE = "mute"
    """The chat was muted."""
    BURST = "burst"
    """They came faster than a chat may be written to."""


class Held(Record, frozen=True, kw_only=True):
    """What held the alerts, from when to when (ms UTC). The span is told on the clock of `zone`, as Asia/Shanghai.

    A zone the tz database does not have counts as UTC, and is called so.
    """

    reason: Reason
    since: int
    until: int
    zone: str = "UTC"


def digest(alerts: Sequence[Alert], language: str, held: Held, *, board_url: str = "") -> str:
    """Telegram HTML of at most 4,096 units. The times of the lines are UTC, as in every alert.

    Raises ValueError without alerts or for a language without words.
    """
    if not alerts:
        raise ValueError("a digest tells of at least one alert, and got none")
    words = voice(language)
    episodes: dict[str, list[Alert]] = {}
    for alert in sorted(alerts, key=lambda one: one.at):
        episodes.setdefault(alert.episode, []).append(alert)
    running = sum(told[-1].phase is not Phase.CLOSED for told in episodes.values())
    span = words.span(span_on(clock(held.zone), held.since, held.until), held.zone)
    heading = words.heading(held.reason, span, len(episodes), running)
    first = f"{words.simulation} " if any(alert.simulated for alert in alerts) else ""
    shown = sorted(sorted(episodes.values(), key=_weight)[-LINES:], key=lambda told: told[-1].at)
    left = len(episodes) - len(shown)
    lines = [
        escaped(f"{sign(told[-1])} {words.episode(told[-1], _at_peak(told, language), held.until)}", _LINE)
        for told in shown
    ]
    tail = [escaped(words.more(left)) if left else "", link(words.board, board_url)]
    return "\n".join(filter(None, [tagged("b", f"{first}{heading}"), *lines, *tail]))


def _weight(told: Sequence[Alert]) -> tuple[int, float]:
    return _GRAVE.index(told[-1].severity), told[-1].peak_usd


def _at_peak(told: Sequence[Alert], language: str) -> str:
    """The side's share where one of the alerts was written near the peak hour; later hours would tell their own."""
    near = [alert for alert in told if not facts.peak_elsewhere(alert) and alert.share is not None]
    if not near or near[-1].peak_usd * facts.ABOVE < told[-1].peak_usd:
        return ""
    return voice(language).share(near[-1])
