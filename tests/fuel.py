"""The squeeze-risk gauge tried on recorded data, printed: `python -m tests.fuel`. Asserts nothing (tests/test_risk.py does).

Every four hours the gauge is asked with what was known then, and what followed is looked up. Windows cut out of the recordings are no
quiet time: a step counts only if all hours of its horizon were recorded. The definition was chosen on the steps before SPLIT by one
rule, fixed beforehand: the mean area under the curve over the three levels at 24 h, both sides together. Then it was frozen, and
the later steps were looked at once.

Intervals: 90 %, of 2,000 samples of blocks of five days drawn with both sides together. "Top 1 %" is of all hours of the recording: it
says what an event is, and the gauge never sees it. "Top tenth" is the score that a tenth of the first half's steps reached.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from service.context.risk import STEP, WORDS
from service.model import HOUR, Side
from tests.fuelled import DAY, SIDES, Step, liquidations, moves, steps

#: Steps before it chose the definition, those after it judged it.
SPLIT = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1000
#: The first open interest.
BEGIN = int(datetime(2025, 12, 1, tzinfo=UTC).timestamp()) * 1000
HORIZONS = (4, 24, 72)
BLOCK_DAYS, SAMPLES = 5, 2000
Score = Callable[[Step], float | None]
Hours = Mapping[int, Mapping[Side, float]]


class Trial(NamedTuple):
    """Scores at steps that have one and whose horizon was recorded, and whether an event followed."""

    at: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    hits: npt.NDArray[np.bool_]

    @property
    def days(self) -> npt.NDArray[np.int64]:
        return self.at // DAY

    @property
    def base(self) -> float:
        return float(self.hits.mean()) if len(self.hits) else math.nan

    def part(self, chosen: npt.NDArray[np.bool_]) -> "Trial":
        return Trial(self.at[chosen], self.scores[chosen], self.hits[chosen])


class Lift(NamedTuple):
    """Hit rate at or above a score, over the base rate, with its interval."""

    steps: int
    spells: int
    """These steps taken together where less than 24 h lie between them."""
    rate: float
    lift: float
    low: float
    high: float

    def __str__(self) -> str:
        if not self.steps:
            return "   0"
        return (
            f"{self.steps:4d} ({self.spells:2d}) {self.rate:6.1%} x{self.lift:4.2f} [{self.low:4.2f}, {self.high:4.2f}]"
        )


def levels(by_hour: Hours) -> Mapping[str, Mapping[Side, float]]:
    """What an event is: the top 1 % of each side's hours, and round sums."""
    top = {side: float(np.quantile([sums[side] for sums in by_hour.values()], 0.99)) for side in SIDES}
    return {"top 1 %": top, "$10M": dict.fromkeys(SIDES, 1e7), "$20M": dict.fromkeys(SIDES, 2e7)}


def followed(by_hour: Hours, at: int, side: Side, hours: int, level: float) -> bool | None:
    """Whether one of the next hours reached the level; None where not all of them were recorded."""
    after = [by_hour.get(hour) for hour in range(at, at + hours * HOUR, HOUR)]
    told = [sums[side] for sums in after if sums is not None]
    return max(told) >= level if len(told) == hours else None


def trial(
    said: Sequence[Step],
    score: Score,
    by_hour: Hours,
    level: Mapping[Side, float],
    hours: int,
) -> Trial:
    """The steps that have a score and a recorded horizon."""
    found = [
        (step.at, value, hit)
        for step in said
        if (value := score(step)) is not None
        and (hit := followed(by_hour, step.at, step.side, hours, level[step.side])) is not None
    ]
    at, scores, hits = zip(*found, strict=True) if found else ((), (), ())
    return Trial(np.array(at, dtype=np.int64), np.array(scores, dtype=float), np.array(hits, dtype=bool))


def area(tried: Trial) -> float:
    """Chance that a step before an event scores higher than one before none; 0.5 says nothing."""
    yes, no = tried.scores[tried.hits], tried.scores[~tried.hits]
    if not len(yes) or not len(no):
        return math.nan
    return float(np.mean((yes[:, None] > no) + 0.5 * (yes[:, None] == no)))


