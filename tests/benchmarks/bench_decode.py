"""How fast frames become orders: our decode, and with dollars, beside msgspec's bare typed decode and json.loads.

Run `python -m tests.benchmarks.bench_decode`. All figures of a table come from one run on one machine: compare the
ratios, not the microseconds of two days. Goal: 200,000 Binance orders per CPU second, or half of the bare limit.
"""

import json
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path

import msgspec

from service.model import Instrument, Print
from service.venues import VENUES
from service.venues.base import Venue, settle

FIXTURES = Path(__file__).parents[1] / "fixtures"
SEEN = 1_791_565_600_000
GOAL_PER_S = 200_000


class _BinanceOrder(msgspec.Struct, gc=False):
    s: str
    S: str
    q: str
    z: str
    ap: str
    T: int


class _BinanceEvent(msgspec.Struct, gc=False):
    e: str
    o: _BinanceOrder


class _BinanceFrame(msgspec.Struct, gc=False):
    data: _BinanceEvent


class _BybitRow(msgspec.Struct, gc=False):
    T: int
    s: str
    S: str
    v: str
    p: str


class _BybitFrame(msgspec.Struct, gc=False):
    topic: str
    data: list[_BybitRow]


class _OkxDetail(msgspec.Struct, gc=False, rename="camel"):
    side: str
    pos_side: str
    bk_px: str
    sz: str
    ts: str


class _OkxItem(msgspec.Struct, gc=False, rename="camel"):
    inst_id: str
    details: list[_OkxDetail]


class _OkxFrame(msgspec.Struct, gc=False):
    data: list[_OkxItem]


#: The least a typed decoder has to do, for those venues whose orders matter most: the limit we are measured against.
BARE: dict[str, type] = {"binance": _BinanceFrame, "bybit": _BybitFrame, "okx": _OkxFrame}


def frame(name: str) -> bytes:
    """A frame with orders, a captured one where there is one; Bybit's is filled up to ten rows, as in a burst."""
    lines = (FIXTURES / "venues" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    shown = [line for line in map(json.loads, lines[1:]) if line["expect"]]
    shown = [line for line in shown if name != "binance" or "data" in line["frame"]]
    shown.sort(key=lambda line: not line["source"].startswith("captured"))
    found = shown[0]["frame"]
    if name == "bybit":
        row = found["data"][0]
        found["data"] = [row | {"T": row["T"] + step} for step in range(10)]
    return found.encode() if isinstance(found, str) else json.dumps(found, separators=(",", ":")).encode()


def book(name: str) -> dict[str, Instrument]:
    """Contracts of the fixtures."""
    head = json.loads((FIXTURES / "venues" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[0])
    bodies = [(FIXTURES / "instruments" / file).read_bytes() for file in head["instruments"]]
    return {row.symbol: row for body in bodies for row in VENUES[name].instruments(body)[0]}


def microseconds(work: Callable[[], object]) -> float:
    """Least CPU time of one call."""
    timer = timeit.Timer(work, timer=time.process_time)
    count, _ = timer.autorange()
    return min(timer.repeat(repeat=5, number=count)) / count * 1e6


def measure(venue: Venue) -> tuple[int, dict[str, float]]:
    """Orders a frame and microseconds a frame, by kind of work."""
    raw, known = frame(venue.name), book(venue.name)
    session = venue.session()
    orders = [event for event in session.decode(raw, SEEN) if isinstance(event, Print)]
    worth = {order.symbol: known.get(order.symbol) or venue.implied(order.symbol) for order in orders}

    def dollars() -> None:
        for order in session.decode(raw, SEEN):
            instrument = worth[order.symbol] if isinstance(order, Print) else None
            assert instrument
            assert isinstance(order, Print)
            settle(order, instrument)

    works: dict[str, Callable[[], object]] = {
        "decode": lambda: session.decode(raw, SEEN),
        "decode + settle": dollars,
        "json.loads": lambda: json.loads(raw),
    }
    if venue.name in BARE:
        bare = msgspec.json.Decoder(BARE[venue.name])
        works["bare typed"] = lambda: bare.decode(raw)
    return len(orders), {name: microseconds(work) for name, work in works.items()}


def main() -> int:
    """Print the table; 1 when the goal is missed."""
    print(f"{'venue':<12}{'work':<17}{'us/frame':>9}{'orders/s':>12}{'x bare':>8}{'x json':>8}")
    missed = False
    for name, venue in VENUES.items():
        orders, took = measure(venue)
        for work, us in took.items():
            bare = f"{us / took['bare typed']:.2f}" if "bare typed" in took else "-"
            against = us / took["json.loads"]
            print(f"{name:<12}{work:<17}{us:>9.2f}{orders / us * 1e6:>12,.0f}{bare:>8}{against:>8.2f}")
        speed = orders / took["decode"] * 1e6
        missed |= name == "binance" and speed < GOAL_PER_S and took["decode"] > 2 * took["bare typed"]
    print("the goal is missed" if missed else "the goal is met")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
