"""The records of a subscriber: a chat, its rules, its quiet hours. Owns their meaning; matches and stores nothing.

A chat is a person, a group or a channel of a messenger. Nothing is kept of people but what stands here.
"""

from service.model import ALL, Kind, Record, Severity


class Rule(Record, frozen=True, kw_only=True):
    """One wish of a chat: tell me of these episodes. Every condition must hold; None is any."""

    id: int
    """Counts up inside the chat, from 1."""
    asset: str = ALL
    """A coin, or ALL for the whole market."""
    kind: Kind | None = None
    severity: Severity = Severity.WATCH
    """The least severity."""
    usd: float | None = None
    """The least dollars of the running (or peak) hour; with a venue, of that venue's part."""
    venue: str | None = None
    """Only what this venue leads or holds the largest part of; with `usd`, what has that much on it."""
    paused: bool = False


class Quiet(Record, frozen=True, kw_only=True):
    """Daily hours in which alerts are held, by a clock on the wall. `start` = `end` is all day."""

    start: int
    """Minutes after midnight at which they begin."""
    end: int
    """Minutes after midnight at which they end; before `start` they run over midnight."""
    zone: str
    """Name of the tz database, as Asia/Shanghai."""
    critical: bool = False
    """Let what is critical through."""


class Chat(Record, frozen=True, kw_only=True):
    """One subscriber. `id` is the messenger's own; negative for groups and channels, as Telegram counts them."""

    id: int
    language: str = "en"
    """`en` or `zh`."""
    rules: tuple[Rule, ...] = ()
    quiet: Quiet | None = None
    muted_until: int | None = None
    """ms UTC; nothing passes until then."""
    group: bool = False
    """A group or a channel: slower limits, and only admins may change it."""
    closed: str = ""
    """Why nothing is sent any more (the bot was blocked, the chat is gone); empty while it is open."""
    next_rule: int = 1
    """Id of the next rule; ids are never used twice in a chat."""
