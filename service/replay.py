"""The same ledger, judge and texts over recorded data, in event time, as fast as they can. Opens no socket."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from service import tape
from service.detector import LATE_MS, Rules
from service.detector.calendar import Event
from service.ledger import Ledger
from service.model import ALL, MINUTE, SECOND, Alert, Reading, Record, Side, to_units, to_usd
from service.pipeline import Boards, Judge, Recent, Sources
from service.pipeline.boards import HOLE
from service.pipeline.shown import documented
from service.pipeline.sources import Beside
from service.tape import Row
from service.venues import VENUES

#: Orders of one second are judged together, as the live street does.
STEP_MS = SECOND
#: While an episode is open and nothing comes, its hour still empties: look this often.
IDLE_MS = 10 * SECOND
#: By then the signals have closed the last second in which something came.
CLOSING_MS = LATE_MS + STEP_MS
#: A recording is taken to have begun so long before its first row.
HEARD_AGAIN_MS = MINUTE
_HOLDER = "replay"
_LEASE_MS = 86_400_000


class Summary(Record, frozen=True, kw_only=True):
    """What a replay counted, per side in dollars; `duplicates` are orders the ledger had seen before."""

    rows: int
    duplicates: int
    long_usd: float
    short_usd: float
    first_at: int | None
    last_at: int | None
    alerts: int


class Replay:
    """One run over rows in order of time. What comes after them is unknown: an episode still open stays open."""

    def __init__(
        self,
        rows: Sequence[Row],
        ledger: Ledger,
        rules: Rules,
        tell: Callable[[Alert], None],
        calendar: tuple[Event, ...] = (),
        context: Beside | None = None,
    ) -> None:
        self._rows = rows
        self._ledger = ledger
        singles = not any(row.summed for row in rows)
        # a recording does not say which feeds it missed: its totals are floors, its coverage is unknown
        self._recent = Recent(ledger)
        self._judge = Judge(
            Sources(
                ledger=ledger,
                rules=rules,
                recent=self._recent,
                boards=Boards(ledger, lambda _now: "recorded", rules.tz),
                feeds=lambda: documented(VENUES.values(), self._now),
                calendar=calendar,
                context=context,
                singles=singles,
                keep=False,
            )
        )
        self._tell = tell
        self._now = 0
        self._token = 0
        self._alerts = 0
        self._taken = 0
        self._duplicates = 0
        self._units = dict.fromkeys(Side, 0)

    async def run(self, stop: asyncio.Event, progress: Callable[[int], object]) -> Summary:
        """Judge every second until the last row or `stop`, telling each alert; `progress` hears how many rows more."""
        rows = self._rows
        self._token = await self._ledger.lease(_HOLDER, _LEASE_MS) or 0
        for group in _steps(rows):
            if stop.is_set():
                break
            await self._idle_until(group[0].at)
            await self._take(group)
            self._taken += len(group)
            progress(len(group))
            await asyncio.sleep(0)  # a memory ledger never waits: let signals and others in
        return Summary(
            rows=self._taken,
            duplicates=self._duplicates,
            long_usd=to_usd(self._units[Side.LONG]),
            short_usd=to_usd(self._units[Side.SHORT]),
            first_at=rows[0].at if rows else None,
            last_at=self._now or None,
            alerts=self._alerts,
        )

    async def _take(self, rows: Sequence[Row]) -> None:
        self._now = rows[-1].at
        orders = [tape.liquidation(row) for row in rows]
        added = await self._ledger.add(orders, self._now)
        self._duplicates += added.duplicates
        for position in added.fresh:
            self._units[orders[position].side] += to_units(orders[position].usd)
        await self._observe(added.readings)

    async def _idle_until(self, at: int) -> None:
        if self._judge.markets.pending and self._now + CLOSING_MS < at:
            self._now += CLOSING_MS
            await self._observe([])
        while self._judge.open_markets and self._now + IDLE_MS < at:
            self._now += IDLE_MS
            await self._observe(await self._ledger.read(sorted({ALL, *self._judge.open_markets}), self._now))
        if self._taken and at - self._now > HOLE:  # recordings put together: what lies between was not heard
            await self._judge.markets.pass_unheard(self._now, at - HEARD_AGAIN_MS)

    async def _observe(self, readings: Sequence[Reading]) -> None:
        await self._recent.refresh(self._now)
        seen = {reading.asset for reading in readings}
        rest = sorted(await self._judge.listen(self._now) - seen)
        also = await self._ledger.read(rest, self._now) if rest else []
        for alert in await self._judge.observe([*readings, *also], self._token):
            self._alerts += 1
            self._tell(alert)


def _steps(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for _, group in groupby(rows, key=lambda row: row.at // STEP_MS):
        yield list(group)
