"""Where alerts go: the table of sinks. `name -> maker`; `app` calls it with the sink's settings when they enable it."""

from collections.abc import Callable, Mapping
from typing import Any

from service.sinks.base import Sink, SinkError
from service.sinks.courier import Courier
from service.sinks.log import LogSink

#: What a maker gets is its own section, [sinks.<name>]; only that sink knows its shape.
SINKS: Mapping[str, Callable[[Any], Sink]] = {
    LogSink.name: lambda _section: LogSink(),
}

__all__ = ["SINKS", "Courier", "LogSink", "Sink", "SinkError"]
