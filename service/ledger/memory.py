"""The ledger in this process: for replay, tests, and machines where no server runs. Lost with the process.

The windows half; alerts, lease and the rest stand in memory_archive.py. Same arithmetic as the scripts, in Python;
what no window can reach any more is dropped as `now` moves on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, MutableMapping, Sequence
from typing import Any

from service.ledger import Added, live
from service.ledger.buckets import (
    BUCKET_KEEP,
    DETAIL_KEEP,
    SEEN_KEEP,
    SEEN_WIDTH,
    TICK,
    TOP_SYMBOLS,
    WIDTHS,
    WINDOWS,
    Sums,
    Tally,
    cover,
    plus,
    reading,
    totals,
)
from service.ledger.memory_archive import MemoryArchive
from service.model import ALL, HOUR, Detail, Largest, Liquidation, Reading, Side, Totals, to_units, to_usd

#: Asset, venue, symbol.
_Field = tuple[str, str, str]


def _tally() -> Tally:
    return [0, 0, 0, 0]


class _Breakdown:
    """One time slot by field, and the largest order of each asset."""

    def __init__(self) -> None:
        self.tallies: dict[_Field, Tally] = defaultdict(_tally)
        self.largest: dict[str, Largest] = {}


class MemoryLedger(MemoryArchive):
    """Fast and forgetful: nothing is kept over a restart, nothing is shared with a second process."""

    kind = "memory"

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self._buckets: dict[tuple[str, int], dict[int, Tally]] = defaultdict(lambda: defaultdict(_tally))
        self._details: dict[int, dict[int, _Breakdown]] = {width: defaultdict(_Breakdown) for width in WIDTHS}
        self._sums: dict[str, Sums] = defaultdict(Sums)
        self._latest: dict[str, int] = {}
        self._live: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._swept = 0

    async def add(self, batch: Sequence[Liquidation], now: int) -> Added:
        """Count each id once, in its own past."""
        fresh = tuple(position for position, order in enumerate(batch) if self._take(order, now))
        touched = dict.fromkeys([ALL, *(order.asset for order in batch)])
        readings = tuple(self._reading(asset, now) for asset in touched)
        self._sweep(now)
        return Added(fresh=fresh, duplicates=len(batch) - len(fresh), readings=readings)

    async def read(self, assets: Collection[str], now: int) -> list[Reading]:
        """All spans of the assets, in the given order."""
        return [self._reading(asset, now) for asset in assets]

    async def detail(self, asset: str, span: str, now: int) -> Detail:
        """The same buckets as a reading at `now`, by name; at most 50 symbols."""
        pieces = cover(*WINDOWS[span].reach(now // TICK))
        slots = [self._details[width][slot] for width, slot in pieces if slot in self._details[width]]
        fields = [pair for one in slots for pair in one.tallies.items() if asset in (ALL, pair[0][0])]
        orders = [order for one in slots for coin, order in one.largest.items() if asset in (ALL, coin)]
        return Detail(
            asset=asset,
            span=span,
            now=now,
            venues=_ranked(fields, 1),
            symbols=_ranked(fields, 2, TOP_SYMBOLS),
            assets=_ranked(fields, 0) if asset == ALL else {},
            largest=min(orders, key=_rank, default=None),
        )

    async def assets(self, now: int) -> list[str]:
        """Assets whose last order is less than 24 h old."""
        return sorted(asset for asset, at in self._latest.items() if at > now - 24 * HOUR)

    async def mark_live(self, venues: Collection[str], since: int, until: int) -> None:
        """Set the bits of the whole slots; a stretch of more than a day is cut to its last day."""
        for hour, first, stop in live.stretches(max(since, until - live.KEEP), until):
            for venue in venues:
                self._live[hour][venue] |= live.mask(first, stop)

    async def live_share(self, venues: Sequence[str], span: str, now: int) -> float | None:
        """Set bits over all bits of the whole slots inside the span."""
        return live.share(self._live, venues, live.window(span, now)) if venues else None

    async def ping(self) -> None:
        """Always there."""

    async def close(self) -> None:
        """Nothing to let go of."""

    def _take(self, order: Liquidation, now: int) -> bool:
        seen = self._seen[order.at // SEEN_WIDTH]
        if (order.venue, order.id) in seen:
            return False
        seen.add((order.venue, order.id))
        units = to_units(order.usd)
        tally = [units, 0, 1, 0] if order.side is Side.LONG else [0, units, 0, 1]
        for asset in {order.asset, ALL}:
            sums = self._sums[asset]
            self._advance(asset, sums, now)
            sums.count(order.at, tally)
            for width in WIDTHS:
                plus(self._buckets[asset, width][order.at // width], tally)
        self._break_down(order, tally)
        self._latest[order.asset] = max(self._latest.get(order.asset, order.at), order.at)
        return True

    def _break_down(self, order: Liquidation, tally: Tally) -> None:
        usd = to_usd(max(tally[0], tally[1]))
        largest = Largest(venue=order.venue, symbol=order.symbol, side=order.side, usd=usd, at=order.at)
        for width in WIDTHS:
            one = self._details[width][order.at // width]
            plus(one.tallies[order.asset, order.venue, order.symbol], tally)
            known = one.largest.get(order.asset)
            if known is None or (usd >= known.usd and _rank(largest) < _rank(known)):
                one.largest[order.asset] = largest

    def _reading(self, asset: str, now: int) -> Reading:
        sums = self._sums.get(asset) or Sums()
        return reading(asset, now, self._advance(asset, sums, now), sums.spans)

    def _advance(self, asset: str, sums: Sums, now: int) -> int:
        def total(start: int, stop: int) -> Tally:
            result = _tally()
            for width, slot in cover(start, stop):
                if (found := self._buckets[asset, width].get(slot)) is not None:
                    plus(result, found)
            return result

        return sums.advance(now // TICK, total)

    def _sweep(self, now: int) -> None:
        if now - self._swept < HOUR:
            return
        self._swept = now
        _drop(self._seen, (now - SEEN_KEEP) // SEEN_WIDTH)
        _drop(self._live, (now - live.KEEP) // HOUR)
        for (_, width), slots in self._buckets.items():
            _drop(slots, (now - BUCKET_KEEP[width]) // width)
        for width, details in self._details.items():
            _drop(details, (now - DETAIL_KEEP[width]) // width)


def _drop(slots: MutableMapping[int, Any], edge: int) -> None:
    """Slots come about in order of time, so the old ones stand in front; a late one waits for those before it."""
    old = []
    for slot in slots:
        if slot >= edge:
            break
        old.append(slot)
    for slot in old:
        del slots[slot]


def _rank(order: Largest) -> tuple[float, int, str]:
    return (-order.usd, order.at, f"{order.venue}|{order.symbol}|{order.side}")


def _ranked(fields: Iterable[tuple[_Field, Tally]], part: int, most: int | None = None) -> dict[str, Totals]:
    groups: dict[str, Tally] = defaultdict(_tally)
    for field, tally in fields:
        plus(groups[field[part]], tally)
    ranked = sorted(groups.items(), key=lambda pair: (-pair[1][0] - pair[1][1], pair[0]))
    return {name: totals(tally) for name, tally in ranked[:most]}
