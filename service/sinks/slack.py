"""The Slack sink: an alert as one message by an incoming webhook. slack_sdk would be a large client for one JSON key.

Slack's markup is switched off, since contracts have names like `1000_BONK_`; `& < >` are escaped in any case.
"""

import re
from typing import ClassVar

import msgspec

from service.model import Alert
from service.sinks.base import Sink, Tools
from service.sinks.http import Hook, Said
from service.sinks.words import told

#: What Slack recommends at most; it cuts at 40,000.
MOST = 4_000
#: Its errors are words like `no_service` and `invalid_payload`; anything else is not quoted.
_WORD = re.compile(rb"[a-z]{1,20}(?:_[a-z]{1,20}){0,5}")


class SlackSink(Sink):
    """Posts the alert's words in one language."""

    name: ClassVar[str] = "slack"

    def __init__(self, url: str, language: str, tools: Tools) -> None:
        self._hook = Hook(url, tools, _said)
        self._language = language
        self._end = f"\n<{escape(tools.board_url)}>" if tools.board_url else ""

    async def send(self, alert: Alert) -> None:
        """One POST. Raises SinkError."""
        text = told(alert, self._language, escape, MOST, self._end)
        await self._hook.post(msgspec.json.encode({"text": text, "mrkdwn": False}))


def escape(text: str) -> str:
    """The three signs Slack wants escaped, and no others."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _said(body: bytes) -> Said:
    return Said(word=body.decode()) if _WORD.fullmatch(body) else Said()
