"""What somebody types as a rule, a coin, a link or a language -> values. Owns the words; answers nothing.

Words come in any order and in both languages. A word that is like one of ours but is not it is asked back, so that
`sqeeze` does not become a coin.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from service.model import ALL, Kind, Severity
from service.subscribers.amounts import looks_like_usd, plain, usd
from service.subscribers.chat import Rule
from service.subscribers.misread import Misread, Slip

#: Known before any order was seen, so that a fresh service understands its own links.
MAJORS = ("BTC", "ETH", "SOL")
LANGUAGES = ("en", "zh")
MOST_LETTERS = 15
#: Chinese names of coins take three bytes a letter, and a button carries 64.
MOST_BYTES = 24
_LINK = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LIKE = 0.8

_SQUEEZE, _FLUSH = Kind.SHORT_SQUEEZE, Kind.LONG_FLUSH
_WORDS: Mapping[str, tuple[str, Any]] = {
    **dict.fromkeys(("all", "market", "全市场", "全币种", "全部", "大盘"), ("asset", ALL)),
    **dict.fromkeys(("squeeze", "squeezes", "short_squeeze", "shorts", "short", "轧空", "空单"), ("kind", _SQUEEZE)),
    **dict.fromkeys(("flush", "flushes", "long_flush", "longs", "long", "多头踩踏", "踩踏", "多单"), ("kind", _FLUSH)),
    **dict.fromkeys(("watch", "关注"), ("severity", Severity.WATCH)),
    **dict.fromkeys(("warning", "预警"), ("severity", Severity.WARNING)),
    **dict.fromkeys(("critical", "紧急"), ("severity", Severity.CRITICAL)),
}


def rule(text: str, venues: Collection[str], known: Collection[str]) -> Rule:
    """The rule of `BTC squeeze 10M binance critical`, without an id; what is not said stays as in any rule.

    A coin that is named like a venue is meant where it is written in capitals and is `known`. Raises Misread for a word
    nobody can place, and where two words say the same thing.
    """
    found: dict[str, Any] = {}
    for word in text.replace("，", " ").replace("、", " ").split():
        field, value = _placed(word, venues, known)
        if found.setdefault(field, value) != value:
            raise Misread(Slip.TWICE, word)
    return Rule(id=0, **found)


def link(text: str, venues: Collection[str], known: Collection[str]) -> Rule | None:
    """The rule a deep link offers: `btc-30m`, `sol-5m-squeeze`, `all-critical`. None for one that says nothing of us.

    A word that is no known coin is somebody's mark on the link, not a coin.
    """
    if not _LINK.fullmatch(text):
        return None
    words = re.sub(r"(short|long)[-_](squeeze|flush)", r"\2", text.lower()).replace("_", "-").split("-")
    seen = {*known, *MAJORS, ALL}
    try:
        offered = rule(" ".join(word.upper() if word.upper() in seen else word for word in words), venues, seen)
    except Misread:
        return None
    said = [word for word in words if word]
    return offered if offered.asset in seen and said else None


def wish(text: str, venues: Collection[str], known: Collection[str]) -> Rule | None:
    """The rule a bare text means, when it names a known market and nothing that is no word of a rule; else None."""
    try:
        meant = rule(text, venues, known)
    except Misread:
        return None
    named = meant.asset in known or meant.asset in MAJORS or (meant != Rule(id=0) and meant.asset == ALL)
    return meant if named else None


def asset(text: str) -> str:
    """A coin's name in capitals. Raises Misread for what cannot be one."""
    name = plain(text).lstrip("#$").upper()
    if not (name.isalnum() and len(name) <= MOST_LETTERS and len(name.encode()) <= MOST_BYTES):
        raise Misread(Slip.ASSET, text)
    return name


def market(text: str) -> str:
    """A coin, or ALL by any of its names, in capitals. Raises Misread for what cannot be one."""
    meant = _WORDS.get(plain(text).lower())
    return ALL if meant == ("asset", ALL) else asset(text)


def language(code: str | None, default: str) -> str:
    """`zh` for a Chinese code of Telegram's (zh-hans, zh-TW), `en` for an English one, else the service's default."""
    head = (code or "").lower().replace("_", "-").partition("-")[0]
    return head if head in LANGUAGES else default


def _placed(word: str, venues: Collection[str], known: Collection[str]) -> tuple[str, Any]:
    """What a word says: the field of a rule, and its value."""
    name = plain(word)
    if name.upper() == word and word in known and name in venues:
        return "asset", word
    if name.replace("-", "_") in _WORDS:
        return _WORDS[name.replace("-", "_")]
    if name in venues:
        return "venue", name
    if looks_like_usd(word):
        return "usd", usd(word)
    return "asset", _coin(word, name, venues, known)


def _coin(word: str, name: str, venues: Collection[str], known: Collection[str]) -> str:
    coin = asset(word) if name.lstrip("#$").isalnum() else ""
    if coin in known or coin in MAJORS:
        return coin
    near = tuple(difflib.get_close_matches(name, [*_WORDS, *venues], cutoff=_LIKE))
    if near or not coin or not coin.isascii():
        raise Misread(Slip.WORD, word, near)
    return coin
