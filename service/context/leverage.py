"""An asset's leverage from its contracts: sums over venues, changes of the same ones, ranks in their own past. Pure.

Weights are open interest in dollars: a venue where nothing is held says nothing of how crowded a market is.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from service.context.contract import Contract, Fresh, Told, fresh_value
from service.context.points import KEEP_MS
from service.context.risk import DAY, OI_DAYS
from service.model import HOUR, Leverage, Record, VenueLeverage

#: A rank that rests on so many days is one of months.
LONG_DAYS = 28.0
#: Open interest is ranked among so much past, funding among all that is kept.
OI_BACK_MS = OI_DAYS * DAY

_DIGITS = 9
_Weighted = tuple[float | None, float | None]


class Pair(Record, frozen=True, kw_only=True):
    """One contract's open interest before and now, in what it is counted in, and dollars of one of these.

    That is coins, or dollars (`price` 1) where a contract is worth a fixed sum of them: in coins such a one would fall
    with every rise of the price.
    """

    venue: str
    symbol: str
    before: float
    now: float
    price: float
    at: int
    """When `now` was told, ms UTC."""


def pairs(contracts: Iterable[Contract], since: int, fresh: Fresh, now: int) -> list[Pair]:
    """The contracts whose open interest is known at `since`, was told again behind it and is fresh `now`."""
    return [pair for one in contracts if (pair := _pair(one, since, fresh, now)) is not None]


def _pair(one: Contract, since: int, fresh: Fresh, now: int) -> Pair | None:
    told, before = one.held, one.held_at(since, fresh.oi_ms)
    usd = fresh_value(one.usd, now, fresh.oi_ms)
    if told is None or before is None or not usd or not told.value or told.at <= since:
        return None
    price = usd / told.value
    return Pair(venue=one.venue, symbol=one.symbol, before=before, now=told.value, price=price, at=told.at)


def change_pct(both: Sequence[Pair]) -> float | None:
    """How their open interest changed, each at one price, per cent; None where nothing is known at both times."""
    before = sum(pair.before * pair.price for pair in both)
    now = sum(pair.now * pair.price for pair in both)
    return round((now / before - 1) * 100, 4) if before > 0 else None


def leverage(asset: str, contracts: Sequence[Contract], fresh: Fresh, now: int) -> Leverage:
    """What stands now. Venues that tell nothing fresh are in no sum; `missing` is for the caller to say."""
    by_venue: defaultdict[str, list[Contract]] = defaultdict(list)
    for one in contracts:
        by_venue[one.venue].append(one)
    venues = [_venue(name, own, fresh, now) for name, own in by_venue.items()]
    marked = [one for one in venues if one.mark is not None]
    deepest = max(marked, key=lambda one: one.oi_usd or 0.0, default=None)
    oi_pct, oi_days = _rank([(one, "oi_usd" if one.inverse else "oi_coins", one.held) for one in contracts], fresh, now)
    funding_pct, funding_days = _rank([(one, "funding_8h", one.funding_8h) for one in contracts], fresh, now)
    return Leverage(
        asset=asset,
        now=now,
        oi_usd=_sum(one.oi_usd for one in venues),
        oi_change_1h_pct=change_pct(pairs(contracts, now - HOUR, fresh, now)),
        oi_change_24h_pct=change_pct(pairs(contracts, now - DAY, fresh, now)),
        oi_pct=oi_pct,
        oi_days=oi_days,
        funding_8h=_mean((one.funding_8h, one.oi_usd) for one in venues),
        funding_pct=funding_pct,
        funding_days=funding_days,
        mark=deepest.mark if deepest else None,
        mark_at=deepest.mark_at if deepest else None,
        volume_usd=_sum(fresh_value(one.volume, now, HOUR) for one in contracts),
        venues=tuple(one for one in venues if (one.oi_usd, one.funding_8h, one.mark) != (None, None, None)),
        missing={},
    )


def _venue(name: str, own: Sequence[Contract], fresh: Fresh, now: int) -> VenueLeverage:
    held = [one for one in own if fresh_value(one.usd, now, fresh.oi_ms) is not None]
    paying = [one for one in own if fresh_value(one.funding_8h, now, fresh.funding_ms) is not None]
    marked = [one for one in own if not one.lots and fresh_value(one.mark, now, fresh.mark_ms) is not None]
    deepest = max(marked, key=lambda one: _weight(one, fresh, now), default=None)
    mark = deepest.mark if deepest else None
    return VenueLeverage(
        venue=name,
        oi_usd=_sum(_value(one.usd) for one in held),
        oi_at=min((one.usd.at for one in held if one.usd), default=None),
        funding_8h=_mean((_value(one.funding_8h), _weight(one, fresh, now)) for one in paying),
        funding_at=min((one.funding_8h.at for one in paying if one.funding_8h), default=None),
        mark=mark.value if mark else None,
        mark_at=mark.at if mark else None,
    )


def _rank(figures: Sequence[tuple[Contract, str, Told | None]], fresh: Fresh, now: int) -> tuple[float | None, float]:
    """The mean rank of today's figures among each contract's own past, and the days the shortest of them rests on.

    Where some have a month behind them only these count: a new venue must not make months out of a week.
    """
    ranks: list[tuple[float, float, float]] = []
    for one, name, told in figures:
        back, within = (KEEP_MS, fresh.funding_ms) if name == "funding_8h" else (OI_BACK_MS, fresh.oi_ms)
        rank, days = one.rank(name, told, back, now)
        if rank is not None and fresh_value(told, now, within) is not None:
            ranks.append((rank, _weight(one, fresh, now), days))
    long = [found for found in ranks if found[2] >= LONG_DAYS] or ranks
    return _mean([(rank, weight) for rank, weight, _ in long]), round(min((days for *_, days in long), default=0.0), 2)


def _weight(one: Contract, fresh: Fresh, now: int) -> float:
    return fresh_value(one.usd, now, fresh.oi_ms) or 0.0


def _value(told: Told | None) -> float | None:
    return told.value if told else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 2) if known else None


def _mean(weighted: Iterable[_Weighted]) -> float | None:
    """By weight; where nothing has one, all weigh the same. None where nothing is known."""
    known = [(value, weight or 0.0) for value, weight in weighted if value is not None]
    if not known:
        return None
    if not any(weight for _, weight in known):
        known = [(value, 1.0) for value, _ in known]
    return round(sum(value * weight for value, weight in known) / sum(weight for _, weight in known), _DIGITS)
