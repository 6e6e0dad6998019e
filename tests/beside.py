"""Two reports of what stands beside the market: one in which all is known, one in which next to nothing is."""

from typing import Any

import msgspec

from service.model import (
    HOUR,
    MINUTE,
    SECOND,
    ContextReport,
    EtfFlow,
    Leverage,
    Rates,
    Risk,
    RiskPart,
    Side,
    SourceReport,
    VenueLeverage,
)

#: 2026-01-13T22:00Z.
NOW = 1_768_341_600_000
REFUSED = "the source answered 403 since 2026-01-12 10:00 UTC"
YOUNG = "3 of 7 days of history"


def venue(name: str, oi_usd: float | None, funding_8h: float | None, now: int = NOW, **changes: Any) -> VenueLeverage:
    """A venue that told its leverage 20 s ago; what is None it did not tell."""
    fields: dict[str, Any] = {
        "oi_usd": oi_usd,
        "oi_at": None if oi_usd is None else now - 20 * SECOND,
        "funding_8h": funding_8h,
        "funding_at": None if funding_8h is None else now - 20 * SECOND,
        "mark": 95_000.0,
        "mark_at": now - 20 * SECOND,
    }
    return VenueLeverage(venue=name, **(fields | changes))


def leverage(asset: str = "BTC", now: int = NOW, **changes: Any) -> Leverage:
    """Three venues of four."""
    fields: dict[str, Any] = {
        "oi_usd": 17.2e9,
        "oi_change_1h_pct": -2.5,
        "oi_change_24h_pct": 1.04,
        "oi_pct": 0.91,
        "oi_days": 30.0,
        "funding_8h": -0.000123,
        "funding_pct": 0.04,
        "funding_days": 90.0,
        "mark": 95_010.5,
        "mark_at": now - 20 * SECOND,
        "volume_usd": 61e9,
        "venues": (
            venue("binance", 9.25e9, -0.0002, now),
            venue("bybit", 4.75e9, 0.0001, now, oi_at=now - 3 * MINUTE),
            venue("okx", 3.2e9, None, now),
        ),
        "missing": {"bitmex": "its last figure is 14 min old"},
    }
    return Leverage(asset=asset, now=now, **(fields | changes))


def risk(side: Side, score: float | None, word: str | None, now: int = NOW, **changes: Any) -> Risk:
    """The gauge of one side; its oldest part was told two hours ago."""
    parts = tuple(
        RiskPart(name=name, value=value, weight=weight, at=now - age, days=days, inputs={"percentile": value})
        for name, value, weight, age, days in (
            ("crowding", 0.96, 0.45, 2 * HOUR, 90.0),
            ("leverage", 0.91, 0.35, MINUTE, 30.0),
            ("stretch", 0.66, 0.2, MINUTE, 30.0),
        )
    )
    fields: dict[str, Any] = {"asset": "BTC", "now": now, "parts": parts, "reason": ""}
    return Risk(side=side, score=score, word=word, **(fields | changes))


def flow(asset: str = "BTC", now: int = NOW, **changes: Any) -> EtfFlow:
    """The last published day: money came in."""
    fields: dict[str, Any] = {
        "date": "2026-01-12",
        "usd": 116.7e6,
        "units": 1_280.5,
        "funds": {"IBIT": 90e6, "FBTC": 26.7e6},
        "complete": True,
        "source": "farside",
        "told_at": now - 18 * HOUR,
        "revised_from_usd": None,
        "streak": 2,
        "largest_since": "2026-01-05",
        "first_date": "2024-01-11",
        "usual_usd": 180e6,
        "five_day_usd": -410e6,
        "way": "in",
        "fresh": True,
    }
    return EtfFlow(asset=asset, **(fields | changes))


def rates(now: int = NOW, **changes: Any) -> Rates:
    """The target range, what money costs overnight, and what two years of it are expected to cost."""
    fields: dict[str, Any] = {
        "target_low": 3.5,
        "target_high": 3.75,
        "sofr": 3.64,
        "three_month": 3.67,
        "two_year": 3.54,
        "dates": {
            "target_low": "2026-01-13",
            "target_high": "2026-01-13",
            "sofr": "2026-01-12",
            "three_month": "2026-01-12",
            "two_year": "2026-01-12",
        },
        "implied": -0.085,
        "word": "lower",
        "next_meeting": "2026-01-28",
        "days_to_meeting": 15,
        "source": "treasury, newyorkfed",
        "told_at": now - 5 * HOUR,
        "fresh": True,
    }
    return Rates(**(fields | changes))


def source(name: str, now: int = NOW, **changes: Any) -> SourceReport:
    """A source that answered half a minute ago."""
    fields: dict[str, Any] = {
        "address": "https://example.org/***",
        "every_s": 60.0,
        "asked_at": now - 30 * SECOND,
        "answered_at": now - 30 * SECOND,
        "changed_at": now - 30 * SECOND,
        "failures": 0,
        "reason": "",
    }
    return SourceReport(name=name, **(fields | changes))


def full(asset: str = "BTC", now: int = NOW, **changes: Any) -> ContextReport:
    """All is known; of ALL the leverage is BTC's."""
    coin = "BTC" if asset == "ALL" else asset
    fields: dict[str, Any] = {
        "leverage": leverage(coin, now),
        "risk": {
            "long": risk(Side.LONG, 12.4, "low", now, asset=coin),
            "short": risk(Side.SHORT, 84.2, "high", now, asset=coin),
        },
        "flows": (flow("BTC", now), flow("ETH", now, usd=-35.2e6, way="out", streak=-1, units=None, funds={})),
        "rates": rates(now),
        "missing": {},
        "sources": (
            source("tickers binance", now),
            source("etf farside BTC", now, every_s=900.0, answered_at=now - HOUR, changed_at=now - 18 * HOUR),
            source("rates treasury", now, every_s=3600.0, answered_at=now - 5 * HOUR),
        ),
    }
    return ContextReport(asset=asset, now=now, **(fields | changes))


def unknown(asset: str = "BTC", now: int = NOW, **changes: Any) -> ContextReport:
    """Next to nothing is known, and why: an old ETF day is all there is."""
    old = flow("BTC", now, date="2026-01-09", told_at=now - 90 * HOUR, fresh=False, reason=REFUSED)
    fields: dict[str, Any] = {
        "leverage": None,
        "risk": {side.value: risk(side, None, None, now, parts=(), reason=YOUNG) for side in Side},
        "flows": (old,),
        "rates": None,
        "missing": {
            "open_interest": "no venue has told it for 15 min",
            "funding": "no venue has told it for 15 min",
            "risk": YOUNG,
            "etf BTC": REFUSED,
            "rates": "no answer yet",
        },
        "sources": (
            source("tickers binance", now, answered_at=None, changed_at=None, failures=12, reason="timed out"),
            source("etf farside BTC", now, answered_at=now - 36 * HOUR, failures=40, reason="403"),
            source("rates treasury", now, asked_at=None, answered_at=None, changed_at=None),
        ),
    }
    return ContextReport(asset=asset, now=now, **(fields | changes))


def partly(report: ContextReport, **changes: Any) -> ContextReport:
    """The same with other fields."""
    return msgspec.structs.replace(report, **changes)
