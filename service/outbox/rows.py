"""The rows of the outbox: one for each alert and chat, from pending to sent or failed. Records only."""

from collections.abc import Mapping
from enum import StrEnum

from service.model import Record
from service.subscribers import Chat


class State(StrEnum):
    """What became of a row."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class Row(Record, frozen=True, kw_only=True):
    """One alert for one chat. Times are ms UTC of the wall: limits and quiet hours are the people's."""

    alert: str
    """Id of the alert."""
    episode: str
    queued: int
    """When it was put into the outbox."""
    state: State = State.PENDING
    held: bool = False
    """It waited for quiet hours or a mute to end: it is told in a digest."""
    chart: bool = False
    """It stands for the picture of the episode, not for its words."""
    tries: int = 0
    message: int | None = None
    """Id of the message that told it, once sent."""
    reason: str = ""
    """Why it failed for good; or of a sent one, how it was told (`digest`, `merged`)."""
    done: int | None = None


class Told(Record, frozen=True, kw_only=True):
    """What a chat was told of an episode: the message to edit or to answer. `message` is None while none was sent."""

    message: int | None = None
    digest: bool = False
    """It was told among others, in a digest: that message is answered, never edited."""
    severity: str = ""
    """As last told."""


class Box(Record, frozen=True, kw_only=True):
    """A chat that is due: who it is, its pending rows, oldest first, and what it was told of their episodes."""

    chat: Chat
    rows: tuple[Row, ...]
    told: Mapping[str, Told]
    """By episode; one that is missing was never told."""
    record: bytes = b""
    """The chat as it was stored when it was claimed: by it is seen whether it has changed since."""
    claim: int = 0
    """Until when the claim holds, ms UTC."""


class Turn(Record, frozen=True, kw_only=True):
    """What became of a chat's turn. `rows` settled ones, `stay` pending ones that changed or came, times ms UTC."""

    chat: int
    record: bytes
    """As in the box."""
    rows: tuple[Row, ...] = ()
    stay: tuple[Row, ...] = ()
    told: Mapping[str, Told] = {}
    """By episode."""
    free: int
    """When the chat may be addressed again."""
    due: int
    """When to look at what is left."""
    left: int
    """Pending rows that are left, as far as the caller knows."""
    words: int
    """Those of them that are no pictures: they are told first, to whomever they go."""


class Counts(Record, frozen=True, kw_only=True):
    """The outbox in numbers."""

    chats: int
    """Open ones."""
    closed: int
    waiting: int
    """Chats with pending rows."""
    oldest: int | None
    """When the first with words is due, ms UTC; it lies ahead while all are held. None when none waits for words."""


def key_of(row: Row) -> str:
    """A row's field in its box: its alert, or the picture of its episode."""
    return f"{row.episode}#chart" if row.chart else row.alert
