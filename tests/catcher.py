"""A local receiver of webhooks: notes every request as it came over a real socket, and answers as it was told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple


class Caught(NamedTuple):
    line: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """Status 0 hangs up without a word; `slow_s` passes between the head and the body."""

    status: int = 200
    headers: str = ""
    body: bytes = b"ok"
    slow_s: float = 0


class Catcher:
    """Answers with the replies in turn, the last one for ever."""

    def __init__(self) -> None:
        self.port = 0
        self.replies = [Reply()]
        self.caught: list[Caught] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(headers.get("Content-Length", "0")))
            self.caught.append(Caught(head[0], headers, body))
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            if reply.status:
                length = f"Content-Length: {len(reply.body)}\r\nConnection: close\r\n"
                writer.write(f"HTTP/1.1 {reply.status} said\r\n{reply.headers}{length}\r\n".encode())
                await writer.drain()
                await asyncio.sleep(reply.slow_s)
                writer.write(reply.body)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def catching() -> AsyncIterator[Catcher]:
    catcher = Catcher()
    server = await asyncio.start_server(catcher.serve, "127.0.0.1", 0)
    catcher.port = server.sockets[0].getsockname()[1]
    try:
        yield catcher
    finally:
        server.close()
        await server.wait_closed()
