"""Requests a second of GET /alerts, whole page and 304, beside a bare ASGI application that sends the same bytes.

Run `python -m tests.benchmarks.bench_api`. Server and clients are two processes; the two servers take turns in one run,
so compare the ratios, best those of the CPU, not the figures of two days. Goal: a fifth of the bare limit by CPU; the
routing of FastAPI takes most of the rest.
"""

import asyncio
import socket
import statistics
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from service import api
from service.api.answer import etag
from service.ledger.memory import MemoryLedger
from tests.stage import Stage, alert

T = TypeVar("T")
ALERTS = 50
CONNECTIONS = 32
SECONDS = 2.0
ROUNDS = 3
GOAL = 1 / 5


def bare(body: bytes) -> ASGIApp:
    """Nothing but the answer."""
    tag = etag(body).encode()
    common = [(b"etag", tag), (b"cache-control", b"no-cache")]
    full = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *common]

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        known = any(name == b"if-none-match" and value == tag for name, value in scope["headers"])
        await send(
            {"type": "http.response.start", "status": 304 if known else 200, "headers": common if known else full}
        )
        await send({"type": "http.response.body", "body": b"" if known else body})

    return app


async def serve(kind: str) -> None:
    """Serve until killed; the port goes to stdout."""
    stage = Stage()
    stage.ledger = MemoryLedger()
    await stage.say(*(alert(number) for number in range(ALERTS)))
    door = api.build(stage)
    if kind == "bare":
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://door") as client:
            door = bare((await client.get("/alerts")).content)
    config = uvicorn.Config(door, log_config=None, access_log=False, lifespan="off")
    listener = socket.create_server(("127.0.0.1", 0))
    # asyncio sets this only on sockets that name their protocol; without it every body waits 40 ms for an ack
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(listener.getsockname()[1], flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer; every answer has the same length."""

    def __init__(self, request: bytes, length: int) -> None:
        self.answers = 0
        self._request, self._length, self._got = request, length, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got += len(data)
        if self._got >= self._length:
            self._got -= self._length
            self.answers += 1
            self._transport.write(self._request)

    def stop(self) -> None:
        self._transport.abort()


async def measure(port: int, pid: int, tag: str | None) -> tuple[float, float]:
    """Requests a second, and CPU microseconds of the server for each."""
    lines = [b"GET /alerts HTTP/1.1", b"Host: door", *([b"If-None-Match: " + tag.encode()] if tag else [])]
    request = b"\r\n".join([*lines, b"", b""])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.sleep(0.3)
    length = len(await reader.read(1_000_000))
    writer.close()
    loop = asyncio.get_running_loop()
    before, began = cpu(pid), loop.time()
    askers = [
        (await loop.create_connection(lambda: Asker(request, length), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(SECONDS)
    count, elapsed, spent = sum(asker.answers for asker in askers), loop.time() - began, cpu(pid) - before
    for asker in askers:
        asker.stop()
    return count / elapsed, spent / count * 1e6


def run(work: Coroutine[Any, Any, T]) -> T:
    """On the event loop the service runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def cpu(pid: int) -> float:
    """CPU seconds a process has used; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def start(kind: str) -> tuple[subprocess.Popen[str], int]:
    """A server process and its port."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_api", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, int(process.stdout.readline())


def main() -> bool:
    """Print the table; True when the goal is met."""
    servers = {kind: start(kind) for kind in ("bare", "door")}
    results: dict[tuple[str, str], list[tuple[float, float]]] = {}
    try:
        page = httpx.get(f"http://127.0.0.1:{servers['door'][1]}/alerts")
        size = len(page.content)
        for _ in range(ROUNDS):
            for name, given in (("200", None), ("304", page.headers["etag"])):
                for kind, (process, port) in servers.items():
                    results.setdefault((kind, name), []).append(run(measure(port, process.pid, given)))
    finally:
        for process, _ in servers.values():
            process.kill()
            process.communicate()
    print(f"GET /alerts, {ALERTS} alerts, {size} bytes, {CONNECTIONS} connections, median of {ROUNDS} x {SECONDS:g} s")
    middle = {key: tuple(map(statistics.median, zip(*rounds, strict=True))) for key, rounds in results.items()}
    for name in ("200", "304"):
        (limit, limit_cpu), (ours, ours_cpu) = middle["bare", name], middle["door", name]
        print(
            f"{name}: bare {limit:7,.0f}/s {limit_cpu:5.0f} us   door {ours:7,.0f}/s {ours_cpu:5.0f} us   "
            f"ratio {ours / limit:.2f} (by CPU {limit_cpu / ours_cpu:.2f})"
        )
    return all(middle["bare", name][1] >= GOAL * middle["door", name][1] for name in ("200", "304"))


if __name__ == "__main__":
    if sys.argv[1:] in (["bare"], ["door"]):
        run(serve(sys.argv[1]))
    else:
        raise SystemExit(not main())
