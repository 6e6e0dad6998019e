"""What a venue must say about itself: its sockets, its first words, what its frames mean, where its contracts stand.

A venue file owns its raw shapes, URLs, first words and the meaning of side, price and size. It opens no socket and
reads no clock. A new venue is one file beside this room, one row in `service/venues/__init__.py`, one fixture file.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from service.model import Completeness, FeedRule, Instrument, Print, Record, Ticker
from service.venues.base.history import History, Spoilt
from service.venues.base.tallies import Tallies
from service.venues.base.tickers import Tickers


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


class Told(Record, frozen=True, kw_only=True):
    """What a control stream tells beside being alive, read now and then: marks, funding, open interest."""

    tickers: tuple[Ticker, ...]


Event = Print | Spoilt | Subscribed | Refused | Say | Control | Pong | Leaving | Told


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
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with the handshake, for venues that choose a format by them."""
    heartbeat: Heartbeat | None = None
    control_max_age_s: float | None = None
    """Without a Control event for this long a healthy socket is `silent`."""
    lifetime_s: float | None = None
    """Replace the connection after this long, before the venue cuts it."""
    hello_gap_s: float = 0.0
    """Pause between two hello frames, for venues that limit client messages."""


class Session(Protocol):
    """One connection's state: made at dial, thrown away at close; there is nothing to reset."""

    def hello(self, now: int) -> Sequence[str]:
        """Frames to send on connect, in order; `now` ms UTC for venues whose requests carry the time."""
        ...

    def decode(self, frame: str | bytes, seen: int) -> Sequence[Event]:
        """What a frame means; control frames yield no Print. Frames come as text: the feed has unzipped them.

        A row with a refused value yields Spoilt in its place. Raises DecodeError, and nothing else, for a frame whose
        shape is not the documented one.
        """
        ...

    def farewell(self) -> Sequence[Print]:
        """Orders still held back for more of their story, when no frame will follow any more."""
        return ()


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
    usual_per_minute: ClassVar[float]
    """Orders a minute on a quiet day, measured or guessed: what silence is judged by before we know better."""
    by_side: ClassVar[bool] = False
    """Whether `rule` holds for longs and shorts of a contract apart, so that a second may show one of each."""
    fills: ClassVar[bool] = False
    """Whether it shows fills, of which one order may bring many: their sizes are no sizes of orders."""
    by_default: ClassVar[bool] = True
    """Whether `enabled = ["all"]` means this venue too."""
    history: ClassVar[History | None] = None
    """Its public history of liquidations, if it has one."""
    tallies: ClassVar[Tallies | None] = None
    """Its own published sums of liquidations, if it has any."""
    tickers: ClassVar[Tickers | None] = None
    """Its open interest, funding and mark prices, if it publishes any."""

    def completeness(self, at: int) -> Completeness:
        """What the public feed left out at time `at` (ms UTC)."""
        ...

    def rule(self, at: int) -> FeedRule:
        """Which orders of a second the feed showed at time `at` (ms UTC), by the venue's own documentation."""
        return FeedRule.COMPLETE if self.completeness(at) is Completeness.COMPLETE else FeedRule.UNKNOWN

    def catalogue(self, endpoints: Mapping[str, str]) -> Sequence[str]:
        """First URLs of the metadata endpoints; each may page on.

        None at all: no quantity here needs a multiplier, and `implied` tells every contract.
        """
        ...

    def instruments(self, body: bytes) -> tuple[list[Instrument], str | None]:
        """Contracts in one raw metadata body and the cursor of the next page, if any. Raises DecodeError."""
        ...

    def next_page(self, url: str, cursor: str) -> str:
        """The URL of the page behind `cursor`; most catalogues are one page."""
        del cursor
        return url

    def implied(self, symbol: str) -> Instrument | None:
        """What the symbol's form alone says, only where no multiplier is involved; None means metadata is needed."""
        del symbol
        return None

    def plans(self, endpoints: Mapping[str, str], instruments: Sequence[Instrument]) -> Sequence[Plan]:
        """The sockets to keep, none where history is the only feed.

        `instruments` come in order of first sight, so that old topics keep their socket.
        """
        ...

    def session(self, plan: Plan | None = None) -> Session:
        """A fresh session; without a plan it can decode any frame of this venue."""
        ...
