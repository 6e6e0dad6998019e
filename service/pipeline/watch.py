"""The watchdog on the street: fed by what was counted, asked once a round; health and metrics hear its verdicts.

Owns what counts as a sign of life, no rule. An order that another replica counted first is one too; a backfilled order
is none: it came by another door.
"""

import logging
from collections.abc import Mapping, Sequence

from service import metrics
from service.model import SECOND, Liquidation
from service.pipeline.health import Health
from service.pipeline.watchdog import Silence, Watchdog

log = logging.getLogger("cascade.pipeline")

#: An order that took longer from its venue's time to ours was fetched, not told. On a fast clock, five real seconds.
FRESH_MS = 30 * SECOND
FRESH_REAL_MS = 5 * SECOND


class Watch:
    """One street's watchdog. `usual`: orders a minute by venue; a venue without an entry is never judged."""

    def __init__(self, usual: Mapping[str, float], health: Health, speed: float) -> None:
        self._watchdog = Watchdog(usual)
        self._health = health
        self._fresh_ms = max(FRESH_MS, int(FRESH_REAL_MS * speed))
        self._shown: set[str] = set()

    def counted(self, orders: Sequence[Liquidation]) -> None:
        """A batch has been written; that some of it was known before does not matter here."""
        for order in orders:
            if order.seen - order.at < self._fresh_ms:
                self._watchdog.counted(order.venue, order.seen, order.asset)

    def look(self, now: int) -> Mapping[str, Silence]:
        """Who is silent from now on; to be called when every order up to `now` is counted."""
        silences = self._watchdog.look(now, self._health.connected())
        news = {venue: silence for venue, silence in silences.items() if venue not in self._health.silenced}
        for venue, silence in news.items():
            log.warning("%s is silent though its sockets are well: %s", venue, silence.words)
        for venue in self._health.silenced.keys() - silences.keys():
            log.info("%s is not silent any more", venue)
        self._health.silence(silences, now)
        self._show()
        return news

    def expected(self, venue: str) -> float | None:
        """Orders due since the venue's last one, each coin once a minute; None when that cannot be judged."""
        found = self._watchdog.expected.get(venue)
        return None if found is None else round(found, 1)

    def _show(self) -> None:
        expected = self._watchdog.expected
        for venue in self._shown - expected.keys():
            metrics.VENUE_SILENT.remove(venue)
            metrics.VENUE_EXPECTED.remove(venue)
        self._shown = set(expected)
        for venue, orders in expected.items():
            metrics.VENUE_SILENT.labels(venue).set(venue in self._health.silenced)
            metrics.VENUE_EXPECTED.labels(venue).set(orders)
