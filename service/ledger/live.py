"""Live time as bits: one bitmap per venue and hour, one bit per 10 s slot, first slot leftmost. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from service.ledger.buckets import TICK
from service.model import HOUR, SPANS

#: Bits of one bitmap.
BITS = HOUR // TICK
#: By hour, then by venue.
Bitmaps = Mapping[int, Mapping[str, int]]
#: No span looks further back; bitmaps are kept a little longer.
KEEP = 26 * HOUR


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


def share(bitmaps: Bitmaps, venues: Sequence[str], within: Iterable[tuple[int, int, int]]) -> float:
    """Live slots over all slots."""
    live = slots = 0
    for hour, first, stop in within:
        bitmap, full = bitmaps.get(hour, {}), mask(first, stop)
        slots += (stop - first) * len(venues)
        live += sum((bitmap.get(venue, 0) & full).bit_count() for venue in venues)
    return live / slots
