"""Leverage and flows as tests need them: everything usual but what is named."""

from typing import Any

from service.context.leverage import Pair
from service.model import HOUR, EtfFlow, Leverage, Side, Situation, VenueLeverage

AT = 1_768_345_200_000
"""2026-01-13 23:00 UTC."""


def pair(venue: str, before: float, now: float, price: float = 100.0, at: int = AT) -> Pair:
    return Pair(venue=venue, symbol="BTCUSDT", before=before, now=now, price=price, at=at)


def situation(**changes: Any) -> Situation:
    usual = {"asset": "BTC", "side": Side.SHORT, "onset": AT - HOUR, "at": AT}
    usual["since_onset"] = changes.get("venues")
    return Situation(**usual | changes)


def flow(asset: str = "BTC", usd: float = 753.8e6, date: str = "2026-01-13", **changes: Any) -> EtfFlow:
    usual = {
        "units": None,
        "funds": {},
        "complete": True,
        "source": "recorded",
        "told_at": AT,
        "revised_from_usd": None,
        "streak": 1 if usd > 0 else -1,
        "largest_since": None,
        "first_date": "2024-01-11",
        "usual_usd": 200e6,
        "five_day_usd": None,
        "way": "in" if usd > 0 else "out",
        "fresh": True,
    }
    return EtfFlow(asset=asset, usd=usd, date=date, **usual | changes)


def paying(venue: str, rate: float | None, oi_usd: float | None = 1e9, at: int = AT) -> VenueLeverage:
    return VenueLeverage(
        venue=venue, oi_usd=oi_usd, oi_at=at, funding_8h=rate, funding_at=at, mark=95_000.0, mark_at=at
    )


def leverage(**changes: Any) -> Leverage:
    usual = {
        "asset": "BTC",
        "now": AT,
        "oi_usd": 9e9,
        "oi_change_1h_pct": None,
        "oi_change_24h_pct": None,
        "oi_pct": None,
        "oi_days": 0.0,
        "funding_8h": -0.0002,
        "funding_pct": 0.05,
        "funding_days": 90.0,
        "mark": 95_000.0,
        "mark_at": AT,
        "volume_usd": None,
        "venues": (paying("binance", -0.0002),),
        "missing": {},
    }
    return Leverage(**usual | changes)
