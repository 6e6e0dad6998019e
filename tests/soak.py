"""All venues at once in one process, against their local servers, under random faults; then everything is counted.

    python -m tests.soak --minutes 10 --seed 7        ten real minutes; `make soak ARGS="--minutes 10"` does the same

Every order of the tape has its own whole number of dollars on its venue, so it is found again whichever way it came.
An order that is missing must lie in time the service says it did not hear; an order that is there twice is an error.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from service.app import App
from service.clock import ScaledClock
from service.demo.rehearsal import Stage, settings_toml
from service.ledger.live import Slots
from service.ledger.open import open_ledger
from service.ledger.redis import RedisLedger
from service.model import MINUTE, SECOND, FeedState, Liquidation, Side
from service.pipeline.heard import BRIDGE_MS
from service.settings import load
from service.simulator import SERVERS, Faults, Market
from service.tape import Row

log = logging.getLogger("cascade.soak")

ORIGIN = 1_768_341_600_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSD")
#: What may befall a venue. None of them loses an order behind the service's back: `hollow` does, and is the watchdog's.
FAULTS: Mapping[str, Faults] = {
    "cut": Faults(drop=3, lossy=True),
    "closed": Faults(accept_then_close=True, drop=1, lossy=True),
    "refused": Faults(refuse=True, drop=1, lossy=True),
    "silent": Faults(silence=True),
    "half-open": Faults(silence=True, mute_pongs=True),
    "twins": Faults(duplicate=0.5),
    "garbage": Faults(garbage=2),
    "slow": Faults(slow=0.5),
    "shuffled": Faults(shuffle=True),
    "throttled": Faults(throttle=2, drop=5, lossy=True),
}


@dataclass
class Count:
    """What became of the tape."""

    orders: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    strangers: Counter[str] = field(default_factory=Counter)
    unsaid: list[str] = field(default_factory=list)
    """Lost orders in time that is said to have been heard."""
    twice: list[str] = field(default_factory=list)
    """Doubled orders with the ids and times they were counted under."""
    stall_s: float = 0.0
    """Longest time (on the clock) in which the one process that plays all parts did not get its turn."""
    gap_s: Counter[str] = field(default_factory=Counter)
    healed_s: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        return not (self.unsaid or self.doubled or self.strangers)


def tape(venues: Sequence[str], start: int, seconds: float, per_minute: float, rng: random.Random) -> list[Row]:
    """Orders of every venue at random times from `start` (ms) on, each with its own dollars."""
    rows = []
    for venue in venues:
        at, usd = start, 1_000
        while at < start + seconds * SECOND:
            side, symbol = rng.choice(list(Side)), rng.choice(SYMBOLS)
            rows.append(Row(at=int(at), venue=venue, symbol=symbol, side=side, usd=float(usd)))
            at += max(1, rng.expovariate(per_minute / MINUTE))
            usd += 1
    return sorted(rows, key=lambda row: row.at)


async def harass(market: Market, clock: ScaledClock, until: int, rng: random.Random, count: Count) -> None:
    """One fault after the other, on one to three venues at a time, each for a while; at the end all are well."""
    async with asyncio.TaskGroup() as tasks:
        while clock.now() < until:
            await clock.sleep(rng.uniform(5, 60))
            venue, name = rng.choice(list(market.servers)), rng.choice(list(FAULTS))
            if market.servers[venue].faults == Faults():
                count.faults[name] += 1
                # a healthy socket's silence is seen when it is longer than a venue's control stream may rest
                least = 3 * BRIDGE_MS / SECOND if FAULTS[name].silence else 10
                tasks.create_task(befall(market, clock, venue, name, rng.uniform(least, 240)))


async def watch_stalls(clock: ScaledClock, count: Count) -> None:
    """What the servers tell late by is no fault of the service: the margin for orders on their way must cover it."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.05)
        count.stall_s = max(count.stall_s, (time.monotonic() - began - 0.05) * clock.speed)


async def befall(market: Market, clock: ScaledClock, venue: str, name: str, seconds: float) -> None:
    server = market.servers[venue]
    log.info("%s: %s for %.0f s from %d", venue, name, seconds, clock.now())
    server.faults = FAULTS[name]
    if FAULTS[name].lossy and FAULTS[name].drop == 1:
        for peer in server.live:
            peer.abort()
    await clock.sleep(seconds)
    server.faults = Faults()


def compare(rows: Sequence[Row], orders: Sequence[Liquidation], slots: Slots, end: int, count: Count) -> None:
    """Every order of the tape against what was counted."""
    start = rows[0].at
    found: dict[tuple[str, int], list[str]] = {}
    for order in orders:
        if order.at < end:
            found.setdefault((order.venue, round(order.usd)), []).append(f"{order.id} at {order.at - start} ms")
    wanted = {(row.venue, round(row.usd)): row for row in rows}
    count.orders = len(wanted)
    count.strangers.update(venue for venue, usd in found if (venue, usd) not in wanted)
    twice = {key: several for key, several in found.items() if len(several) > 1}
    count.doubled.update(venue for venue, _ in twice)
    count.twice += [f"TWICE {venue}: {', '.join(several)}" for (venue, _), several in twice.items()]
    for row in (row for key, row in wanted.items() if key not in found):
        count.lost[row.venue] += 1
        if not unheard(slots, row, end):
            count.unsaid.append(f"{row.venue} {row.symbol} {row.at - start} ms after the start")
    for venue in {row.venue for row in rows}:
        for gap in slots.gaps(venue, start, end):
            (count.healed_s if gap.healed else count.gap_s)[venue] += (gap.until - gap.since) // SECOND


