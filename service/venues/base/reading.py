"""Raw fields read: the arithmetic all venues share, and its refusals. Pure; knows no venue's words."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from service.model import DecodeError, Side

#: Coins a venue quotes in that count as one dollar. A contract quoted in anything else has no dollars we could state.
DOLLARS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD1", "USDE"})

_EARLIEST, _LATEST = 1_420_070_400_000, 4_102_444_800_000  # 2015 and 2100, ms UTC
_MOST = 1e15  # no venue's price, size or quantity comes near
_LONGEST_NAME = 64
_HEAD, _TAIL = 40, 16  # characters of a frame that `whole` looks at
_DIGEST = hashlib.blake2b(digest_size=8)

T = TypeVar("T")
#: What a reader of a venue's answers may raise by mistake: it costs the answer, never the service.
BUGS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def parse(decoder: msgspec.json.Decoder[T], frame: str | bytes) -> T:
    """A frame as typed raw fields. Raises DecodeError saying where it departs from them."""
    try:
        return decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError(str(error)) from None


def whole(frame: str | bytes, shapes: Iterable[tuple[str, tuple[str, ...]]]) -> bool:
    """Whether a frame opens and closes as one of these (opening, closings) does, and so need not be decoded.

    A frame that was cut short does not close; blanks behind the end do not matter.
    """
    ends = (frame[:_HEAD], frame[-_TAIL:])
    opening, closing = (end if isinstance(end, str) else end.decode("latin-1") for end in ends)
    return any(opening.startswith(first) and closing.rstrip(" \t\r\n").endswith(last) for first, last in shapes)


def digest(parts: Iterable[object]) -> str:
    """16 hex digits over the raw identifying fields of an event, as the venue spelt them."""
    state = _DIGEST.copy()  # half the price of a new one, and this is half the price of an order
    state.update("\x1f".join([str(part) for part in parts]).encode())
    return state.hexdigest()


def number(value: str | float, name: str) -> float:
    """A venue's decimal, text or JSON number, as float.

    Raises DecodeError naming the field when it is no plain finite number above 0.
    """
    if isinstance(value, str):
        try:
            found = float(value)
        except ValueError:
            raise DecodeError(f"{name} is not a number: {value[:40]!r}") from None
        if "_" in value or not value.isascii():
            found = math.nan
    else:
        found = value if isinstance(value, float) else _float(value)
    if not 0 < found < _MOST:
        raise DecodeError(f"{name} must be a plain finite number above 0, got {str(value)[:40]!r}")
    return found


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def spelt(value: str | float) -> str:
    """A number in one spelling (5, 5.0 and "5.00" are "5"), for identities of rows that two doors spell differently."""
    return format(Decimal(str(value)).normalize(), "f")


def moment(value: int | str, name: str) -> int:
    """A venue's time in ms UTC. Raises DecodeError when it is no whole number of ms between 2015 and 2100."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(_LATEST))):
            raise DecodeError(f"{name} must be whole milliseconds, got {value[:40]!r}")
        value = int(value)
    if not _EARLIEST <= value < _LATEST:
        raise DecodeError(
            f"{name} must be milliseconds between 2015 and 2100, got {value if value < _MOST else 'more'}"
        )
    return value


def moment_of_any(value: float | str, name: str) -> int:
    """A time in seconds, ms, us or ns, told apart by its size, as ms UTC; for venues that changed their unit.

    A fraction is cut off. Raises DecodeError.
    """
    found = number(value, name)
    for unit, ceiling in ((1_000.0, 1e11), (1.0, 1e14), (1e-3, 1e17)):
        if found < min(ceiling, _MOST):
            return moment(int(found * unit), name)
    return moment(int(found), name)


def moment_of_text(value: str, name: str) -> int:
    """An ISO 8601 time with its zone as ms UTC. Raises DecodeError."""
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise DecodeError(f"{name} must be an ISO 8601 time with its zone, got {value[:40]!r}")
    return moment(round(found.timestamp() * 1_000), name)


def contract_name(text: str, name: str) -> str:
    """A venue's contract name, unchanged. Raises DecodeError when nothing could be listed under it."""
    if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
        raise DecodeError(f"{name} is no contract name: {text[:40]!r}")
    return text


def side_of(word: str, words: Mapping[str, Side]) -> Side:
    """The position closed, from a venue's own word. Raises DecodeError listing the words it may say."""
    try:
        return words[word]
    except KeyError:
        allowed = ", ".join(words)
        raise DecodeError(f"side must be one of {allowed}, got {word[:40]!r}") from None


def shards(topics: Iterable[str], room: int, *, quotes: int) -> list[list[str]]:
    """Topics in their order, in runs of at most `room` characters where each costs its length and its `quotes`."""
    runs: list[list[str]] = []
    left = 0
    for topic in topics:
        if len(topic) + quotes > left:
            runs.append([])
            left = room
        runs[-1].append(topic)
        left -= len(topic) + quotes
    return runs
