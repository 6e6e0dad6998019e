"""The Discord sink: an alert as one message by a channel's webhook. discord-webhook would be a client for one JSON key.

Nobody is pinged and no markup is read, whatever a contract is called. How long to wait stands in the body, exactly.
"""

import math
import re
from typing import ClassVar

import httpx
import msgspec

from service.model import Alert
from service.retry import WAIT_MOST_S
from service.sinks.base import Sink, Tools
from service.sinks.http import Hook, Said
from service.sinks.words import told

#: Characters of one message.
MOST = 2_000
_MARKUP = re.compile(r"[\\*_~`|<>\[\]#@]|^[-+]")


class _Refusal(msgspec.Struct):
    """What we read of Discord's own errors: a number, and of a 429 the seconds to wait."""

    code: int | None = None
    retry_after: float | None = None


class DiscordSink(Sink):
    """Posts the alert's words in one language."""

    name: ClassVar[str] = "discord"

    def __init__(self, url: str, language: str, tools: Tools) -> None:
        # only with `wait` does it tell whether the message was made
        self._hook = Hook(str(httpx.URL(url).copy_set_param("wait", "true")), tools, _said)
        self._language = language
        self._end = f"\n<{tools.board_url}>" if tools.board_url else ""  # in <> it unfolds no preview

    async def send(self, alert: Alert) -> None:
        """One POST. Raises SinkError."""
        text = told(alert, self._language, escape, MOST, self._end)
        await self._hook.post(msgspec.json.encode({"content": text, "allowed_mentions": {"parse": []}}))


def escape(text: str) -> str:
    """A backslash before everything Discord would read as markup."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _said(body: bytes) -> Said:
    try:
        found = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Said()  # a proxy in front of it speaks HTML
    wait = found.retry_after
    return Said(
        word=f"code {found.code}" if found.code else "",
        wait=min(wait, WAIT_MOST_S) if wait is not None and wait >= 0 and math.isfinite(wait) else None,
    )
