"""What the deliverer works with: the messenger, the words, the manners, the store. Owns shapes only."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from service.ledger import Ledger
from service.model import Alert
from service.outbox import Outbox
from service.sinks.telegram.courtesy import Courtesy
from service.sinks.telegram.outcome import Outcome
from service.sinks.telegram.patience import Patience
from service.subscribers import Chat


class Post(Protocol):
    """What can be asked of a messenger."""

    async def send(self, chat: int, text: str, *, reply_to: int | None = None) -> Outcome:
        """A new message."""
        ...

    async def edit(self, chat: int, message: int, text: str) -> Outcome:
        """Another text in an old one."""
        ...

    async def photo(self, chat: int, picture: bytes | str, caption: str, *, reply_to: int) -> Outcome:
        """A picture, by its bytes or by what it was called when it was first sent."""
        ...


class Words(Protocol):
    """What is said."""

    def message(self, alert: Alert, chat: Chat, late_ms: int) -> str:
        """An alert as a message."""
        ...

    def caption(self, alert: Alert, chat: Chat) -> str:
        """The line under a picture."""
        ...

    def digest(self, alerts: Sequence[Alert], chat: Chat, reason: str, since: int, until: int) -> str:
        """Many episodes as one message; times ms UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What the deliverer works with. `now` is the wall, ms UTC; `changed` returns when there may be news."""

    outbox: Outbox
    ledger: Ledger
    post: Post
    words: Words
    courtesy: Courtesy
    patience: Patience
    draw: Callable[[Alert], Awaitable[bytes]]
    now: Callable[[], int]
    changed: Callable[[float], Awaitable[None]]
    leads: Callable[[], bool]
