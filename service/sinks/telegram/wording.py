"""What a chat is told, in its language: the words of the house, with this messenger's marks. Decides nothing."""

from collections.abc import Sequence
from html import escape

from service.model import Alert
from service.subscribers import Chat
from service.text import Held, Reason, digest, headline, message


class Wording:
    """Messages of one service; `board_url` is where its board stands, empty when nobody can be sent there."""

    def __init__(self, board_url: str) -> None:
        self._board = board_url

    def message(self, alert: Alert, chat: Chat, late_ms: int) -> str:
        """An alert as a message."""
        return message(alert, chat.language, board_url=self._board, late_ms=late_ms)

    def caption(self, alert: Alert, chat: Chat) -> str:
        """The line under a picture."""
        return escape(headline(alert, chat.language), quote=False)

    def digest(self, alerts: Sequence[Alert], chat: Chat, reason: str, since: int, until: int) -> str:
        """Many episodes as one message; times ms UTC, told on the chat's own clock where it has one."""
        zone = chat.quiet.zone if chat.quiet else "UTC"
        held = Held(reason=Reason(reason), since=since, until=until, zone=zone)
        return digest(alerts, chat.language, held, board_url=self._board)
