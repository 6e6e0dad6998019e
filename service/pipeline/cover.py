"""How much of a span was heard, by venue and by asset. Owns the arithmetic over what the ledger remembers.

An asset's coverage asks only the venues that list it: a coin no socket of Deribit could bring is not missing there.
"""

from collections.abc import Callable, Collection

from service.ledger import Ledger
from service.ledger.buckets import TICK
from service.ledger.live import NOTHING, Slots, window
from service.model import ALL, SECOND, SPANS, Coverage, Gap
from service.pipeline.health import Health

#: The newest seconds are not settled: a sign of life may be a ping's age away. So what is said of a span is said of the
#: same length of time up to this much earlier; on a fast clock, up to what a second and a half is there.
SETTLED_MS = 2 * TICK
SETTLED_REAL_MS = 3 * SECOND // 2
DAY_S = SPANS["24h"] / SECOND
#: Gaps named of one venue, the latest ones.
MOST_GAPS = 20

Listing = Callable[[str], Collection[str]]
"""Asset -> the enabled venues that list it; none at all means nobody can say."""


class Cover:
    """What was heard, read from the ledger once per 10 s slot."""

    def __init__(self, ledger: Ledger, health: Health, listing: Listing, speed: float = 1.0) -> None:
        self._ledger, self._health, self._listing = ledger, health, listing
        self._settled = max(SETTLED_MS, int(SETTLED_REAL_MS * speed))
        self._slots: Slots = NOTHING
        self._tick: int | None = None
        self._gaps: dict[str, list[Gap]] = {}
        self._shares: dict[tuple[tuple[str, ...], str], Coverage] = {}

    async def refresh(self, now: int) -> bool:
        """Read anew when a slot has passed; whether something was healed meanwhile. Raises LedgerError."""
        if self._tick == now // TICK:
            return False
        before, self._slots = self._slots, await self._ledger.slots(self._health.names, now)
        self._tick, self._shares, self._gaps = now // TICK, {}, {}
        return before.healed != self._slots.healed

    def of(self, asset: str, span: str, now: int) -> Coverage:
        """Coverage of one asset (or ALL) over a span that ends now, as of the last `refresh`."""
        listing = () if asset == ALL else self._listing(asset)
        names = tuple(name for name in self._health.names if name in listing) or tuple(self._health.names)
        known = self._shares.get((names, span))
        if known is None:
            known = self._shares[names, span] = self._measured(names, span, now)
        return known

    def venue(self, name: str, span: str, now: int) -> float | None:
        """The part of a span that was heard on one venue."""
        shares = self._slots.shares([name], window(span, now - self._settled))
        return None if shares is None else shares[0]

    def gaps(self, name: str, now: int) -> list[Gap]:
        """When one venue was not live in the last day, oldest first; the slots that are just ending are left out."""
        if name not in self._gaps:
            self._gaps[name] = self._slots.gaps(name, now - SPANS["24h"], now - self._settled)
        return self._gaps[name]

    def gap_seconds(self, name: str, now: int) -> tuple[float, float] | None:
        """(healed, missing) seconds of the last day in which one venue was not live."""
        shares = self._slots.shares([name], window("24h", now - self._settled))
        if shares is None:
            return None
        heard, healed = shares
        return healed * DAY_S, (1 - heard) * DAY_S

    def _measured(self, names: tuple[str, ...], span: str, now: int) -> Coverage:
        within = window(span, now - self._settled)
        shares = self._slots.shares(names, within)
        by_venue = {name: share[0] for name in names if (share := self._slots.shares([name], within))}
        return Coverage(
            venues_live=sum(self._health.is_live(name) for name in names),
            venues=len(names),
            seconds_share=None if shares is None else shares[0],
            healed_share=None if shares is None else shares[1],
            by_venue=by_venue,
            leaving_out=tuple(name for name in names if self._health.leaves_out(name, now)),
        )
