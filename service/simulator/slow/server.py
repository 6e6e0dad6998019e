"""The pages of slow sources on a local port: ETF flows and US rates, with validators and faults to order.

It knows where a page stands and how HTTP tells that it has not changed; what stands on it is the page's own file.
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Callable, Mapping
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qsl, unquote

from service.clock import Clock
from service.model import Record
from service.simulator.slow import fred

FRED_PATH = "/graph/fredgraph.csv"
#: Path -> whose flows stand there.
ETF_PATHS: Mapping[str, str] = {"/btc/": "BTC", "/eth/": "ETH", "/sol/": "SOL"}
_DAY_MS = 86_400_000
_FILLER = b"<!-- nothing more to say -->\n" * 2_000
_NUMBER = re.compile(rb"\d+\.\d+")
_NOT_FOUND = b"<!doctype html><html><title>404 Not Found</title><body>There is no such page.</body></html>\n"

EtfPage = Callable[[str, int], bytes]
"""An asset and ms UTC -> the page as it stood then."""


class Asked(Record, frozen=True, kw_only=True):
    """One request, at ms UTC on the clock; header names are lower case."""

    at: int
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
    """What it was answered with."""


class SlowPages:
    """Two web sites on one port. Every attribute below may be set at any time and holds until it is set again."""

    only: str = ""
    """Faults strike paths that begin so; empty for all."""
    status: int = 200
    """Answer with this status instead, and an HTML page."""
    retry_after: int = 0
    """Seconds that such an answer asks for; 0 asks for none."""
    delay_s: float = 0.0
    """Silence before each answer, seconds on the clock."""
    body: bytes | None = None
    """Answer with this in place of the page."""
    truncated: bool = False
    """Half of the page, told as the whole of it."""
    nan: bool = False
    """The last figure of the page is NaN."""
    stale: bool = False
    """The page of a day ago, as a cache in between would have it."""
    endless: bool = False
    """An answer that goes on until the client leaves."""

    def __init__(self, clock: Clock, etf: EtfPage) -> None:
        self.asked: list[Asked] = []
        """Every request, in order."""
        self.endpoints: dict[str, str] = {}
        """The addresses of the two sites, `etf` and `fred`, once started."""
        self._clock, self._etf = clock, etf
        self._seen: dict[str, tuple[str, int]] = {}
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    def times(self, path: str) -> list[int]:
        """When a path was asked for, ms UTC on the clock."""
        return [one.at for one in self.asked if one.path == path]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> dict[str, str]:
        """Listen; the addresses of the two sites, `etf` and `fred`. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, host, port)
        bound = self._server.sockets[0].getsockname()[1]
        at = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        self.endpoints = {"etf": at, "fred": at}
        return self.endpoints

    async def close(self) -> None:
        """Hang up on everybody and stop. What was asked can still be read; it may be started again."""
        if self._server is not None:
            self._server.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        """Started."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closed."""
        await self.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # a task of our own: one that asyncio made would report being cancelled as a mistake
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._answer((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"), writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        first, *rest = head.split("\r\n")
        method, _, target = first.rpartition(" ")[0].partition(" ")
        path, _, query = target.partition("?")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        at, fields, path = self._clock.now(), dict(parse_qsl(query)), unquote(path)
        struck = path.startswith(self.only)
        status, extra, body = self._page(path, fields, headers) if method == "GET" else (405, {"Allow": "GET"}, b"")
        if struck and self.status != HTTPStatus.OK:
            status, extra, body = self._refusal()
        self.asked.append(Asked(at=at, path=path, query=fields, headers=headers, status=status))
        if struck and self.delay_s:
            await self._clock.sleep(self.delay_s)
        await self._write(writer, status, extra, body, endless=struck and self.endless)

    def _refusal(self) -> tuple[int, dict[str, str], bytes]:
        words = HTTPStatus(self.status).phrase
        page = f"<!doctype html><html><title>{self.status} {words}</title><body>{words}</body></html>\n"
        return self.status, {"Retry-After": str(self.retry_after)} if self.retry_after else {}, page.encode()

    def _page(
        self, path: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        struck = path.startswith(self.only)
        now = self._clock.now() - (_DAY_MS if struck and self.stale else 0)
        try:
            body = self._told(path, query, now)
        except (LookupError, ValueError):
            return 404, {}, _NOT_FOUND
        if struck:
            body = self._bent(body)
        tag, changed = self._validators(f"{path}?{query}", body)
        extra = {"ETag": tag, "Last-Modified": formatdate(changed, usegmt=True)}
        return (304, extra, b"") if _known(headers, tag, changed) else (200, extra, body)

    def _told(self, path: str, query: Mapping[str, str], now: int) -> bytes:
        if path == FRED_PATH:
            return fred.page(now, [name for name in query.get("id", "").split(",") if name], query.get("cosd", ""))
        return self._etf(ETF_PATHS[path], now)

    def _bent(self, body: bytes) -> bytes:
        if self.body is not None:
            return self.body
        if self.nan and (found := list(_NUMBER.finditer(body))):
            body = body[: found[-1].start()] + b"NaN" + body[found[-1].end() :]
        return body[: len(body) // 2] if self.truncated else body

    def _validators(self, page: str, body: bytes) -> tuple[str, int]:
        tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        if self._seen.get(page, ("", 0))[0] != tag:
            self._seen[page] = tag, self._clock.now() // 1_000
        return self._seen[page]

    async def _write(
        self, writer: asyncio.StreamWriter, status: int, extra: Mapping[str, str], body: bytes, *, endless: bool
    ) -> None:
        kind = "text/html; charset=utf-8" if body.lstrip()[:1] == b"<" else "text/csv"
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Connection: close", f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in extra.items()]
        if not endless and status != HTTPStatus.NOT_MODIFIED:
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        await writer.drain()
        while endless:
            writer.write(_FILLER)
            await writer.drain()


def _known(headers: Mapping[str, str], tag: str, changed: int) -> bool:
    """Whether the client has the page already (RFC 9110, 13.2.2: a tag goes before a date)."""
    if "if-none-match" in headers:
        tags = [one.strip().removeprefix("W/") for one in headers["if-none-match"].split(",")]
        return tag in tags or "*" in tags
    try:
        return parsedate_to_datetime(headers.get("if-modified-since", "")).timestamp() >= changed
    except ValueError:
        return False
