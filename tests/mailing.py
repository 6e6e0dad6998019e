"""One market-wide critical alert to thousands of subscribers, by the real service and a Bot API server that counts; then everything is compared.

    python -m tests.mailing --chats 5000                      nothing fails
    python -m tests.mailing --chats 5000 --faults --kills 2   5 % of requests fail, and the service is killed twice

The service is `cascade run` with its own limits, in real time: 5,000 chats at 25 messages a second are 200 s for the words and as
much for the pictures. Exit 1 when somebody got nothing, got something twice without reason, or a limit was broken.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from service.ledger.embedded import EmbeddedServer
from service.ledger.redis import RedisLedger
from service.model import ALL, Severity
from service.outbox import Outbox
from service.simulator.botapi import BotServer, Faults
from service.subscribers import Chat, Rule
from tests.postman import TOKEN
from tests.test_text import OPENED

ROOT = Path(__file__).resolve().parent.parent
FAULTS = Faults(too_many=0.02, retry_after_s=3, internal=0.015, gateway=0.005, lost=0.005, dropped=0.005, seed=7)
#: Who died so long before or after the server took a message has not heard the answer: it may have been on its way.
ANSWER_S = 0.1
#: One in so many chats is a group, and speaks Chinese.
GROUPS, CHINESE = 50, 3
_CONFIG = """
[service]
data_dir = "{home}"
[venues]
enabled = ["binance"]
[context]
enabled = false
[venues.binance.endpoints]
[api]
port = 0
[sinks]
board_url = "http://board.example"
[sinks.telegram]
token = "{token}"
api_url = "{url}"
"""


class Service:
    """`cascade run`, which may be killed and started again."""

    def __init__(self, home: Path, store: str, url: str) -> None:
        self._config = home / "mailing.toml"
        self._log = home / "mailing.log"
        self._config.write_text(_CONFIG.format(home=home / "data", token=TOKEN, url=url.removesuffix("/bot")))
        self._env = {**os.environ, "REDIS_URL": store}
        self.process: subprocess.Popen[bytes] | None = None
        self.kills: list[float] = []

    def start(self) -> None:
        command = [sys.executable, "-m", "service", "run", "--config", str(self._config)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._env, stdout=log, stderr=log)

    async def stop(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            if how is signal.SIGKILL:
                self.kills.append(time.monotonic())
            await asyncio.to_thread(self.process.wait)

    def log(self) -> str:
        return self._log.read_text()


async def subscribe(server: BotServer, outbox: Outbox, chats: int) -> list[int]:
    names = []
    for number in range(1, chats + 1):
        group = number % GROUPS == 0
        name = -number if group else number
        (server.group(name, title=f"group {number}") if group else server.private(name))
        language = "zh" if number % CHINESE == 0 else "en"
        await outbox.save(Chat(id=name, language=language, group=group, rules=(Rule(id=1, asset=ALL),)), 0)
        names.append(name)
    return names


async def publish(ledger: RedisLedger) -> float:
    """Append the alert as the leading replica would; when, on the server's clock."""
    async with asyncio.timeout(60):
        while not await ledger.cursor("telegram") or not await ledger.server.ask("GET", ledger.server.keys.lease):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await asyncio.sleep(2)
    token = int(await ledger.server.ask("GET", ledger.server.keys.token))
    critical = msgspec.structs.replace(OPENED, id="mailing.1", episode="mailing", severity=Severity.CRITICAL, asset=ALL)
    await ledger.commit(token, {}, [critical])
    return time.monotonic()


def quantiles(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {cuts[49]:6.1f} s   p99 {cuts[98]:6.1f} s   last {max(times):6.1f} s"


def report(server: BotServer, names: list[int], service: Service, began: float) -> bool:
    """Print what the server saw; whether all of it is as promised."""
    texts = {name: [one for one in server.chat(name).messages if not one.photo] for name in names}
    photos = {name: [one for one in server.chat(name).messages if one.photo] for name in names}
    counts = server.counts
    missing = [name for name in names if not texts[name] or not photos[name]]
    again = {name for name in names if len(texts[name]) > 1 or len(photos[name]) > 1}
    near = {
        name
        for name in again
        for one in (*texts[name], *photos[name])
        if any(abs(kill - one.at) < ANSWER_S for kill in service.kills)
    }
    unexplained = again - set(counts.lost) - near
    print(f"words     {quantiles([texts[name][0].at - began for name in names if texts[name]])}")
    print(f"pictures  {quantiles([photos[name][0].at - began for name in names if photos[name]])}")
    print(f"requests  {dict(counts.requests)}   answers {dict(counts.answers)}")
    print(
        f"worst second {counts.worst_second} of 30, worst gap {counts.worst_gap or 0:.3f} s of 1, worst minute of a group "
        f"{counts.worst_minute} of 20, violations {len(counts.violations)}"
    )
    print(
        f"taken without an answer {counts.lost.total()}, neither taken nor answered {counts.dropped.total()}, "
        f"kills {len(service.kills)}"
    )
    print(
        f"chats {len(names)}: without something {len(missing)}, with something twice {len(again)} "
        f"(answer lost {len(again & set(counts.lost))}, killed before the answer {len(near - set(counts.lost))}, "
        f"unexplained {len(unexplained)})"
    )
    leaks = TOKEN in service.log()
    print(f"the token in the log: {'YES' if leaks else 'no'}")
    return not (missing or unexplained or counts.violations or leaks)


async def run(chats: int, kills: int, faults: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="mailing-") as folder:
        home = Path(folder)
        store = EmbeddedServer(home / "store")
        await store.open()
        ledger = RedisLedger(store.url, "cascade")
        async with BotServer(TOKEN) as server:
            names = await subscribe(server, Outbox(ledger.server), chats)
            service = Service(home, store.url, server.url)
            service.start()
            try:
                began = await publish(ledger)
                if faults:
                    server.faults = FAULTS
                await watch(server, Outbox(ledger.server), service, chats, kills)
            finally:
                await service.stop(signal.SIGTERM)
                await ledger.close()
                await store.close()
            return report(server, names, service, began)


async def watch(server: BotServer, outbox: Outbox, service: Service, chats: int, kills: int) -> None:
    """Kill the service at even parts of the work, and wait until nobody waits any more."""
    marks = [2 * chats * (part + 1) // (kills + 1) for part in range(kills)]
    shown = time.monotonic()
    while True:
        if marks and server.counts.delivered >= marks[0]:
            marks.pop(0)
            await service.stop(signal.SIGKILL)
            service.start()
        if server.counts.delivered >= 2 * chats and not (await outbox.counts()).waiting:
            return
        if time.monotonic() - shown > 30:
            shown = time.monotonic()
            print(f"  {server.counts.delivered} of {2 * chats} delivered", flush=True)
        await asyncio.sleep(0.1 if marks else 0.5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chats", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--faults", action="store_true")
    args = parser.parse_args()
    return 0 if asyncio.run(run(args.chats, args.kills, args.faults)) else 1


if __name__ == "__main__":
    sys.exit(main())
