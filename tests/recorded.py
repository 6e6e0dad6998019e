"""What the service finds in recorded data, printed: `python -m tests.recorded [FILE ...]`, or all sets that are known.

Replays each file through the very same Replay as the command and prints every episode, then the published events: which
of them fall into the data, and the grade of each figure. Reads only; asserts nothing (tests/test_recorded.py does).

The busiest stream there is (Hyperliquid, 2025-10-10) is kept as counts by second, without dollars. Its orders are made:
as many as counted, spread evenly over their second, of Pareto sizes (exponent 0.9, no order above $12.7M) scaled to the
$5.51B its authors summed, dealt to coins by their number of deleveragings, 98 % longs. Rate and total are real, who
and how much each was is not: no coin's own episode there means anything.
"""

import argparse
import asyncio
import csv
import gzip
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from service import tape
from service.detector import Rules
from service.detector.grade import NAMES, grade
from service.ledger.memory import MemoryLedger
from service.model import ALL, HOUR, SECOND, Alert, Phase, Side
from service.replay import Replay, Summary
from service.tape import Row
from tests.shared import SHARED

HYPERLIQUID = SHARED / "data/hyperliquid_2025_10_10"
SETS = tuple(
    SHARED / "data" / name
    for name in (
        "coinglass_btc_liq/btc_liq_1h.csv.gz",
        "coinglass_btc_liq/btc_liq_30m.csv.gz",
        "binance_bursts_2023_01/bursts.csv.gz",
        "whalebot_ge50k_2025_09/liq_ge_50k.csv.gz",
        "binance_force_orders_raw/force_orders.csv.gz",
        "hyperliquid_2025_10_10/event_counts_by_second.csv.gz",
    )
)
EVENTS = SHARED / "research/events.csv"
_MADE_USD, _EXPONENT, _MOST_USD, _LONGS = 5.51e9, 0.9, 12.7e6, 0.98
_FITS = 30


class Found(NamedTuple):
    """One episode: its first alert, the one with its worst severity and grade, the last, and all of them."""

    opened: Alert
    worst: Alert
    last: Alert
    alerts: tuple[Alert, ...]

    @property
    def side_share(self) -> float:
        """The episode's own side of the hour in which it opened."""
        share = self.opened.share or 0.0
        return share if self.opened.side is Side.SHORT else 1 - share


class Published(NamedTuple):
    """An event of the list; dollars in millions, None where nobody published any."""

    name: str
    first_day: int
    side: str
    day_musd: float | None
    hour_musd: float | None


def cells(path: Path) -> Iterator[Mapping[str, str]]:
    """The rows of a CSV file, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def rows_of(path: Path) -> list[Row]:
    """A file as the tape reads it; counts by second as orders made to them."""
    return list(made(path)) if path.name == "event_counts_by_second.csv.gz" else tape.read([path])


def made(path: Path) -> Iterator[Row]:
    """Orders to the counts of a file, by the law in the module's opening lines; the same ones each time."""
    dice = random.Random(20251010)
    coins = {row["ticker"]: int(row["num_adl_events"]) for row in cells(path.parent / "adl_totals_by_coin.csv.gz")}
    counts = [(int(row["ts_ms"]), int(row["liquidation_events"])) for row in cells(path)]
    number = sum(count for _, count in counts)
    sizes = [dice.paretovariate(_EXPONENT) for _ in range(number)]
    for _ in range(_FITS):  # the cap takes from the sum: scale again what is left
        scale = _MADE_USD / sum(sizes)
        sizes = [min(size * scale, _MOST_USD) for size in sizes]
    usd = iter(sizes)
    names = iter(dice.choices(list(coins), list(coins.values()), k=number))
    for at, count in counts:
        for place in range(count):
            side = Side.LONG if dice.random() < _LONGS else Side.SHORT
            moment = at + place * SECOND // count
            yield Row(at=moment, venue="hyperliquid", symbol=next(names), side=side, usd=next(usd), ordinal=place)


async def judged(rows: Sequence[Row], rules: Rules | None = None) -> tuple[Summary, list[Alert]]:
    """A replay of rows on an empty ledger."""
    alerts: list[Alert] = []
    summary = await Replay(rows, MemoryLedger(), rules or Rules(), alerts.append).run(asyncio.Event(), lambda _: None)
    return summary, alerts


