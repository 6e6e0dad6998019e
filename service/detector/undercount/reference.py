"""The dollars of a feed that cannot be undone, from a venue that shows everything: its usual share of it.

A feed of latest orders tells of a full second nothing but that it was full, and of an engine's batch nothing at all.
What can be said: in minutes when fewer than `CALM` of its slots were taken it showed r orders for each one that the
complete venues would have shown of the same asset under the same rule (thinned here: orders cluster, and a calm minute
hides some too); so in minutes with more than `FULL` of its slots taken it had about r times their dollars.

    usd     r x dollars of the complete venues in the busy minutes, never less than was shown
    bounds  usd x exp(-+1.645 s),  s^2 = 3/n + 3/m + u (1 + 1/r) + spread^2,  u = sum(x^2)/(sum x)^2

with n and m the orders that r rests on, and x the complete venues' orders of the busy minutes (or u of all of the
memory where that says more: the largest order may not have come yet): sizes are so unequal that two samples of them
differ by their largest orders. Detection study, E, "Consequences"; the terms of s are ours.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import exp, sqrt
from typing import NamedTuple

from service.detector.undercount.feeds import SLOT_MS
from service.detector.undercount.groups import Books, Group
from service.detector.undercount.largest import Part
from service.detector.undercount.thin import thin
from service.model import MINUTE, SECOND, FeedRule, Liquidation, Side

#: Parts of its slots a contract takes in a minute: up to the first it teaches, from the second on it hides too much.
CALM, FULL = 0.3, 0.1
#: Orders the share must rest on, on either side, and orders of the complete venues in the busy minutes.
_CALM_ORDERS, _BUSY_ORDERS = 20, 10
_Z, _DEPENDENCE = 1.645, 3.0
#: Feeds whose orders tell too little of what they leave out.
DEAD = (FeedRule.LATEST, FeedRule.FIRST)


class Ratio(NamedTuple):
    """Orders of a venue for one of the complete venues, and how many of either it rests on."""

    usd: float
    ours: int
    theirs: int


def reference(books: Books, since: int, now: int, spread: float) -> dict[str, Part]:
    """Hidden dollars over [since, now) of those venues whose every busy minute can be read off a complete venue."""
    dead: dict[tuple[str, str], list[Group]] = defaultdict(list)
    for group, asset in books.assets.items():
        if books.feeds[group.venue].rule in DEAD:
            dead[group.venue, asset].append(group)
    found: dict[str, Part] = {}
    mute: set[str] = set()
    for (venue, asset), groups in dead.items():
        taken = _taken(books, groups)
        full = {minute for minute, part in taken.items() if part > FULL and since <= minute * MINUTE + MINUTE - 1}
        if not full:
            continue
        ratio = _ratio(books, groups, asset, {minute for minute, part in taken.items() if part > CALM})
        part = ratio and _part(books, groups, asset, full, (since, now), (ratio, spread))
        if part:
            found[venue] = found.get(venue, Part()).plus(part)
        else:
            mute.add(venue)
    return {venue: part for venue, part in found.items() if venue not in mute}


def _taken(books: Books, groups: list[Group]) -> dict[int, float]:
    """By minute, the part of its slots that the busiest of the contracts took."""
    found: dict[int, float] = defaultdict(float)
    for group in groups:
        slots = MINUTE / max(SLOT_MS, books.feeds[group.venue].batch_s * SECOND)
        for minute, count in Counter(order.at // MINUTE for order in books.shown[group]).items():
            found[minute] = max(found[minute], count / slots)
    return found


def _ratio(books: Books, groups: list[Group], asset: str, busy: set[int]) -> Ratio | None:
    ours = sum(order.at // MINUTE not in busy for group in groups for order in books.shown[group])
    theirs = thin(books.complete.get(asset, []), books.feeds[groups[0].venue])
    same = sum(order.at // MINUTE not in busy for order in theirs)
    return Ratio(ours / same, ours, same) if min(ours, same) >= _CALM_ORDERS else None


def _part(
    books: Books, groups: list[Group], asset: str, full: set[int], span: tuple[int, int], how: tuple[Ratio, float]
) -> Part | None:
    def inside(orders: Iterable[Liquidation]) -> list[Liquidation]:
        return [order for order in orders if span[0] <= order.at < span[1] and order.at // MINUTE in full]

    ratio, spread = how
    everywhere = books.complete.get(asset, [])
    sizes = inside(everywhere)
    if len(sizes) < _BUSY_ORDERS:
        return None
    whole = sum(order.usd for order in sizes)
    shown = sum(order.usd for group in groups for order in inside(books.shown[group]))
    unequal = max(_unequal(sizes), _unequal(everywhere) * len(everywhere) / len(sizes))
    chance = _DEPENDENCE / ratio.ours + _DEPENDENCE / ratio.theirs + unequal * (1 + 1 / ratio.usd)
    usd, wide = ratio.usd * whole, exp(_Z * sqrt(chance + spread * spread))
    missing = max(usd - shown, 0.0)
    short = missing * sum(order.usd for order in sizes if order.side is Side.SHORT) / whole
    return Part(missing, max(usd / wide - shown, 0.0), max(usd * wide - shown, missing), short)


def _unequal(orders: Sequence[Liquidation]) -> float:
    """Sum of squares over the square of the sum: one over how many equal orders would say as much."""
    return sum(order.usd**2 for order in orders) / sum(order.usd for order in orders) ** 2
