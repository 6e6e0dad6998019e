"""Heard time as bits: one bitmap per venue and hour, one bit per 10 s slot, first slot leftmost. Pure.

Two kinds: slots in which a venue's sockets were live, and slots filled later from its public history.
"""

from collections.abc import Iterator, Mapping, Sequence

from service.ledger.buckets import TICK
from service.model import HOUR, SPANS, Gap, Record

#: Bits of one bitmap.
BITS = HOUR // TICK
#: By hour, then by venue.
Bitmaps = Mapping[int, Mapping[str, int]]
#: No span looks further back; bitmaps are kept a little longer.
KEEP = 26 * HOUR


class Slots(Record, frozen=True, kw_only=True):
    """What was heard of the last 26 hours: live on the sockets, and healed from the history."""

    live: Bitmaps
    healed: Bitmaps

    def shares(self, venues: Sequence[str], within: Sequence[tuple[int, int, int]]) -> tuple[float, float] | None:
        """(heard at all, healed only) of the slots of those venues; None without venues or slots."""
        heard = healed = slots = 0
        for hour, first, stop in within:
            full = mask(first, stop)
            slots += (stop - first) * len(venues)
            for venue in venues:
                live, late = self._bits(venue, hour)
                heard += ((live | late) & full).bit_count()
                healed += (late & ~live & full).bit_count()
        return (heard / slots, healed / slots) if slots else None

    def gaps(self, venue: str, since: int, until: int) -> list[Gap]:
        """Runs of whole slots inside [since, until) in which the venue was not live, oldest first."""
        found: list[Gap] = []
        for slot in range(-(-since // TICK), until // TICK):
            hour, bit = divmod(slot, BITS)
            live, healed = (bits >> (BITS - 1 - bit) & 1 for bits in self._bits(venue, hour))
            if live:
                continue
            start = slot * TICK
            if found and found[-1].until == start and found[-1].healed == bool(healed):
                start = found.pop().since
            found.append(Gap(since=start, until=(slot + 1) * TICK, healed=bool(healed)))
        return found

    def last_live(self, venue: str) -> int | None:
        """End (ms UTC) of the latest slot in which the venue was live; None when there is none."""
        for hour in sorted(self.live, reverse=True):
            bits = self.live[hour].get(venue, 0)
            if bits:
                lowest = (bits & -bits).bit_length() - 1
                return hour * HOUR + (BITS - lowest) * TICK
        return None

    def _bits(self, venue: str, hour: int) -> tuple[int, int]:
        return self.live.get(hour, {}).get(venue, 0), self.healed.get(hour, {}).get(venue, 0)


NOTHING = Slots(live={}, healed={})


def outward(since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """`stretches` of every slot that [since, until) touches."""
    return stretches(since // TICK * TICK, -(-until // TICK) * TICK)


def hours(now: int) -> range:
    """The hours whose bitmaps are kept."""
    return range((now - KEEP) // HOUR, now // HOUR + 1)


def stretches(since: int, until: int) -> Iterator[tuple[int, int, int]]:
    """(hour, first bit, bit after the last) of the whole slots inside [since, until)."""
    first, end = -(-since // TICK), until // TICK
    while first < end:
        hour, bit = divmod(first, BITS)
        stop = min(BITS, bit + end - first)
        yield hour, bit, stop
        first += stop - bit


def window(span: str, now: int) -> list[tuple[int, int, int]]:
    """The stretches of the whole slots inside the span up to `now`."""
    return list(stretches(now - SPANS[span], now))


def mask(first: int, stop: int) -> int:
    """A bitmap with the bits from `first` up to before `stop` set."""
    return ((1 << (stop - first)) - 1) << (BITS - stop)


def bits(stored: bytes | None) -> int:
    """A stored bitmap as a number; the store cuts trailing zeros."""
    return int.from_bytes((stored or b"").ljust(BITS // 8, b"\0"), "big")
