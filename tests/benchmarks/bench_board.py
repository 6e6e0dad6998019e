"""What open pages cost: CPU and memory of a running demo with none and with many of them.

    python tests/benchmarks/bench_board.py [--pages 100] [--seconds 20] [--speed 1]

A page is what a browser opens: the document is fetched, its socket stays connected and takes every update. At speed 1 the
demo runs like the real thing; at 60 every second is a minute of the evening, so that every page changes as a whole.
"""

import argparse
import asyncio
import contextlib
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import httpx
import socketio

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.test_board_browser import Demo

_QUERY = re.compile(r"query: \{'client_id': '([^']+)', 'next_message_id': (\d+)")
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def rss_mb(pid: int) -> float:
    kb = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kb[1]) / 1024 if kb else float("nan")


class Reader:
    """One open page."""

    def __init__(self) -> None:
        self.line = socketio.AsyncClient(reconnection=False)
        self.updates = 0
        self.bytes = 0
        self.line.on("update", self._update)

    async def open(self, http: httpx.AsyncClient, base: str) -> None:
        html = (await http.get("/", headers={"accept": "text/html"})).text
        found = _QUERY.search(html)
        assert found, "the page has no socket"
        query = f"client_id={found[1]}&next_message_id={found[2]}&implicit_handshake=true&tab_id={found[1]}&document_id={found[1]}"
        await self.line.connect(
            f"{base}?{query}", socketio_path="/board/_nicegui_ws/socket.io", transports=["websocket"]
        )

    def _update(self, message: object) -> None:
        self.updates += 1
        self.bytes += len(str(message))


async def measured(pid: int, seconds: float) -> tuple[float, float]:
    """Part of a core, MB."""
    began, used = time.monotonic(), cpu_s(pid)
    await asyncio.sleep(seconds)
    return (cpu_s(pid) - used) / (time.monotonic() - began), rss_mb(pid)


async def bench(demo: Demo, pages: int, seconds: float) -> None:
    pid, base = demo.process.pid, demo.url.rstrip("/")
    await asyncio.sleep(5)
    core, mb = await measured(pid, seconds)
    print(f"{0:>5} pages: {core:6.1%} of a core, {mb:6.1f} MB")
    readers = [Reader() for _ in range(pages)]
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as http:
        began = time.monotonic()
        for one in readers:
            await one.open(http, base)
        print(f"      opened one by one in {1000 * (time.monotonic() - began) / pages:.0f} ms each")
        await asyncio.sleep(3)
        before = sum(one.updates for one in readers), sum(one.bytes for one in readers)
        core, mb = await measured(pid, seconds)
        updates, size = sum(one.updates for one in readers) - before[0], sum(one.bytes for one in readers) - before[1]
        print(f"{pages:>5} pages: {core:6.1%} of a core, {mb:6.1f} MB")
        print(
            f"      {updates / pages / seconds:.2f} updates a second and page, {size / max(updates, 1) / 1000:.1f} kB each"
        )
        for one in readers:
            with contextlib.suppress(Exception):
                await one.line.disconnect()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--speed", type=float, nargs="*", default=[1, 60])
    args = parser.parse_args()
    for speed in args.speed:
        with tempfile.TemporaryDirectory() as folder:
            print(f"speed {speed:g}")
            demo = Demo(Path(folder), speed)
            try:
                asyncio.run(bench(demo, args.pages, args.seconds))
            finally:
                demo.stop()


if __name__ == "__main__":
    main()
