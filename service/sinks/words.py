"""What messengers are told: an alert's words, cut at whole sentences, and where the board is. Words nothing itself."""

import re
from collections.abc import Callable

from service.model import Alert

#: Up to a full stop with a blank behind it in English, to one alone in Chinese; a point inside a number ends nothing.
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s)\s*|[。！？]\s*|$)")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")


def length(text: str) -> int:
    """Characters as messengers count them: those outside the basic plane count as two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def told(alert: Alert, language: str, escape: Callable[[str], str], most: int, end: str = "") -> str:
    """The alert's sentences in `language` (en or zh), each escaped, as many as fit into `most` characters with `end`.

    `end` is markup already and always there; of a first sentence that is too long by itself its beginning stays.
    """
    words = _BLANKS.sub(" ", getattr(alert.why, language)).strip()
    room = most - length(end)
    text = ""
    for sentence in _SENTENCE.findall(words):
        longer = text + escape(sentence)
        if length(longer.rstrip()) > room:
            break
        text = longer
    return (text.rstrip() or _cut(words, escape, room)) + end


def _cut(words: str, escape: Callable[[str], str], room: int) -> str:
    words = words[:room]  # escaping makes nothing shorter
    while words and length(escape(words)) >= room:
        words = words[:-1]  # before escaping, so that no escape is cut in two
    return f"{escape(words)}…" if words else ""
