"""Addresses and logs as people may see them. The only place that knows which part of a text may be a secret."""

import logging
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

MASK = "***"
#: Shorter ones are not looked for: they would blacken half of the words of a log.
LEAST = 6
#: The last part of a path is a secret by itself from this length on; `alerts` or `webhook` is a word.
_TOKEN_LIKE = 16
#: A bot's token gives itself away wherever somebody puts it.
_TOKEN = re.compile(r"\d{5,20}:[A-Za-z0-9_-]{30,}", re.ASCII)
#: Options of an address that are secrets by their name; those of a webhook are secrets all.
_TELLING = {"password", "username", "token", "secret", "key"}


def mask(text: str) -> str:
    """A text whose URL, if it is one, has lost everything before its host and everything behind a `?` or `#`."""
    scheme, sep, rest = _TOKEN.sub(MASK, text).partition("://")
    if not sep:
        return scheme
    at = rest.rfind("@")
    if re.search("[?#]", rest[: max(at, 0)]):
        return f"{scheme}://{MASK}"  # nobody can say where such a password ends
    host, *tail = re.split("[?#]", rest[at + 1 :], maxsplit=1)
    user = f"{MASK}@" if at >= 0 else ""
    return f"{scheme}://{user}{host}{'?' + MASK if tail else ''}"


def host_of(url: str) -> str:
    """`https://host/***`: all that may be told of an address whose path is the secret."""
    scheme, _, rest = url.partition("://")
    head, *tail = re.split("[/?#]", rest, maxsplit=1)
    if ":" in head and "@" not in head and "@" in "".join(tail):
        return f"{scheme}://{MASK}"  # what looks like a port may be the beginning of a password
    return f"{scheme}://{head.rpartition('@')[2]}/{MASK}"


def secrets_of(settings: BaseModel) -> tuple[str, ...]:
    """What no log may show: every SecretStr; of one that is an address its path, options and password, not its host."""
    return tuple(sorted({piece for text in _values(settings.model_dump()) for piece in _pieces(text)}))


def _values(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case dict():
            yield from (text for item in value.values() for text in _values(item))
        case list() | tuple():
            yield from (text for item in value for text in _values(item))


def _pieces(text: str) -> Iterator[str]:
    try:
        url = urlsplit(text)
    except ValueError:
        url = urlsplit("")
    if not url.netloc:
        found = [text]
    else:
        web = url.scheme in ("http", "https")
        options = parse_qsl(url.query)
        found = [url.password or url.username or "", *(value for name, value in options if web or name in _TELLING)]
        last = url.path.rpartition("/")[2]
        found += (
            [url.path, url.query, last if len(last) >= _TOKEN_LIKE else ""] if web else [text if url.password else ""]
        )
    yield from (piece for piece in map(unquote, found) if len(piece.strip("/")) >= LEAST)


class Scrubber(logging.Formatter):
    """Another formatter's text, tracebacks included, without the secrets: plain, in a repr, or encoded for a URL."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self.inner = inner
        self.secrets = frozenset(secrets)
        longest_first = sorted(self.secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(["".join(map(_spellings, secret)) for secret in longest_first]) or "(?!)")

    def format(self, record: logging.LogRecord) -> str:
        """The line as it may be written."""
        return self._pattern.sub(_blackened, self.inner.format(record))


def _spellings(letter: str) -> str:
    encoded = "".join(f"%{byte:02x}" for byte in letter.encode())
    plain = re.escape(letter) if letter not in "\\'\"" else rf"\\?{re.escape(letter)}"
    return (
        f"(?:(?i:{encoded})|{plain}{'|[+]' if letter == ' ' else ''})"  # encoded first: `%` is the beginning of `%25`
    )


def _blackened(found: re.Match[str]) -> str:
    return f"/{MASK}" if found[0].startswith("/") else MASK


def scrub(secrets: Iterable[str], logger: logging.Logger | None = None) -> None:
    """Let no handler the logger has by now (the root one by default) write a secret, nor one that was named before."""
    for handler in (logger or logging.getLogger()).handlers:
        form = handler.formatter or logging.Formatter()
        known = form if isinstance(form, Scrubber) else Scrubber(form, ())
        handler.setFormatter(Scrubber(known.inner, known.secrets.union(secrets)))
