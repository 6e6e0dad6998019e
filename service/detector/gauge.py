"""One market's signals, second by second: how unusual its last minutes are, and whether they breed more.

Puts together sizes, scale, burst, growth, onset and two tails; the life of an episode (life.py) is decided elsewhere.

    Y = C_W / (W m x)              capped dollars of the last W = 300 s over what is usual (W longer in sparse markets)
    E = max(0, z_R + 1) ln max(1, Y)      growth times breadth, only with 30 orders in the last minute

Neither a lone whale (no growth, low capped Y) nor a busy but steady hour (growth gone after one kernel time) scores
(detection study, B and C.1). Seconds are venue time and are closed once every feed has had `LATE_MS` to tell them; what
comes later is history and raises nothing here. Inside a second the order of arrival plays no part. State is this Struct
itself: encoded, decoded, it goes on as if nothing had been. A second costs the same whatever the span.
"""

from math import log

import msgspec

from service.detector.burst import Burst
from service.detector.growth import Growth
from service.detector.onset import Onset
from service.detector.rules import Rules
from service.detector.scale import MINUTE_S, Scale
from service.detector.sizes import Sizes
from service.detector.tail import A_MONTH, BLOCK_S, Tail
from service.model import SECOND, Pulse

#: A second is closed this long after it ended: feeds tell in batches, clocks differ.
LATE_MS = 4 * SECOND
#: Orders of the last minute below which growth says nothing.
LEAST_ORDERS = 30
#: Blocks from one fit of the tails to the next: 6 hours.
_REFIT = 24
#: Widths a sparse market may need (s): the shortest that holds an order at least half of the time.
WIDTHS = (300, 900, 3600)
_SPARSE, _DENSE = 0.5, 0.7
#: Blocks the share of filled windows is remembered for: a day.
_FILLED_MEMORY = 96
_VERSION = 1
#: A block of which less was heard teaches nothing.
_LEAST_HEARD = 0.5


class Levels(msgspec.Struct, frozen=True):
    """What Y and E must reach now."""

    breadth: float
    early: float
    watch: float


