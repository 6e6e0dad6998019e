"""An alert that no market wrote, for whoever wants to see one before it counts. Its figures are invented.

`message(sample(...), language, trial=True)` words it and says so.
"""

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
    once_in,
)

#: Dollars of the whole market's sample, and of one coin's.
_ALL_USD, _COIN_USD = 104_200_000.0, 12_400_000.0
#: How they are split: the side, the first venue and the second, the first coin and the second, the largest order.
_SIDE, _FIRST, _SECOND, _TOP, _NEXT, _ORDER = 0.92, 0.46, 0.31, 0.55, 0.22, 0.06
_MULTIPLE, _RARE_DAYS = 12.0, 61.0


def sample(
    asset: str, now: int, *, kind: Kind = Kind.SHORT_SQUEEZE, usd: float | None = None, venue: str = "bybit"
) -> Alert:
    """An opened warning of an asset (a coin or ALL) at `now` (ms UTC), with so many dollars and mostly on `venue`."""
    whole = usd or (_ALL_USD if asset == ALL else _COIN_USD)
    side = Side.SHORT if kind is Kind.SHORT_SQUEEZE else Side.LONG
    shorts = _SIDE if side is Side.SHORT else 1 - _SIDE
    coin = "BTC" if asset == ALL else asset
    other = "binance" if venue != "binance" else "bybit"
    contract = f"{coin}USDT"
    onset = now - 12 * MINUTE
    return Alert(
        id="sample",
        episode="sample",
        kind=kind,
        phase=Phase.OPENED,
        severity=Severity.WARNING,
        asset=asset,
        side=side,
        span="1h",
        started_at=onset,
        at=now,
        long_usd=(1 - shorts) * whole,
        short_usd=shorts * whole,
        share=shorts,
        at_least=True,
        peak_usd=whole,
        grade=2 if asset == ALL else 1,
        certainty=Certainty(type="one_sided", low=shorts - 0.05, high=shorts + 0.05, n_eff=90.0),
        baseline=Baseline(
            usual_usd=whole / _MULTIPLE,
            multiple=_MULTIPLE,
            rarity=once_in(_RARE_DAYS),
            rarity_days=_RARE_DAYS,
            learning=False,
        ),
        excitation=Excitation(word="growing", low=0.9, high=1.3, branching=None),
        coverage=Coverage(venues_live=14, venues=14, seconds_share=0.994, leaving_out=("binance", "okx")),
        lead=Lead(venue=venue, symbol=contract, at=onset + MINUTE, share=0.41, within_s=None),
        course=Course(
            onset=onset,
            p10_at=onset + 2 * MINUTE,
            p50_at=None,
            p90_at=None,
            usd=_SIDE * whole,
            hour_usd=whole,
            peak_hour_usd=whole,
            peak_hour_at=now,
            share_of_day=0.31,
            notices=1,
        ),
        venues={venue: _FIRST * whole, other: _SECOND * whole},
        symbols={contract: _TOP * whole},
        largest=Largest(venue=venue, symbol=contract, side=side, usd=_ORDER * whole, at=onset + 3 * MINUTE),
        assets={"BTC": _TOP * whole, "ETH": _NEXT * whole} if asset == ALL else {},
        price=PriceMove(
            asset=coin,
            start=100.0,
            now=102.4 if side is Side.SHORT else 97.6,
            move_pct=2.4 if side is Side.SHORT else -2.4,
            confirms=True,
        ),
    )
