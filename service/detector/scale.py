"""How much is usual at this time of day: orders a second and capped dollars (detection study, B).

    m(t) = tod(half-hour of day) x EWMA_6h(count / tod), evaluated 15 minutes ago

Lagged, so that an event cannot lift its own bar at once; and a minute counts at most `HIGH` times the usual one, so
that an event lifts the next one's bar little. `tod` is learnt for each half-hour, on weekends apart, from how far it
lies from the day's running mean (clipped logarithms: nearly a median), fades in between 3 and 30 days and is never
below 0.2. Minutes of which less than half was heard teach nothing; others are scaled up to a whole.
"""

from math import exp, log

import msgspec

MINUTE_S = 60
_SLOT_MIN, _SLOTS = 30, 48
_MEMORY_MIN = 360
_ALPHA = 1 - exp(-1 / _MEMORY_MIN)
_DAY_ALPHA = 1 - exp(-1 / _SLOTS)
LAG_MIN = 15
#: A minute counts at most as many times the usual one, once the usual one is known for two hours.
HIGH, _KNOWN_MIN = 2.0, 120
_HEARD = 0.5
_FLOOR = 0.2
#: Days of each kind until a half-hour's factor is believed in full.
_FADE_DAYS, _WEEKEND_DAYS, _FIRST_DAYS = 30.0, 16.0, 3.0
_CLIP = 0.7
#: Minutes heard before anything can be called usual.
LEAST_MIN = 60
_LOWEST = 1 / 86_400
#: The first of January 1970 was a Thursday; Monday is 0.
_DAY_MIN, _THURSDAY, _SATURDAY = 1440, 3, 5


class Wave(msgspec.Struct):
    """The day's wave: log factors of the 48 half-hours, and how many days each has seen."""

    logs: list[float] = msgspec.field(default_factory=lambda: [0.0] * _SLOTS)
    days: list[int] = msgspec.field(default_factory=lambda: [0] * _SLOTS)

    def learn(self, slot: int, ratio_log: float) -> None:
        """One more half-hour, as the log of its rate over the day's."""
        self.days[slot] += 1
        move = max(-_CLIP, min(_CLIP, ratio_log - self.logs[slot]))
        self.logs[slot] += move / min(self.days[slot], _FADE_DAYS)

    def factor(self, slot: int, whole: float) -> float:
        """What this half-hour is to the day's mean, believed in full after `whole` days."""
        faith = (self.days[slot] - _FIRST_DAYS) / (whole - _FIRST_DAYS)
        return max(_FLOOR, exp(max(0.0, min(1.0, faith)) * self.logs[slot]))


class Scale(msgspec.Struct):
    """What is usual, learnt minute by minute. `minute` is the number of the running one."""

    minute: int = 0
    known: int = 0
    """Minutes learnt from."""
    weight: float = 0.0
    rate: float = 0.0
    """Orders a minute at a factor of one, times `weight`."""
    dollars: float = 0.0
    lagged: list[tuple[float, float]] = []
    slot_orders: float = 0.0
    slot_heard: float = 0.0
    day_weight: float = 0.0
    day_rate: float = 0.0
    week: Wave = msgspec.field(default_factory=Wave)
    weekend: Wave = msgspec.field(default_factory=Wave)
    usual: float | None = None
    """Orders a second now; None while too little is known."""
    usual_usd: float = 0.0
    """Capped dollars a second now."""
    most: float = 1e12
    """Orders of the running minute that may teach sizes."""

    def close(self, orders: int, usd: float, heard: float) -> None:
        """The running minute has ended with so many orders and capped dollars, `heard` of it (0 to 1)."""
        factor = self._factor(self.minute)
        if heard >= _HEARD:
            self._learn(orders / heard / factor, usd / heard / factor)
            self.slot_orders += orders / heard
            self.slot_heard += 1
        self.minute += 1
        if self.minute % _SLOT_MIN == 0:
            self._slot()
        self.lagged.append((self.rate / self.weight, self.dollars / self.weight) if self.weight else (0.0, 0.0))
        if len(self.lagged) > LAG_MIN:
            del self.lagged[0]
        self._evaluate()

    def _learn(self, rate: float, usd: float) -> None:
        if self.known >= _KNOWN_MIN and self.rate:
            high = HIGH * max(self.rate / self.weight, 1 / MINUTE_S)
            usd *= min(1.0, high / rate) if rate else 1.0
            rate = min(rate, high)
        self.known += 1
        self.weight += _ALPHA * (1 - self.weight)
        self.rate += _ALPHA * (rate - self.rate)
        self.dollars += _ALPHA * (usd - self.dollars)

    def _evaluate(self) -> None:
        if self.known < LEAST_MIN:
            return
        factor = self._factor(self.minute)
        rate, usd = self.lagged[0]
        self.usual = max(_LOWEST, rate * factor / MINUTE_S)
        self.usual_usd = usd * factor / MINUTE_S
        self.most = max(2.0, HIGH * self.usual * MINUTE_S)

    def _slot(self) -> None:
        if self.slot_heard >= _SLOT_MIN * _HEARD:
            count = self.slot_orders * _SLOT_MIN / self.slot_heard
            slot = (self.minute // _SLOT_MIN - 1) % _SLOTS
            if self.day_weight > _HEARD:
                mean = self.day_rate / self.day_weight
                ratio = log((count + 0.5) / (mean + 0.5))
                for wave in self._taught(self.minute - 1, slot):
                    wave.learn(slot, ratio)
            self.day_weight += _DAY_ALPHA * (1 - self.day_weight)
            most = HIGH * self.day_rate / self.day_weight if self.day_weight > _HEARD else count
            self.day_rate += _DAY_ALPHA * (min(count, max(most, 1.0)) - self.day_rate)
        self.slot_orders = self.slot_heard = 0.0

    def _taught(self, minute: int, slot: int) -> list[Wave]:
        if not _is_weekend(minute):
            return [self.week]
        return [self.weekend] if self.weekend.days[slot] >= _WEEKEND_DAYS else [self.week, self.weekend]

    def _factor(self, minute: int) -> float:
        slot = minute // _SLOT_MIN % _SLOTS
        if _is_weekend(minute) and self.weekend.days[slot] >= _WEEKEND_DAYS:
            return self.weekend.factor(slot, _WEEKEND_DAYS)
        return self.week.factor(slot, _FADE_DAYS)


def _is_weekend(minute: int) -> bool:
    return (minute // _DAY_MIN + _THURSDAY) % 7 >= _SATURDAY
