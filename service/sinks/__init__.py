"""Where alerts go: the table of sinks. `name -> class`; each is made by `app` when its settings enable it."""

from collections.abc import Mapping

from service.sinks.base import Sink, SinkError
from service.sinks.courier import Courier
from service.sinks.log import LogSink

SINKS: Mapping[str, type[LogSink]] = {LogSink.name: LogSink}

__all__ = ["SINKS", "Courier", "LogSink", "Sink", "SinkError"]
