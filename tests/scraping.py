"""A real Prometheus for tests: started on a free loopback port, asked over HTTP, stopped and reaped at the end."""

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROMETHEUS = shutil.which("prometheus")
PROMTOOL = shutil.which("promtool")
AMTOOL = shutil.which("amtool")


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fetch(url: str) -> bytes:
    """The body behind a loopback URL; raises OSError."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bytes(answer.read())


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 20) -> None:
    """Until the URL answers; fails with the log when the process ends or time runs out."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            fetch(url)
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer:\n{log.read_text()[-3000:]}")


@contextlib.contextmanager
def running(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended and reaped, its output in `log`."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


class Prometheus:
    """Questions to a running Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def series(self, expr: str) -> list[dict[str, Any]]:
        """What an expression returns now. Raises AssertionError with Prometheus' own words."""
        try:
            body = fetch(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expr})}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expr}: {error.read().decode()}") from None
        return list(json.loads(body)["data"]["result"])

    def history(self, expr: str, since: float) -> list[dict[str, Any]]:
        """What an expression returned each second since a time (unix seconds). Raises OSError."""
        asked = {"query": expr, "start": since, "end": time.time(), "step": "1s"}
        body = fetch(f"{self.url}/api/v1/query_range?{urllib.parse.urlencode(asked)}")
        return list(json.loads(body)["data"]["result"])

    def get(self, path: str) -> Any:
        """The data of any other endpoint."""
        return json.loads(fetch(f"{self.url}/api/v1/{path}"))["data"]


@contextlib.contextmanager
def prometheus(config: Path, *flags: str) -> Iterator[Prometheus]:
    """Prometheus on a configuration file; storage and log beside it."""
    assert PROMETHEUS
    port = free_port()
    command = [
        PROMETHEUS,
        f"--config.file={config}",
        f"--storage.tsdb.path={config.parent / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *flags,
    ]
    log = config.parent / "prometheus.log"
    with running(command, log) as process:
        wait_for(f"http://127.0.0.1:{port}/-/ready", process, log)
        yield Prometheus(f"http://127.0.0.1:{port}")


@contextlib.contextmanager
def scraping(base_url: str, folder: Path) -> Iterator[Prometheus]:
    """Prometheus that scrapes `base_url`/metrics every second."""
    config = folder / "prometheus.yml"
    target = urllib.parse.urlsplit(base_url).netloc
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: cascade, static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with prometheus(config) as asked:
        yield asked
