"""US rates as they were told: what is known, of which day, since when, and what the 2-year yield expects.

Owns when a figure is old, which may be kept, and the one word. It reads no page, opens no connection, reads no clock; a
question about a moment is answered with what was public then.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, timedelta

import msgspec

from service.context.macro.days import business_days, eastern, public_from
from service.context.macro.fomc import Meetings
from service.context.macro.observation import SERIES, Observation, possible, upright
from service.context.source import SourceError
from service.model import Rates

#: Business days after which the age of a figure is said, and after which nothing is concluded from it any more.
SAID, OLD = 5, 14
#: Days after which a figure is not shown either.
FORGOTTEN = 60
#: Percentage points between the 2-year yield and the middle of the range that mean nothing yet: it holds a term
#: premium of about that size and either sign, and the middle is half a step of a quarter point away from both ends.
NEAR = 0.15
#: What the word is made of.
RESTS_ON = frozenset(["target_low", "target_high", "two_year"])
#: Figures kept of each series, the latest days: four years.
_KEPT = 1_000
_DIGITS = 4


class Figure(Observation, frozen=True, kw_only=True):
    """An observation, who told it, and the ms UTC since which it counts as known."""

    source: str
    since: int
    keep: bool = True
    """Whether it may be written to a store, and into an alert, which is stored and sent on."""


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
            possible(one, eastern(now).date())
        upright(observations)
        self._onward(observations, source)
        for one in sorted(observations, key=lambda one: one.day):
            self._add(one, source, now, keep=keep)
        self._absent[source] = frozenset(absent)

    def of(self, now: int, *, kept_only: bool = False) -> Rates | None:
        """What was public at `now` ms UTC; None while nothing is, or all of it is too old to show.

        `kept_only` leaves out what must not be kept: where nothing else is known, the next meeting stands alone.
        """
        today = eastern(now).date()
        told = {series: one for series in SERIES if (one := self._latest(series, now, kept_only))}
        found = {series: one for series, one in told.items() if _shown(one, today)}
        hidden = self._hidden(found, now) if kept_only else {}
        meeting = self._meetings.after(now)
        if not found and not (hidden and meeting):
            return None
        ages = {series: business_days(one.day, today) for series, one in found.items()}
        usable = {series: one.value for series, one in found.items() if ages[series] <= OLD}
        implied = _above_middle(usable, "two_year")
        sources = [one.source for one in found.values()] or [meeting.source if meeting else ""]
        remarks = [*self._remarks(found, ages, hidden), "" if meeting else self._meetings.end]
        return Rates(
            **{series: found[series].value if series in found else None for series in SERIES},
            dates={series: one.day.isoformat() for series, one in found.items()},
            implied=implied,
            near=_above_middle(usable, "three_month"),
            word=_word(implied),
            next_meeting=meeting.last.isoformat() if meeting else None,
            days_to_meeting=self._meetings.days_to(meeting, now) if meeting else None,
            source=", ".join(dict.fromkeys(sources)),
            told_at=max((one.since for one in found.values()), default=now),
            # what the word rests on and is too old to be shown is no less old for it
            fresh=len(usable) == len(found) and found.keys() >= told.keys() & RESTS_ON,
            reason="; ".join(filter(None, remarks)),
        )

    def lacking(self, rates: Rates | None, now: int) -> str:
        """Why `rates`, an answer of `of` at `now`, are not all there and fresh, in words; empty where they are."""
        if rates is not None:
            whole = rates.fresh and all(getattr(rates, series) is not None for series in SERIES)
            return "" if whole else rates.reason
        if hidden := self._hidden((), now):
            return "; ".join(dict.fromkeys(hidden.values()))
        known = any(one.since <= now for figures in self._figures.values() for one in figures)
        return f"what was told is older than {FORGOTTEN} days" if known else "no source has told it"

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
            possible(one, date.max)
        for one in figures:
            same = (held for held in self._figures[one.series] if held.keep and held.day == one.day)
            if not any(held.value == one.value for held in same):
                self._insert(one)

    def _latest(self, series: str, now: int, kept_only: bool = False) -> Figure | None:
        known = [one for one in self._figures[series] if one.since <= now and (one.keep or not kept_only)]
        newest = [one for one in known if one.day == known[-1].day]
        # of two sources the first one to tell a day is believed
        return next((one for one in reversed(newest) if one.source == newest[0].source), None)

    def _hidden(self, found: Collection[str], now: int) -> Mapping[str, str]:
        """Series that are not `found` and shown elsewhere, because they must not be kept: why, in words."""
        today = eastern(now).date()
        latest = {series: self._latest(series, now) for series in SERIES if series not in found}
        shown = {series: one for series, one in latest.items() if one and not one.keep and _shown(one, today)}
        return {
            series: f"{one.source.partition(',')[0]}'s figures are shown, not kept" for series, one in shown.items()
        }

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
        # what must not be kept does not stand in the way of what may
        others = any(one.keep or not keep for one in held)
        if own[-1:] == [new.value] or (others and not own):
            return
        # a history read later was public in its time, but a change of what was told is known since it was told
        since = now if own else min(now, public_from(new.day))
        figure = Figure(series=new.series, day=new.day, value=new.value, source=source, since=since, keep=keep)
        self._insert(figure)

    def _insert(self, figure: Figure) -> None:
        figures = self._figures[figure.series]
        figures.append(figure)
        figures.sort(key=lambda one: (one.day, one.since))
        del figures[:-_KEPT]

    def _remarks(self, found: Mapping[str, Figure], ages: Mapping[str, int], hidden: Mapping[str, str]) -> list[str]:
        said = list(dict.fromkeys(hidden.values()))
        for series, words in SERIES.items():
            one = found.get(series)
            if one is None and series not in hidden:
                said.append(f"{words} is not known")
            elif one and ages[series] > SAID:
                said.append(f"{words} is of {one.day}, {ages[series]} business days ago")
            elif one and series in self._absent.get(one.source, ()):
                said.append(f"{words} is of {one.day} and was not in the last answer of {one.source}")
        return said


def _shown(figure: Figure, today: date) -> bool:
    return today - figure.day <= timedelta(days=FORGOTTEN)


def _above_middle(usable: Mapping[str, float], series: str) -> float | None:
    if not {"target_low", "target_high", series} <= usable.keys():
        return None
    return round(usable[series] - (usable["target_low"] + usable["target_high"]) / 2, _DIGITS)


def _word(implied: float | None) -> str | None:
    if implied is None:
        return None
    return "lower" if implied < -NEAR else "higher" if implied > NEAR else "unchanged"
