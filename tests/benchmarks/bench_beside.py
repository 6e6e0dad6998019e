"""Whether alerts come later because of context: the same evening with context off, with it whole, with every source ill.

Run `python -m tests.benchmarks.bench_beside`. The whole service against local venues, ten times as fast as the clock:
how late the loop wakes up, and how much later than its own moment each alert was there to be read, in real
milliseconds. The three runs follow each other in one process; ill means pages that never end and venues' REST that hangs.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from service.app import App
from service.clock import ScaledClock
from service.demo.rehearsal import Stage, settings_toml
from service.ledger.memory import MemoryLedger
from service.settings import load
from service.simulator import Market, scenario
from service.simulator.listener import Answer
from service.simulator.slow import SlowPages, etf

VENUES = ("binance", "bybit", "okx")
SPEED, SECONDS = 10.0, 110.0
#: The squeeze begins some minutes behind the curtain.
ORIGIN = scenario.START + 5 * 60_000


def ill(market: Market, slow: SlowPages) -> None:
    """Nobody answers as he should."""
    slow.endless = True
    for server in market.servers.values():
        honest = server.rest

        def rest(path: str, query: Mapping[str, str], honest=honest) -> Answer:  # type: ignore[no-untyped-def]
            known = any(word in path for word in ("exchangeInfo", "instruments"))
            return honest(path, query) if known else (200, {"data": "x" * 900_000, "list": ["NaN"] * 10_000})

        server.rest = rest  # type: ignore[method-assign]


async def lag(found: list[float]) -> None:
    """How late the loop wakes up, milliseconds."""
    while True:
        start = time.perf_counter()
        await asyncio.sleep(0.005)
        found.append((time.perf_counter() - start - 0.005) * 1_000)


async def watch(ledger: MemoryLedger, clock: ScaledClock, found: list[float]) -> None:
    """How much later than its moment each alert was there, real milliseconds."""
    cursor = None
    while True:
        await asyncio.sleep(0.002)
        for at, alert in await ledger.alerts(cursor, 100):
            cursor = at
            found.append((clock.now() - alert.at) / clock.speed)


async def evening(mode: str) -> tuple[list[float], list[float]]:
    """One run; delays of the loop and of alerts."""
    lags, late, stop = list[float](), list[float](), asyncio.Event()
    clock, ledger = ScaledClock(ORIGIN, SPEED), MemoryLedger()
    with tempfile.TemporaryDirectory() as home:
        async with (
            Market(VENUES, clock, symbols=scenario.SYMBOLS) as market,
            SlowPages(clock, etf.page) as slow,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            if mode == "ill":
                ill(market, slow)
            stage = Stage(
                endpoints=market.endpoints, origin=ORIGIN, wall_origin=None, speed=SPEED, slow=slow.endpoints, home=home
            )
            file = Path(home) / "cascade.toml"
            file.write_text(settings_toml(stage))
            more = {"CASCADE_API__PORT": "0", "CASCADE_CONTEXT__ENABLED": str(mode != "off").lower()}
            app = App(load(file, more), ledger, clock, client)
            rows = [row for row in scenario.live(scenario.day()) if row.at >= ORIGIN]
            async with asyncio.TaskGroup() as group:
                side = [group.create_task(work) for work in (market.play(rows), lag(lags), watch(ledger, clock, late))]
                asyncio.get_running_loop().call_later(SECONDS, stop.set)
                await app.run(stop)
                for task in side:
                    task.cancel()
    return lags, late


def quantiles(values: list[float]) -> str:
    """Median, 99 of 100, worst."""
    ordered = sorted(values) or [0.0]
    return "".join(f"{ordered[min(len(ordered) - 1, int(len(ordered) * part))]:>9.1f}" for part in (0.5, 0.99, 1.0))


def main() -> int:
    """Print the table."""
    print(f"{'context':<8}{'loop: p50':>11}{'p99':>9}{'worst':>9}   {'alerts':>6}{'p50':>9}{'p99':>9}{'worst':>9}")
    for mode in ("off", "whole", "ill"):
        lags, late = asyncio.run(evening(mode))
        print(f"{mode:<8}  {quantiles(lags)}   {len(late):>6}{quantiles(late)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
