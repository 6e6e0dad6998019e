"""Whether the price went with the forced orders, from the orders' own prices. Owns the comparison of like with like.

Orders that close shorts are bought above the market's middle and those that close longs are sold below it, contracts
trade apart, and what a venue calls the price differs (fill, or the bankruptcy price). So a print is compared only with
prints of its own cell (venue, contract, side); when the mix of cells changes, nothing has moved.

    end of a cell  = median log price of its prints in the first, and in the last, part of the span: the narrowest of a
                     twelfth, a sixth and a third in which it has 3 prints at both
    move           = weighted median over cells of (last end - first end), weight the fewer prints of the two
    swing of W     = sqrt(W in minutes x variance of 1 min)

The ends have a width, so a move is understated, never invented. Source: detection study, A.2 (the price has to go with
the side by at least one sigma of the span; the other way round the feed is to be checked, not the market).
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

from service.model import MINUTE, Liquidation, PriceMove, Record, Side, coin_of

_PARTS = (1 / 12, 1 / 6, 1 / 3)
_LEAST_PRINTS = 3
#: How long the usual swing remembers, in minutes.
_MEMORY_MIN = 24 * 60
#: A price older than this starts no return: too much of a day lies between.
_STALE_MIN = 60
#: Fewer returns than these are no variance.
_LEAST_RETURNS = 30
#: A return counts as this many usual ones at most, so that an event hardly lifts its own bar.
_MOST_SIGMAS = 4
#: A minute is read this long after its end, when late orders are in.
_SETTLES = 30_000

Cell = tuple[str, str, Side]


class Swing(Record, frozen=True, kw_only=True):
    """What is usual for one coin's price: an exponentially weighted variance of its returns of one minute."""

    upto: int = 0
    """The minute (ms UTC) up to which prices have been read."""
    squares: float = 0.0
    returns: float = 0.0
    """Squared log returns a minute, and how many, both fading over a day."""
    last: Mapping[str, tuple[int, float]] = {}
    """By cell: the minute of its last price, and its logarithm."""

    def sigma(self, span_ms: int) -> float | None:
        """Usual move over a span, one sigma of the log price; None until 30 returns of the last day or so."""
        if self.returns < _LEAST_RETURNS:
            return None
        return math.sqrt(span_ms / MINUTE * self.squares / self.returns)


def learn(swing: Swing, orders: Iterable[Liquidation], now: int) -> Swing:
    """The state after the whole minutes before `now` (ms UTC); `orders` are one coin's, those since `swing.upto`.

    Minutes that were read before are not read again, so the same orders may be handed in twice. In each minute the cell
    with the most prints speaks. A return over k minutes counts once, as its square over k.
    """
    end = (now - _SETTLES) // MINUTE * MINUTE
    minutes: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for order in orders:
        if order.price and order.price > 0 and swing.upto <= order.at < end:
            minutes[order.at // MINUTE][":".join(_cell(order))].append(math.log(order.price))
    squares, returns, last, upto = swing.squares, swing.returns, dict(swing.last), swing.upto // MINUTE
    for minute in sorted(minutes):
        cells = {name: (len(logs), median(logs)) for name, logs in minutes[minute].items()}
        fading = math.exp((upto - minute) / _MEMORY_MIN)
        squares, returns, upto = squares * fading, returns * fading, minute
        known = [name for name in cells if name in last and minute - last[name][0] <= _STALE_MIN]
        if known:
            name = max(known, key=lambda one: cells[one])
            square = (cells[name][1] - last[name][1]) ** 2 / (minute - last[name][0])
            if returns >= _LEAST_RETURNS:
                square = min(square, _MOST_SIGMAS**2 * squares / returns)
            squares, returns = squares + square, returns + 1
        last |= {name: (minute, log) for name, (_, log) in cells.items()}
    until = max(end // MINUTE, upto)
    fading = math.exp((upto - until) / _MEMORY_MIN)
    last = {name: seen for name, seen in last.items() if until - seen[0] <= _STALE_MIN}
    return Swing(upto=until * MINUTE, squares=squares * fading, returns=returns * fading, last=last)


def move(
    orders: Iterable[Liquidation], asset: str, side: Side, since: int, now: int, swing: float | None
) -> PriceMove | None:
    """How the price of `asset` (of ALL: of BTC) went from `since` to `now` (ms UTC); None when too few prints tell.

    `side` is the side of the positions closed: shorts are bought back, so a rise goes with them. `swing` is the usual
    move over the span as a log return, None while unknown; then nothing is confirmed. Prices are as the contract with
    the most prints quotes them.
    """
    coin = coin_of(asset)
    cells: dict[Cell, list[tuple[int, float]]] = defaultdict(list)
    for order in orders:
        if order.asset == coin and order.price and order.price > 0 and since <= order.at <= now:
            cells[_cell(order)].append((order.at, math.log(order.price)))
    ends = [end for prints in cells.values() if (end := _ends(prints, since, now)) is not None]
    if not ends:
        return None
    moved = _weighted_median([(last - first, weight) for first, last, weight in ends])
    start = math.exp(max(ends, key=lambda end: end[2])[0])
    return of_marks(coin, side, start, start * math.exp(moved), swing)


def of_marks(coin: str, side: Side, start: float, now: float, swing: float | None) -> PriceMove:
    """The move between two prices of one coin, both above 0; `side` and `swing` as in `move`."""
    moved = math.log(now / start)
    return PriceMove(
        asset=coin,
        start=_short(start),
        now=_short(now),
        move_pct=round(100 * math.expm1(moved), 3),
        confirms=_confirms(moved if side is Side.SHORT else -moved, swing),
    )


def _cell(order: Liquidation) -> Cell:
    return order.venue, order.symbol, order.side


def _ends(prints: list[tuple[int, float]], since: int, now: int) -> tuple[float, float, int] | None:
    """Log price of a cell at the start and at the end, and how many prints the thinner end has."""
    for part in _PARTS:
        width = part * (now - since)
        first = [log for at, log in prints if at <= since + width]
        last = [log for at, log in prints if at >= now - width]
        if min(len(first), len(last)) >= _LEAST_PRINTS:
            return median(first), median(last), min(len(first), len(last))
    return None


def _weighted_median(values: list[tuple[float, int]]) -> float:
    """The middle of the weight; the mean of the two middle values where it falls between them."""
    ordered, half, so_far = sorted(values), sum(weight for _, weight in values) / 2, 0
    for place, (value, weight) in enumerate(ordered):
        so_far += weight
        if so_far > half:
            return value
        if so_far == half:
            return (value + ordered[place + 1][0]) / 2
    raise ValueError("the median of nothing")


def _confirms(along: float, swing: float | None) -> bool | None:
    if swing is None or abs(along) < swing:
        return None
    return along > 0


def _short(price: float) -> float:
    """Seven digits: more than any venue's tick needs."""
    return float(f"{price:.7g}")
