"""The service's own detector on the bench: the same gauge and the same life, fed as the live street feeds them.

One market, ALL. Each second's orders are counted, the gauge closes seconds when their time is up, and a reading is
stepped for every pulse and, while an episode is open or the hour stands at its floor, for the market as it stands. In
between nothing can open, so nothing is asked. Not imitated: the ledger's 10 s buckets (the hour here is to the second),
coverage, prices.
"""

from collections.abc import Collection, Sequence

import msgspec

from service.detector import SPAN, Gauge, Rules, State, Verdict, came_to_something, step
from service.detector.gauge import Levels
from service.lab.day import Day, by_second
from service.lab.detectors import Notice
from service.lab.law import HOUR_S, Floats
from service.lab.scores import Rolling
from service.model import ALL, SECOND, Phase, Pulse, Reading, Side, Totals

#: The rules that can be taken away to see what each is worth.
SIGNALS = ("early", "level", "hour")
#: While an episode is open and nothing comes, it is looked at so often (s), as a replay does.
_IDLE_S = 10


class Held(Gauge):
    """A gauge whose learnt levels go no higher than `most` times those of the settings; 0 is the settings' own."""

    most: float = 0.0

    def level(self, rules: Rules) -> None:
        """Set the levels anew."""
        super().level(rules)
        names = ("breadth", "early", "watch")
        known = [(name, getattr(self.levels, name), getattr(rules, name)) for name in names]
        held = {name: min(learnt, self.most * given) if self.most else given for name, learnt, given in known}
        self.levels = Levels(**held)


class Own:
    """`signals` names the rules that may speak, the others are silenced; `gauge` is one that has heard nothing yet."""

    def __init__(self, rules: Rules, signals: Collection[str] = SIGNALS, gauge: Gauge | None = None) -> None:
        self._rules = rules
        self._signals = frozenset(signals)
        self._gauge = gauge or Gauge(asset=ALL)
        self._life = State()
        self._hours = {side: Rolling(HOUR_S) for side in Side}
        self._episode = 0
        self._looked = 0

    def day(self, day: Day) -> Sequence[Notice]:
        """What the service would have said, second by second."""
        self._sides = [self._hours[side].of(_dollars(day, side)) for side in (Side.LONG, Side.SHORT)]
        floor = self._rules.floor(ALL) if "hour" in self._signals else float("inf")
        high = (self._sides[0] + self._sides[1] >= floor).tolist()
        said: list[Notice] = []
        for second, (start, usd, short) in enumerate(day.seconds()):
            for dollars, of_short in zip(usd, short, strict=True):
                self._gauge.count(start, dollars, of_short)
            if usd or self._gauge.pending or high[second] or self._due(start):
                said += self._look(second, start + SECOND, high=high[second])
        return said

    def _due(self, start: int) -> bool:
        return self._life.open is not None and start - self._looked >= _IDLE_S * SECOND

    def _look(self, second: int, now: int, *, high: bool) -> list[Notice]:
        pulses: list[Pulse | None] = [*self._gauge.advance(now, self._rules)]
        if self._life.open or high:
            pulses.append(self._gauge.pulse(self._gauge.second - 1))
        if not pulses:
            return []
        self._looked, said, before = now, [], self._life
        totals = self._totals(second)
        for pulse in pulses:
            reading = Reading(asset=ALL, now=now, spans={SPAN: totals}, pulse=self._heard(pulse))
            self._life, verdict = step(self._life, reading, self._rules)
            if verdict:
                said.append(self._notice(verdict, now))
        if self._life.open:
            self._gauge.event(self._life.open.onset)
        elif before.open:
            self._gauge.event_over(real=came_to_something(before.open, self._rules, ALL))
        return said

    def _totals(self, second: int) -> Totals:
        if "hour" not in self._signals:
            return Totals()
        long_usd, short_usd = (float(side[second]) for side in self._sides)
        return Totals(long_usd=long_usd, short_usd=short_usd)

    def _heard(self, pulse: Pulse | None) -> Pulse | None:
        if pulse is None or self._signals == frozenset(SIGNALS):
            return pulse
        early = pulse.early if "early" in self._signals else 0.0
        breadth = pulse.breadth if "level" in self._signals else 0.0
        return msgspec.structs.replace(pulse, early=early, breadth=breadth)

    def _notice(self, verdict: Verdict, now: int) -> Notice:
        opens = verdict.phase is Phase.OPENED
        self._episode += opens
        return Notice(
            at=now,
            episode=self._episode,
            opens=opens,
            planned=not opens,
            short=verdict.episode.side is Side.SHORT,
            onset=verdict.episode.onset,
            rule=verdict.rule,
        )


def _dollars(day: Day, side: Side) -> Floats:
    return by_second(day, day.usd * (day.short == (side is Side.SHORT)))
