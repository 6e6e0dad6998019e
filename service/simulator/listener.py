"""One port that speaks WebSocket and REST: it keeps the clients and the background tasks. Knows no venue's words."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from service.clock import Clock
from service.simulator.faults import Faults
from service.simulator.peer import Line, Peer

log = logging.getLogger("cascade.simulator")

_CLOSE_S = 0.3

Answer = tuple[int, object]
_TOO_MANY = {"code": 429, "msg": "too many requests"}


class Listener(ABC):
    """The socket side of a venue."""

    name: ClassVar[str]
    ENDPOINTS: ClassVar[Mapping[str, str]]
    """Key of the venue's endpoints -> URL, "{at}" standing for host and port."""
    max_request_bytes: ClassVar[int] = 1_000_000

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.clock = clock
        self.peers: list[Peer] = []
        self._faults = faults
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: Server | None = None
        self._asked = 0

    @abstractmethod
    def line(self, path: str) -> str | None:
        """Which line a socket path dials, None for a path the venue does not have."""

    @abstractmethod
    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """Answer a client's frame."""

    @abstractmethod
    async def attend(self, peer: Peer) -> None:
        """The venue's own timers on a connection: pings, idle and life limits. Returns when it has closed it."""

    @abstractmethod
    def rest(self, path: str, query: Mapping[str, str]) -> Answer:
        """Status and body of a GET."""

    def post(self, path: str, body: bytes) -> Answer:  # noqa: ARG002  # few venues have a path that wants a POST
        """Status and body of a POST."""
        return 405, "Method Not Allowed"

    def wire(self, text: str) -> str | bytes:
        """A text as it travels; most venues send text frames."""
        return text

    def opening(self, peer: Peer) -> list[str]:  # noqa: ARG002  # most venues read nothing else from a path
        """Topics that the path a client dialled asks for by itself."""
        return []

    @property
    def faults(self) -> Faults:
        """What goes wrong at the moment; may be set at any time."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        self._changed.set()

    @property
    def live(self) -> list[Peer]:
        """Clients that are still there."""
        return [peer for peer in self.peers if not peer.gone]

    def subscribe(self, peer: Peer, topics: Mapping[str, Mapping[str, str]]) -> None:
        """Topics the client gets from now on, each with what belongs to its frames."""
        peer.topics.update(topics)
        self._changed.set()

    async def shout(self, text: str) -> None:
        """Say the same to every client."""
        await asyncio.gather(*(peer.say(text) for peer in self.live))

    async def start(self, host: str, port: int = 0) -> dict[str, str]:
        """Listen; the venue's endpoints by key. Raises OSError when the port is taken."""
        self._server = await serve(
            self._serve,
            host,
            port,
            process_request=self._answer,
            create_connection=Line,
            compression=None,
            ping_interval=None,
            close_timeout=_CLOSE_S,
            max_size=self.max_request_bytes,
            logger=log,
        )
        bound = next(iter(self._server.sockets)).getsockname()[1]
        at = f"[{host}]:{bound}" if ":" in host else f"{host}:{bound}"
        return {key: url.format(at=at) for key, url in self.ENDPOINTS.items()}

    async def close(self) -> None:
        """Say good-bye to every client and stop, within a second. Raises what a background task died of."""
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for result in ended:
            if isinstance(result, Exception):
                raise result

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Run something beside the clients until the server closes."""
        self._tasks.add(asyncio.create_task(work))

    async def _serve(self, ws: ServerConnection) -> None:
        path = ws.request.path if ws.request else ""
        line = self.line(urlsplit(path).path)
        if self.faults.accept_then_close or line is None:
            return
        if isinstance(ws, Line):
            ws.mute = lambda: self.faults.mute_pongs
        peer = Peer(ws, line, path, self.wire)
        self.peers.append(peer)
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self.attend(peer))
                self.subscribe(peer, {topic: {} for topic in self.opening(peer)})
                await self._listen(peer)
                watch.cancel()
        except* ConnectionClosed as lost:
            log.debug("%s: client %s is gone: %s", self.name, peer.id, lost.exceptions[0])
        finally:
            self.peers.remove(peer)
            self._changed.set()

    async def _listen(self, peer: Peer) -> None:
        async for text in peer.ws:
            peer.heard()
            await self.hear(peer, text)

    def _answer(self, ws: ServerConnection, request: Request) -> Response | None:
        url = urlsplit(request.path)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            known = self.line(url.path) is not None
            return None if known else ws.respond(HTTPStatus.NOT_FOUND, f"no such path: {url.path}\n")
        self._asked += 1
        throttled = self.faults.throttle and self._asked % (self.faults.throttle + 1) == 0
        status, body = (429, _TOO_MANY) if throttled else self._answered(ws, request)
        payload = msgspec.json.encode(body)
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(payload))})
        if throttled:
            headers["Retry-After"] = "2"
        headers["Connection"] = "close"
        return Response(status, HTTPStatus(status).phrase, headers, payload)

    def _answered(self, ws: ServerConnection, request: Request) -> Answer:
        url = urlsplit(request.path)
        if request.method == "POST" and isinstance(ws, Line):
            return self.post(url.path, ws.posted)
        return self.rest(url.path, dict(parse_qsl(url.query)))
