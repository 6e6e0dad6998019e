"""The log sink: every alert one line in the service's own log, for journald and people who tail."""

import logging
from typing import ClassVar

from service.model import Alert
from service.sinks.base import Sink

log = logging.getLogger("cascade.alerts")


class LogSink(Sink):
    """Writes `phase severity id: sentence`."""

    name: ClassVar[str] = "log"

    async def send(self, alert: Alert) -> None:
        """Never fails."""
        log.warning("%s %s %s: %s", alert.phase, alert.severity, alert.id, alert.why.en)
