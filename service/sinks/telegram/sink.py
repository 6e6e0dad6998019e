"""The Telegram sink: an alert becomes rows of the outbox, one for each chat that wants it. Sends nothing itself."""

from collections.abc import Callable
from typing import ClassVar

from service.ledger import LedgerError
from service.model import Alert
from service.outbox import Outbox
from service.sinks.base import SinkError
from service.subscribers import wants


class TelegramSink:
    """Called by the courier, in the order of the archive; doing an alert twice adds nothing."""

    name: ClassVar[str] = "telegram"
    lines: ClassVar[bool] = True
    """A chat may want one coin only: it gets that coin's lines of the whole market's episode."""

    def __init__(self, outbox: Outbox, now: Callable[[], int], ring: Callable[[], None]) -> None:
        self._outbox = outbox
        self._now = now
        self._ring = ring

    async def send(self, alert: Alert) -> None:
        """Put it into the boxes. Raises SinkError when the store does not take it."""
        try:
            await self._outbox.post(alert, await self._who(alert), self._now())
        except LedgerError as error:
            raise SinkError(str(error), permanent=False) from None
        self._ring()

    async def _who(self, alert: Alert) -> list[int]:
        told = await self._outbox.told(alert.episode)
        parent = await self._outbox.told(alert.parent) if alert.parent else {}
        return [
            chat.id
            for chat in await self._outbox.chats()
            if wants(chat, alert, told=chat.id in told, parent_told=chat.id in parent)
        ]
