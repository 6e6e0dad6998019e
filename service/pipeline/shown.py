"""What the enabled venues show, by their own pages, for those who count and those who estimate. Judges nothing."""

from collections.abc import Iterable, Mapping

from service.detector.undercount import Feed, Feeds
from service.venues.base import Venue


def documented(venues: Iterable[Venue], at: int) -> Feeds:
    """What the venues' own pages say of their feeds at a time (ms UTC)."""
    return {venue.name: Feed(rule=venue.rule(at), by_side=venue.by_side, fills=venue.fills) for venue in venues}


def regime(venues: Mapping[str, Venue], now: int) -> str:
    """Who is counted, and what they show: dollars of two regimes are not counted alike."""
    return " ".join(f"{name}:{venue.completeness(now)}:{venue.rule(now)}" for name, venue in sorted(venues.items()))


def polled(venue: Venue) -> bool:
    """Heard by its history alone: what it shows comes too late to be a sign of life."""
    return venue.history is not None and venue.history.poll_s is not None
