"""The ledger in this process: for replay, tests, and machines where no server runs. Lost with the process.

The windows half; single orders stand in memory_orders.py, alerts, lease and the rest in memory_archive.py. Same
arithmetic as the scripts, in Python; what no window can reach any more is dropped as `now` moves on.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, MutableMapping, Sequence
from typing import Any

from service.ledger import Added, live
from service.ledger.buckets import (
    BUCKET_KEEP,
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
from service.ledger.memory_orders import MemoryOrders
from service.model import ALL, HOUR, MINUTE, Detail, Edge, Largest, Liquidation, Reading, Side, Totals, to_units, to_usd

#: Asset, venue, symbol.
_Field = tuple[str, str, str]
_Bitmaps = defaultdict[int, defaultdict[str, int]]


def _tally() -> Tally:
    return [0, 0, 0, 0]


class _Slot:
    """What happened in one bucket's time: by field, by asset with ALL, and the largest order of each asset."""

    def __init__(self) -> None:
        self.fields: dict[_Field, Tally] = defaultdict(_tally)
        self.assets: dict[str, Tally] = defaultdict(_tally)
        self.largest: dict[str, Largest] = {}

    def note(self, order: Liquidation) -> None:
        """One order more."""
        units = to_units(order.usd)
        tally = [units, 0, 1, 0] if order.side is Side.LONG else [0, units, 0, 1]
        plus(self.fields[order.asset, order.venue, order.symbol], tally)
        for asset in {order.asset, ALL}:
            plus(self.assets[asset], tally)
        known, usd = self.largest.get(order.asset), to_usd(units)
        if known is None or usd >= known.usd:
            largest = Largest(venue=order.venue, symbol=order.symbol, side=order.side, usd=usd, at=order.at)
            self._stand(order.asset, known, largest)

    def merge(self, other: "_Slot") -> None:
        """All of a narrower bucket."""
        for field, tally in other.fields.items():
            plus(self.fields[field], tally)
        for asset, tally in other.assets.items():
            plus(self.assets[asset], tally)
        for asset, order in other.largest.items():
            self._stand(asset, self.largest.get(asset), order)

    def _stand(self, asset: str, known: Largest | None, order: Largest) -> None:
        if known is None or _rank(order) < _rank(known):
            self.largest[asset] = order


