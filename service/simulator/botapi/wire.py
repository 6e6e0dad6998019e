"""HTTP as the messenger speaks it: requests off a socket, their fields and files, answers back. Knows no method.

A bare protocol on the C parser, since an application frame would cost more than all the rest of a request, and since a
connection must be closable without any answer.
"""

import asyncio
import email.policy
import time
from collections.abc import Awaitable, Callable
from email.parser import BytesParser
from http import HTTPStatus
from typing import cast
from urllib.parse import parse_qsl, unquote

import httptools
import msgspec

from service.model import Record

Fields = dict[str, str]
Files = dict[str, bytes]

_FORM = "application/x-www-form-urlencoded"
_MAX_BODY = 20_000_000


class Request(Record, frozen=True, kw_only=True):
    """One request, whole."""

    path: str
    query: str
    kind: str
    """Content-Type as sent; empty when there is none."""
    body: bytes
    at: float
    """When its last byte came, seconds of the monotonic clock."""

    def fields(self) -> tuple[Fields, Files]:
        """Parameters as text and uploaded files, by name. Raises ValueError for a body that is not what it says."""
        found: Fields = dict(parse_qsl(self.query, keep_blank_values=True))
        files: Files = {}
        kind = self.kind.partition(";")[0].strip().lower()
        if kind == _FORM:
            found |= parse_qsl(self.body.decode(), keep_blank_values=True)
        elif kind == "multipart/form-data":
            parts, files = _multipart(self.kind, self.body)
            found |= parts
        elif kind == "application/json" and self.body:
            found |= {
                name: _text(value) for name, value in msgspec.json.decode(self.body, type=dict[str, object]).items()
            }
        return found, files


class Reply(Record, frozen=True, kw_only=True):
    """One answer."""

    status: int
    body: bytes
    kind: str = "application/json"
    retry_after: int = 0
    """Seconds; 0 sends no such header."""

    def wire(self) -> bytes:
        """As it travels."""
        later = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\nContent-Type: {self.kind}\r\n"
            f"{later}Content-Length: {len(self.body)}\r\nConnection: keep-alive\r\n\r\n"
        )
        return head.encode() + self.body


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _multipart(kind: str, body: bytes) -> tuple[Fields, Files]:
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parsed = BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    if not parsed.is_multipart():
        raise ValueError(f"a multipart body needs the boundary its Content-Type names, got {kind!r}")
    fields: Fields = {}
    files: Files = {}
    for part in parsed.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise ValueError("a part of a multipart body has no name")  # noqa: TRY004  # the body is wrong, no type
        if part.get_filename() is None:
            fields[name] = content.decode()
        else:
            files[name] = content
    return fields, files


Answer = Callable[[Request], Awaitable[Reply | None]]
"""What becomes of a request; None closes the connection without a word."""


class Connection(asyncio.Protocol):
    """One client. Requests are answered one after the other; when the client goes, so does what it waited for."""

    def __init__(self, answer: Answer, peers: "set[Connection]") -> None:
        self._answer = answer
        self._peers = peers
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._asked: asyncio.Queue[Request] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._url = self._body = b""
        self._kind = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)  # what a stream server hands out
        self._peers.add(self)
        self._task = asyncio.get_running_loop().create_task(self._serve(self._transport))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # nobody is told why
        """It has gone."""
        if self._task is not None:
            self._task.cancel()
        self._peers.discard(self)

    def data_received(self, data: bytes) -> None:
        """Bytes off the wire."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            self.close()
            raise  # a mistake of ours, no client's
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.close()

    def on_message_begin(self) -> None:
        """Parser: a request begins."""
        self._url = self._body = b""
        self._kind = ""

    def on_url(self, url: bytes) -> None:
        """Parser: a piece of the path."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: one header."""
        match name.lower():
            case b"content-type":
                self._kind = value.decode("latin-1")
            case b"expect" if self._transport is not None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Parser: a piece of the body."""
        self._body += body
        if len(self._body) > _MAX_BODY:
            self.close()

    def on_message_complete(self) -> None:
        """Parser: a request is whole."""
        path, _, query = self._url.decode("latin-1").partition("?")
        self._asked.put_nowait(
            Request(path=unquote(path), query=query, kind=self._kind, body=self._body, at=time.monotonic())
        )

    def close(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def gone(self) -> None:
        """Hang up, and wait until nothing is left of it."""
        self.close()
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _serve(self, transport: asyncio.Transport) -> None:
        try:
            while (reply := await self._answer(await self._asked.get())) is not None:
                transport.write(reply.wire())
        finally:
            transport.abort()
