"""What a venue must say about its public REST history, so that a gap in the socket can be filled. Pure.

The URL carries all there is to know: a page names the URLs that follow it, nothing is remembered between two of them.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from service.model import Instrument, Liquidation, Print, Record

_PLAIN = "-._~"


class Spoilt(Record, frozen=True, kw_only=True):
    """One row of a frame that nobody may count; the others stand. `detail` says which row and why."""

    detail: str
    reason: str = "decode"
    """Label of the count: `control` for what a control stream tells beside being alive, which costs no order."""


class Page(Record, frozen=True, kw_only=True):
    """What one answer held, and the addresses to ask next: further pages, or the halves of a window that was too full.

    Rows outside the window asked for may be among the orders: their ids make them count once.
    """

    orders: tuple[Print | Spoilt, ...]
    more: tuple[str, ...] = ()


class History(Protocol):
    """Where and how to ask. All durations in seconds on the clock."""

    reach_s: ClassVar[float]
    """A gap that began longer ago than this is never called healed, whatever the venue still shows."""
    delay_s: ClassVar[float]
    """Rows may appear this much later than they happened: a gap is asked for only when it is this old."""
    gap_s: ClassVar[float]
    """Least seconds between two requests, below the venue's rate limit."""
    poll_s: ClassVar[float | None] = None
    """For a venue without a socket: ask this often. None for all others."""

    def asks(
        self, endpoints: Mapping[str, str], instruments: Sequence[Instrument], since: int, until: int
    ) -> Sequence[str]:
        """First addresses that together hold everything from `since` to `until` (ms UTC)."""
        ...

    def read(self, url: str, body: bytes, seen: int) -> Page:
        """Orders of the answer to `url`, each with the id its live twin has. Raises DecodeError for another shape."""
        ...

    def same(self, order: Print, known: Liquidation) -> bool:
        """Whether a row is an order that came by the socket, for venues whose rows share no exact key with it."""
        del order, known
        return False


def address(base: str, **query: str | int) -> str:
    """An URL with its query, every value percent-encoded; an underscore at a name's end is dropped (`from_`)."""
    pairs = "&".join(f"{name.removesuffix('_')}={escape(str(value))}" for name, value in query.items())
    return f"{base}?{pairs}" if pairs else base


def query_of(url: str) -> dict[str, str]:
    """The query of an URL made by `address`."""
    _, _, text = url.partition("?")
    return {name: unescape(value) for name, _, value in (pair.partition("=") for pair in text.split("&") if pair)}


def asked_again(url: str, **query: str | int) -> str:
    """The same address with some values of its query replaced or added."""
    new = {name.removesuffix("_"): value for name, value in query.items()}
    return address(url.partition("?")[0], **{**query_of(url), **new})


def escape(text: str) -> str:
    """Percent-encoded UTF-8 (RFC 3986)."""
    return "".join(c if c.isascii() and (c.isalnum() or c in _PLAIN) else f"%{b:02X}" for c in text for b in c.encode())


def unescape(text: str) -> str:
    """The text that `escape` was given."""
    head, *parts = text.split("%")
    raw = head.encode() + b"".join(bytes.fromhex(part[:2]) + part[2:].encode() for part in parts)
    return raw.decode()
