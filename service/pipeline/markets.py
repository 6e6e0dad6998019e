"""Every market's memory: its signals and the life of its episode, as one stored state. Follows the ledger's stream.

What was counted is taken from the stream, not from this replica's own feeds: two replicas count each order once between
them, and whoever judges must have seen all of it. A state and the cursor up to which it has read are written together,
so a successor reads on from there and arrives at the very same state.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping

import msgspec

from service.detector import Gauge, State, came_to_something
from service.detector.hole import jump
from service.model import ALL, HOUR, MINUTE, SECOND, Liquidation, Pulse, Side
from service.pipeline.prices import Prices
from service.pipeline.sources import Sources
from service.pipeline.stored import CURSOR, Cursor, Stored, decode, decode_cursor, decode_glimpse, encode

log = logging.getLogger("cascade.pipeline")

#: Orders before a market's beginning are not looked for further back than this.
BEGIN_MS = 75 * MINUTE
#: A silence of ours longer than this teaches nothing: what was not heard then is not what did not happen.
MISSED_MS = 2 * MINUTE
#: A market without orders for so long, while others had some, is forgotten.
FORGET_MS = 7 * 24 * HOUR
DAY = 24 * HOUR
#: After so many gauges others may work.
YIELD_EVERY = 10


class Markets:
    """Every market's life and gauge, and the stored form of all that is known of it."""

    def __init__(self, sources: Sources, prices: Prices) -> None:
        self._ledger, self._rules, self._singles = sources.ledger, sources.rules, sources.singles
        self._boards, self._prices = sources.boards, prices
        self.lives: dict[str, State] = {}
        self.gauges: dict[str, Gauge] = {}
        self._cursor: str | None = None
        self._dirty: set[str] = set()
        self._odd: set[str] = set()
        self._heard_to = 0
        self.late = 0

    async def load(self, now: int) -> None:
        """Take up the states as they were committed, and read on to where the stream stands."""
        read_at = self._read(await self._ledger.states())
        if self._singles and now - read_at > MISSED_MS:
            await self._make_up(read_at, now - MISSED_MS)
        self._heard_to = max(read_at, now - MISSED_MS)

    def _read(self, states: Mapping[str, bytes]) -> int:
        """Decode what was stored; when it had been read up to (ms UTC), 0 when nobody says."""
        self.lives, self.gauges, self._cursor, read_at = {}, {}, None, 0
        boards: dict[str, bytes] = {}
        for market, state in states.items():
            try:
                if market == CURSOR:
                    at = decode_cursor(state)
                    self._cursor, read_at = at.cursor, at.at
                else:
                    stored = decode(state)
                    self._take(market, stored)
                    boards |= {market: stored.board} if stored.board else {}
            except msgspec.MsgspecError as error:
                if market not in self._odd:
                    log.warning("the stored state of %s is of another version and is forgotten: %s", market, error)
                self._odd.add(market)
        self._boards.load(boards)
        return read_at

    async def _make_up(self, read_at: int, until: int) -> None:
        """Bring every gauge over the time of which nothing was heard, letting others work in between."""
        for number, gauge in enumerate(self.gauges.values()):
            if read_at:
                gauge.advance(read_at, self._rules, gauge.heard)
            self._walk_unheard(gauge, until)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)

    def _walk_unheard(self, gauge: Gauge, until: int) -> None:
        """Bring a gauge to `until` (ms UTC) over a time of which nothing was heard; whole days at once."""
        days = (until - gauge.second * SECOND - 2 * HOUR) // DAY
        if gauge.second and days > 0:
            gauge.advance(gauge.second * SECOND + HOUR, self._rules, 0.0)
            jump(gauge, days)
        gauge.advance(until, self._rules, 0.0)

    async def glance(self) -> None:
        """What another replica judges, for showing: lives and records, without the signals."""
        found: dict[str, State] = {}
        boards: dict[str, bytes] = {}
        for market, state in (await self._ledger.states()).items():
            try:
                seen = decode_glimpse(state)
            except msgspec.MsgspecError:
                continue  # `load` says which
            found |= {market: seen.life} if seen.life != State() else {}
            boards |= {market: seen.board} if seen.board else {}
        self.lives = found
        self._boards.load(boards)

    def _take(self, market: str, stored: Stored) -> None:
        if stored.life != State():
            self.lives[market] = stored.life
        if stored.gauge:
            stored.gauge.level(self._rules)
            self.gauges[market] = stored.gauge
        if stored.swing:
            self._prices.load(market, stored.swing)

    async def listen(self, now: int, heard: float) -> dict[str, list[Pulse]]:
        """Read the stream on and close what time has closed; pulses by market, of markets in which a level is reached.

        `heard`: the part of the venue-seconds of the last minute that was. On LedgerError nothing is lost: what was
        read is counted, the rest is read at the next call.
        """
        if not self._singles:
            return {}
        touched = self._hear(heard)
        while True:
            orders, self._cursor = await self._ledger.follow(self._cursor, now - BEGIN_MS)
            if not orders:
                break
            touched |= self._count(orders)
        self._prices.learn(touched, now)
        self._heard_to = now
        found = {}
        busy = {market for market, gauge in self.gauges.items() if gauge.pending or gauge.burst.orders}
        for market in busy | touched | {ALL}:
            gauge = self._gauge(market)
            self._dirty.add(market)
            pulses = gauge.advance(now, self._rules, heard)
            if pulses or gauge.stands_out(self._rules):
                found[market] = pulses
        return found

    async def pass_unheard(self, since: int, until: int) -> None:
        """Nobody listened from `since` to `until` (ms UTC), which may be years: nothing is learnt of it."""
        await self.listen(since + HOUR, 0.0)
        for gauge in self.gauges.values():
            self._walk_unheard(gauge, until)
        self._heard_to = until

    def _hear(self, heard: float) -> set[str]:
        """The markets of which so far another part was heard: their minutes up to now count as that part of a minute.

        A market at rest is not moved every round, and must not take a gap for a silence when its next order comes.
        """
        others = {market for market, gauge in self.gauges.items() if gauge.heard != heard}
        for market in others:
            gauge = self.gauges[market]
            gauge.advance(self._heard_to, self._rules, gauge.heard)
        return others

    @property
    def pending(self) -> bool:
        """Orders have been counted whose second is not closed yet."""
        return any(gauge.pending for gauge in self.gauges.values())

    def pulse(self, market: str, now: int) -> Pulse | None:
        """The signals of a market as they stand after the last closed second."""
        gauge = self.gauges.get(market)
        if gauge is None:
            return None
        gauge.advance(now, self._rules, gauge.heard)
        self._dirty.add(market)
        return gauge.pulse(gauge.second - 1)

    def shown(self, market: str) -> Pulse | None:
        """The signals of a market as last closed; moves nothing, so what is judged does not depend on who looks."""
        gauge = self.gauges.get(market)
        return gauge.pulse(gauge.second - 1) if gauge else None

    def keep(self, market: str, life: State) -> bool:
        """Keep a market's life; whether it has changed."""
        before = self.lives.get(market, State())
        if life == State():
            self.lives.pop(market, None)
        else:
            self.lives[market] = life
        if gauge := self.gauges.get(market):
            if life.open:
                gauge.event(life.open.onset)
            elif gauge.event_block is not None:  # it has ended, or an opening that could not be written was taken back
                real = before.open is not None and came_to_something(before.open, self._rules, market)
                gauge.event_over(real=real)
        if life != before:
            self._dirty.add(market)
        return life != before

    def unwritten(self, now: int) -> dict[str, bytes | None]:
        """States changed since they were last written, encoded, with the cursor they have read to."""
        latest = self.gauges[ALL].last_order if ALL in self.gauges else 0
        for market, gauge in list(self.gauges.items()):
            if (latest - gauge.last_order) * SECOND > FORGET_MS and gauge.last_order and market not in self.lives:
                del self.gauges[market]
                self._dirty.add(market)
        found: dict[str, bytes | None] = {market: self._encoded(market) for market in sorted(self._dirty)}
        if self._cursor is not None:
            found[CURSOR] = encode(Cursor(cursor=self._cursor, at=now))
        return found

    def written(self, markets: Collection[str]) -> None:
        """These states are in the ledger now."""
        self._dirty -= set(markets)

    def changed(self, markets: Collection[str]) -> None:
        """Something of these markets is to be written with the next states."""
        self._dirty |= set(markets)

    def _encoded(self, market: str) -> bytes | None:
        life, gauge = self.lives.get(market, State()), self.gauges.get(market)
        board, swing = self._boards.stored(market), self._prices.stored(market)
        if life == State() and gauge is None and not board:
            return None
        return encode(Stored(life=life, gauge=gauge, board=board, swing=swing))

    def _count(self, orders: Collection[Liquidation]) -> set[str]:
        """What comes too late for ALL is late for its coin, however long that has been at rest."""
        touched = {ALL}
        for order in orders:
            short = order.side is Side.SHORT
            if not self._gauge(ALL).count(order.at, order.usd, short):
                self.late += 1
                continue
            self._gauge(order.asset).count(order.at, order.usd, short)
            touched.add(order.asset)
        return touched

    def _gauge(self, market: str) -> Gauge:
        gauge = self.gauges.get(market)
        if gauge is None:
            gauge = self.gauges[market] = Gauge(asset=market)
        return gauge
