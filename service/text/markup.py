"""The little HTML a messenger reads, and its limit: escaping, length as it is counted there, cutting at whole lines.

Everything that is not our own tag is foreign text and passes `plain` first. Pure; knows no alert and no language.
"""

import html
import re
from collections.abc import Sequence

#: Telegram's limit for a text, counted in UTF-16 units after its tags and entities are read.
MOST = 4_096
#: A body line beyond this holds a name nobody can read.
_LINE = 700
_TAG = re.compile(r"<[^>]*>")
_UTF16 = "utf-16-le"
_BYTES = 2


def units(marked: str) -> int:
    """The length of a marked text as the messenger counts it: UTF-16 units of what is left to read."""
    return _units(html.unescape(_TAG.sub("", marked)))


def plain(text: str) -> str:
    """A text on one line, of signs that can be seen: line ends, controls and hidden marks become a space."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def clipped(text: str, most: int) -> str:
    """A plain text of at most so many UTF-16 units; what was cut shows as an ellipsis."""
    if _units(text) <= most:
        return text
    cut = text.encode(_UTF16, "surrogatepass")[: _BYTES * (most - 1)]
    return f"{cut.decode(_UTF16, 'ignore').rstrip()}…"


def escaped(text: str, most: int = _LINE) -> str:
    """Foreign or finished text as a line of a marked one: plain, clipped, no sign of it a tag."""
    return html.escape(clipped(plain(text), most), quote=False)


def tagged(tag: str, text: str, most: int = _LINE) -> str:
    """The same inside a tag, `b` or `i`; of no text nothing."""
    inside = escaped(text, most)
    return f"<{tag}>{inside}</{tag}>" if inside else ""


def link(label: str, url: str) -> str:
    """A link; without an http(s) address nothing."""
    if not re.match(r"https?://\S+$", url):
        return ""
    return f'<a href="{html.escape(url)}">{escaped(label)}</a>'


def fitted(head: Sequence[str], body: Sequence[str], tail: Sequence[str], most: int = MOST) -> str:
    """Marked lines as one text; what is too long loses whole lines of its body, the last ones first."""
    kept = [line for line in body if line]
    while True:
        text = "\n".join([*filter(None, head), *kept, *tail]).strip("\n")
        if not kept or units(text) <= most:
            return text
        kept.pop()


def _units(text: str) -> int:
    return len(text.encode(_UTF16, "surrogatepass")) // _BYTES
