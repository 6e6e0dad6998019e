"""How one source of context stands: what was asked and answered, what is wrong now, and the secrets kept out of it.

Says the first failure and the recovery, not what lies between. Asks nothing and judges no figure.
"""

import csv
import logging
import re
import zlib
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlsplit

import msgspec

from service import metrics
from service.context.source import Question, SourceError
from service.fetch import FetchError
from service.masking import LEAST, MASK, mask
from service.model import DecodeError, SourceReport
from service.venues.base import BUGS

log = logging.getLogger("cascade.context")

#: What a source may raise over an answer, by mistake too: it costs this answer of this source, never the others.
FAULTS: tuple[type[Exception], ...] = (
    SourceError,
    *BUGS,
    AssertionError,
    MemoryError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,  # of XML too
    csv.Error,
    msgspec.MsgspecError,
    zlib.error,
)
#: The kind of failure where there was an answer, and nobody could read it.
UNREAD = "unread"
_LONGEST = 240
_MOST_BUGS = 10
_TEXTS_OF_JSON = re.compile(r':\s*"([^"\\]+)"')


class Standing:
    """One row of `/context`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._address = ""
        self._asked_at: int | None = None
        self._answered_at: int | None = None
        self._changed_at: int | None = None
        self._failures = 0
        self._reason = ""
        self._bugs: set[str] = set()

    @property
    def failing(self) -> bool:
        """Whether nothing could be used the last time."""
        return self._failures > 0

    def asked(self, address: str, now: int) -> None:
        """A request goes out at `now` (ms UTC); `address` as people may see it."""
        self._address, self._asked_at = address, now
        metrics.CONTEXT_REQUESTS.labels(self._name).inc()

    def miss(self, kind: str) -> None:
        """Nothing of a request's answer could be used; `kind` is its HTTP status, `none`, or UNREAD."""
        metrics.CONTEXT_FAILURES.labels(self._name, kind).inc()

    def answered(self, now: int, *, changed: bool, reason: str = "") -> None:
        """An answer was used; `reason` says what else was wrong, if anything was."""
        if self._failures:
            log.info("%s answers again; it failed %d times in a row", self._name, self._failures)
        self._answered_at, self._failures, self._reason = now, 0, _printable(reason)
        if changed:
            self._changed_at = now

    def failed(self, reason: str) -> None:
        """Nothing at all could be used; what was known before stays."""
        self._failures += 1
        self._reason = _printable(reason)
        if self._failures == 1:
            log.warning("%s tells nothing new: %s", self._name, self._reason)

    def spoilt(self, error: Exception) -> str:
        """An answer could not be read: why, in words. What looks like a bug of ours is logged once, as one."""
        if isinstance(error, SourceError | DecodeError):
            return f"the answer is not what is documented: {error}"
        words = f"the answer cannot be read: {error!r}"
        if words not in self._bugs and len(self._bugs) < _MOST_BUGS:
            self._bugs.add(words)
            log.error("%s: its reader has a bug", self._name, exc_info=error)
        return words

    def report(self, every_s: float) -> SourceReport:
        """The row as it stands."""
        return SourceReport(
            name=self._name,
            address=self._address,
            every_s=every_s,
            asked_at=self._asked_at,
            answered_at=self._answered_at,
            changed_at=self._changed_at,
            failures=self._failures,
            reason=self._reason,
        )


def refusal(error: FetchError, question: Question) -> str:
    """Why there was no answer, for people: the address stands elsewhere, and a page of HTML explains nothing."""
    if error.status and error.said.lstrip().startswith("<"):
        return f"answered {error.status}"
    return hidden(str(error).removeprefix(mask(question.url)).strip(), question)


def hidden(text: str, question: Question) -> str:
    """A text without what was sent beside the path: a server may repeat a key in its refusal."""
    for word in sorted(set(_sent(question)), key=len, reverse=True):
        text = text.replace(word, MASK)
    return text


def _sent(question: Question) -> Iterable[str]:
    query = urlsplit(question.url).query
    words = [value for _, value in parse_qsl(query)] + [pair.partition("=")[2] for pair in query.split("&")]
    words += [*question.headers.values(), *_TEXTS_OF_JSON.findall(question.post)]
    return (word for word in words if len(word) >= LEAST)


def _printable(text: str) -> str:
    """In one line of bounded length, so that a server's words forge no line of our log."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST])