class Gauge(msgspec.Struct):
    """State of one market. `second` is the first one not closed yet; `pending` holds orders of those."""

    asset: str
    version: int = _VERSION
    second: int = 0
    pending: dict[int, list[tuple[float, bool]]] = {}
    late: int = 0
    minute_orders: int = 0
    minute_usd: float = 0.0
    heard: float = 1.0
    sizes: Sizes = msgspec.field(default_factory=Sizes)
    scale: Scale = msgspec.field(default_factory=Scale)
    burst: Burst = msgspec.field(default_factory=Burst)
    growth: Growth = msgspec.field(default_factory=Growth)
    onset: Onset = msgspec.field(default_factory=Onset)
    breadth: Tail = msgspec.field(default_factory=Tail)
    """Block maxima of Y."""
    early: Tail = msgspec.field(default_factory=Tail)
    """Block maxima of E."""
    block: int = 0
    block_breadth: float = 0.0
    block_early: float = 0.0
    alarmed: bool = False
    """An episode was open in the running block."""
    levels: Levels = Levels(breadth=30.0, early=10.0, watch=5.0)
    filled: list[float] = msgspec.field(default_factory=lambda: [1.0, 1.0, 1.0])
    """How often each of WIDTHS held an order."""
    last_order: int = 0

    def count(self, at: int, usd: float, short: bool) -> bool:
        """Take an order of venue time `at` (ms); False when its second is closed already."""
        second = at // SECOND
        if second < self.second:
            self.late += 1
            return False
        self.pending.setdefault(second, []).append((usd, short))
        return True

    def advance(self, now: int, rules: Rules, heard: float = 1.0) -> list[Pulse]:
        """Close every second whose time is up at `now` (ms); `heard`: the part of the venues that was.

        Returns a pulse of each closed second in which Y or E stands at a level, oldest first.
        """
        until = (now - LATE_MS) // SECOND
        self.heard = heard
        pulses: list[Pulse] = []
        for second in sorted(self.pending):
            if second >= until:
                break
            self._pass(second, rules)
            if self._close(second, self.pending.pop(second)) and (pulse := self.pulse(second)):
                pulses.append(pulse)
            self.second = second + 1
        self._pass(until, rules)
        return pulses

    def _pass(self, second: int, rules: Rules) -> None:
        """Go on to `second`, ending minutes and blocks on the way."""
        if not self.second:
            self.second, self.block = second, second // BLOCK_S
            self.scale.minute = second // MINUTE_S
        while self.scale.minute < second // MINUTE_S:
            self.scale.close(self.minute_orders, self.minute_usd, self.heard)
            self.minute_orders, self.minute_usd = 0, 0.0
            if self.scale.minute * MINUTE_S // BLOCK_S > self.block:
                self._end_block(rules)
        self.second = max(self.second, second)

    def _close(self, second: int, orders: list[tuple[float, bool]]) -> bool:
        """Count one second's orders; whether what they make of the market is worth a pulse."""
        orders.sort()
        scale, burst, count = self.scale, self.burst, len(orders)
        if self.minute_orders < scale.most:
            self.sizes.learn(orders)
        self.minute_usd += burst.add(second, orders, self.sizes.cap) / 100
        self.minute_orders += count
        self.last_order = second
        usual = scale.usual
        if usual is None:
            return False
        z = self.growth.update(second, count, usual)
        self.onset.update(second, count, usual)
        breadth = burst.capped / (burst.width * usual * self.sizes.median)
        self.block_breadth = max(self.block_breadth, breadth)
        early = (z + 1) * log(breadth) if z > -1 and breadth > 1 and burst.recent >= LEAST_ORDERS else 0.0
        self.block_early = max(self.block_early, early)
        return early >= self.levels.watch or breadth >= self.levels.breadth

    def _end_block(self, rules: Rules) -> None:
        heard_enough = self.scale.usual is not None and self.heard >= _LEAST_HEARD
        if heard_enough:
            q = rules.budget_of(self.asset) / A_MONTH
            self.breadth.push(self.block_breadth, self.block, self.alarmed, self.levels.breadth, q)
            self.early.push(self.block_early, self.block, self.alarmed, self.levels.early, q)
            self._note_filled()
        self.block_breadth = self.block_early = 0.0
        self.alarmed = False
        self.block = self.scale.minute * MINUTE_S // BLOCK_S
        if self.block % _REFIT == 0:
            self.breadth.refit(self.block)
            self.early.refit(self.block)
            self._choose_width()
        self.level(rules)

    def level(self, rules: Rules) -> None:
        """Set the levels anew: after every block, and when the rules may have changed."""
        q = rules.budget_of(self.asset) / A_MONTH
        self.levels = Levels(
            breadth=self.breadth.level(q * rules.level_part, rules.breadth),
            early=self.early.level(q * (1 - rules.level_part), rules.early),
            watch=self.early.level(q * rules.watches, rules.watch),
        )

    def _note_filled(self) -> None:
        ended = self.scale.minute * MINUTE_S
        for number, width in enumerate(WIDTHS):
            held = self.last_order >= ended - width
            self.filled[number] += (held - self.filled[number]) / _FILLED_MEMORY

    def _choose_width(self) -> None:
        wide = [width for width, held in zip(WIDTHS, self.filled, strict=True) if held >= _SPARSE]
        found = wide[0] if wide else WIDTHS[-1]
        if found < self.burst.width and self.filled[WIDTHS.index(found)] < _DENSE:
            return  # a market at the edge stays as it is: a new width is learnt from the beginning
        if found != self.burst.width:
            self.burst.width = found
            self.breadth, self.early = Tail(), Tail()

    @property
    def sparse(self) -> bool:
        """Even an hour holds no order half of the time: nothing is usual here, only floors apply."""
        return self.filled[-1] < _SPARSE

    def pulse(self, second: int) -> Pulse | None:
        """The signals as they stand at a second that is not before the last order; None while too little is known."""
        usual, burst, levels = self.scale.usual, self.burst, self.levels
        if usual is None or self.sparse:
            return None
        burst.move(second)
        z = self.growth.z(second)
        breadth = burst.capped / (burst.width * usual * self.sizes.median)
        early = (z + 1) * log(breadth) if z > -1 and breadth > 1 and burst.recent >= LEAST_ORDERS else 0.0
        capped = burst.capped_long + burst.capped_short
        return Pulse(
            at=(second + 1) * SECOND,
            width_s=burst.width,
            early=early,
            early_level=levels.early,
            watch_level=levels.watch,
            breadth=breadth,
            breadth_level=levels.breadth,
            growth_z=z,
            orders_minute=burst.recent,
            orders=burst.orders,
            long_usd=burst.long / 100,
            short_usd=burst.short / 100,
            lean=burst.capped_short / capped if capped else None,
            onset=self.onset.since * SECOND,
            usual_rate=usual,
            usual_usd=self.scale.usual_usd,
            median_usd=self.sizes.median,
            cap_usd=self.sizes.cap,
            days=self.breadth.days,
            rarity_days=self.breadth.rarity_days(max(breadth, self.block_breadth)),
            excitation=self.growth.excitation(second),
        )
