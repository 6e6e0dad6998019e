"""What a feed would have shown of orders that are all known: the rules, applied. For checks, and for the laboratory."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from service.detector.undercount.feeds import SLOT_MS, Feed
from service.model import SECOND, FeedRule, Liquidation, Side

Slot = tuple[str, str, Side | None]


def thin(orders: Iterable[Liquidation], feed: Feed) -> list[Liquidation]:
    """The orders such a feed shows, in order of time; all of them where nobody knows what it leaves out."""
    found = sorted(orders, key=lambda order: order.at)
    if feed.batch_s:
        found = [_at_round(order, feed.batch_s) for order in found]
    shows = _SHOWS.get(feed.rule)
    return sorted(shows(found, feed), key=lambda order: order.at) if shows else found


def _at_round(order: Liquidation, beat_s: int) -> Liquidation:
    """The engine closes it at its next round."""
    return msgspec.structs.replace(order, at=-(-order.at // (beat_s * SECOND)) * beat_s * SECOND)


def _slot(order: Liquidation, feed: Feed) -> Slot:
    return order.venue, order.symbol, order.side if feed.by_side else None


def _largest(orders: Iterable[Liquidation], feed: Feed) -> Iterable[Liquidation]:
    best: dict[tuple[Slot, int], Liquidation] = {}
    for order in orders:
        key = (_slot(order, feed), order.at // SLOT_MS)
        if key not in best or order.usd > best[key].usd:
            best[key] = order
    return best.values()


def _latest(orders: Iterable[Liquidation], feed: Feed) -> Iterable[Liquidation]:
    return {(_slot(order, feed), order.at // SLOT_MS): order for order in orders}.values()


def _first(orders: Iterable[Liquidation], feed: Feed) -> Iterable[Liquidation]:
    until: dict[Slot, int] = {}
    shown = []
    for order in orders:
        slot = _slot(order, feed)
        if order.at >= until.get(slot, order.at):
            until[slot] = order.at + SLOT_MS
            shown.append(order)
    return shown


_SHOWS: Mapping[FeedRule, Callable[[Iterable[Liquidation], Feed], Iterable[Liquidation]]] = {
    FeedRule.LARGEST: _largest,
    FeedRule.LATEST: _latest,
    FeedRule.FIRST: _first,
}
