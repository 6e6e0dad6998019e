"""What the ledger costs: writes, reads, breakdowns, memory, durability. One run, about two minutes: make bench.

A market of 300 coins (Zipf 1.1), six venues, both sides. Client and server share this machine's cores: compare the
rows of one run with each other, not with another machine's.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from service.ledger import Ledger
from service.ledger.embedded import EmbeddedServer
from service.ledger.memory import MemoryLedger
from service.ledger.redis import RedisLedger
from service.model import ALL, HOUR, Liquidation, Side

T0 = 1_768_341_600_000
COINS, VENUES = 300, ("binance", "bybit", "okx", "gate", "htx", "bitget")
DURABLE = {
    "append-only, fsync each second (ours)": {},
    "snapshots, save 60 1": {"appendonly": "no", "save": "60 1"},
    "nothing on disk": {"appendonly": "no"},
}


def orders(number: int, since: int, length: int, seed: int) -> Iterator[Liquidation]:
    rng = random.Random(seed)
    coins = rng.choices(range(COINS), [1 / (rank + 1) ** 1.1 for rank in range(COINS)], k=number)
    for n, coin in enumerate(coins):
        at = since + length * n // number
        yield Liquidation(
            venue=VENUES[rng.randrange(6)],
            symbol=f"C{coin:03}USDT",
            asset=f"C{coin:03}",
            side=Side.LONG if rng.random() < 0.5 else Side.SHORT,
            price=100.0 + rng.random(),
            quantity=rng.random() * 100,
            usd=rng.paretovariate(1.2) * 1_000,
            at=at,
            seen=at + 40,
            id=f"{rng.getrandbits(64):016x}",
        )


async def fill(ledger: Ledger, batch: list[Liquidation], size: int) -> float:
    """Seconds to add everything in batches of `size`."""
    started = time.perf_counter()
    for start in range(0, len(batch), size):
        part = batch[start : start + size]
        await ledger.add(part, part[-1].at)
    return time.perf_counter() - started


async def latency(times: int, call: Callable[..., Awaitable[object]], *args: object) -> tuple[float, float]:
    """Median and 99th percentile in ms."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        await call(*args)
        taken.append(1_000 * (time.perf_counter() - started))
    taken.sort()
    return statistics.median(taken), taken[int(times * 0.99) - 1]


async def info(ledger: RedisLedger, name: str) -> float:
    return float((await ledger._server.client.info())[name])


async def starts(home: Path) -> None:
    taken = []
    for n in range(5):
        started = time.perf_counter()
        async with EmbeddedServer(home / f"start{n}") as server:
            taken.append(1_000 * (time.perf_counter() - started))
    print(f"\n{server.kind}: start to first answer, median of 5: {statistics.median(taken):.0f} ms")


async def plain_sets(ledger: RedisLedger, number: int, size: int) -> float:
    """Orders a second if each were one SET of a 100-byte value, pipelined."""
    started = time.perf_counter()
    for start in range(0, number, size):
        pipe = ledger._server.client.pipeline(transaction=False)
        for n in range(start, start + size):
            pipe.set(f"{{bench}}:{n}", b"x" * 100, ex=3_600)
        await pipe.execute()
    return number / (time.perf_counter() - started)


def redis_benchmark(server: EmbeddedServer, size: int) -> str:
    binary = shutil.which("valkey-benchmark") or shutil.which("redis-benchmark")
    if binary is None:
        return "not installed"
    command = [
        binary,
        "-s",
        str(server.socket),
        "-n",
        "200000",
        "-c",
        "1",
        "-P",
        str(size),
        "-d",
        "100",
        "-q",
        "-t",
        "set",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.replace("\r", "\n").strip().splitlines()[-1].removeprefix("SET: ")


async def cpu(ledger: RedisLedger) -> float:
    return await info(ledger, "used_cpu_user") + await info(ledger, "used_cpu_sys")


async def write_row(server: EmbeddedServer, number: int, size: int) -> str:
    """Orders that come 1,000 a second, as in a fierce cascade."""
    ledger = RedisLedger(server.url)
    await fill(ledger, list(orders(2_000, T0, 2_000, 1)), size)
    batch = list(orders(number, T0 + 2_000, number, 2))
    spent = await cpu(ledger)
    rate = number / await fill(ledger, batch, size)
    spent = await cpu(ledger) - spent
    disk = sum(path.stat().st_size for path in server.data_dir.rglob("*.aof")) / (number + 2_000)
    sets = await plain_sets(ledger, 40_000, size)
    await ledger.close()
    return f"{size} | {rate:,.0f} | {1e6 * spent / number:.1f} | {disk:.0f} | {sets:,.0f} | {rate / sets:.2f}"


async def writes(home: Path, number: int) -> None:
    print("\n| durability | batch | orders/s | server CPU us/order | disk B/order | plain SET/s, pipelined | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for turn, (name, options) in enumerate(DURABLE.items()):
        for size in (500, 20):
            async with EmbeddedServer(home / f"w{turn}-{size}", options=options) as server:
                print(f"| {name} | {await write_row(server, number if size == 500 else number // 2, size)} |")
                if turn == 0:
                    print(f"| (redis-benchmark SET -P {size} -c 1: {redis_benchmark(server, size)}) | | | | | | |")


async def read_row(server: EmbeddedServer, number: int) -> str:
    """An hour of `number` orders, then reads at its end."""
    ledger, part = RedisLedger(server.url), min(100_000, number)
    empty = await info(ledger, "used_memory")
    for start in range(0, number, part):
        await fill(ledger, list(orders(part, T0 + HOUR * start // number, HOUR * part // number, start)), 500)
    held = (await info(ledger, "used_memory") - empty) / number
    now, assets = T0 + HOUR, [f"C{n:03}" for n in range(49)]
    ticks = count(now + 10_000, 10_000)

    async def step() -> None:
        await ledger.read([ALL], next(ticks))

    cells = [
        await latency(1_000, ledger.read, [ALL], now),
        await latency(300, ledger.read, [ALL, *assets], now),
        await latency(100, step),
        await latency(30, ledger.detail, ALL, "1h", now),
        await latency(30, ledger.detail, "C000", "1h", now),
        await latency(30, ledger.detail, ALL, "24h", now),
    ]
    await ledger.close()
    return " | ".join([f"{number:,}", *(f"{p50:.2f} / {p99:.2f}" for p50, p99 in cells), f"{held:.0f}"])


async def reads(home: Path, sizes: tuple[int, ...]) -> None:
    print("\nmilliseconds, p50 / p99\n")
    print(
        "| orders in the hour | read ALL | read 50 | read ALL, 10 s on | detail ALL 1h | detail C000 1h | ALL 24h | B/order |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for number in sizes:
        async with EmbeddedServer(home / f"r{number}") as server:
            print(f"| {await read_row(server, number)} |")


async def in_memory(number: int) -> None:
    for size in (500, 20):
        ledger = MemoryLedger()
        seconds = await fill(ledger, list(orders(number, T0, HOUR, 3)), size)
        print(f"memory store, batches of {size}: {number / seconds:,.0f} orders/s")


async def main(quick: bool) -> None:
    with tempfile.TemporaryDirectory() as home:
        await starts(Path(home))
        await writes(Path(home), 10_000 if quick else 100_000)
        await reads(Path(home), (10_000, 100_000) if quick else (10_000, 1_000_000))
        print()
        await in_memory(10_000 if quick else 50_000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the orders")
    asyncio.run(main(parser.parse_args().quick))
