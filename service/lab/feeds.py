"""What a feed shows of a market. Owns the loss of orders and of their times, never their meaning.

Rules as the venues state them (detection study, finding 3 and E): one order per venue, contract and second, namely the
largest (Binance since 2026-04-10), the latest (Binance before) or the first (a channel that rests a second after each
order). `batched`: the engine works every 6 s and all its orders carry the batch's time; nothing is left out.
Calendar seconds are a choice of ours: no venue says where its second begins.
"""

from collections.abc import Callable, Mapping

import numpy as np

from service.lab.day import Day
from service.lab.law import Flags, Ints

Feed = Callable[[Day], Day]

BATCH_MS = 6_000
#: A FIRST channel rests for so long after each order it shows.
REST_MS = 1_000


def full(day: Day) -> Day:
    """Every order at its time; the truth stays behind."""
    return _untold(day)


def largest(day: Day) -> Day:
    """The largest order of each venue, contract and second, at its own time; of equals the latest."""
    slot = _slot(day)
    order = np.lexsort((np.arange(len(slot)), day.usd, slot))
    return _untold(day.take(np.sort(order[_last_of_each(slot[order])])))


def latest(day: Day) -> Day:
    """The last order of each venue, contract and second."""
    slot = _slot(day)
    order = np.argsort(slot, kind="stable")
    return _untold(day.take(np.sort(order[_last_of_each(slot[order])])))


def first(day: Day) -> Day:
    """An order that comes at least a second after the last one shown of its venue and contract. Forgets at midnight."""
    line = _line(day)
    shown: dict[int, int] = {}
    kept = np.zeros(len(line), dtype=np.bool_)
    for place, (key, at) in enumerate(zip(line.tolist(), day.at.tolist(), strict=True)):
        if at - shown.get(key, -REST_MS) >= REST_MS:
            shown[key] = at
            kept[place] = True
    return _untold(day.take(kept))


def batched(day: Day) -> Day:
    """Every order, stamped with the last millisecond of its six seconds."""
    return _untold(day.take(np.arange(len(day.at)), day.at - day.at % BATCH_MS + BATCH_MS - 1))


def batched_largest(day: Day) -> Day:
    """Batches of six seconds of which one order a contract and second is shown: the worst of both."""
    return largest(batched(day))


FEEDS: Mapping[str, Feed] = {
    "full": full,
    "sampled": largest,
    "latest": latest,
    "first": first,
    "batched": batched,
    "batched-largest": batched_largest,
}


def _line(day: Day) -> Ints:
    return np.asarray(day.venue.astype(np.int64) << 16 | day.symbol, dtype=np.int64)


def _slot(day: Day) -> Ints:
    return np.asarray(_line(day) << 20 | day.second, dtype=np.int64)


def _last_of_each(ordered: Ints) -> Flags:
    last = np.ones(len(ordered), dtype=np.bool_)
    last[:-1] = ordered[1:] != ordered[:-1]
    return last


def _untold(day: Day) -> Day:
    return Day(day.start, day.at, day.usd, day.short, day.venue, day.symbol)
