"""One clock hour of orders: a calm background, and a cascade on top where the hour has one.

Owns when orders come and on which contract. The hour's dollars are given: which hour has how many is not decided here.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate

from service.model import HOUR, MINUTE, SECOND, USD_UNIT, Record, Side
from service.simulator.scenario.market import BY_ASSET, COINS, Coin, Listing, Path, level
from service.simulator.scenario.orders import CLOSING_UNITS, Cell, Luck, Order, Urn, parts
from service.tape import Row

_LONGS = 0.54
_FOLLOWS = 0.35
#: Dollars of the background inside an hour that has a cascade.
_CALM_USD: Mapping[Side, int] = {Side.SHORT: 1_200_000, Side.LONG: 800_000}
_ORDERS_A_STRIKE = 27
_LEAD_ORDERS = 6
_LEAD_SHARE = 0.006
#: Small coins get more orders than their dollars alone would give them.
_CROWD: Urn[Coin] = Urn((coin, coin.share + 2) for coin in COINS)
_LISTINGS: Mapping[str, Urn[Listing]] = {coin.asset: Urn(coin.listings) for coin in COINS}
#: Cheap and on every venue: the two orders that close an hour's sum stay small.
_CLOSING = BY_ASSET["ADA"]


class Cascade(Record, frozen=True, kw_only=True):
    """A cascade inside one clock hour; `minutes` are relative dollars by minute, the first of them the onset."""

    side: Side
    lead: tuple[str, str]
    """Asset and venue whose contract is hit a few seconds before all others."""
    minutes: Mapping[int, float]
    orders: int
    shares: Mapping[str, float] = {}
    """Percent of the dollars, for assets whose share differs from the coin table; the others share the rest."""


class Hour(Record, frozen=True, kw_only=True):
    """One clock hour from `start` (ms UTC): whole dollars by side, the price of BTC, and its cascade, if any."""

    start: int
    usd: Mapping[Side, int]
    path: Path
    cascade: Cascade | None = None


def play(hour: Hour, seed: int) -> list[Row]:
    """All rows of one hour in order of time, its dollars met to the cent. The same hour and seed, the same rows."""
    luck = Luck(seed, hour.start)
    calm: dict[Side, list[Order]] = {side: [] for side in Side}
    for side, order in _background(hour, luck):
        calm[side].append(order)
    cells = {side: Cell(side, hour.usd[side]) for side in Side}
    for side, cell in cells.items():
        units = cell.left - CLOSING_UNITS if hour.cascade is None else _CALM_USD[side] * USD_UNIT
        cell.spend(calm[side], units)
    if hour.cascade is not None:
        _strike(hour, hour.cascade, cells, luck)
    for side, cell in cells.items():
        listing = _LISTINGS[_CLOSING.asset].pick(luck)
        first = _order(hour, _CLOSING, listing, luck.below(HOUR - SECOND), side, luck)
        cell.close(first, first._replace(at=luck.below(HOUR - SECOND) + hour.start))
    return sorted((row for cell in cells.values() for row in cell.rows), key=lambda row: row.at)


def _order(hour: Hour, coin: Coin, listing: Listing, offset: int, side: Side, luck: Luck) -> Order:
    """An unsized order: shorts are closed a little above the path, longs a little below."""
    at = hour.start + offset
    slip = luck.unit() * 0.0008 - 0.0002
    ticks = coin.ticks(listing, level(hour.path, at), slip if side is Side.SHORT else -slip)
    return Order(at, listing, ticks, 1.0)


def _background(hour: Hour, luck: Luck) -> Iterator[tuple[Side, Order]]:
    """10 to 22 orders a minute, a third of them on the heels of another."""
    for minute in range(0, HOUR, MINUTE):
        offset = 0
        for _ in range(10 + luck.below(13)):
            follows = luck.unit() < _FOLLOWS and offset
            offset = offset + 50 + luck.below(1_500) if follows else minute + luck.below(MINUTE - SECOND)
            offset = min(offset, minute + MINUTE - SECOND)
            side = Side.LONG if luck.unit() < _LONGS else Side.SHORT
            coin = _CROWD.pick(luck)
            order = _order(hour, coin, _LISTINGS[coin.asset].pick(luck), offset, side, luck)
            yield side, order._replace(weight=(coin.share + 1) * luck.tail(0.01) * luck.unit())


def _strike(hour: Hour, cascade: Cascade, cells: Mapping[Side, Cell], luck: Luck) -> None:
    """Spend all but the closing orders of both sides on a cascade."""
    lead = _lead(hour, cascade, luck)
    lead_units = int(cells[cascade.side].left * _LEAD_SHARE)
    cells[cascade.side].spend(lead, lead_units)
    crowd = _crowd(hour, cascade, luck)
    for side, cell in cells.items():
        present = {asset: share for asset, share in _shares(cascade).items() if crowd[side].get(asset)}
        budget = parts(cell.left - CLOSING_UNITS + lead_units * (side is cascade.side), present)
        for asset, units in budget.items():
            led = lead_units if (side, asset) == (cascade.side, cascade.lead[0]) else 0
            cell.spend(_sized(crowd[side][asset], luck), units - led)


def _lead(hour: Hour, cascade: Cascade, luck: Luck) -> list[Order]:
    """The first orders, all on one contract: 10 to 2 seconds before the onset."""
    asset, venue = cascade.lead
    coin = BY_ASSET[asset]
    listing = next(listing for listing, _ in coin.listings if listing.venue == venue and not listing.face)
    onset = min(cascade.minutes) * MINUTE
    offsets = sorted(onset - 2 * SECOND - luck.below(8 * SECOND) for _ in range(_LEAD_ORDERS))
    orders = [_order(hour, coin, listing, offset, cascade.side, luck) for offset in offsets]
    return [order._replace(weight=luck.between(0.4, 1.6)) for order in orders]


def _crowd(hour: Hour, cascade: Cascade, luck: Luck) -> Mapping[Side, dict[str, list[Order]]]:
    """The orders of all coins: each strike of the price brings down a cluster of them, most within seconds."""
    crowd: dict[Side, dict[str, list[Order]]] = {side: {} for side in Side}
    other = Side.LONG if cascade.side is Side.SHORT else Side.SHORT
    strikes = Urn(_strikes(cascade, luck))
    others = 0.04 + hour.usd[other] / (hour.usd[Side.LONG] + hour.usd[Side.SHORT])
    for _ in range(cascade.orders):
        lag = luck.unit()
        offset = strikes.pick(luck) + min(90 * SECOND, int(4 * SECOND * lag / (1 - lag)))
        side = other if luck.unit() < others else cascade.side
        coin = _CROWD.pick(luck)
        order = _order(hour, coin, _LISTINGS[coin.asset].pick(luck), offset, side, luck)
        crowd[side].setdefault(coin.asset, []).append(order)
    return crowd


def _strikes(cascade: Cascade, luck: Luck) -> Iterator[tuple[int, float]]:
    """(offset, weight) of the strikes, spread along the cascade's minutes by their dollars, the first at the onset."""
    minutes, weights = list(cascade.minutes), list(cascade.minutes.values())
    sums = list(accumulate(weights))
    count = max(20, cascade.orders // _ORDERS_A_STRIKE)
    for place in range(count):
        reached = (place + luck.unit() if place else 0.0) * sums[-1] / count
        index = min(bisect_right(sums, reached), len(sums) - 1)
        within = 1 - (sums[index] - reached) / weights[index]
        yield int((minutes[index] + max(0.0, within)) * MINUTE), 1 / (0.15 + luck.unit())


def _shares(cascade: Cascade) -> dict[str, float]:
    named = sum(cascade.shares.values())
    rest = sum(coin.share for coin in COINS if coin.asset not in cascade.shares)
    return {coin.asset: cascade.shares.get(coin.asset, coin.share * (100 - named) / rest) for coin in COINS}


def _sized(orders: list[Order], luck: Luck) -> list[Order]:
    """Sizes of one coin's orders: the fewer they are, the nearer the tail is cut, so that none is the whole coin.

    The floor of 0.008 keeps the largest whale of the main hour near $15M.
    """
    rarest = min(0.5, max(4 / len(orders), 0.008))
    return [order._replace(weight=luck.tail(rarest) * luck.unit()) for order in orders]
