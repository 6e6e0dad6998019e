"""The dollars a span really held, as far as they can be told: what was shown, and an interval of what was not.

Every venue with its own rule (detection study, E): `largest` by the sizes of its orders, `latest` and `first` only by a
complete venue's share and marked so, `complete` as it is; `unknown`, and the dead rules without a reference, are named
and left at what they showed. Always shown <= low <= usd <= high. Pure; no number is better than a wrong one.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from service.detector.undercount.feeds import Feed, Feeds
from service.detector.undercount.groups import Books
from service.detector.undercount.identify import period_s
from service.detector.undercount.largest import Part, largest
from service.detector.undercount.laws import Laws
from service.detector.undercount.reference import DEAD, reference
from service.model import HOUR, SPANS, USD_DIGITS, Estimated, Liquidation, Side

#: How far sizes on one venue lie from those on another, until a self-check has measured it (in logarithms).
SPREAD = 0.15
BY_SIZES, BY_REFERENCE = "order sizes", "reference venue"


def estimate(
    orders: Sequence[Liquidation], feeds: Feeds, now: int, span: str, spread: float = SPREAD
) -> Estimated | None:
    """The true dollars of the span that ends at `now` (ms UTC); None where nobody can say or nothing is left out.

    `orders` are of one asset, or of all for ALL, up to `now`; those before the span teach sizes and shares. Spans above
    an hour are not told: no memory of orders reaches back that far.
    """
    if SPANS[span] > HOUR:
        return None
    since = now - SPANS[span] + 1
    books = Books((order for order in orders if order.at <= now), _timed(orders, feeds))
    by_sizes, sources = largest(books, Laws(books), since, now + 1, spread)
    by_reference = reference(books, since, now + 1, spread)
    parts = by_sizes | by_reference
    if not parts:
        return None
    method = " and ".join(name for name, found in ((BY_SIZES, by_sizes), (BY_REFERENCE, by_reference)) if found)
    inside = [order for order in chain(*books.shown.values(), *books.complete.values()) if order.at >= since]
    silent = {group.venue for group, rows in books.shown.items() if rows[-1].at >= since} - set(parts)
    short = sum(order.usd for order in inside if order.side is Side.SHORT)
    return _found(
        parts.values(),
        (sum(order.usd for order in inside if order.side is Side.LONG), short),
        method=method,
        venues=tuple(sorted(parts)),
        unknown=tuple(sorted(silent)),
        sizes=tuple(sorted(sources)),
    )


def _timed(orders: Sequence[Liquidation], feeds: Feeds) -> Feeds:
    """Feeds with the beat of engines that work in batches, where nobody has told it yet: there calm looks the same."""
    timed = dict(feeds)
    for venue, feed in feeds.items():
        if feed.rule in DEAD and not feed.batch_s:
            timed[venue] = _with_beat(feed, period_s(order.at for order in orders if order.venue == venue))
    return timed


def _with_beat(feed: Feed, beat_s: int) -> Feed:
    return Feed(rule=feed.rule, by_side=feed.by_side, fills=feed.fills, batch_s=beat_s)


def _found(
    parts: Iterable[Part],
    shown: tuple[float, float],
    *,
    method: str,
    venues: tuple[str, ...],
    unknown: tuple[str, ...],
    sizes: tuple[str, ...],
) -> Estimated:
    parts = tuple(parts)
    reported = sum(shown)
    usd = reported + sum(part.usd for part in parts)
    short = shown[1] + sum(part.short for part in parts)
    return Estimated(
        usd=round(usd, USD_DIGITS),
        low=round(min(reported + sum(part.low for part in parts), usd), USD_DIGITS),
        high=round(max(reported + sum(part.high for part in parts), usd), USD_DIGITS),
        long_usd=round(usd - short, USD_DIGITS),
        short_usd=round(short, USD_DIGITS),
        method=method,
        venues=venues,
        unknown=unknown,
        sizes=sizes,
    )
