"""Formatted text: HTML as the messenger reads it into plain text and entities, and lengths as it counts them. Pure.

Offsets and lengths of entities, and the limits, are in UTF-16 code units of the text that is left; places in errors are
bytes of what was sent. Stricter than the messenger in one point: a bare `&` is refused, as its manual asks, where the
servers let it pass.
"""

import html
import re
from urllib.parse import urlsplit

from msgspec import structs

from service.model import Record
from service.simulator.botapi.answers import Refusal, bad

TEXT_UNITS = 4_096
CAPTION_UNITS = 1_024

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}
_ESCAPE = r"&(?:#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|lt|gt|amp|quot);"
_TOKEN = re.compile(
    r"<(?P<end>/?)(?P<name>[^\s<>/]*)(?P<rest>(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*)>"
    rf"|(?P<escape>{_ESCAPE})|<|&|[^<&]+"
)
_ATTRIBUTE = re.compile(r"\s+(?P<name>[\w-]+)(?:\s*=\s*(?:\"(?P<two>[^\"]*)\"|'(?P<one>[^']*)'|(?P<bare>[\w.-]+)))?")
_COMMAND = re.compile(r"(?<!\S)/[A-Za-z0-9_]{1,32}(?:@\w+)?(?!\w)")
#: Attributes that mean something, by tag.
_MEANT = {"a": "href", "code": "class"}


class Entity(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A stretch of text with a look or a meaning."""

    type: str
    offset: int
    length: int
    url: str = ""
    language: str = ""


class Formatted(Record, frozen=True, kw_only=True):
    """Text as people see it."""

    text: str
    entities: tuple[Entity, ...] = ()


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def plain(text: str) -> Formatted:
    """Text without a parse mode; commands in it become entities."""
    return _trimmed(text, commands(text))


def commands(text: str) -> list[Entity]:
    """The commands in a text."""
    return [
        Entity(type="bot_command", offset=units(text[: found.start()]), length=units(found[0]))
        for found in _COMMAND.finditer(text)
    ]


def parse(source: str) -> Formatted:
    """HTML as text and entities. Raises a 400 that says what is wrong and at which byte."""
    reading = _Reading(source)
    for token in _TOKEN.finditer(source):
        reading.take(token)
    reading.finish()
    text = "".join(reading.text)
    return _trimmed(text, [*reading.entities, *commands(text)])


def link(url: str) -> str:
    """What is wrong with an address behind a button or a word, empty when nothing is."""
    parts = urlsplit(url)
    if parts.scheme == "tg":
        return ""
    if parts.scheme not in ("http", "https"):
        return "Unsupported URL protocol" if parts.scheme else "Wrong HTTP URL"
    if not parts.hostname:
        return "URL host is empty"
    return "" if "." in parts.hostname.strip(".") or ":" in parts.hostname else "Wrong HTTP URL"


def _trimmed(text: str, entities: list[Entity]) -> Formatted:
    """Without the white space around it, as it is shown."""
    cut = units(text) - units(text.lstrip())
    text = text.strip()
    end = units(text)
    kept = []
    for entity in sorted(entities, key=lambda entity: (entity.offset, -entity.length)):
        start = min(max(entity.offset - cut, 0), end)
        length = min(entity.offset - cut + entity.length, end) - start
        if length > 0:
            kept.append(structs.replace(entity, offset=start, length=length))
    return Formatted(text=text, entities=tuple(kept))


class _Open(Record, frozen=True, kw_only=True):
    name: str
    kind: str
    offset: int
    argument: str
    start: int
    """Where its text begins among the pieces."""


class _Reading:
    """One pass over a source."""

    def __init__(self, source: str) -> None:
        self.text: list[str] = []
        self.entities: list[Entity] = []
        self._source = source
        self._open: list[_Open] = []
        self._length = 0

    def take(self, token: re.Match[str]) -> None:
        """The next piece."""
        word = token[0]
        if word[0] not in "<&":
            self._add(word)
        elif token["escape"]:
            self._add(html.unescape(word))
        elif word == "&":
            raise self._wrong("Unescaped & or unsupported HTML entity", token)
        elif word == "<":
            raise self._wrong("Unclosed start tag", token)
        elif token["end"]:
            self._close(token)
        else:
            self._begin(token)

    def finish(self) -> None:
        """Nothing may be left open."""
        if self._open:
            raise bad(f"can't parse entities: Can't find end tag corresponding to start tag \"{self._open[-1].name}\"")

    def _add(self, word: str) -> None:
        self.text.append(word)
        self._length += units(word)

    def _begin(self, token: re.Match[str]) -> None:
        name, rest = token["name"].lower(), token["rest"]
        said = {
            found["name"].lower(): found["two"] or found["one"] or found["bare"] or ""
            for found in _ATTRIBUTE.finditer(rest)
        }
        kind = "spoiler" if name == "span" and said.get("class") == "tg-spoiler" else _KINDS.get(name, "")
        if not kind:
            raise self._wrong(f'Unsupported start tag "{name}"', token)
        if _ATTRIBUTE.sub("", rest).strip():
            raise self._wrong("Unexpected end of name token", token)
        argument = re.sub(_ESCAPE, lambda found: html.unescape(found[0]), said.get(_MEANT.get(name, ""), ""))
        self._open.append(_Open(name=name, kind=kind, offset=self._length, argument=argument, start=len(self.text)))

    def _close(self, token: re.Match[str]) -> None:
        if not self._open:
            raise self._wrong("Unexpected end tag", token)
        begun = self._open.pop()
        name = token["name"].lower()
        if name not in ("", begun.name):
            raise self._wrong("Unmatched end tag", token, f', expected "</{begun.name}>", found "</{name}>"')
        if self._length > begun.offset:
            self._entity(begun)

    def _entity(self, begun: _Open) -> None:
        kind, offset, length = begun.kind, begun.offset, self._length - begun.offset
        url = language = ""
        match kind:
            case "text_link":
                url = begun.argument or "".join(self.text[begun.start :])
                if link(url):
                    return  # the words stay, the link is lost, as with the messenger
            case "code":
                language = begun.argument.removeprefix("language-")
            case "pre" if self.entities and self.entities[-1].type == "code":
                inner = self.entities[-1]
                if (inner.offset, inner.length) == (offset, length) and inner.language:
                    language = self.entities.pop().language
        self.entities.append(Entity(type=kind, offset=offset, length=length, url=url, language=language))

    def _wrong(self, what: str, token: re.Match[str], more: str = "") -> Refusal:
        return bad(f"can't parse entities: {what} at byte offset {len(self._source[: token.start()].encode())}{more}")
