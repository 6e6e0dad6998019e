"""Orders put in order: those of feeds that leave some out by the slots they compete for, the others by their asset."""

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from service.detector.undercount.feeds import STRANGER, Feed, Feeds
from service.model import FeedRule, Liquidation, Side

TIME = attrgetter("at")


class Group(NamedTuple):
    """Orders of which a second shows one: a contract's, or one side of it."""

    venue: str
    symbol: str
    side: Side | None


class Books:
    """One memory of orders, each list in order of time."""

    def __init__(self, orders: Iterable[Liquidation], feeds: Feeds) -> None:
        self.feeds: dict[str, Feed] = dict(feeds)
        self.assets: dict[Group, str] = {}
        self.shown: dict[Group, list[Liquidation]] = {}
        self.complete: dict[str, list[Liquidation]] = defaultdict(list)
        for order in orders:
            feed = self.feeds.get(order.venue)
            if feed is None:
                feed = self.feeds[order.venue] = STRANGER
            if order.usd <= 0:
                continue  # a size of nothing has no place in a law of sizes
            if feed.rule is FeedRule.COMPLETE:
                self.complete[order.asset].append(order)
                continue
            key = (order.venue, order.symbol, order.side if feed.by_side else None)
            rows = self.shown.get(key)  # type: ignore[call-overload]  # a tuple is equal to the group it would make
            if rows is None:
                group = Group(*key)
                rows = self.shown[group] = []
                self.assets[group] = order.asset
            rows.append(order)
        for rows in (*self.shown.values(), *self.complete.values()):
            rows.sort(key=TIME)
        self._whole: dict[str, list[Liquidation]] = {}

    def orders_of(self, asset: str) -> list[Liquidation]:
        """Whole orders of the asset on venues that show all of theirs."""
        if asset not in self._whole:
            rows = self.complete.get(asset, [])
            self._whole[asset] = [order for order in rows if not self.feeds[order.venue].fills]
        return self._whole[asset]


def shorts(orders: Iterable[Liquidation]) -> int:
    """How many of the orders closed shorts."""
    return sum([order.side is Side.SHORT for order in orders])
