"""What the bot may see of the rest of the service: a messenger, a store of chats, the market. Owns the shape only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from service.model import Alert, ContextReport, Episode, Reading, VenueReport
from service.sinks.telegram.outcome import Outcome
from service.subscribers import Chat, Rule

if TYPE_CHECKING:
    from service.bot.heard import Update

#: Rows of (label, data); data that begins with https:// is a link.
Buttons = Sequence[Sequence[tuple[str, str]]]
#: The message (HTML) a rule would bring, of an invented episode, headed TEST: from a language and the rule.
Sample = Callable[[str, Rule], str]


class Messenger(Protocol):
    """The messenger. A request is tried inside its limits and comes back as an outcome; `text` is HTML."""

    @property
    def name(self) -> str:
        """The bot's own name, without @."""
        ...

    async def send(
        self, chat: int, text: str, *, buttons: Buttons = (), reply_to: int | None = None, group: bool = False
    ) -> Outcome:
        """A new message; `reply_to` is the id of the one it answers."""
        ...

    async def edit(self, chat: int, message: int, text: str, *, buttons: Buttons = (), group: bool = False) -> Outcome:
        """Another text in place of a message's. The same text again is Delivered, too."""
        ...

    async def answer(self, callback: str, text: str = "") -> None:
        """Let go of a tapped button, with a short plain line over the chat. Never raises for one that is too old."""
        ...

    async def is_admin(self, chat: int, user: int) -> bool | None:
        """Whether a person may change what a group or channel is told; None when nobody can say just now."""
        ...

    async def updates(self, offset: int | None, timeout_s: float) -> Sequence[Update]:
        """What was said since; waits up to `timeout_s` for the first. `offset` lets go of everything before it."""
        ...


class Counts(Protocol):
    """How many there are, for the owners."""

    @property
    def chats(self) -> int:
        """Open ones."""
        ...

    @property
    def closed(self) -> int:
        """Chats nothing can be sent to any more."""
        ...

    @property
    def waiting(self) -> int:
        """Chats with something that is still to be told."""
        ...

    @property
    def oldest(self) -> int | None:
        """Since when the first of them has been due, ms UTC; None when none waits. It lies ahead while all are held."""
        ...


class Outbox(Protocol):
    """The store of chats. Every method may raise LedgerError."""

    async def chat(self, id: int) -> Chat | None:
        """What is kept of a chat; None when nothing is."""
        ...

    async def save(self, chat: Chat, now: int) -> None:
        """Keep a chat as it now is; what its new hours let through is told soon."""
        ...

    async def erase(self, id: int, now: int) -> bool:
        """Forget a chat with everything that waits for it; whether it was known."""
        ...

    async def move(self, old: int, new: int, now: int) -> None:
        """A group has become another chat: everything goes with it. Nothing happens when the old one is unknown."""
        ...

    async def counts(self) -> Counts:
        """How many there are."""
        ...


class House(Protocol):
    """The running service, read-only. What asks the store may raise LedgerError."""

    simulated: bool
    """True in a rehearsal: every answer says so."""
    venue_names: Sequence[str]
    """The enabled venues."""

    async def assets(self) -> Collection[str]:
        """Coins that had an order lately or have a floor of their own."""
        ...

    async def readings(self) -> Sequence[Reading]:
        """ALL and every coin with an order in the last hour, each with its coverage of `1h` where that is known."""
        ...

    def episodes(self) -> Sequence[Episode]:
        """Open episodes, largest first."""
        ...

    async def venues(self) -> Sequence[VenueReport]:
        """Every enabled venue."""
        ...

    def context(self, asset: str) -> ContextReport | None:
        """What stands beside an asset's liquidations, from memory; None while context is switched off."""
        ...

    async def last(self, limit: int) -> Sequence[Alert]:
        """The newest alerts people are told of, newest last."""
        ...
