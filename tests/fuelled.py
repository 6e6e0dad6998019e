"""What the squeeze-risk gauge would have said on recorded data, step by step, with what was known then and nothing later.

Every four hours, both sides: open interest and funding of Binance, prices, and BTC liquidations of three venues by the hour. After
2026-03-07 funding is an aggregator's, of the hour before each payment: in the 221 payments that both tell they agree (rank correlation
0.999), so it stands for what was paid. Dollars traded end on 2026-03-05; from then on leverage is open interest alone.
Owns reading and asking; tests/fuel.py judges.
"""

import csv
import gzip
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from service.context.risk import LEAST_DAYS, OI_DAYS, STEP, Fuel, Point, fuel_of, percentile, risk
from service.model import HOUR, Side
from tests.shared import SHARED

LIQUIDATIONS = "data/coinglass_btc_liq/btc_liq_1h.csv.gz"
INTEREST = "data/oi_funding/binance_oi_5m_BTC_ETH_SOL.csv.gz"
FUNDING = "data/oi_funding/funding_binance_bybit_okx_hyperliquid.csv.gz"
PRICES = "data/klines/perp_1h_binance_bybit_okx.csv.gz"
FILES = (LIQUIDATIONS, INTEREST, FUNDING, PRICES)
DAY = 24 * HOUR
#: A point further back than this is in no history.
_BACK = 91 * DAY // STEP
SIDES = (Side.LONG, Side.SHORT)


class Step(NamedTuple):
    """What the gauge said of one side at one time, and the same with other definitions of its parts."""

    at: int
    side: Side
    score: float | None
    crowding: float | None
    leverage: float | None
    stretch: float | None
    oi: float | None
    turnover: float | None
    week: float | None
    """Stretch over seven days instead of 24 h."""


def rows(name: str, wanted: str = "") -> Iterator[dict[str, str]]:
    """The rows that have `wanted` in their line."""
    with gzip.open(SHARED / name, "rt") as file:
        fields = next(file).strip().split(",")
        yield from csv.DictReader((line for line in file if wanted in line), fields)


@cache
def liquidations() -> Mapping[int, Mapping[Side, float]]:
    """BTC, by the hour's start: dollars of each side."""
    return {
        int(r["ts_ms"]): {Side.LONG: float(r["long_usd"]), Side.SHORT: float(r["short_usd"])}
        for r in rows(LIQUIDATIONS)
    }


@cache
def candles(asset: str) -> Mapping[int, tuple[float, float, float]]:
    """By the hour's END: open, close, dollars traded (0 where only the price is known)."""
    told: dict[int, tuple[float, float, float]] = {}
    if asset == "BTC":
        for r in rows(LIQUIDATIONS):
            if r["price_close"]:
                told[int(r["ts_ms"]) + HOUR] = float(r["price_open"]), float(r["price_close"]), 0.0
    for r in rows(PRICES, f",binance,{asset},"):
        start, close = float(r["open"]), float(r["close"])
        told[int(r["ts_ms"]) + HOUR] = start, close, float(r["volume"]) * close
    return told


@cache
def paid(asset: str) -> Mapping[int, float]:
    """Funding of Binance by the hour it was paid."""
    return {round(int(r["ts_ms"]) / HOUR) * HOUR: float(r["funding_rate"]) for r in rows(FUNDING, f",binance,{asset},")}


@cache
def announcements() -> Mapping[int, float]:
    """The aggregator's funding of BTC in the hour before each payment, by the hour it was to be paid; told in per cent."""
    return {
        at: float(r["funding_close"]) / 100
        for r in rows(LIQUIDATIONS)
        if r["funding_close"] and (at := int(r["ts_ms"]) + HOUR) % (8 * HOUR) == 0
    }


def funding(asset: str) -> Mapping[int, float]:
    """What was paid; where that ends, for BTC what was announced."""
    told = dict(paid(asset))
    end = max(told)
    later = announcements() if asset == "BTC" else {}
    return told | {at: rate for at, rate in later.items() if at > end}


@cache
def interest(asset: str) -> Mapping[int, tuple[float, float]]:
    """Coins and dollars at the steps, as told then or up to ten minutes before."""
    told: dict[int, tuple[float, float]] = {}
    for r in rows(INTEREST, f",{asset}USDT,"):
        at = int(r["ts_ms"])
        if at > (step := -(-at // STEP) * STEP) - 11 * 60_000:
            told[step] = float(r["oi_base"]), float(r["oi_usd"])
    return told


@cache
def points(asset: str) -> Sequence[Point]:
    """What was known at each step."""
    price, rates, held = candles(asset), funding(asset), interest(asset)
    first, last = min(price) // STEP + 1, max(price) // STEP
    return [point_of(at, price, rates, held) for at in range(first * STEP, last * STEP + 1, STEP)]


def point_of(
    at: int,
    price: Mapping[int, tuple[float, float, float]],
    rates: Mapping[int, float],
    held: Mapping[int, tuple[float, float]],
) -> Point:
    """What was known at `at`; of the three series nothing later is read."""
    day = [price[hour][2] if hour in price else 0.0 for hour in range(at - 23 * HOUR, at + 1, HOUR)]
    coins, usd = held.get(at, (None, None))
    return Point(
        at=at,
        oi_coins=coins,
        oi_usd=usd,
        funding_8h=rates.get(at, rates.get(at - 4 * HOUR)),
        price=price[at][1] if at in price else None,
        volume_usd=sum(day) if min(day) > 0 else None,
    )


@cache
def steps(asset: str, since: int = 0) -> Sequence[Step]:
    """The gauge of both sides at all steps from `since`; each is given the points up to its own time and none later."""
    told = points(asset)
    return [
        step
        for here, point in enumerate(told)
        if point.at >= since and point.price is not None
        for step in _both(asset, told[max(0, here - _BACK) : here + 1], point.at)
        if step.crowding is not None or step.stretch is not None
    ]


def _both(asset: str, told: Sequence[Point], now: int) -> Iterator[Step]:
    fuel = fuel_of(asset, told, now)
    up = _week(told) if fuel.price_at == now else None
    for side in SIDES:
        said = risk(fuel, side, now)
        crowding, leverage, stretch = (part.value for part in said.parts)
        yield Step(
            at=now,
            side=side,
            score=said.score,
            crowding=crowding,
            leverage=leverage,
            stretch=stretch,
            oi=_alone(fuel, leverage, "oi"),
            turnover=_alone(fuel, leverage, "turnover"),
            week=None if up is None else up if side is Side.SHORT else 1 - up,
        )


def _alone(fuel: Fuel, leverage: float | None, name: str) -> float | None:
    pct: float | None = getattr(fuel, f"{name}_pct")
    return pct if leverage is not None and getattr(fuel, f"{name}_days") >= LEAST_DAYS else None


def _week(told: Sequence[Point]) -> float | None:
    """Where the price's rise of seven days stands among those of the last 30."""
    price = {point.at: point.price for point in told[-(OI_DAYS + 7) * 6 - 1 :] if point.price}
    moves = {at: math.log(usd / price[at - 7 * DAY]) for at, usd in price.items() if at - 7 * DAY in price}
    now = told[-1].at
    past = [move for at, move in moves.items() if at < now]
    return percentile(past, moves[now]) if now in moves and len(past) >= LEAST_DAYS * 6 else None


@cache
def moves(asset: str) -> Mapping[int, Mapping[Side, float]]:
    """The proxy: how far the hour's price went against each side, by the hour's start."""
    return {
        end - HOUR: {Side.SHORT: math.log(close / start), Side.LONG: math.log(start / close)}
        for end, (start, close, _) in candles(asset).items()
    }