class MemoryLedger(MemoryOrders):
    """Fast and forgetful: nothing is kept over a restart, nothing is shared with a second process."""

    kind = "memory"

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, set[tuple[str, str]]] = defaultdict(set)
        self._slots: dict[int, dict[int, _Slot]] = {width: defaultdict(_Slot) for width in WIDTHS}
        self._sums: dict[str, Sums] = defaultdict(Sums)
        self._latest: dict[str, int] = {}
        self._live: _Bitmaps = defaultdict(lambda: defaultdict(int))
        self._healed: _Bitmaps = defaultdict(lambda: defaultdict(int))
        self._swept = 0

    async def add(self, batch: Sequence[Liquidation], now: int) -> Added:
        """Count each id once, in its own past."""
        fresh = tuple(position for position, order in enumerate(batch) if self._unseen(order))
        ticks: dict[int, _Slot] = defaultdict(_Slot)
        for position in fresh:
            order = batch[position]
            ticks[order.at // TICK].note(order)
            self._remember(order)
            self._latest[order.asset] = max(self._latest.get(order.asset, order.at), order.at)
        for tick, slot in ticks.items():
            self._count(tick * TICK, slot, now)
        touched = dict.fromkeys([ALL, *(order.asset for order in batch)])
        readings = tuple(self._reading(asset, now) for asset in touched)
        self._sweep(now)
        return Added(fresh=fresh, duplicates=len(batch) - len(fresh), readings=readings)

    async def read(self, assets: Collection[str], now: int) -> list[Reading]:
        """All spans of the assets, in the given order."""
        return [self._reading(asset, now) for asset in assets]

    async def edges(self, asset: str, now: int) -> dict[str, Edge]:
        """One bucket a span."""
        edges = {span: (window.width, *window.edge(now)) for span, window in WINDOWS.items()}
        held = {span: self._held(width, slot, asset) for span, (width, slot, _) in edges.items()}
        return {
            span: Edge(totals=totals(held[span] or _tally()), inside=inside) for span, (_, _, inside) in edges.items()
        }

    async def history(self, asset: str, since: int, until: int, width: int = HOUR) -> dict[int, Totals]:
        """Hours (or narrower buckets) with orders, by their start."""
        slots = range(-(-since // width), -(-until // width))
        return {slot * width: totals(held) for slot in slots if (held := self._held(width, slot, asset))}

    async def detail(self, asset: str, span: str, now: int) -> Detail:
        """The same buckets as a reading at `now`, by name; at most 50 symbols."""
        pieces = cover(*WINDOWS[span].reach(now // TICK))
        slots = [self._slots[width][slot] for width, slot in pieces if slot in self._slots[width]]
        fields = [pair for one in slots for pair in one.fields.items() if asset in (ALL, pair[0][0])]
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

    async def mark_healed(self, venue: str, since: int, until: int) -> None:
        """As `mark_live`, beside it."""
        for hour, first, stop in live.stretches(max(since, until - live.KEEP), until):
            self._healed[hour][venue] |= live.mask(first, stop)

    async def mark_deaf(self, venue: str, since: int, until: int) -> None:
        """Clear the bits of both kinds."""
        for hour, first, stop in live.outward(max(since, until - live.KEEP), until):
            for kind in (self._live, self._healed):
                kind[hour][venue] &= ~live.mask(first, stop)

    async def slots(self, venues: Collection[str], now: int) -> live.Slots:
        """Both kinds of bitmaps of all kept hours."""
        kinds = (
            {hour: {venue: bits[hour][venue] for venue in venues} for hour in live.hours(now) if hour in bits}
            for bits in (self._live, self._healed)
        )
        return live.Slots(live=next(kinds), healed=next(kinds))

    async def live_share(self, venues: Sequence[str], span: str, now: int) -> float | None:
        """Set bits over all bits of the whole slots inside the span."""
        shares = (await self.slots(venues, now)).shares(venues, live.window(span, now))
        return None if shares is None else shares[0]

    async def ping(self) -> None:
        """Always there."""

    async def used_bytes(self) -> int | None:
        """It is part of this process and not counted apart."""
        return None

    async def close(self) -> None:
        """Nothing to let go of."""

    def _unseen(self, order: Liquidation) -> bool:
        seen = self._seen[order.at // SEEN_WIDTH]
        before = len(seen)
        seen.add((order.venue, order.id))
        return len(seen) > before

    def _count(self, at: int, slot: _Slot, now: int) -> None:
        for asset, tally in slot.assets.items():
            sums = self._sums[asset]
            self._advance(asset, sums, now)  # before the new orders reach the buckets
            sums.count(at, tally)
        for width in WIDTHS:
            self._slots[width][at // width].merge(slot)

    def _reading(self, asset: str, now: int) -> Reading:
        sums = self._sums.get(asset) or Sums()
        return reading(asset, now, self._advance(asset, sums, now), sums.spans)

    def _advance(self, asset: str, sums: Sums, now: int) -> int:
        def total(start: int, stop: int) -> Tally:
            result = _tally()
            for width, slot in cover(start, stop):
                if held := self._held(width, slot, asset):
                    plus(result, held)
            return result

        return sums.advance(now // TICK, total)

    def _held(self, width: int, slot: int, asset: str) -> Tally | None:
        found = self._slots[width].get(slot)
        return found.assets.get(asset) if found else None

    def _sweep(self, now: int) -> None:
        if now - self._swept < HOUR:
            return
        self._swept = now
        _drop(self._seen, (now - SEEN_KEEP) // SEEN_WIDTH)
        for bitmaps in (self._live, self._healed):
            _drop(bitmaps, (now - live.KEEP) // HOUR)
        for width, slots in self._slots.items():
            _drop(slots, (now - BUCKET_KEEP[width]) // width)
        for hour, slot in self._slots[HOUR].items():
            if hour < (now - BUCKET_KEEP[MINUTE]) // HOUR:  # history: of it nobody asks for names
                slot.fields.clear()
                slot.largest.clear()


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
