"""A local server of pages: answers as it was told, badly where that is wanted, and notes every request with its time."""

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator, Mapping
from typing import NamedTuple


class Asked(NamedTuple):
    """One request; `at` is time.monotonic, header names are in small letters."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Page(NamedTuple):
    """One answer. A page with an ETag or a Last-Modified answers 304 to a request that carries it."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = {}
    slow_s: float = 0.0
    """Passes before the first byte."""
    told_length: int | None = None
    """The Content-Length it announces, whatever its body is; -1 for none: the end is where the connection ends."""
    cut: bool = False
    """Hangs up in the middle of the body."""
    endless_s: float | None = None
    """The body comes again and again, with so many seconds in between, until the reader has enough."""


def packed(body: bytes, **headers: str) -> Page:
    return Page(gzip.compress(body), headers={"Content-Encoding": "gzip"} | headers)


class Pages:
    """Answers of a path in turn, the last one for ever; a path nobody wrote is 404."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.books: dict[str, list[Page]] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.connections = 0

    def put(self, path: str, *pages: Page) -> str:
        """From now on these answers; the address of the path."""
        self.books[path] = list(pages)
        return self.url + path

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def times(self) -> list[float]:
        return [one.at for one in self.asked]

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = line.split(" ")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest if one)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(time.monotonic(), method, path, headers, body))
        book = self.books.get(path) or self.books.get(path.partition("?")[0], [Page(b"no such page", 404)])
        page = book.pop(0) if len(book) > 1 else book[0]
        await asyncio.sleep(page.slow_s)
        return await self._say(writer, _unchanged(page) if _known(page, headers) else page)

    async def _say(self, writer: asyncio.StreamWriter, page: Page) -> bool:
        head = [f"HTTP/1.1 {page.status} said", *(f"{name}: {value}" for name, value in page.headers.items())]
        length = len(page.body) if page.told_length is None else page.told_length
        if page.endless_s is None and length >= 0:
            head.append(f"Content-Length: {length}")
        writer.write("\r\n".join([*head, "", ""]).encode())
        writer.write(page.body[: len(page.body) // 2] if page.cut else page.body)
        await writer.drain()
        while page.endless_s is not None:
            await asyncio.sleep(page.endless_s)
            writer.write(page.body)
            await writer.drain()
        return not page.cut and length == len(page.body)


def _known(page: Page, asked: Mapping[str, str]) -> bool:
    marks = (("ETag", "if-none-match"), ("Last-Modified", "if-modified-since"))
    return any(name in page.headers and asked.get(condition) == page.headers[name] for name, condition in marks)


def _unchanged(page: Page) -> Page:
    return page._replace(body=b"", status=304)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Pages]:
    pages = Pages()
    server = await asyncio.start_server(pages.accept, "127.0.0.1", 0)
    pages.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield pages
    finally:
        server.close()
        for task in list(pages.tasks):
            task.cancel()
        await asyncio.gather(*pages.tasks, return_exceptions=True)
        await server.wait_closed()
