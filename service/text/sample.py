"""An alert that no market wrote, for whoever wants to see one before it counts. Its figures are invented.

`message(sample(...), language, trial=True)` words it and says so.
"""

import msgspec

from service.model import (
    ALL,
    MINUTE,
    Alert,
    Baseline,
    Certainty,
    Course,
    Coverage,
    Excitation,
    Kind,
    Largest,
    Lead,
    Phase,
    PriceMove,
    Severity,
    Side,
    coin_of,
    once_in,
)

#: Dollars of the whole market's sample, and of one coin's.
_ALL_USD, _COIN_USD = 104_200_000.0, 12_400_000.0
#: Parts of them: of the side, the first venue and the second, the first coin and the second, the largest order.
_SIDE, _FIRST, _SECOND, _TOP, _NEXT, _ORDER = 0.92, 0.46, 0.31, 0.55, 0.22, 0.06
_EITHER_WAY, _MULTIPLE, _RARE_DAYS, _MOVE_PCT = 0.05, 12.0, 61.0, 2.4
_LASTED = 12 * MINUTE


def sample(
    asset: str, now: int, *, kind: Kind = Kind.SHORT_SQUEEZE, usd: float | None = None, venue: str = "bybit"
) -> Alert:
    """An opened warning of an asset (a coin or ALL) at `now` (ms UTC), with so many dollars and mostly on `venue`."""
    whole = usd or (_ALL_USD if asset == ALL else _COIN_USD)
    side = Side.SHORT if kind is Kind.SHORT_SQUEEZE else Side.LONG
    shorts = _SIDE if side is Side.SHORT else 1 - _SIDE
    bare = Alert(
        id="sample",
        episode="sample",
        kind=kind,
        phase=Phase.OPENED,
        severity=Severity.WARNING,
        asset=asset,
        side=side,
        span="1h",
        started_at=now - _LASTED,
        at=now,
        long_usd=(1 - shorts) * whole,
        short_usd=shorts * whole,
        share=shorts,
        at_least=True,
        peak_usd=whole,
        grade=2 if asset == ALL else 1,
    )
    return _found(_split(bare, whole, venue), whole)


def _split(alert: Alert, whole: float, venue: str) -> Alert:
    """Where it came from."""
    coin, began = coin_of(alert.asset), alert.started_at
    contract, other = f"{coin}USDT", "bybit" if venue == "binance" else "binance"
    return msgspec.structs.replace(
        alert,
        venues={venue: _FIRST * whole, other: _SECOND * whole},
        symbols={contract: _TOP * whole},
        assets={"BTC": _TOP * whole, "ETH": _NEXT * whole} if alert.asset == ALL else {},
        largest=Largest(venue=venue, symbol=contract, side=alert.side, usd=_ORDER * whole, at=began + 3 * MINUTE),
        lead=Lead(venue=venue, symbol=contract, at=began + MINUTE, share=_FIRST, within_s=None),
    )


def _found(alert: Alert, whole: float) -> Alert:
    """What is known beyond its dollars: how sure, how unusual, its course, the price."""
    shorts, way = alert.share or 0.0, 1 if alert.side is Side.SHORT else -1
    return msgspec.structs.replace(
        alert,
        certainty=Certainty(type="one_sided", low=shorts - _EITHER_WAY, high=shorts + _EITHER_WAY, n_eff=90.0),
        baseline=Baseline(
            usual_usd=whole / _MULTIPLE,
            multiple=_MULTIPLE,
            rarity=once_in(_RARE_DAYS),
            rarity_days=_RARE_DAYS,
            learning=False,
        ),
        excitation=Excitation(word="growing", low=0.9, high=1.3, branching=None),
        coverage=Coverage(venues_live=14, venues=14, seconds_share=0.994, leaving_out=("binance", "okx")),
        course=Course(
            onset=alert.started_at,
            p10_at=alert.started_at + 2 * MINUTE,
            p50_at=None,
            p90_at=None,
            usd=_SIDE * whole,
            hour_usd=whole,
            peak_hour_usd=whole,
            peak_hour_at=alert.at,
            share_of_day=0.31,
            notices=1,
        ),
        price=PriceMove(
            asset=coin_of(alert.asset),
            start=100.0,
            now=100.0 + way * _MOVE_PCT,
            move_pct=way * _MOVE_PCT,
            confirms=True,
        ),
    )
