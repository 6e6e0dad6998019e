"""US rates as they were told: what is known, of which day, since when, and what the 2-year yield expects.

Owns what no source may say, when a figure is old, and the one word. It reads no page, opens no connection, reads no
clock; a question about a moment is answered with what was public then.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import msgspec

from service.context.macro.days import business_days, eastern, public_from
from service.context.macro.fomc import Meetings
from service.context.source import SourceError
from service.model import Rates, Record

#: Field of `Rates` -> its name in a sentence.
SERIES: Mapping[str, str] = {
    "target_low": "the lower end of the target range",
    "target_high": "the upper end of the target range",
    "sofr": "SOFR",
    "three_month": "the 3-month yield",
    "two_year": "the 2-year yield",
}
#: Per cent a year. US rates since 1954 lie between 0 and 23; what is outside these is a mistake.
LEAST, MOST = -5.0, 30.0
#: Business days after which the age of a figure is said, and after which nothing is concluded from it any more.
SAID, OLD = 5, 14
#: Days after which a figure is not shown either.
FORGOTTEN = 60
#: Percentage points between the 2-year yield and the middle of the range that mean nothing yet: it holds a term
#: premium of about that size and either sign, and the middle is half a step of a quarter point away from both ends.
NEAR = 0.15
#: Figures kept of each series, the latest days: four years.
_KEPT = 1_000
_DIGITS = 4


class Observation(Record, frozen=True, kw_only=True):
    """One figure of one day, per cent a year; `series` is a key of SERIES, `day` one in US Eastern time."""

    series: str
    day: date
    value: float


class Figure(Observation, frozen=True, kw_only=True):
    """An observation, who told it, and the ms UTC since which it counts as known."""

    source: str
    since: int
    keep: bool = True
    """Whether it may be written to a store."""


_STATE = msgspec.json.Decoder(list[Figure])


class Macro:
    """All rates. Whatever the sources do, what it holds has passed its checks."""

    def __init__(self, meetings: Meetings) -> None:
        self._meetings = meetings
        self._figures: dict[str, list[Figure]] = {series: [] for series in SERIES}
        self._absent: dict[str, frozenset[str]] = {}
        self._told: dict[tuple[str, str], date] = {}

    def take(
        self,
        observations: Collection[Observation],
        source: str,
        now: int,
        *,
        absent: Iterable[str] = (),
        keep: bool = True,
    ) -> None:
        """Add what `source` told at `now` ms UTC; `absent` are the series it should have told and did not.

        With `keep` false none of it gets into `stored`. Raises SourceError, and then nothing of it is used, for a value
        or a day that cannot be, a range upside down, nothing at all, and an older page than the one before.
        """
        if not observations:
            raise SourceError(f"{source} tells no rate; at least one is needed")
        for one in observations:
            _possible(one, eastern(now).date())
        _upright(observations)
        self._onward(observations, source)
        for one in sorted(observations, key=lambda one: one.day):
            self._add(one, source, now, keep=keep)
        self._absent[source] = frozenset(absent)

    def of(self, now: int) -> Rates | None:
        """What was public at `now` ms UTC; None while nothing is, or all of it is too old to show."""
        today = eastern(now).date()
        found = {series: one for series in SERIES if (one := self._latest(series, now)) and _shown(one, today)}
        if not found:
            return None
        ages = {series: business_days(one.day, today) for series, one in found.items()}
        usable = {series: one.value for series, one in found.items() if ages[series] <= OLD}
        implied = _above_middle(usable, "two_year")
        meeting = self._meetings.after(now)
        return Rates(
            **{series: found[series].value if series in found else None for series in SERIES},
            dates={series: one.day.isoformat() for series, one in found.items()},
            implied=implied,
            near=_above_middle(usable, "three_month"),
            word=_word(implied),
            next_meeting=meeting.last.isoformat() if meeting else None,
            days_to_meeting=self._meetings.days_to(meeting, now) if meeting else None,
            source=", ".join(dict.fromkeys(one.source for one in found.values())),
            told_at=max(one.since for one in found.values()),
            fresh=len(usable) == len(found),
            reason="; ".join([*self._remarks(found, ages), *([] if meeting else filter(None, [self._meetings.end]))]),
        )

    def stored(self) -> bytes:
        """All that is held and may be kept, as JSON; `load` reads it."""
        return msgspec.json.encode([one for figures in self._figures.values() for one in figures if one.keep])

    def load(self, state: bytes) -> None:
        """Go on from what `stored` gave; what is held already stays. Raises SourceError, and then nothing is loaded."""
        try:
            figures = _STATE.decode(state)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise SourceError(f"what was stored are no rates: {error}") from None
        for one in figures:
            _possible(one, date.max)
        for one in figures:
            if not any(one.day == held.day and one.value == held.value for held in self._figures[one.series]):
                self._insert(one)

    def _latest(self, series: str, now: int) -> Figure | None:
        known = (one for one in self._figures[series] if one.since <= now)
        return max(known, key=lambda one: (one.day, one.since), default=None)

    def _onward(self, observations: Iterable[Observation], source: str) -> None:
        newest: dict[str, date] = {}
        for one in observations:
            newest[one.series] = max(one.day, newest.get(one.series, one.day))
        for series, new in newest.items():
            old = self._told.get((source, series), new)
            if new < old:
                raise SourceError(f"an older page: it tells {SERIES[series]} up to {new}, and {old} is known already")
        self._told |= {(source, series): new for series, new in newest.items()}

    def _add(self, new: Observation, source: str, now: int, *, keep: bool) -> None:
        held = [one for one in self._figures[new.series] if one.day == new.day]
        own = [one.value for one in held if one.source == source]
        if held and (not own or own[-1] == new.value):  # of two sources the first one to tell a day is believed
            return
        # a history read later was public in its time, but a change of what was told is known since it was told
        since = now if held else min(now, public_from(new.day))
        figure = Figure(series=new.series, day=new.day, value=new.value, source=source, since=since, keep=keep)
        self._insert(figure)

    def _insert(self, figure: Figure) -> None:
        figures = self._figures[figure.series]
        figures.append(figure)
        figures.sort(key=lambda one: (one.day, one.since))
        del figures[:-_KEPT]

    def _remarks(self, found: Mapping[str, Figure], ages: Mapping[str, int]) -> list[str]:
        said = []
        for series, words in SERIES.items():
            one = found.get(series)
            if one is None:
                said.append(f"{words} is not known")
            elif ages[series] > SAID:
                said.append(f"{words} is of {one.day}, {ages[series]} business days ago")
            elif series in self._absent.get(one.source, ()):
                said.append(f"{words} is of {one.day} and was not in the last answer of {one.source}")
        return said


def _shown(figure: Figure, today: date) -> bool:
    return today - figure.day <= timedelta(days=FORGOTTEN)


def _possible(one: Observation, today: date) -> None:
    if one.series not in SERIES:
        raise SourceError(f"{one.series[:40]!r} is no series; allowed: {', '.join(SERIES)}")
    words = SERIES[one.series]
    if not LEAST <= one.value <= MOST:
        raise SourceError(f"{words} of {one.day} is {one.value}; allowed: {LEAST:g} to {MOST:g} per cent")
    if one.day > today:
        raise SourceError(f"{words} is of {one.day}, which is to come; allowed: up to {today} (US Eastern)")


def _upright(observations: Iterable[Observation]) -> None:
    days: dict[date, dict[str, float]] = {}
    for one in observations:
        row = days.setdefault(one.day, {})
        if row.setdefault(one.series, one.value) != one.value:
            raise SourceError(f"{SERIES[one.series]} of {one.day} is told twice: {row[one.series]} and {one.value}")
    for day, row in days.items():
        low, high = row.get("target_low"), row.get("target_high")
        if low is not None and high is not None and low > high:
            raise SourceError(f"the target range of {day} goes from {low} to {high}; its lower end cannot be above")


def _above_middle(usable: Mapping[str, float], series: str) -> float | None:
    if not {"target_low", "target_high", series} <= usable.keys():
        return None
    return round(usable[series] - (usable["target_low"] + usable["target_high"]) / 2, _DIGITS)


def _word(implied: float | None) -> str | None:
    if implied is None:
        return None
    return "lower" if implied < -NEAR else "higher" if implied > NEAR else "unchanged"
