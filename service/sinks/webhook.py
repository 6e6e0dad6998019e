"""The webhook sink: every alert as JSON to an address of one's own, signed. How to verify it: config/README.md."""

import hashlib
import hmac
from typing import ClassVar
from urllib.parse import quote

import msgspec

from service.model import SECOND, Alert, unexplained
from service.sinks.base import Sink, Tools
from service.sinks.http import Hook

_PRINTABLE = "".join(chr(code) for code in range(33, 127) if chr(code) != "%")


class WebhookSink(Sink):
    """Posts the alert as `/alerts` shows it. `secret` is the key of the signature; empty sends none."""

    name: ClassVar[str] = "webhook"

    def __init__(self, url: str, secret: str, tools: Tools) -> None:
        self._hook = Hook(url, tools)
        self._secret = secret.encode()
        self._now = tools.now

    async def send(self, alert: Alert) -> None:
        """One POST; a repeated one has the same idempotency key and a timestamp of its own. Raises SinkError."""
        body = msgspec.json.encode(unexplained(alert))
        stamp = str(self._now() // SECOND)
        # ids name assets, and an asset may have a name no header can carry
        headers = {"Idempotency-Key": quote(alert.id, safe=_PRINTABLE), "X-Cascade-Timestamp": stamp}
        if self._secret:
            headers["X-Cascade-Signature"] = signature(self._secret, stamp, body)
        await self._hook.post(body, headers)


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of the timestamp, a dot and the body: an old body cannot be sent as a new one."""
    return "v1=" + hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
