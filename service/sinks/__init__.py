"""Where alerts go: the table of sinks. `name -> maker`; it is called with a sink's settings when they enable it."""

from collections.abc import Callable, Mapping
from typing import Any

from service.sinks.base import Sink, SinkError, Tools
from service.sinks.courier import Courier, reports
from service.sinks.discord import DiscordSink
from service.sinks.log import LogSink
from service.sinks.slack import SlackSink
from service.sinks.webhook import WebhookSink

#: What a maker gets is its own section, [sinks.<name>], whose shape only that sink knows, and the tools of all.
SINKS: Mapping[str, Callable[[Any, Tools], Sink]] = {
    LogSink.name: lambda _section, _tools: LogSink(),
    WebhookSink.name: lambda section, tools: WebhookSink(
        section.url.get_secret_value(), section.secret.get_secret_value(), tools
    ),
    SlackSink.name: lambda section, tools: SlackSink(section.url.get_secret_value(), section.language, tools),
    DiscordSink.name: lambda section, tools: DiscordSink(section.url.get_secret_value(), section.language, tools),
}

__all__ = ["SINKS", "Courier", "LogSink", "Sink", "SinkError", "Tools", "enabled", "reports"]


def enabled(sections: Any, tools: Tools) -> list[Sink]:
    """The sinks whose sections say `enabled`; `sections` has one by the name of each row of the table."""
    wanted = {name: section for name in SINKS if (section := getattr(sections, name)).enabled}
    return [SINKS[name](section, tools) for name, section in wanted.items()]
