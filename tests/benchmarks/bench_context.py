"""What context costs an alert, and what it costs the loop that alerts share with it.

Run `python -m tests.benchmarks.bench_context`. The memory is as full as it gets: twelve venues, twelve followed coins
with 90 days of points each, 600 coins told of, two years of flows from three sources. An alert with and without context
are compared in one run; then the longest single steps of the loop: one answer about all contracts of a venue, a page of
flows, the flows of all assets when one of them has changed, a look of the meters.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count, product

import msgspec

from service.context.desk import Desk
from service.context.etf.days import before, published_by
from service.context.etf.farside import Farside
from service.context.etf.flows import Flows
from service.context.macro import Macro
from service.context.macro.fomc import read_meetings
from service.context.memory import Memory
from service.context.risk import STEP, Point
from service.detector import Rules, Verdict
from service.detector.episode import Open
from service.ledger.memory import MemoryLedger
from service.model import ALL, HOUR, MINUTE, FlowDay, Kind, Phase, Severity, Side, Situation, Ticker
from service.pipeline import Beside, Boards, Recent, Sources
from service.pipeline.dossier import Dossier
from service.pipeline.prices import Prices
from service.simulator.slow import etf
from tests.orders import T0, order

VENUES = (
    "binance",
    "bybit",
    "okx",
    "bitget",
    "gate",
    "htx",
    "deribit",
    "bitfinex",
    "kraken",
    "dydx",
    "aster",
    "lighter",
)
COINS = ("BTC", "ETH", "SOL", *(f"C{number}" for number in range(9)))
OTHERS = 600
ROUNDS = 40
FLOWS_BY = ("farside", "sosovalue", "coinglass")
NEWEST, FLOW_DAYS = "2026-01-12", 500
FUNDS = tuple(f"FUND{number}" for number in range(10))


def told(venue: str, asset: str, at: int) -> Ticker:
    return Ticker(
        venue=venue,
        symbol=f"{asset}USDT",
        asset=asset,
        at=at,
        seen=at,
        oi_coins=1e4,
        funding=0.0001,
        interval_h=8,
        mark=95_000.0,
        volume_usd=1e9,
    )


def desk() -> Desk:
    """As full as it gets."""
    memory, flows = Memory(), Flows(FLOWS_BY)
    for venue in VENUES:
        for asset in COINS:
            past = [
                Point(at=T0 - step * STEP, oi_coins=1e4 + step % 97, funding_8h=step % 89 / 1e5, price=9e4 + step % 83)
                for step in range(1, 540)
            ]
            memory.recall(told(venue, asset, T0), past)
        memory.hear([told(venue, f"X{number}", T0) for number in range(OTHERS)])
    for minute in range(-120, 1):
        memory.hear([told(venue, asset, T0 + minute * MINUTE) for venue in VENUES for asset in COINS])
    for asset, source in product(flows.assets, FLOWS_BY):
        flows.take(flow_days(asset), source, T0, published_by)
    return Desk(memory, flows, Macro(read_meetings()))


def flow_days(asset: str) -> list[FlowDay]:
    """Two years by fund, money coming and going."""
    dates = [NEWEST]
    while len(dates) < FLOW_DAYS:
        dates.append(before(dates[-1]))
    return [
        FlowDay(asset=asset, date=date, usd=(number % 97 - 40) * 1e7, funds=dict.fromkeys(FUNDS, number % 97 * 1e6))
        for number, date in enumerate(dates)
    ]


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> tuple[float, float]:
    """Median and worst."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1_000)
    return sorted(times)[rounds // 2], max(times)


async def alerts(full: Desk) -> None:
    """An alert with and without."""
    ledger = MemoryLedger()
    await ledger.add([order(1e5 + number, T0 - number * 900) for number in range(3_000)], T0)
    recent = Recent(ledger)
    await recent.refresh(T0)
    plain = Sources(ledger=ledger, rules=Rules(), recent=recent, boards=Boards(ledger, lambda _now: "all", Rules().tz))
    whole = replace(plain, context=full.beside)
    told = await verdict(ledger)
    dossiers = {name: Dossier(one, Prices(recent)) for name, one in {"without": plain, "with": whole}.items()}
    times: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(ROUNDS * 5):  # in turn, so that whatever else the machine does strikes both
        for name, dossier in dossiers.items():
            start = time.perf_counter()
            await dossier.alert(told, [])
            times[name].append((time.perf_counter() - start) * 1_000)
    medians = {name: sorted(found)[len(found) // 2] for name, found in times.items()}
    for name, median in medians.items():
        print(f"an alert {name:<19}{median:>8.2f} ms median{max(times[name]):>9.2f} worst")
    print(f"ratio with over without     {medians['with'] / medians['without']:>8.2f}")


async def verdict(ledger: MemoryLedger) -> Verdict:
    """An episode of all coins that grew."""
    (reading,) = await ledger.read([ALL], T0)
    totals = reading.spans["1h"]
    life = Open(
        id="ALL-short_squeeze-1",
        kind=Kind.SHORT_SQUEEZE,
        side=Side.SHORT,
        severity=Severity.CRITICAL,
        started_at=T0 - HOUR // 2,
        said_usd=totals.short_usd,
        peak_usd=totals.usd,
        peak_at=T0,
        alerts=2,
        onset=T0 - HOUR // 2,
    )
    return Verdict(
        phase=Phase.GREW, asset=ALL, episode=life, totals=totals, at=T0, rule="hour", reading=reading, crossed=False
    )


def main() -> int:
    """Print the table."""
    full = desk()
    asyncio.run(alerts(full))
    situation = Situation(asset=ALL, side=Side.SHORT, onset=T0 - HOUR, at=T0, venues=dict.fromkeys(VENUES, 1e6))
    page = etf.page("BTC", T0)
    meters, revised = Beside(lambda asset: full.report(asset, T0, ()), COINS), count()
    (newest, *_), latest = flow_days("BTC"), published_by(NEWEST)

    def changed() -> None:
        again = msgspec.structs.replace(newest, usd=newest.usd + next(revised) % 9 * 1e6)
        full.flows.take([again], FLOWS_BY[0], latest)
        full.flows.missing(T0)

    steps: dict[str, Callable[[], object]] = {
        "context of one alert": lambda: full.beside(situation),
        "report of ALL": lambda: full.report(ALL, T0, ()),
        "flows that did not change": lambda: full.flows.missing(T0),
        "flows, one of BTC changed": changed,
        "a look of the meters": meters.show,
        "one answer, 600 contracts": lambda: full.memory.hear(
            [told("okx", f"X{n}", T0 + MINUTE) for n in range(OTHERS)]
        ),
        "a page of flows": lambda: Farside("BTC", Flows(("farside",))).take(page, T0),
        "all points, for the file": full.memory.stored,
    }
    for name, work in steps.items():
        median, worst = milliseconds(work)
        print(f"{name:<28}{median:>8.2f} ms median{worst:>9.2f} worst")
    print(
        f"file {len(full.memory.stored()) / 1e6:.1f} MB, {len(msgspec.json.encode(full.report(ALL, T0, ()))) / 1e3:.1f} kB a report"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
