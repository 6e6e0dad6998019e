"""Venues as the estimate knows them: what their own pages say of their feeds."""

from collections.abc import Iterable

from service.detector.undercount import Feed, Feeds
from service.venues.base import Venue


def documented(venues: Iterable[Venue], at: int) -> Feeds:
    """What the venues' own pages say of their feeds at a time (ms UTC)."""
    return {venue.name: Feed(rule=venue.rule(at), by_side=venue.by_side, fills=venue.fills) for venue in venues}
