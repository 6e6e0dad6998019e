"""What a venue must say about itself, and the pure arithmetic all venues share.

A venue file owns its raw shapes, URLs, first words and the meaning of side, price and size. It opens no socket and
reads no clock. A new venue is one file here, one row in `__init__`, one fixture file.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Protocol

from service.model import Completeness, Contract, DecodeError, Instrument, Liquidation, Print, Record, Side


class Subscribed(Record, frozen=True, kw_only=True):
    """Every subscription of this connection has been accepted."""


class Refused(Record, frozen=True, kw_only=True):
    """The venue will not serve (part of) what was asked; `fatal` when nothing useful is left on this connection."""

    reason: str
    fatal: bool = True


class Say(Record, frozen=True, kw_only=True):
    """Send this text back on the connection now."""

    text: str


class Control(Record, frozen=True, kw_only=True):
    """The control stream of this connection spoke: the venue's data path is alive."""


class Pong(Record, frozen=True, kw_only=True):
    """The venue answered our text heartbeat."""


class Leaving(Record, frozen=True, kw_only=True):
    """The venue announced that it will close this connection: dial a successor first."""

    reason: str


Event = Print | Subscribed | Refused | Say | Control | Pong | Leaving


class Heartbeat(Record, frozen=True, kw_only=True):
    """Say `text` every `every_s` seconds (on the clock)."""

    text: str
    every_s: float


class Plan(Record, frozen=True, kw_only=True):
    """One socket to keep alive. `key` is stable over refreshes ("um", "linear-0"); durations in seconds."""

    venue: str
    key: str
    url: str
    topics: tuple[str, ...] = ()
    heartbeat: Heartbeat | None = None
    control_max_age_s: float | None = None
    """Without a Control event for this long a healthy socket is `silent`."""
    lifetime_s: float | None = None
    """Replace the connection after this long, before the venue cuts it."""
    hello_gap_s: float = 0.0
    """Pause between two hello frames, for venues that limit client messages."""


class Session(Protocol):
    """One connection's state: made at dial, thrown away at close; there is nothing to reset."""

    def hello(self) -> Sequence[str]:
        """Frames to send on connect, in order."""
        ...

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        """What a frame means. Raises DecodeError and nothing else; control frames yield no Print."""
        ...


class Venue(Protocol):
    """One table row. Stateless; everything mutable lives in a Session."""

    name: ClassVar[str]
    """Table row, metric label, fixture name."""
    docs: ClassVar[str]
    """The venue page the decode was written from."""
    endpoints: ClassVar[Mapping[str, str]]
    """Default URLs by key; config may override each."""
    dial_gap_s: ClassVar[float]
    """Least seconds between two dials to this venue, below its connect-rate limit."""
    about: ClassVar[str]
    """One sentence on what its feed leaves out, for people."""

    def completeness(self, at: int) -> Completeness:
        """What the public feed left out at time `at` (ms UTC)."""
        ...

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """First URLs of the metadata endpoints; each may page on."""
        ...

    def instruments(self, body: bytes) -> tuple[list[Instrument], str | None]:
        """Contracts in one raw metadata body and the cursor of the next page, if any. Raises DecodeError."""
        ...

    def next_page(self, url: str, cursor: str) -> str:
        """The URL of the page behind `cursor`."""
        ...

    def implied(self, symbol: str) -> Instrument | None:
        """What the symbol's form alone says, only where no multiplier is involved; None means metadata is needed."""
        ...

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """The sockets to keep. `instruments` in order of first sight, so that old topics keep their socket."""
        ...

    def session(self, plan: Plan | None = None) -> Session:
        """A fresh session; without a plan it can decode any frame of this venue."""
        ...


def digest(parts: Iterable[object]) -> str:
    """16 hex digits over the raw identifying fields of an event, as the venue spelt them."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def number(text: str, name: str, *, positive: bool = True) -> float:
    """A venue's decimal text as float. Raises DecodeError naming the field when it is no finite (positive) number."""
    try:
        value = float(text)
    except ValueError:
        raise DecodeError(f"{name} is not a number: {text[:40]!r}") from None
    if not math.isfinite(value) or (positive and value <= 0):
        raise DecodeError(f"{name} must be a finite number above 0, got {text[:40]!r}")
    return value


def side_of(word: str, words: Mapping[str, Side]) -> Side:
    """The position closed, from a venue's own word. Raises DecodeError listing the words it may say."""
    try:
        return words[word]
    except KeyError:
        allowed = ", ".join(words)
        raise DecodeError(f"side must be one of {allowed}, got {word[:40]!r}") from None


def settle(order: Print, instrument: Instrument) -> Liquidation:
    """Dollars and base units of an order, by its contract's own metadata."""
    units = order.quantity * instrument.size
    inverse = instrument.contract is Contract.INVERSE
    return Liquidation(
        venue=order.venue,
        symbol=order.symbol,
        asset=instrument.asset,
        side=order.side,
        price=order.price,
        quantity=units / order.price if inverse else units,
        usd=units if inverse else units * order.price,
        at=order.at,
        seen=order.seen,
        id=order.id,
    )
