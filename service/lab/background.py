"""The market between cascades: regimes, hours of the day, news, whales, and orders that cause further orders.

A branching process, made generation by generation: the first one falls at the exogenous rate, each order has Poisson(n)
children after an exponential wait on one of three clocks (Hawkes and Oakes 1974). Children past midnight wait for the
next day with all their own, so a cluster does not end with the day and memory is that of a day.

    rate(t) = orders_per_s (1 - n) x hour-of-week(t) x exp(slow + fast log-OU) x news(t)
"""

import numpy as np

from service.lab.day import Day
from service.lab.law import BACKGROUND_KERNEL, DAY_S, EPOCH, Floats, Ints, Law, Sizes, log_uniform, zipf

#: The log-rates move in steps of ten minutes and are drawn out linearly between them.
_STEP_S = 600
_STEPS = DAY_S // _STEP_S
_MONTH = 30.0
_WEEKEND = 0.7


class Background:
    """Deals one day after another; each is told by the seed and the days before it."""

    def __init__(self, law: Law, seed: int) -> None:
        self._law = law
        self._seed = seed
        self._sizes = Sizes.with_mean(law.mean_usd, law.tail, law.cap_usd)
        self._places = np.cumsum(np.outer(law.venues, zipf(law.symbols)))
        """Where in [0, 1) each venue's contracts end."""
        first = np.random.default_rng([seed, 1])
        self._levels = [float(first.normal(0, sd)) for sd, _ in (law.slow, law.fast)]
        self._branching = float(first.uniform(*law.branching))
        self._bursts: list[tuple[float, float, float, float]] = []
        """From and to, in seconds of the current day, how many times the rate, and the part of shorts."""
        self._waiting: Floats = np.zeros(0)
        """Seconds past the last midnight of orders that an earlier day caused."""

    def day(self, number: int) -> Day:
        """The orders of day `number` from the epoch; call it for 0, 1, 2 and so on."""
        rng = np.random.default_rng([self._seed, 2, number])
        if rng.random() < 1 / self._law.branching_days:
            self._branching = float(rng.uniform(*self._law.branching))
        rate, shorts = self._rate(rng, number)
        second = np.repeat(np.arange(DAY_S), rng.poisson(rate))
        times = self._spread(rng, np.concatenate([second + rng.random(len(second)), self._waiting]))
        whales = rng.random(rng.poisson(self._law.whales_per_month / _MONTH)) * DAY_S
        usd = np.concatenate(
            [self._sizes.draw(rng, len(times)), [log_uniform(rng, self._law.whale_usd) for _ in whales]]
        )
        return self._dealt(rng, number, np.concatenate([times, whales]), usd, shorts)

    def _rate(self, rng: np.random.Generator, number: int) -> tuple[Floats, Floats]:
        """Exogenous orders a second, and the part of shorts, for each second of the day."""
        law = self._law
        log = np.zeros(DAY_S)
        for which, (sd, days) in enumerate((law.slow, law.fast)):
            log += self._walk(rng, which, sd, days) - sd**2 / 2
        wave, sides = hours_of_week(number), np.random.default_rng([self._seed, 5, number])
        rate = law.orders_per_s * (1 - self._branching) * wave * np.exp(log)
        for _ in range(rng.poisson(law.bursts_per_month / _MONTH)):
            start, minutes = rng.uniform(0, DAY_S), rng.uniform(*law.burst_minutes)
            share = float(sides.uniform(*law.burst_side))
            share = share if sides.integers(2) else 1 - share
            self._bursts.append((start, start + minutes * 60, rng.uniform(*law.burst_times), share))
        shorts = np.full(DAY_S, 0.5)
        for start, end, times, share in self._bursts:
            here = slice(max(0, int(start)), max(0, int(end)))
            rate[here] *= times
            shorts[here] = share
        self._bursts = [
            (start - DAY_S, end - DAY_S, times, part) for start, end, times, part in self._bursts if end > DAY_S
        ]
        return np.asarray(rate, dtype=np.float64), shorts

    def _walk(self, rng: np.random.Generator, which: int, sd: float, days: float) -> Floats:
        """A day of one log-rate, per second; it goes on where the last day ended."""
        kept = float(np.exp(-_STEP_S / (days * DAY_S)))
        noise = rng.normal(0, sd * (1 - kept**2) ** 0.5, _STEPS)
        points = [self._levels[which]]
        for step in noise.tolist():
            points.append(points[-1] * kept + step)
        self._levels[which] = points[-1]
        return np.interp(np.arange(DAY_S), np.arange(_STEPS + 1) * _STEP_S, points)

    def _spread(self, rng: np.random.Generator, parents: Floats) -> Floats:
        """These orders and all they cause today; what they cause later waits."""
        shares, clocks = (np.array(column) for column in zip(*BACKGROUND_KERNEL, strict=True))
        today, later = [parents[parents < DAY_S]], [parents[parents >= DAY_S] - DAY_S]
        while len(today[-1]):
            births = np.repeat(today[-1], rng.poisson(self._branching, len(today[-1])))
            clock = clocks[np.searchsorted(np.cumsum(shares)[:-1], rng.random(len(births)), side="right")]
            children = births + rng.exponential(1.0, len(births)) * clock
            inside = children < DAY_S
            later.append(children[~inside] - DAY_S)
            today.append(children[inside])
        self._waiting = np.concatenate(later)
        return np.concatenate(today)

    def _dealt(self, rng: np.random.Generator, number: int, times: Floats, usd: Floats, shorts: Floats) -> Day:
        start, count = EPOCH + number * DAY_S * 1_000, len(times)
        where = np.searchsorted(self._places, rng.random(count) * self._places[-1], side="right")
        order = np.argsort(times, kind="stable")
        at: Ints = start + (times[order] * 1_000).astype(np.int64)
        return Day(
            start,
            at,
            usd[order],
            rng.random(count) < shorts[times[order].astype(np.int64)],
            (where // self._law.symbols).astype(np.int8),
            (where % self._law.symbols).astype(np.int16),
            np.full(count, -1, np.int32),
        )


def hours_of_week(number: int) -> Floats:
    """How busy each second of day `number` is; 1 on average over the week. The epoch is a Monday."""
    hour = np.arange(DAY_S) / 3_600
    wave = 1 + 0.30 * np.cos((hour - 15) / 24 * 2 * np.pi) + 0.10 * np.cos((hour - 14) / 12 * 2 * np.pi)
    level = _WEEKEND if number % 7 in {5, 6} else (7 - 2 * _WEEKEND) / 5
    return np.asarray(wave * level, dtype=np.float64)
