"""The one day that is told of an asset, with what it means beside the days before it. Pure; keeps and reads nothing.

`known` maps trading days to the source that speaks for each at a moment, and to what it had said by then.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service.context.etf import measure
from service.context.etf.days import published_by
from service.context.etf.told import Telling, revised_from
from service.model import EtfFlow, FlowDay


class Known(NamedTuple):
    """What is known of a day at a moment from the source that speaks for it; at least one telling."""

    source: str
    tellings: Sequence[Telling]

    @property
    def day(self) -> FlowDay:
        """What is said of it now."""
        return self.tellings[-1].day


def newest(known: Mapping[str, Known], wanted: str) -> str:
    """The day that is told; empty where there is none.

    A day some funds have not reported is told only up to `wanted`, where no whole day is as young, and never as 0.
    """
    whole = max((date for date, told in known.items() if told.day.complete), default="")
    part = max((date for date, told in known.items() if date <= wanted and told.day.usd), default="")
    return max(whole, part)


def figure(known: Mapping[str, Known], date: str, *, fresh: bool, reason: str, replay: bool) -> EtfFlow:
    """The figure of `date`, one of `known`; in a `replay` it was told at its publication, if not later."""
    source, tellings = known[date]
    day = known[date].day
    whole = {other: told.day.usd for other, told in known.items() if told.day.complete}
    figures, usual = whole | {date: day.usd}, measure.usual(whole, date)
    told_at = tellings[0].at
    return EtfFlow(
        asset=day.asset,
        date=date,
        usd=day.usd,
        units=day.units,
        funds=day.funds,
        complete=day.complete,
        source=source,
        told_at=max(told_at, published_by(date)) if replay else told_at,
        revised_from_usd=revised_from(tellings),
        streak=measure.streak(figures, date),
        largest_since=measure.largest_since(figures, date),
        first_date=min(known),
        usual_usd=usual,
        five_day_usd=measure.five_days(figures, date),
        way=measure.way(day.usd, usual if day.complete else None),
        fresh=fresh,
        reason=reason,
        streak_at_least=measure.streak_at_least(figures, date),
    )