def unheard(slots: Slots, row: Row, end: int) -> bool:
    """Whether the service says of the order's time that it did not hear it."""
    gaps = slots.gaps(row.venue, ORIGIN - MINUTE, end)
    return any(gap.since <= row.at < gap.until and not gap.healed for gap in gaps)


async def recovered(app: App, since: int, deadline: float) -> None:
    """Wait until every venue is live again and nothing that can be healed is left open."""
    while time.monotonic() < deadline:
        reports = await app.venues()
        live = all(report.state is FeedState.LIVE for report in reports)
        open_ = [gap for report in reports if report.heals for gap in report.gaps if not gap.healed]
        if live and not [gap for gap in open_ if gap.since >= since]:
            return
        await asyncio.sleep(0.5)


async def soak(
    minutes: float,
    *,
    speed: float,
    seed: int,
    venues: Sequence[str] = tuple(SERVERS),
    per_minute: float = 6.0,
    patience_s: float = 150.0,
) -> Count:
    """Play for so many real minutes, let the venues recover, count."""
    rng, count = random.Random(seed), Count()
    seconds = minutes * 60 * speed
    clock = ScaledClock(ORIGIN, speed)
    with tempfile.TemporaryDirectory() as home:
        ledger = await open_ledger(None, Path(home), tag="soak")
        symbols = dict.fromkeys(venues, SYMBOLS)
        async with Market(venues, clock, symbols=symbols) as market, httpx.AsyncClient(trust_env=False) as client:
            stage = Stage(endpoints=market.endpoints, origin=ORIGIN, wall_origin=None, speed=speed, home=home)
            file = Path(home) / "soak.toml"
            file.write_text(settings_toml(stage))
            app = App(load(file, {"CASCADE_API__PORT": "0"}), ledger, clock, client)
            stop = asyncio.Event()
            serving = asyncio.create_task(app.run(stop))
            await recovered(app, clock.now(), time.monotonic() + 30)
            start = clock.now() + 10 * SECOND
            rows = tape(venues, start, seconds, per_minute, rng)
            async with asyncio.TaskGroup() as tasks:
                stalls = tasks.create_task(watch_stalls(clock, count))
                played = tasks.create_task(market.play(rows, wait_for_listeners=False))
                played.add_done_callback(lambda _task: stalls.cancel())
                tasks.create_task(harass(market, clock, start + int(seconds * SECOND), rng, count))
            end = clock.now()
            await recovered(app, start, time.monotonic() + patience_s)
            stop.set()
            await serving
            slots = await ledger.slots(list(venues), clock.now())
            assert isinstance(ledger, RedisLedger)
            compare(rows, await ledger.orders(), slots, end, count)
        await ledger.close()
    return count


def told(count: Count) -> str:
    """The count for people."""
    lines = [
        f"{count.orders} orders, {count.faults.total()} faults: "
        + ", ".join(f"{name} {times}" for name, times in count.faults.most_common()),
    ]
    lost, doubled, strangers = (tally.total() for tally in (count.lost, count.doubled, count.strangers))
    unsaid = len(count.unsaid)
    lines.append(f"doubled {doubled}, strangers {strangers}, lost {lost}, of these in time said to be heard {unsaid}")
    lines.append(f"longest stall of the process: {count.stall_s:.1f} s on the clock")
    names = sorted({*count.gap_s, *count.healed_s, *count.lost})
    lines += [
        f"{name:<12} lost {count.lost[name]:>4}   not heard {count.gap_s[name]:>6} s   healed {count.healed_s[name]:>6} s"
        for name in names
    ]
    unsaid_by = Counter(line.partition(" ")[0] for line in count.unsaid)
    return "\n".join(
        [
            *lines,
            *(f"UNSAID {name}: {times}" for name, times in unsaid_by.items()),
            *count.unsaid[:40],
            *count.twice[:20],
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="All venues at once, under faults; then everything is counted.")
    parser.add_argument("--minutes", type=float, default=10, help="real minutes of faults")
    parser.add_argument("--speed", type=float, default=20, help="how fast the clock runs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-minute", type=float, default=6, help="orders of each venue a minute of its time")
    parser.add_argument("--venues", nargs="*", default=list(SERVERS))
    parser.add_argument("--log", default="error")
    args = parser.parse_args()
    logging.basicConfig(level=args.log.upper(), format="%(relativeCreated)d %(levelname)s %(name)s %(message)s")
    count = asyncio.run(
        soak(args.minutes, speed=args.speed, seed=args.seed, venues=args.venues, per_minute=args.per_minute)
    )
    print(told(count))
    return 0 if count.good else 1


if __name__ == "__main__":
    sys.exit(main())
