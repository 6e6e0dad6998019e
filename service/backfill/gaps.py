"""Which stretches of a venue's last day are worth asking for now. Pure: reads bits, asks nobody."""

from collections.abc import Sequence

import msgspec

from service.ledger.buckets import TICK
from service.ledger.live import Slots
from service.model import MINUTE, SECOND, Gap
from service.venues.base import History

#: Gaps that lie closer together than this are asked for at once: one walk through 300 contracts instead of three.
NEAR_MS = 10 * MINUTE


def due(venue: str, history: History, slots: Slots, horizon_s: float, now: int) -> list[Gap]:
    """Gaps that are over, old enough to be told in full and young enough to be told at all; near ones as one.

    For a venue without sockets all that its history has not told yet is a gap.
    """
    since, ripe = now - int(min(history.reach_s, horizon_s) * SECOND), now - int(history.delay_s * SECOND)
    if history.poll_s is not None:
        return _joined([gap for gap in slots.gaps(venue, since, ripe) if not gap.healed])
    gaps = slots.gaps(venue, since, (slots.last_live(venue) or TICK) - TICK)
    return _joined([gap for gap in gaps if not gap.healed and gap.until <= ripe])


def _joined(gaps: Sequence[Gap]) -> list[Gap]:
    found: list[Gap] = []
    for gap in gaps:
        if found and gap.since - found[-1].until < NEAR_MS:
            found[-1] = msgspec.structs.replace(found[-1], until=gap.until)
        else:
            found.append(gap)
    return found
