"""What a sink is: one channel's wire format and limits. A new sink is one file here and one row in `__init__`."""

from typing import ClassVar, Protocol

from service.model import Alert


class SinkError(Exception):
    """A delivery failed. `permanent`: this alert will never be taken; else try again, after `retry_after` s if told."""

    def __init__(self, reason: str, *, permanent: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after


class Sink(Protocol):
    """One channel."""

    name: ClassVar[str]
    """Table row, metric label, settings section."""

    async def send(self, alert: Alert) -> None:
        """Deliver one alert. Raises SinkError."""
        ...
