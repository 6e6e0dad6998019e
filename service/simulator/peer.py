"""One client's connection as a venue server sees it. Owns sending, cutting and its topics; no venue's words."""

import asyncio
import re
import uuid
from collections import deque
from collections.abc import Callable, Mapping

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

#: A client that takes longer (real seconds) to take a frame is cut off, as OKX documents with its close code 4005.
PATIENCE_S = 30.0
#: How long (real seconds) a client may take to prove that it has every frame before it is cut by a fault.
PROOF_S = 5.0
_CLOGGED_BYTES = 2**15
_PONG = b"\x8a"
_POST = b"POST "
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})", re.IGNORECASE)


class Line(ServerConnection):
    """A server connection that can stop answering pings while everything else goes on, and that takes a POST."""

    mute: Callable[[], bool] = staticmethod(lambda: False)
    posted: bytes = b""
    """The body of the POST that came instead of a handshake."""
    _opening: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        """Put the body of a POST aside: the library reads handshakes, which have none, and refuses others."""
        if self._opening is not None:
            self._opening += data
            told = _apart(self._opening)
            if told is None:
                return
            self._opening = None
            data, self.posted = told
        super().data_received(data)

    def send_data(self) -> None:
        """Write what is due, without pongs while mute."""
        if self.mute():
            self.protocol.writes = [data for data in self.protocol.writes if data[:1] != _PONG]
        super().send_data()


class Peer:
    """A client: the line it dialled ("um", "linear", ...), what it is subscribed to, and when it last spoke."""

    def __init__(self, ws: ServerConnection, line: str, path: str, wire: Callable[[str], str | bytes]) -> None:
        self.ws = ws
        self.line = line
        self.path = path
        self._wire = wire
        self.id = str(uuid.uuid4())
        self.topics: dict[str, Mapping[str, str]] = {}
        self.combined = False
        self.gone = False
        self.asked: deque[int] = deque()
        self._loop = asyncio.get_running_loop()
        self.heard_at = self.told_at = self._loop.time()

    @property
    def clogged(self) -> bool:
        """Whether what was sent before is still waiting for the client to read."""
        return self.ws.transport.get_write_buffer_size() > _CLOGGED_BYTES

    def heard(self) -> None:
        """The client said something."""
        self.heard_at = self._loop.time()

    async def say(self, text: str) -> bool:
        """Send; whether the connection took it."""
        if self.gone:
            return False
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self.ws.send(self._wire(text))
        except ConnectionClosed:
            self.gone = True
            return False
        except TimeoutError:
            self.abort()
            return False
        self.told_at = self._loop.time()
        return True

    async def proved(self) -> bool:
        """Whether the client has taken every frame sent so far: a pong comes after all of them."""
        try:
            async with asyncio.timeout(PROOF_S):
                await (await self.ws.ping())
        except (ConnectionClosed, TimeoutError):
            return False
        return True

    def abort(self) -> None:
        """Cut the wire without a word."""
        self.gone = True
        self.ws.transport.abort()

    async def idle(self, patience_s: float, last: Callable[[], float]) -> None:
        """Return when `last` (loop time) is `patience_s` real seconds ago."""
        while True:
            left = last() + patience_s - self._loop.time()
            if left <= 0:
                return
            await asyncio.sleep(left)

    def flooding(self, now: int, most: int, window_ms: int) -> bool:
        """Count one more request at `now` (ms on the clock); whether it is one too many inside the window."""
        self.asked.append(now)
        while self.asked[0] <= now - window_ms:
            self.asked.popleft()
        return len(self.asked) > most


def _apart(received: bytes) -> tuple[bytes, bytes] | None:
    """A request without its body, and the body; None while some of it is still to come. Only a POST has one."""
    if not _POST.startswith(received[: len(_POST)]):
        return received, b""
    head, end, body = received.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    if not end or (length and int(length[1]) > len(body)):
        return None
    return _LENGTH.sub(b"", head) + end, body
