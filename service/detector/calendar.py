"""What a public calendar had at the time. Owns nearness in time; says beside what an event began, not because of what.

Source: detection study, D.3: entries within 15 minutes of the onset, before or after, since traders also act on what is
about to be told.
"""

from collections.abc import Iterable

from service.model import MINUTE, Record

#: How near an entry has to be, ms.
NEAR = 15 * MINUTE


class Event(Record, frozen=True, kw_only=True):
    """One dated public event: `at` in ms UTC, the `source` of its date in words."""

    at: int
    name: str
    source: str


def coincides(calendar: Iterable[Event], onset: int) -> tuple[str, ...]:
    """Names of the entries within 15 minutes of `onset` (ms UTC), nearest first."""
    near = [event for event in calendar if abs(event.at - onset) <= NEAR]
    return tuple(event.name for event in sorted(near, key=lambda event: (abs(event.at - onset), event.at, event.name)))
