"""One market's signals, second by second: how unusual its last minutes are, and whether they breed more.

Puts together sizes, scale, burst, growth, onset and two tails; the life of an episode (life.py) is decided elsewhere.

    Y = (C_s + C_l) / (W m x)             capped dollars of the last W = 300 s over the usual (more where sparse)
    l = |C_s - C_l| / (C_s + C_l)         how far one side dominates
    B = Y l^2                             one-sided breadth: what a chi-square of a balanced market is for equal orders
    E = max(0, z_R + 1) ln max(1, Y) l    growth x breadth x lean, only with 30 orders in the last minute

Neither a lone whale (no growth, low capped Y) nor a busy but steady hour (growth gone after one kernel time) nor a
storm on both sides (l near 0) scores. Y, E and the cap are the study's (B and C.1); the lean is ours: an episode needs
a side anyway, and without it the tail of two-sided bursts set levels that cascades did not reach (laboratory). Seconds
are venue time and are closed once every feed has had `LATE_MS` to tell them; what comes later is history and raises
nothing here. Inside a second the order of arrival plays no part. State is this Struct itself: encoded, decoded, it goes
on as if nothing had been. A second costs the same whatever the span.
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
from service.detector.widths import Widths
from service.model import SECOND, Pulse

#: A second is closed this long after it ended: feeds tell in batches, clocks differ.
LATE_MS = 4 * SECOND
#: Orders of the last minute below which growth says nothing.
LEAST_ORDERS = 30
#: Blocks from one fit of the tails to the next: 6 hours.
_REFIT = 24
_VERSION = 1
#: Less than a cent is stored as nothing, and nothing has no logarithm.
_LEAST_USD = 0.01
#: Blocks a block waits before it is learnt: an onset may be dated back.
_WAITS = 8
#: A block of which less was heard teaches nothing.
_LEAST_HEARD = 0.5


class Levels(msgspec.Struct, frozen=True):
    """What B and E must reach now."""

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
    """Block maxima of B."""
    early: Tail = msgspec.field(default_factory=Tail)
    """Block maxima of E."""
    block: int = 0
    block_breadth: float = 0.0
    block_early: float = 0.0
    event_block: int | None = None
    """While an episode is open: the block in which it began."""
    waiting: list[tuple[int, float, float]] = []
    """Ended blocks (number, B, E) that no tail has learnt yet: an episode may turn out to have begun in them."""
    levels: Levels = Levels(breadth=5.0, early=4.0, watch=2.0)
    widths: Widths = msgspec.field(default_factory=Widths)
    last_order: int = 0

    def count(self, at: int, usd: float, short: bool) -> bool:
        """Take an order of venue time `at` (ms); False when its second is closed already."""
        second = at // SECOND
        if second < self.second:
            self.late += 1
            return False
        if usd < _LEAST_USD:
            return True
        self.pending.setdefault(second, []).append((usd, short))
        return True

    def advance(self, now: int, rules: Rules, heard: float = 1.0) -> list[Pulse]:
        """Close every second whose time is up at `now` (ms); `heard`: the part of the venues that was.

        Returns a pulse of each closed second in which B or E stands at a level, oldest first.
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
        breadth, early = self._scores(z, usual)
        self.block_breadth = max(self.block_breadth, breadth)
        self.block_early = max(self.block_early, early)
        return early >= self.levels.watch or breadth >= self.levels.breadth

    def _scores(self, z: float, usual: float) -> tuple[float, float]:
        """B and E as the burst stands."""
        burst = self.burst
        both = burst.capped_long + burst.capped_short
        if not both:
            return 0.0, 0.0
        lean = abs(burst.capped_short - burst.capped_long) / both
        times = both / (100 * burst.width * usual * self.sizes.median)
        grows = z > -1 and times > 1 and burst.recent >= LEAST_ORDERS
        return times * lean * lean, (z + 1) * log(times) * lean if grows else 0.0

    def event(self, onset: int) -> None:
        """An episode is open that began at `onset` (ms): what belongs to it tells nothing about quiet."""
        block = onset // SECOND // BLOCK_S
        self.event_block = block if self.event_block is None else min(block, self.event_block)

    def event_over(self, *, real: bool) -> None:
        """It has ended. If it came to something it is no quiet; else it is learnt, as one block at the level."""
        since, self.event_block = self.event_block, None
        if since is None:
            return
        inside = [row for row in self.waiting if row[0] >= since]
        self.waiting = [row for row in self.waiting if row[0] < since]
        if inside and not real:
            high = max(row[1] for row in inside), max(row[2] for row in inside)
            levels = self.levels
            self.waiting.append((inside[-1][0], min(high[0], levels.breadth), min(high[1], levels.early)))

    def stands_out(self, rules: Rules) -> bool:
        """Whether a signal speaks as things stand: it may without a new order, when the other side's leave."""
        self.burst.move(self.second - 1)
        usd, floor = (self.burst.long + self.burst.short) / 100, rules.floor(self.asset)
        if self.scale.usual is None or usd < min(rules.early_floor, rules.breadth_floor) * floor:
            return False
        breadth, early = self._scores(self.growth.z(self.second - 1), self.scale.usual)
        grows = early >= self.levels.early and usd >= rules.early_floor * floor
        return grows or (breadth >= self.levels.breadth and usd >= rules.breadth_floor * floor)

    def _end_block(self, rules: Rules) -> None:
        if self.scale.usual is not None and self.heard >= _LEAST_HEARD:
            self.waiting.append((self.block, self.block_breadth, self.block_early))
            self.widths.note(self.scale.minute * MINUTE_S - self.last_order)
        self.block_breadth = self.block_early = 0.0
        self.block = self.scale.minute * MINUTE_S // BLOCK_S
        self._learn()
        if self.block % _REFIT == 0:
            self.breadth.refit(self.block)
            self.early.refit(self.block)
            self._choose_width()
        self.level(rules)

    def _learn(self) -> None:
        settled = self.block - _WAITS if self.event_block is None else min(self.event_block, self.block - _WAITS)
        while self.waiting and self.waiting[0][0] < settled:
            block, breadth, early = self.waiting.pop(0)
            self.breadth.push(breadth, block)
            self.early.push(early, block)

    def level(self, rules: Rules) -> None:
        """Set the levels anew: after every block, and when the rules may have changed."""
        q = rules.budget_of(self.asset) / A_MONTH
        self.levels = Levels(
            breadth=self.breadth.level(q * rules.part, rules.breadth),
            early=self.early.level(q * rules.part, rules.early),
            watch=self.early.level(q * rules.watches, rules.watch),
        )

    def _choose_width(self) -> None:
        width = self.widths.choose(self.burst.width)
        if width != self.burst.width:
            self.burst.width = width
            self.breadth, self.early = Tail(), Tail()

    def pulse(self, second: int) -> Pulse | None:
        """The signals as they stand at a second that is not before the last order; None while too little is known."""
        usual, burst, levels = self.scale.usual, self.burst, self.levels
        if usual is None or self.widths.sparse:
            return None
        burst.move(second)
        z = self.growth.z(second)
        breadth, early = self._scores(z, usual)
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
