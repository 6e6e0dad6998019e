"""A run: seeds x feeds, each with quiet days to set levels, days to learn from and months to judge. Owns the processes.

Each (seed, feed) is one task that makes its own market, so results do not depend on how many work at it.
"""

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from typing import Any

from service.lab import LabError
from service.lab.bench import BENCH, BY_DEFAULT, Entry
from service.lab.detectors import Notice, Score
from service.lab.feeds import FEEDS
from service.lab.law import DAY_S, EPOCH, Law
from service.lab.levels import level_for, maxima
from service.lab.market import Market
from service.lab.score import Judged, judge
from service.model import Record

#: Quiet days are another market: the seed and this.
_QUIET_SEED = 1_000_003
_LOOK_S = 0.5
MONTH_DAYS = 30
FEEDS_BY_DEFAULT = ("full", "sampled", "batched")
Tick = Callable[[], None]


class Stopped(Exception):  # noqa: N818  # nothing went wrong
    """Somebody asked the run to end."""


class Plan(Record, frozen=True, kw_only=True):
    """What to run. Raises LabError from `checked` for what cannot be run."""

    seeds: tuple[int, ...] = (1, 2, 3)
    months: float = 6
    warm_up_days: int = 45
    quiet_days: int = 180
    """Days without cascades on which levels are set, after as many to warm up."""
    budget: float = 1.0
    """False episodes in 30 quiet days the levels are set for."""
    feeds: tuple[str, ...] = FEEDS_BY_DEFAULT
    detectors: tuple[str, ...] = BY_DEFAULT
    jobs: int = 1
    sided_news: bool = False
    """News hits one side instead of both alike."""

    def checked(self) -> "Plan":
        """Itself, if it can be run."""
        for kind, names, known in (("feed", self.feeds, FEEDS), ("detector", self.detectors, BENCH)):
            for name in names:
                if name not in known:
                    raise LabError(f"no {kind} {name!r}; there are {', '.join(known)}")
        if self.judged_days < 1 or self.warm_up_days < 1 or self.jobs < 1 or min(self.seeds, default=-1) < 0:
            raise LabError("a day to judge, a day to warm up and a job are the least; seeds are 0 or more")
        if self.needs_quiet and self.quiet_days * self.budget < MONTH_DAYS:
            raise LabError(f"{self.quiet_days} quiet days cannot hold {self.budget:g} false episodes in 30 days")
        return self

    @property
    def law(self) -> Law:
        """The market's numbers."""
        return Law().sided() if self.sided_news else Law()

    @property
    def needs_quiet(self) -> bool:
        """Whether any detector's level must be set."""
        return any(BENCH[name].needs_level for name in self.detectors)

    @property
    def judged_days(self) -> int:
        """Days that count, for each seed and feed."""
        return round(MONTH_DAYS * self.months)

    @property
    def days(self) -> int:
        """Days of all tasks together."""
        quiet = self.warm_up_days + self.quiet_days if self.needs_quiet else 0
        return len(self.seeds) * len(self.feeds) * (quiet + self.warm_up_days + self.judged_days)


class Trial(Record, frozen=True, kw_only=True):
    """One detector on one feed of one seed."""

    seed: int
    feed: str
    detector: str
    level: float | None
    judged: Judged


def run(plan: Plan, tell: Callable[[int], None]) -> list[Trial]:
    """All trials, in the order of seeds, feeds and detectors. `tell` hears days done; what it raises ends the run."""
    tasks = [(plan, seed, feed) for seed in plan.seeds for feed in plan.feeds]
    if plan.jobs == 1:
        return [trial for task in tasks for trial in trials(*task, lambda: tell(1))]
    context = multiprocessing.get_context("spawn")
    done, stop = context.Value("q", 0), context.Event()
    with ProcessPoolExecutor(plan.jobs, context, _begin, (done, stop)) as pool:
        futures = [pool.submit(_in_worker, task) for task in tasks]
        told, left = 0, set(futures)
        try:
            while left:
                _, left = wait(left, timeout=_LOOK_S)
                told, news = done.value, done.value - told
                tell(news)
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        return [trial for future in futures for trial in future.result()]


def trials(plan: Plan, seed: int, feed: str, tick: Tick) -> list[Trial]:
    """Every detector on one seed as one feed shows it; `tick` is called after each day."""
    levels = _levels(plan, seed, feed, tick)
    detectors = {name: BENCH[name].make(levels.get(name), plan.budget) for name in plan.detectors}
    said: dict[str, list[Notice]] = {name: [] for name in detectors}
    market, count = Market(plan.law, seed), plan.warm_up_days + plan.judged_days
    for day in market.days(count):
        shown = FEEDS[feed](day)
        for name, detector in detectors.items():
            said[name] += detector.day(shown)
        tick()
    market.close()
    since, until = (EPOCH + days * DAY_S * 1_000 for days in (plan.warm_up_days, count))
    return [
        Trial(
            seed=seed,
            feed=feed,
            detector=name,
            level=levels.get(name, BENCH[name].level),
            judged=judge(market.truths, said[name], since, until),
        )
        for name in plan.detectors
    ]


def _levels(plan: Plan, seed: int, feed: str, tick: Tick) -> dict[str, float]:
    """Levels for the budget, on another market without cascades."""
    scores = {name: _score(BENCH[name]) for name in plan.detectors if BENCH[name].needs_level}
    blocks: dict[str, list[float]] = {name: [] for name in scores}
    if not scores:
        return {}
    quiet = Market(plan.law.quiet(), seed + _QUIET_SEED)
    for number, day in enumerate(quiet.days(plan.warm_up_days + plan.quiet_days)):
        shown = FEEDS[feed](day)
        for name, score in scores.items():
            high = maxima(score.day(shown))
            if number >= plan.warm_up_days:
                blocks[name] += high.tolist()
        tick()
    return {name: level_for(values, plan.budget) for name, values in blocks.items()}


def _score(entry: Entry) -> Score:
    if entry.score is None:
        raise ValueError(f"no score: {entry.about}")
    return entry.score()


#: What a worker process was given at its start: the count of days done and the wish to end.
_GIVEN: dict[str, Any] = {}


def _begin(done: Any, stop: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and says stop
    _GIVEN.update(done=done, stop=stop)


def _in_worker(task: tuple[Plan, int, str]) -> list[Trial]:
    def tick() -> None:
        if _GIVEN["stop"].is_set():
            raise Stopped
        with _GIVEN["done"].get_lock():
            _GIVEN["done"].value += 1

    return trials(*task, tick)
