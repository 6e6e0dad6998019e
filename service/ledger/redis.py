"""The ledger on a Redis or Valkey server: the windows half.

Single orders stand in orders.py, alerts, lease and the rest in archive.py.
Every write is one script and safe to repeat. Knows the server only through `Server`; reads no clock.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

from service.ledger import Added, live, wire
from service.ledger.buckets import TICK, TOP_SYMBOLS, WINDOWS, cover, reading, totals
from service.ledger.embedded import EmbeddedServer
from service.ledger.orders import RedisOrders
from service.ledger.server import TIMEOUT_S, Server
from service.model import ALL, HOUR, Detail, Edge, Largest, Liquidation, Reading, Side, Totals, to_usd

_Sums = tuple[str, list[int]]
_Rows = list[tuple[str, tuple[int, int, int, int]]]
_Best = tuple[int, int, str]
_added = msgspec.msgpack.Decoder(tuple[tuple[int, ...], list[_Sums]])
_read = msgspec.msgpack.Decoder(list[_Sums])
_detail = msgspec.msgpack.Decoder(tuple[_Rows, _Rows, _Rows, _Best | bool])


class RedisLedger(RedisOrders):
    """`url` as redis-py takes it (redis://, rediss://, unix://, user and password inside); closes `embedded` too."""

    def __init__(
        self,
        url: str,
        tag: str = "cascade",
        *,
        kind: str | None = None,
        timeout_s: float = TIMEOUT_S,
        embedded: EmbeddedServer | None = None,
    ) -> None:
        super().__init__(Server(url, tag, kind, timeout_s))
        self._embedded = embedded

    async def add(self, batch: Sequence[Liquidation], now: int) -> Added:
        """Count each id once, in its own past; one EVALSHA."""
        names = (self._keys.assets, self._keys.orders)
        fresh, sums = _added.decode(await self._server.run("add", names, wire.pack(batch), now))
        return Added(fresh=fresh, duplicates=len(batch) - len(fresh), readings=tuple(_readings(sums, now)))

    async def read(self, assets: Collection[str], now: int) -> list[Reading]:
        """All spans of the assets in one round trip, the cost independent of the number of orders."""
        if not assets:
            return []
        reply = await self._server.run("read", (self._keys.assets,), now, *assets)
        return _readings(_read.decode(reply), now)

    async def edges(self, asset: str, now: int) -> dict[str, Edge]:
        """One bucket a span, in one round trip."""
        edges = {span: window.edge(now) for span, window in WINDOWS.items()}
        names = [self._keys.bucket(WINDOWS[span].width, slot) for span, (slot, _) in edges.items()]
        stored = await self._server.ask_all([("HGET", name, asset) for name in names])
        tallies = (totals(wire.tally(text)) if text else Totals() for text in stored)
        pairs = zip(edges.items(), tallies, strict=True)
        return {span: Edge(totals=held, inside=inside) for (span, (_, inside)), held in pairs}

    async def detail(self, asset: str, span: str, now: int) -> Detail:
        """The same buckets as a reading at `now`, by name; at most 50 symbols."""
        names = [self._keys.detail(width, slot) for width, slot in cover(*WINDOWS[span].reach(now // TICK))]
        reply = await self._server.run("detail", names, asset, ALL, TOP_SYMBOLS)
        venues, symbols, assets, best = _detail.decode(reply)
        return Detail(
            asset=asset,
            span=span,
            now=now,
            venues=_named(venues),
            symbols=_named(symbols),
            assets=_named(assets),
            largest=None if isinstance(best, bool) else _largest(*best),
        )

    async def assets(self, now: int) -> list[str]:
        """Assets whose last order is less than 24 h old."""
        names = await self._server.ask("ZRANGEBYSCORE", self._keys.assets, f"({now - 24 * HOUR}", "+inf")
        return sorted(name.decode() for name in names)

    async def mark_live(self, venues: Collection[str], since: int, until: int) -> None:
        """Set the bits of the whole slots; a stretch of more than a day is cut to its last day."""
        parts = list(live.stretches(max(since, until - live.KEEP), until))
        await self._mark(((self._keys.live(venue, hour), *bits) for venue in venues for hour, *bits in parts), 1)

    async def mark_healed(self, venue: str, since: int, until: int) -> None:
        """As `mark_live`, beside it."""
        parts = live.stretches(max(since, until - live.KEEP), until)
        await self._mark(((self._keys.healed(venue, hour), *bits) for hour, *bits in parts), 1)

    async def mark_deaf(self, venue: str, since: int, until: int) -> None:
        """Clear the bits of both kinds."""
        parts = list(live.outward(max(since, until - live.KEEP), until))
        keys = (self._keys.live, self._keys.healed)
        await self._mark(((key(venue, hour), *bits) for key in keys for hour, *bits in parts), 0)

    async def _mark(self, parts: Iterable[tuple[str, *tuple[int, ...]]], value: int) -> None:
        marks = list(parts)
        if marks:
            edges = [edge for _, *bits in marks for edge in bits]
            await self._server.run("mark", [key for key, *_ in marks], live.KEEP, value, *edges)

    async def slots(self, venues: Collection[str], now: int) -> live.Slots:
        """Both kinds of bitmaps of all kept hours."""
        hours, names = live.hours(now), list(venues)
        if not names:
            return live.NOTHING
        keys = [key(venue, hour) for key in (self._keys.live, self._keys.healed) for hour in hours for venue in names]
        stored = iter(await self._server.ask("MGET", *keys))
        kinds = [{hour: {venue: live.bits(next(stored)) for venue in names} for hour in hours} for _ in range(2)]
        return live.Slots(live=kinds[0], healed=kinds[1])

    async def live_share(self, venues: Sequence[str], span: str, now: int) -> float | None:
        """Set bits over all bits of the whole slots inside the span."""
        shares = (await self.slots(venues, now)).shares(venues, live.window(span, now))
        return None if shares is None else shares[0]

    async def history(self, asset: str, since: int, until: int, width: int = HOUR) -> dict[int, Totals]:
        """Hours (or narrower buckets) with orders, by their start; hours up to five years back."""
        slots = range(-(-since // width), -(-until // width))
        stored = await self._server.ask_all([("HGET", self._keys.bucket(width, slot), asset) for slot in slots])
        pairs = zip(slots, stored, strict=True)
        return {slot * width: totals(wire.tally(text)) for slot, text in pairs if text is not None}

    async def greet(self) -> None:
        """First words with the server: is it there, is it new enough? Raises LedgerError."""
        await self._server.greet()

    async def ping(self) -> None:
        """Raises LedgerError when the server does not answer."""
        await self._server.ask("PING")

    async def used_bytes(self) -> int | None:
        """As the server says; None where it does not say or this user may not ask. Raises LedgerError."""
        return await self._server.used_bytes()

    async def close(self) -> None:
        """Close the connections; our own server is stopped and keeps its data."""
        await self._server.close()
        if self._embedded is not None:
            await self._embedded.close()


def _readings(sums: Sequence[_Sums], now: int) -> list[Reading]:
    return [
        reading(asset, now, flat[0], [flat[start : start + 4] for start in range(1, len(flat), 4)])
        for asset, flat in sums
    ]


def _named(rows: _Rows) -> dict[str, Totals]:
    return {name: totals(tally) for name, tally in rows}


def _largest(units: int, at: int, name: str) -> Largest:
    venue, _, rest = name.partition("|")
    symbol, _, letter = rest.rpartition("|")
    side: Side = wire.SIDES[letter]
    return Largest(venue=venue, symbol=symbol, side=side, usd=to_usd(units), at=at)