def episodes(alerts: Iterable[Alert]) -> list[Found]:
    """Alerts by their episode, in order of opening."""
    by_id: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_id.setdefault(alert.episode, []).append(alert)
    return [Found(own[0], max(own, key=_weight), own[-1], tuple(own)) for own in by_id.values()]


def _weight(alert: Alert) -> tuple[int, float]:
    return alert.grade, alert.peak_usd


def published(path: Path = EVENTS) -> list[Published]:
    """The dated events."""
    return [
        Published(
            name=row["id"],
            first_day=round(datetime.fromisoformat(row["when_utc"][:10]).replace(tzinfo=UTC).timestamp() * 1_000),
            side=row["side"],
            day_musd=float(row["total_24h_musd_low"]) if row["total_24h_musd_low"] else None,
            hour_musd=float(row["peak_hour_musd"]) if row["peak_hour_musd"] else None,
        )
        for row in cells(path)
    ]


def during(event: Published, rows: Sequence[Row]) -> list[Row]:
    """What was recorded on the event's first day or the next."""
    return [row for row in rows if event.first_day <= row.at < event.first_day + 48 * HOUR]


def hour(at: int) -> str:
    """A moment (ms UTC) for people."""
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M")


def line(found: Found) -> str:
    """One episode in a row of the table."""
    one, last = found.opened, found.last
    ended = hour(last.at)[11:] if last.phase is Phase.CLOSED else "open"
    peak = last.course.peak_hour_at if last.course else last.at
    return (
        f"{hour(one.at)} {ended:5} {one.asset:6} {one.kind:13} {one.rule:5} {found.side_share:6.1%} "
        f"{last.peak_usd / 1e6:8.2f} {hour(peak)[11:]} {found.worst.grade} {last.severity:8} {len(found.alerts):2} "
        f"{'of ALL' if one.parent else ''}"
    ).rstrip()


HEAD = "opened           ended market kind          rule    share  peak $M at    g severity notices"


def _events(name: str, rows: Sequence[Row], found: Sequence[Found]) -> Iterator[str]:
    for event in published():
        inside = during(event, rows)
        if not inside:
            continue
        seen = [one for one in found if event.first_day <= one.opened.at < event.first_day + 48 * HOUR]
        own = [one.opened for one in seen if not one.opened.parent]
        told = ", ".join(f"{hour(one.at)} {one.asset} {one.kind}" for one in own)
        told += f" and {len(seen) - len(own)} lines of ALL" if len(own) < len(seen) else ""
        yield f"event {event.name} ({event.side}) in {name}: {told or 'nothing opened'}"


def grades() -> Iterator[str]:
    """Each published event with the grade of its peak hour, or the least its day's total allows."""
    for event in published():
        if event.hour_musd is not None:
            found = grade(ALL, event.hour_musd * 1e6, None)
            yield f"{event.name:16} {event.side:9} peak hour ${event.hour_musd:.0f}M: grade {found} {NAMES[found]}"
        elif event.day_musd is not None:
            found = grade(ALL, event.day_musd * 1e6 / 24, None)
            told = f"grade {found} {NAMES[found]}".rstrip()
            yield f"{event.name:16} {event.side:9} ${event.day_musd:.0f}M in 24 h, a mean hour alone: {told}"


async def _file(path: Path) -> None:
    rows = rows_of(path)
    began = datetime.now(UTC)
    summary, alerts = await judged(rows)
    took, found = datetime.now(UTC) - began, episodes(alerts)
    span = timedelta(milliseconds=(summary.last_at or 0) - (summary.first_at or 0))
    print(f"\n== {path.name}: {summary.rows} rows of {span.total_seconds() / 86_400:.1f} days", end=", ")
    print(f"{len(found)} episodes, {len(alerts)} alerts, {took.total_seconds():.1f} s\n{HEAD}")
    print("\n".join([*map(line, found), *_events(path.name, rows, found)]))


def main() -> None:
    """Print it all."""
    parser = argparse.ArgumentParser(prog="python -m tests.recorded", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="*", type=Path, default=[path for path in SETS if path.exists()])
    for path in parser.parse_args().files:
        asyncio.run(_file(path))
    if EVENTS.exists():
        print("\n== published events", *grades(), sep="\n")


if __name__ == "__main__":
    main()
