"""What a venue must say about itself, and the pure arithmetic all venues share.

A venue file owns its raw shapes, URLs, first words and the meaning of side, price and size. It opens no socket and
reads no clock. A new venue is one file here, one row in `__init__`, one fixture file.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Protocol, TypeVar

import msgspec

from service.model import Completeness, Contract, DecodeError, Instrument, Liquidation, Print, Record, Side


class Subscribed(Record, frozen=True, kw_only=True):
    """Every subscription of this connection has been accepted."""


class Refused(Record, frozen=True, kw_only=True):
    """The venue will not serve (part of) what was asked; `fatal` ends a connection that was not accepted before."""

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


class Spoilt(Record, frozen=True, kw_only=True):
    """One row of a frame that nobody may count; the others stand. `detail` says which row and why."""

    detail: str


Event = Print | Spoilt | Subscribed | Refused | Say | Control | Pong | Leaving


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
        """What a frame means; control frames yield no Print.

        A row with a refused value yields Spoilt in its place. Raises DecodeError, and nothing else, for a frame whose
        shape is not the documented one.
        """
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


#: Coins a venue quotes in that count as one dollar. A contract quoted in anything else has no dollars we could state.
DOLLARS = frozenset({"USD", "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USD1", "USDE"})

_EARLIEST, _LATEST = 1_420_070_400_000, 4_102_444_800_000  # 2015 and 2100, ms UTC
_MOST = 1e15  # no venue's price, size or quantity comes near
_MOST_USD = 1e11  # one order cannot outweigh the whole open interest of a venue
_LONGEST_NAME = 64
_HEAD, _TAIL = 40, 16  # characters of a frame that `whole` looks at
_DIGEST = hashlib.blake2b(digest_size=8)

T = TypeVar("T")


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


def number(text: str, name: str) -> float:
    """A venue's decimal text as float. Raises DecodeError naming the field when it is no number above 0 and sane."""
    try:
        value = float(text)
    except ValueError:
        raise DecodeError(f"{name} is not a number: {text[:40]!r}") from None
    if not 0 < value < _MOST or "_" in text or not text.isascii():
        raise DecodeError(f"{name} must be a plain finite number above 0, got {text[:40]!r}")
    return value


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


def settle(order: Print, instrument: Instrument) -> Liquidation:
    """Dollars and base units of an order, by its contract's own metadata. Raises DecodeError above 100 billion USD."""
    units = order.quantity * instrument.size
    inverse = instrument.contract is Contract.INVERSE
    usd = units if inverse else units * order.price
    if not 0 < usd < _MOST_USD:
        raise DecodeError(f"{order.venue} {order.symbol}: {order.quantity} at {order.price} cannot be {usd} dollars")
    return Liquidation(
        venue=order.venue,
        symbol=order.symbol,
        asset=instrument.asset,
        side=order.side,
        price=order.price,
        quantity=units / order.price if inverse else units,
        usd=usd,
        at=order.at,
        seen=order.seen,
        id=order.id,
    )
