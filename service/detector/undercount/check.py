"""The estimate held against a truth we have: a complete venue's orders, thinned by each rule, estimated, compared.

For every stretch of `SPAN` in which the venue showed enough orders of an asset, what a thinned feed would have been
said to hold, over what it held; the other complete venues are the reference, as they are in life. Stretches are ranked
by their orders a second and told in ten equal parts, since what is hidden grows with the pace.

`spread` is the least with which nine of ten bounds hold: for each stretch the deviation that was needed, less what the
estimate knew of its own chance. It takes the place of the fixed one. Detection study, E, "Validation"; the formula is
ours.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import log, sqrt
from statistics import fmean, median
from typing import NamedTuple

from service.detector.undercount.estimate import SPREAD, estimate
from service.detector.undercount.feeds import Feed, Feeds
from service.detector.undercount.groups import TIME
from service.detector.undercount.thin import thin
from service.model import MINUTE, SPANS, FeedRule, Liquidation, Record

SPAN = "5m"
_WIDTH, _MEMORY = SPANS[SPAN], 30 * MINUTE
#: Orders a stretch needs to be looked at, stretches a line of the table needs, and stretches a verdict needs.
_ORDERS, _LINE, ENOUGH = 10, 5, 20
#: A median outside of these says that the estimate is wrong.
BAND = (0.8, 1.25)
_PARTS, _HELD, _Z = 10, 0.9, 1.645
#: The least and the most the measured spread may say, and the hidden part below which a stretch says nothing of it.
_TIGHT, _LOOSE, _HIDDEN = 0.05, 1.0, 0.05
_ROUND_S = 6
#: What is tried on every complete venue.
TRIALS = tuple(Feed(rule=rule, batch_s=beat) for rule in (FeedRule.LARGEST, FeedRule.LATEST) for beat in (0, _ROUND_S))


class Line(Record, frozen=True, kw_only=True):
    """One part of the stretches, by pace: medians of orders a second, of what was shown and of what was estimated."""

    per_s: float
    stretches: int
    shown: float
    """Shown dollars over true ones."""
    ratio: float
    """Estimated dollars over true ones."""
    held: float
    """Part of the stretches whose truth lay inside the bounds."""


class Checked(Record, frozen=True, kw_only=True):
    """One rule tried on one complete venue."""

    venue: str
    feed: Feed
    stretches: int
    silent: int
    """Stretches for which there was no number."""
    ratio: float | None
    held: float | None
    spread: float | None
    lines: tuple[Line, ...]

    @property
    def fine(self) -> bool | None:
        """Whether the median lies in the band; None where too few stretches were told, or a share is all there is."""
        if self.ratio is None or self.stretches < ENOUGH or self.feed.rule is not FeedRule.LARGEST:
            return None
        return BAND[0] <= self.ratio <= BAND[1]


class _Stretch(NamedTuple):
    per_s: float
    true: float
    shown: float
    usd: float
    low: float
    high: float


def check(
    orders: Sequence[Liquidation],
    feeds: Feeds,
    trials: Sequence[Feed] = TRIALS,
    go_on: Callable[[], bool] = lambda: True,
) -> list[Checked]:
    """Every trial on every venue that shows all of its orders; empty where there is none.

    Once `go_on` says no, what is left is not looked at: the answer is then worth nothing.
    """
    complete = sorted(name for name, feed in feeds.items() if feed.rule is FeedRule.COMPLETE and not feed.fills)
    by_asset: dict[str, list[Liquidation]] = defaultdict(list)
    for order in orders:
        if order.venue in feeds and feeds[order.venue].rule is FeedRule.COMPLETE:
            by_asset[order.asset].append(order)
    present = {order.venue for rows in by_asset.values() for order in rows}
    return [
        _checked(venue, trial, (rows for rows in by_asset.values() if go_on()), feeds)
        for venue in complete
        if venue in present
        for trial in trials
    ]


def _checked(venue: str, trial: Feed, assets: Iterable[Sequence[Liquidation]], feeds: Feeds) -> Checked:
    found = [one for rows in assets for one in _stretches(venue, trial, rows, feeds)]
    told = sorted(one for one in found if one is not None)
    lines = [told[len(told) * part // _PARTS : len(told) * (part + 1) // _PARTS] for part in range(_PARTS)]
    if len(told) < _PARTS * _LINE:
        lines = [told] if told else []
    return Checked(
        venue=venue,
        feed=trial,
        stretches=len(told),
        silent=len(found) - len(told),
        ratio=median(one.usd / one.true for one in told) if told else None,
        held=fmean(one.low <= one.true <= one.high for one in told) if told else None,
        spread=_spread(told),
        lines=tuple(_line(part) for part in lines),
    )


def _stretches(venue: str, trial: Feed, rows: Sequence[Liquidation], feeds: Feeds) -> Iterator[_Stretch | None]:
    """Those of one asset; None for one that was not told."""
    truth = sorted((order for order in rows if order.venue == venue), key=TIME)
    beside = sorted((order for order in rows if order.venue != venue), key=TIME)
    thinned = thin(truth, trial)
    as_if = dict(feeds) | {venue: Feed(rule=trial.rule)}
    counted = truth if not trial.batch_s else thin(truth, Feed(rule=FeedRule.COMPLETE, batch_s=trial.batch_s))
    starts = sorted({order.at // _WIDTH * _WIDTH for order in counted})
    for start in starts:
        true = _between(counted, start, start + _WIDTH)
        if len(true) < _ORDERS:
            continue
        memory = [
            *_between(thinned, start - _MEMORY, start + _WIDTH),
            *_between(beside, start - _MEMORY, start + _WIDTH),
        ]
        found = estimate(memory, as_if, start + _WIDTH - 1, SPAN)
        whole = sum(order.usd for order in _between(beside, start, start + _WIDTH))
        yield (
            None
            if found is None
            else _Stretch(
                len(true) * 1_000 / _WIDTH,
                sum(order.usd for order in true),
                sum(order.usd for order in _between(thinned, start, start + _WIDTH)),
                found.usd - whole,
                found.low - whole,
                found.high - whole,
            )
        )


def _between(orders: Sequence[Liquidation], since: int, until: int) -> Sequence[Liquidation]:
    return orders[bisect_left(orders, since, key=TIME) : bisect_left(orders, until, key=TIME)]


def _line(part: Sequence[_Stretch]) -> Line:
    return Line(
        per_s=median(one.per_s for one in part),
        stretches=len(part),
        shown=median(one.shown / one.true for one in part),
        ratio=median(one.usd / one.true for one in part),
        held=fmean(one.low <= one.true <= one.high for one in part),
    )


def _spread(told: Sequence[_Stretch]) -> float | None:
    needed = []
    for one in told:
        hidden, found = one.true - one.shown, one.usd - one.shown
        bound = (one.high if hidden > found else one.low) - one.shown
        if hidden < _HIDDEN * one.true or min(found, bound) <= 0:
            continue
        known = max((log(bound / found) / _Z) ** 2 - SPREAD**2, 0.0)
        needed.append(sqrt(max((log(hidden / found) / _Z) ** 2 - known, 0.0)))
    if len(needed) < ENOUGH:
        return None
    return min(max(sorted(needed)[int(len(needed) * _HELD)], _TIGHT), _LOOSE)


def spread_of(found: Iterable[Checked]) -> float:
    """The widest of the measured spreads of largest orders; the fixed one where none was measured."""
    known = [
        one.spread
        for one in found
        if one.feed.rule is FeedRule.LARGEST and not one.feed.batch_s and one.spread is not None
    ]
    return max(known, default=SPREAD)
