"""The table of detectors on the bench, by name. Owns which there are and which need a level set.

An entry makes a fresh one for each run. A score without a fixed level gets one for the budget on quiet days; a whole
detector brings its own levels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.detector import Rules
from service.lab.detectors import Crossing, Detector, Score
from service.lab.law import HOUR_S
from service.lab.market import HOUR_USD
from service.lab.own import SIGNALS, Held, Own
from service.lab.scores import CalendarHour, Cusum, Dollars, Growth, LogMinute, Scaled
from service.model import ALL


@dataclass(frozen=True)
class Entry:
    """How to make one, and what it is in a line. Either `score` or `whole`."""

    about: str
    score: Callable[[], Score] | None = None
    level: float | None = None
    """Fixed; None: set on quiet days."""
    whole: Callable[[float], Detector] | None = None
    """Given false episodes in 30 days, where it sets its own levels."""

    @property
    def needs_level(self) -> bool:
        """Whether quiet days must come first."""
        return self.score is not None and self.level is None

    def make(self, level: float | None, budget: float) -> Detector:
        """A detector that has heard nothing yet; `level` for those that need one, `budget` for those that learn."""
        if self.whole is not None:
            return self.whole(budget)
        wanted = level if self.level is None else self.level
        if self.score is None or wanted is None:
            raise ValueError(f"no level for: {self.about}")
        return Crossing(self.score(), wanted)


def _own(budget: float, *signals: str) -> Detector:
    return Own(Rules(budget=budget), signals or SIGNALS)


def _held(budget: float, most: float) -> Detector:
    return Own(Rules(budget=budget), gauge=Held(asset=ALL, most=most))


#: Parts and variants, judged only when named.
ABLATIONS = ("capped-flat", "own-early", "own-level", "own-hour", "own-fixed", "own-held")
BENCH: Mapping[str, Entry] = {
    "calendar": Entry("clock hour >= $100M, said when it is over", CalendarHour, HOUR_USD),
    "hour-100M": Entry("rolling hour >= $100M", lambda: Dollars(HOUR_S), HOUR_USD),
    "hour": Entry("rolling hour, level by budget", lambda: Dollars(HOUR_S)),
    "five": Entry("5 min dollars, level by budget", lambda: Dollars(300)),
    "log-minute": Entry("z of log 1 min dollars", LogMinute),
    "cusum": Entry("count CUSUM, fourfold", Cusum),
    "scaled": Entry("5 min dollars / scale", lambda: Scaled(capped=False)),
    "capped": Entry("5 min capped dollars / scale (Y)", lambda: Scaled(capped=True)),
    "capped-flat": Entry("the same without time of day", lambda: Scaled(capped=True, by_hour=False)),
    "growth": Entry("R x breadth (E), written anew", Growth),
    "own": Entry("the service's own detector, as it comes", whole=_own),
    "own-early": Entry("its growth rule alone", whole=lambda budget: _own(budget, "early")),
    "own-level": Entry("its breadth rule alone", whole=lambda budget: _own(budget, "level")),
    "own-hour": Entry("its hour rule alone", whole=lambda budget: _own(budget, "hour")),
    "own-fixed": Entry("it at the settings' levels, never learnt ones", whole=lambda budget: _held(budget, 0)),
    "own-held": Entry("its learnt levels, at most twice the settings'", whole=lambda budget: _held(budget, 2)),
}
BY_DEFAULT = tuple(name for name in BENCH if name not in ABLATIONS)
