"""Every enabled venue as it stands, for people: sockets, contracts, coverage, gaps in one report. Judges nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from service.instruments import Book
from service.model import SPANS, FeedState, Reconciled, VenueReport
from service.pipeline.cover import MOST_GAPS, Cover
from service.pipeline.health import Health
from service.venues.base import Venue


@dataclass(frozen=True)
class Roster:
    """Reads what others keep. `last_order_at` and `expected` tell of the pipeline, `reconciled` of the venue's sums."""

    venues: Mapping[str, Venue]
    books: Mapping[str, Book]
    health: Health
    cover: Cover
    last_order_at: Mapping[str, int]
    expected: Callable[[str], float | None]
    reconciled: Callable[[str], Reconciled | None]

    def all(self, now: int) -> list[VenueReport]:
        """Every venue, in the order of the settings, at `now` ms UTC."""
        return [self._report(name, now) for name in self.health.names]

    def problems(self) -> Sequence[str]:
        """That not one venue is live, in words; empty when one is."""
        states = {name: self.health.state(name) for name in self.health.names}
        if FeedState.LIVE in states.values():
            return ()
        return ("no venue is live: " + ", ".join(f"{name} is {state}" for name, state in states.items()),)

    def _report(self, name: str, now: int) -> VenueReport:
        venue, book, cover = self.venues[name], self.books[name], self.cover
        shares = {span: cover.venue(name, span, now) for span in SPANS}
        return VenueReport(
            name=name,
            state=self.health.state(name),
            completeness=venue.completeness(now),
            rule=venue.rule(now),
            about=venue.about,
            docs=venue.docs,
            sockets=self.health.sockets(name),
            instruments=len(book.known),
            parked=book.parked,
            last_order_at=self.last_order_at.get(name),
            live_share_1h=shares["1h"],
            coverage={span: share for span, share in shares.items() if share is not None},
            heals=venue.history is not None,
            gaps=tuple(cover.gaps(name, now)[-MOST_GAPS:]),
            reason=self.health.reason(name),
            reconciled=self.reconciled(name),
            expected_orders=self.expected(name),
        )
