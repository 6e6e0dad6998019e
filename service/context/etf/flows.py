"""The book of days: what each source told of each asset, when it was first known, and what stands at a moment.

Keeps every day and every change of one. Refuses days on which nothing trades. Knows no source's words, reads no clock.
Whatever it was told, a question raises nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from service.context.etf import ASSETS
from service.context.etf.answers import Answers
from service.context.etf.days import FIRST, LAST, closed, day_of, expected, is_day, published_by
from service.context.etf.figure import Known, figure, newest
from service.context.etf.rows import MOST_USD
from service.context.etf.told import Telling, Told
from service.context.source import SourceError
from service.model import EtfFlow, FlowDay

#: No moment of this service comes after the year 2100, ms UTC.
_LATEST = 4_102_444_800_000
#: Two sources of one day differ when they do by more than both.
DIFFER_PART = 0.02
DIFFER_USD = 5e6

_Stored = dict[str, dict[str, tuple[Telling, ...]]]
"""Asset, then source, to all tellings."""


class Flows:
    """Days of flows by asset and source. `priority` names the sources, the one to believe first."""

    def __init__(self, priority: Sequence[str], assets: Sequence[str] = ASSETS) -> None:
        """`assets` are those with ETFs; days of others are refused."""
        self.assets = tuple(assets)
        self._priority = tuple(priority)
        self._told: dict[str, dict[str, dict[str, Told]]] = {asset: {} for asset in assets}
        """Asset, date, source."""
        self._refused: dict[tuple[str, str], dict[str, str]] = {}
        self._trouble: dict[tuple[str, str], str] = {}
        self._answers = {asset: Answers(partial(self._moments, asset)) for asset in assets}

    def take(
        self, days: Iterable[FlowDay], source: str, now: int, told_at: Callable[[str], int] | None = None
    ) -> tuple[str, ...]:
        """Note what `source` says at `now` (ms UTC); `told_at` gives the moment for each date where it is another.

        A replay passes `published_by`. Returns what was refused, in words; the rest is kept.
        """
        refused: dict[str, dict[str, str]] = {}
        for day in days:
            why = self._unfit(day)
            at = now if told_at is None or why else told_at(day.date)
            if why is None and day.date > day_of(at):
                why = "not come yet"
            if why is not None:
                refused.setdefault(day.asset, {})[day.date] = why
                continue
            self.hinder(source, day.asset, "")
            self._hear(source, Telling(at=at, day=day))
        for asset, dates in refused.items():
            self._refused.setdefault((source, asset), {}).update(dates)
        return tuple(_refusal(source, asset, dates) for asset, dates in refused.items())

    def take_all(self, asset: str, days: Sequence[FlowDay], source: str, now: int) -> None:
        """Note a whole answer about one asset, oldest day first.

        Raises SourceError, keeping nothing, where it holds no day or its newest is older than one `source` told before.
        """
        if not days:
            raise SourceError("no day has been reported in it")
        known = self.newest(asset, source)
        if known is not None and days[-1].date < known:
            raise SourceError(f"it is old: its newest day is {days[-1].date}, and {known} was known already")
        self.take(days, source, now)

    def take_file(self, days: Sequence[FlowDay], source: str, now: int) -> tuple[str, ...]:
        """Note all that `source` has, as `take`: a day it told before and has no longer is withdrawn from `now` on."""
        refused = self.take(days, source, now)
        here = {(day.asset, day.date) for day in days}
        for asset, dates in self._told.items():
            for date, sources in dates.items():
                if source in sources and (asset, date) not in here:
                    self._withdraw(source, asset, date, now)
        return refused

    def hinder(self, source: str, asset: str, reason: str) -> None:
        """Say what is wrong with a source now, as `answered 403`; empty when nothing. Its next day clears it."""
        if self._trouble.get((source, asset), "") != reason:
            self._trouble[source, asset] = reason
            self._changed(asset)

    def newest(self, asset: str, source: str) -> str | None:
        """The newest day of `asset` that `source` tells."""
        dates = self._told.get(asset, {}).items()
        return max((date for date, told in dates if source in told and told[source].stands), default=None)

    def refused(self) -> tuple[str, ...]:
        """All rows that were refused so far, counted in words, one text for each source and asset."""
        return tuple(_refusal(source, asset, dates) for (source, asset), dates in sorted(self._refused.items()))

    def of(self, asset: str, now: int, replay: bool = False) -> EtfFlow | None:
        """The last whole day known at `now` (ms UTC); None where there is none. Nothing told later is looked at.

        In a `replay` no day counts before its publication, whenever it was told. A day some funds have not reported is
        given only when its time is over and no whole day is as young; it is never flat.
        """
        answers = self._answers.get(asset)
        return answers.at(now, replay, lambda: self._work(asset, now, replay)) if answers else None

    def missing(self, now: int, replay: bool = False, assets: Sequence[str] | None = None) -> Mapping[str, str]:
        """Assets without a fresh and whole figure at `now`, of `assets` where they are given, and why, in words."""
        found = {}
        for asset in self.assets if assets is None else assets:
            flow = self.of(asset, now, replay)
            if flow is None:
                found[asset] = self._late(asset, expected(now), {})
            elif not (flow.fresh and flow.complete):
                found[asset] = flow.reason
        return found

    def stored(self) -> bytes:
        """Everything, as JSON for a file."""
        stored: _Stored = {}
        for asset, days in self._told.items():
            for sources in days.values():
                for source, told in sources.items():
                    by_source = stored.setdefault(asset, {})
                    by_source[source] = (*by_source.get(source, ()), *told.tellings)
        return msgspec.json.encode(stored)

    def load(self, stored: bytes) -> None:
        """Add what `stored` once gave. Raises SourceError where it is something else, and then nothing is added."""
        try:
            read = msgspec.json.decode(stored, type=_Stored)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise SourceError(f"these are no stored flows: {str(error)[:120]}") from None
        all_of_it = [(source, one) for told in read.values() for source, tellings in told.items() for one in tellings]
        if any(not 0 <= one.at <= _LATEST for _, one in all_of_it):
            raise SourceError("these are no stored flows: a day was told at a time that cannot be")
        for source, one in all_of_it:
            if one.withdrawn:
                self._withdraw(source, one.day.asset, one.day.date, one.at)
            else:
                self.take([one.day], source, one.at)

    def _hear(self, source: str, telling: Telling) -> None:
        sources = self._told[telling.day.asset].setdefault(telling.day.date, {})
        if source not in sources:
            sources[source] = Told(telling)
        elif not sources[source].hear(telling):
            return
        self._changed(telling.day.asset)

    def _withdraw(self, source: str, asset: str, date: str, at: int) -> None:
        told = self._told.get(asset, {}).get(date, {}).get(source)
        if told is not None and told.withdraw(at):
            self._changed(asset)

    def _changed(self, asset: str) -> None:
        if asset in self._answers:
            self._answers[asset].forget()

    def _moments(self, asset: str) -> list[int]:
        """From when on each telling counts."""
        days = self._told[asset].values()
        return [one.at for sources in days for told in sources.values() for one in told.tellings]

    def _unfit(self, day: FlowDay) -> str | None:
        """Why a day is not kept, whenever it is told."""
        if day.asset not in self._told:
            return f"{day.asset} has no ETFs here"
        if not is_day(day.date):
            return "no date"
        if not FIRST <= day.date <= LAST:
            return f"not from {FIRST} to {LAST}"
        if not all(abs(usd) <= MOST_USD for usd in (day.usd, *day.funds.values())):
            return f"{day.usd} $ is no flow"
        if day.units is not None and not math.isfinite(day.units):
            return f"{day.units} are no coins"
        return closed(day.date)

    def _work(self, asset: str, now: int, replay: bool) -> EtfFlow | None:
        known, wanted = self._known(asset, now, replay), expected(now)
        date = newest(known, wanted)
        if not date:
            return None
        reason = self._reason(asset, date, wanted, known, now)
        return figure(known, date, fresh=date >= wanted, reason=reason, replay=replay)

    def _known(self, asset: str, now: int, replay: bool) -> Mapping[str, Known]:
        known = {}
        for date, sources in sorted(self._told[asset].items()):
            if replay and published_by(date) > now:
                break
            heard = (Known(source, told.by(now)) for source, told in sources.items())
            found = [each for each in heard if each.tellings]
            if found:
                known[date] = min(found, key=lambda each: (not each.day.complete, self._rank(each.source)))
        return known

    def _rank(self, source: str) -> tuple[int, str]:
        place = self._priority.index(source) if source in self._priority else len(self._priority)
        return place, source

    def _reason(self, asset: str, date: str, wanted: str, known: Mapping[str, Known], now: int) -> str:
        if date < wanted:
            return self._late(asset, wanted, known)
        if not known[date].day.complete:
            return f"not all funds have reported {date}"
        return self._quarrel(asset, date, known[date], now)

    def _late(self, asset: str, wanted: str, known: Mapping[str, Known]) -> str:
        said = f"{wanted} is not complete yet" if wanted in known else f"no figure for {wanted} yet"
        troubles = [f"{source} {why}" for (source, of), why in sorted(self._trouble.items()) if of == asset and why]
        return ", ".join([said, *troubles])

    def _quarrel(self, asset: str, date: str, chosen: Known, now: int) -> str:
        """Who tells another figure of the day, in words; empty where nobody does."""
        ours = chosen.day.usd
        said = []
        for source, told in sorted(self._told[asset][date].items()):
            tellings = told.by(now)
            theirs = tellings[-1].day.usd if tellings and tellings[-1].day.complete else ours
            if abs(ours - theirs) > max(DIFFER_USD, DIFFER_PART * max(abs(ours), abs(theirs))):
                said.append(f"{source} says {theirs / 1e6:,.1f} M$, {chosen.source} {ours / 1e6:,.1f}")
        return "; ".join(said)


def _refusal(source: str, asset: str, dates: Mapping[str, str]) -> str:
    shown = ", ".join(f"{date} ({why})" for date, why in sorted(dates.items())[:3])
    more = f" and {len(dates) - 3} more" if len(dates) > 3 else ""  # noqa: PLR2004  # as many as are shown
    rows = "row" if len(dates) == 1 else "rows"
    return f"{source}: {len(dates)} {rows} of {asset} refused: {shown}{more}"