def lift(tried: Trial, least: float) -> Lift:
    """Hit rate of the steps that score `least` or more over that of all, by blocks of days drawn with replacement."""
    chosen = tried.scores >= least
    spells = apart(tried.at[chosen].tolist())
    if not chosen.any() or not tried.hits.any():
        return Lift(int(chosen.sum()), spells, math.nan, math.nan, math.nan, math.nan)
    days, of_day = np.unique(tried.days, return_inverse=True)
    columns = (np.ones(len(chosen)), tried.hits, chosen, chosen & tried.hits)
    sums = np.stack([np.bincount(of_day, weights=column.astype(float), minlength=len(days)) for column in columns])
    dice = np.random.default_rng(7)
    starts = dice.integers(len(days), size=(SAMPLES, -(-len(days) // BLOCK_DAYS)))
    drawn = (starts[:, :, None] + np.arange(BLOCK_DAYS)).reshape(SAMPLES, -1)[:, : len(days)] % len(days)
    every, hits, picked, both = sums[:, drawn].sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn_lifts = (both / picked) / (hits / every)
    low, high = np.nanquantile(drawn_lifts[np.isfinite(drawn_lifts)], [0.05, 0.95])
    rate = float(tried.hits[chosen].mean())
    return Lift(int(chosen.sum()), spells, rate, rate / tried.base, float(low), float(high))


def apart(times: Sequence[int]) -> int:
    """How many remain when those less than 24 h after the one before are left out."""
    told = sorted(times)
    return sum(1 for here, at in enumerate(told) if not here or at - told[here - 1] >= DAY)


def separate(by_hour: Hours, side: Side, level: float, span: tuple[int, int]) -> int:
    """Events at least 24 h apart."""
    return apart([hour for hour, sums in by_hour.items() if sums[side] >= level and span[0] <= hour < span[1]])


def mixed(weights: Mapping[str, float], straight: bool = False) -> Score:
    """Another gauge of the same parts: their weighted geometric mean, or the plain one. Without one of them no score."""
    whole = sum(weights.values())

    def score(step: Step) -> float | None:
        parts: list[tuple[float, float]] = []
        for name, weight in weights.items():
            value: float | None = getattr(step, name)
            if value is None:
                return None
            parts.append((value, weight / whole))
        if straight:
            return 100 * sum(value * weight for value, weight in parts)
        return 100 * math.exp(sum(weight * math.log(value) if value else -math.inf for value, weight in parts))

    return score


def shipped(step: Step) -> float | None:
    return step.score if step.stretch is not None else None


#: What was tried on the first half; `both` is the mean of 24 h and seven days.
_DESIGN = {"crowding": 0.40, "leverage": 0.35, "stretch": 0.25}
VARIATIONS: Mapping[str, Score] = {
    "40/35/25": mixed(_DESIGN),
    "equal weights": mixed(dict.fromkeys(_DESIGN, 1.0)),
    "25/35/40": mixed({"crowding": 0.25, "leverage": 0.35, "stretch": 0.40}),
    "stretch of 7 d": mixed({"crowding": 0.40, "leverage": 0.35, "week": 0.25}),
    "leverage: OI alone": mixed({"crowding": 0.40, "oi": 0.35, "stretch": 0.25}),
    "leverage: turnover": mixed({"crowding": 0.40, "turnover": 0.35, "stretch": 0.25}),
    "without stretch": mixed({"crowding": 0.40, "leverage": 0.35}),
    "plain mean": mixed(_DESIGN, straight=True),
}


def choice() -> Mapping[str, Sequence[float]]:
    """Area under the curve at 24 h by level, of each variation, on the first half's steps that have all of them."""
    early = [
        s for s in steps("BTC", BEGIN) if s.at < SPLIT and None not in (s.score, s.stretch, s.turnover, s.oi, s.week)
    ]
    marks = levels(liquidations())
    return {
        name: [area(trial(early, score, liquidations(), mark, 24)) for mark in marks.values()]
        for name, score in VARIATIONS.items()
    }


#: A part alone, as a score.
PARTS: Mapping[str, Score] = {
    name: mixed({name: 1.0}) for name in ("crowding", "leverage", "oi", "turnover", "stretch", "week")
}
#: Fewer days say nothing of a period.
_LEAST_DAYS = 20


def echo(step: Step) -> float | None:
    """What needs no gauge: the largest hour of that side in the 24 h before, in dollars of BTC."""
    before = [sums[step.side] for hour in range(step.at - DAY, step.at, HOUR) if (sums := liquidations().get(hour))]
    return max(before) if len(before) == DAY // HOUR else None


PERIODS: Mapping[str, tuple[int, int]] = {
    "first half": (BEGIN, SPLIT),
    "second half": (SPLIT, 2**53),
    "both": (BEGIN, 2**53),
}


def asked(period: str, sides: Sequence[Side] = SIDES, asset: str = "BTC") -> Sequence[Step]:
    """The steps of a period and of some sides."""
    first, end = PERIODS[period]
    return [step for step in steps(asset, BEGIN) if first <= step.at < end and step.side in sides]


def top_tenth(score: Score = shipped) -> float:
    """The score that a tenth of the first half's steps reached."""
    return float(np.quantile([v for step in asked("first half") if (v := score(step)) is not None], 0.9))


def deciles(tried: Trial) -> Sequence[tuple[float, int, float]]:
    """Reliability: lowest score, steps and hit rate of each tenth, lowest first."""
    edges = np.quantile(tried.scores, np.linspace(0, 1, 11))
    tenth = np.clip(np.searchsorted(edges, tried.scores, side="right") - 1, 0, 9)
    parts = [tried.part(tenth == place) for place in range(10)]
    return [(float(edges[place]), len(part.hits), part.base) for place, part in enumerate(parts)]


def show_choice() -> None:
    print("Chosen on the first half: area under the curve at 24 h, both sides (0.5 says nothing)")
    print(f"  {'definition':20} {'top 1 %':>8} {'$10M':>8} {'$20M':>8} {'mean':>8}")
    for name, areas in choice().items():
        print(f"  {name:20} " + " ".join(f"{value:8.2f}" for value in (*areas, sum(areas) / len(areas))))


def show_gauge(period: str, sides: Sequence[Side] = SIDES, horizons: Sequence[int] = HORIZONS) -> None:
    tenth, by_hour = top_tenth(), liquidations()
    said = asked(period, sides)
    print(
        f"\n{period}, {' and '.join(sides)}: events, base rate, area | top tenth, G >= {tenth:.0f}: steps (spells), hit rate, lift | G >= 80"
    )
    for hours in horizons:
        for name, mark in levels(by_hour).items():
            tried = trial(said, shipped, by_hour, mark, hours)
            span = (int(tried.days.min()) * DAY, (int(tried.days.max()) + 1) * DAY)
            events = sum(separate(by_hour, side, mark[side], span) for side in sides)
            print(
                f"  {hours:2d} h {name:8} {events:3d} {tried.base:6.1%} of {len(tried.hits):4d} {area(tried):5.2f} "
                f"| {lift(tried, tenth)} | {lift(tried, 80.0)}"
            )


def _long(tried: Trial) -> bool:
    return len(np.unique(tried.days)) >= _LEAST_DAYS


def show_parts(what: str, mark: Mapping[Side, float]) -> None:
    """Each part alone, and beside them what the last day's liquidations say without any gauge."""
    print(f"\n{what}: area under the curve at 24 h, each part alone; echo: the largest hour of the day before")
    scores = {"gauge": shipped, **PARTS, "echo": echo}
    print(f"  {'':12}" + "".join(f"{name:>10}" for name in scores))
    for period in PERIODS:
        tried = [trial(asked(period), score, liquidations(), mark, 24) for score in scores.values()]
        print(f"  {period:12}" + "".join(f"{area(some):10.2f}" if _long(some) else f"{'-':>10}" for some in tried))


def show_words() -> None:
    print("\nHow often each word or a stronger one is said, of all steps with a score (spells at least 24 h apart)")
    for asset in ("BTC", "ETH", "SOL"):
        told = [step for step in asked("both", asset=asset) if step.score is not None]
        shown = []
        for least, word in WORDS:
            times = [step.at for step in told if step.score is not None and step.score >= least]
            shown.append(f"{word} {len(times) / len(told):5.1%} ({apart(times):2d})")
        print(f"  {asset} of {len(told):4d}: " + ", ".join(shown))


def show_largest() -> None:
    print("\nThe five largest hours of each side, and what the gauge said at the last step before")
    by_hour, tenth = liquidations(), top_tenth()
    said = {(step.at, step.side): step.score for step in asked("both")}
    for side in SIDES:
        for hour in sorted(by_hour, key=lambda start: by_hour[start][side], reverse=True)[:5]:
            score = said.get((hour // STEP * STEP, side))
            at = datetime.fromtimestamp(hour / 1000, UTC)
            word = "unknown" if score is None else f"{score:3.0f}{' in the top tenth' if score >= tenth else ''}"
            print(f"  {side:5} {at:%Y-%m-%d %H:%M} ${by_hour[hour][side] / 1e6:5.1f}M  {word}")


def show_deciles(period: str) -> None:
    by_hour = liquidations()
    print(f"\nReliability, {period}, both sides, $10M within 24 h: lowest score, steps, hit rate of each tenth")
    found = deciles(trial(asked(period), shipped, by_hour, levels(by_hour)["$10M"], 24))
    print("  " + "".join(f"{least:8.0f}" for least, _, _ in found))
    print("  " + "".join(f"{count:8d}" for _, count, _ in found))
    print("  " + "".join(f"{rate:8.0%}" for _, _, rate in found))


def far(asset: str) -> Mapping[Side, float]:
    """The proxy's level: the top 1 % of the hours since the first open interest."""
    since = [sums for hour, sums in moves(asset).items() if hour >= BEGIN]
    return {side: float(np.quantile([sums[side] for sums in since], 0.99)) for side in SIDES}


def show_proxy() -> None:
    tenth = top_tenth()
    print(
        "\nPROXY, no liquidations: an hour's price against the side in the top 1 % within 24 h, 2025-12 to 2026-03-05"
    )
    for asset in ("BTC", "ETH", "SOL"):
        said = [step for step in asked("both", asset=asset) if step.at < max(moves("ETH"))]
        tried = trial(said, shipped, moves(asset), far(asset), 24)
        print(
            f"  {asset} {tried.base:6.1%} of {len(tried.hits):4d} {area(tried):5.2f} | {lift(tried, tenth)} | {lift(tried, 80.0)}"
        )
    print("\nPROXY, a year to 2026-03-05 without open interest: area under the curve at 24 h")
    for asset in ("BTC", "ETH", "SOL"):
        said = [step for step in steps(asset) if step.at < max(moves("ETH"))]
        level = {side: float(np.quantile([sums[side] for sums in moves(asset).values()], 0.99)) for side in SIDES}
        areas = {
            name: area(trial(said, PARTS[name], moves(asset), level, 24)) for name in ("crowding", "stretch", "week")
        }
        print(f"  {asset}  " + "  ".join(f"{name} {value:.2f}" for name, value in areas.items()))


def main() -> None:
    show_choice()
    for period in PERIODS:
        show_gauge(period)
    for side in SIDES:
        for period in PERIODS:
            show_gauge(period, (side,), (24,))
    for period in PERIODS:
        show_deciles(period)
    show_words()
    show_largest()
    for name, mark in levels(liquidations()).items():
        show_parts(name, mark)
    show_proxy()


if __name__ == "__main__":
    main()
