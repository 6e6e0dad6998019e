"""How much fuel a squeeze of one side has before anything happens, 0 to 100: a gauge, not a forecast.

    G = 100 * crowding^w1 * leverage^w2 * stretch^w3        w = WEIGHTS; one part near 0 is enough for a low score

    crowding  part of the last 90 days in which funding was lower (longs), or higher (shorts)
    leverage  mean of what is known: part of the last 30 days in which open interest was lower, in coins, and the
              same of open interest over the dollars traded in 24 h
    stretch   part of the last 30 days in which the price moved less against that side in 24 h: a rise hurts shorts

Ties count half, so that shorts and longs mirror each other. Of the detection study's parts (C.4) top traders' positions
and the depth of books are left out: nothing here reads them. Weights, and what the gauge did on recorded data, stand in
the README of this room; `python -m tests.fuel` makes the table. Owns the arithmetic. Must not fetch, keep or read a
clock, and never puts a number where an input is unknown, old or impossible.
"""

import math
from collections.abc import Mapping, Sequence

from service.model import HOUR, MINUTE, Record, Risk, RiskPart, Side

#: Crowding, leverage, stretch. Of eight definitions the best on the first half of the recordings; none was good there.
WEIGHTS = (0.25, 0.35, 0.40)
#: From which score on a word is used; below all of them it is `low`.
WORDS = ((90.0, "extreme"), (80.0, "high"), (60.0, "raised"))
#: Points are this far apart; of several in one step the last counts.
STEP = 4 * HOUR
DAY = 24 * HOUR
_STEPS_A_DAY = DAY // STEP
#: Days a part is compared with, and the fewest that may speak.
FUNDING_DAYS, OI_DAYS, LEAST_DAYS = 90, 30, 7.0
#: What is older is not used: funding is set every 1 to 8 hours, the others are asked every few minutes.
FUNDING_AGE, OI_AGE, PRICE_AGE = 12 * HOUR, 2 * HOUR, 2 * HOUR
#: A venue's clock may run ahead of ours by so much; more is no time that can be trusted.
_AHEAD = MINUTE


class Point(Record, frozen=True, kw_only=True):
    """An asset at one moment over the same contracts at all points: else a change would not be the market's."""

    at: int
    """Ms UTC; when the youngest of these was told."""
    oi_coins: float | None = None
    oi_usd: float | None = None
    funding_8h: float | None = None
    """What longs pay shorts of their position in eight hours, a fraction."""
    price: float | None = None
    """Dollars."""
    volume_usd: float | None = None
    """Traded in the 24 h before."""


class Fuel(Record, frozen=True, kw_only=True):
    """What the gauge is made of. `_pct` are 0 to 1, `_at` ms UTC, `_days` the days of history that `_pct` rests on."""

    asset: str
    funding_8h: float | None = None
    funding_pct: float | None = None
    """Part of the last 90 days in which it was lower."""
    funding_at: int | None = None
    funding_days: float = 0.0
    oi_pct: float | None = None
    """Part of the last 30 days in which it was lower, in coins."""
    oi_at: int | None = None
    oi_days: float = 0.0
    turnover_pct: float | None = None
    """The same of open interest over the dollars traded in 24 h; as old as `oi_at`."""
    turnover_days: float = 0.0
    price_at: int | None = None
    stretch_up_pct: float | None = None
    """Part of the last 30 days in which the price rose less (or fell more) in 24 h."""
    stretch_down_pct: float | None = None
    stretch_days: float = 0.0


def percentile(history: Sequence[float], value: float) -> float:
    """Part of `history` that is lower than `value`, 0 to 1; what is equal counts half.

    Raises ValueError for an empty history, and for numbers that are not finite.
    """
    if not history:
        raise ValueError("a percentile needs a history, this one is empty")
    if not math.isfinite(value) or not all(map(math.isfinite, history)):
        raise ValueError(
            f"a percentile needs finite numbers, not {value} among {len(history)} of which some may not be"
        )
    lower = sum(map(float(value).__gt__, history))
    return (lower + history.count(value) / 2) / len(history)


def fuel_of(asset: str, points: Sequence[Point], now: int) -> Fuel:
    """The gauge's inputs at `now` ms UTC, of `points` in time order at steps of four hours.

    The last point is the present and may lie between two steps. Points later than `now` are not looked at, nor are
    numbers that cannot be (not finite; open interest, price or volume not above 0). A hole in the points is no history:
    it shortens `_days`, and 24 h moves that begin or end in it are unknown.
    """
    steps = {point.at // STEP: point for point in points if point.at <= now}
    funding = {step: rate for step, point in steps.items() if (rate := _finite(point.funding_8h)) is not None}
    oi = {step: coins for step, point in steps.items() if (coins := _positive(point.oi_coins)) is not None}
    price = {step: usd for step, point in steps.items() if (usd := _positive(point.price)) is not None}
    turnover = {step: ratio for step, point in steps.items() if (ratio := _turnover(point)) is not None}
    stretch = {
        s: math.log(usd / was) for s, usd in price.items() if (was := _a_day_ago(price, steps[s].at)) is not None
    }
    told, held, seen = max(funding, default=None), max(oi, default=None), max(price, default=None)
    funding_pct, funding_days = _stand(funding, told, FUNDING_DAYS)
    oi_pct, oi_days = _stand(oi, held, OI_DAYS)
    turnover_pct, turnover_days = _stand(turnover, held, OI_DAYS)
    up, stretch_days = _stand(stretch, seen, OI_DAYS)
    return Fuel(
        asset=asset,
        funding_8h=None if told is None else funding[told],
        funding_pct=funding_pct,
        funding_at=None if told is None else steps[told].at,
        funding_days=funding_days,
        oi_pct=oi_pct,
        oi_at=None if held is None else steps[held].at,
        oi_days=oi_days,
        turnover_pct=turnover_pct,
        turnover_days=turnover_days,
        price_at=None if seen is None else steps[seen].at,
        stretch_up_pct=up,
        stretch_down_pct=None if up is None else 1 - up,
        stretch_days=stretch_days,
    )


def risk(fuel: Fuel, side: Side, now: int) -> Risk:
    """The gauge of `side` at `now` ms UTC. Without crowding or leverage there is no score, and `reason` says why.

    A part that is unknown carries its own reason; with stretch alone unknown the others share its weight.
    """
    crowding, leverage, _ = parts = _crowding(fuel, side, now), _leverage(fuel, now), _stretch(fuel, side, now)
    why = "; ".join(part.reason for part in (crowding, leverage) if part.value is None)
    if why:
        return Risk(asset=fuel.asset, side=side, now=now, score=None, word=None, parts=parts, reason=why)
    whole = sum(part.weight for part in parts if part.value is not None)
    product = math.prod(part.value ** (part.weight / whole) for part in parts if part.value is not None)
    score = min(100.0, 100 * product)
    word = next((word for least, word in WORDS if score >= least), "low")
    return Risk(asset=fuel.asset, side=side, now=now, score=score, word=word, parts=parts)


def _a_day_ago(price: Mapping[int, float], at: int) -> float | None:
    """The price 24 h before `at`: between two steps what lies on the way, else a day would be up to 28 h long."""
    step, rest = divmod(at - DAY, STEP)
    if step not in price or not rest:
        return price.get(step)
    return None if step + 1 not in price else price[step] * (price[step + 1] / price[step]) ** (rest / STEP)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None


def _turnover(point: Point) -> float | None:
    oi, volume = _positive(point.oi_usd), _positive(point.volume_usd)
    return None if oi is None or volume is None else oi / volume


def _stand(series: Mapping[int, float], last: int | None, days: int) -> tuple[float | None, float]:
    """Where the value of step `last` stands among those before it, and how many days of them there are."""
    if last is None or last not in series:
        return None, 0.0
    steps = [step for step in range(last - days * _STEPS_A_DAY, last) if step in series]
    history = [series[step] for step in steps]
    return (percentile(history, series[last]) if history else None), known_days(steps, last)


def known_days(steps: Sequence[int], last: int) -> float:
    """Days of history in these steps, in order and all before `last`: days that nobody recorded are none.

    Funding that is told thrice a day fills a day.
    """
    if not steps:
        return 0.0
    return min((last - steps[0]) / _STEPS_A_DAY, float(len({step // _STEPS_A_DAY for step in steps})))


def _doubt(name: str, at: int | None, oldest: int, now: int) -> str:
    """Why what was told at `at` cannot be used at `now`; empty when it can."""
    if at is None:
        return f"{name} is unknown"
    if at > now + _AHEAD:
        return f"{name} is dated {(at - now) / HOUR:.1f} h ahead"
    if now - at > oldest:
        return f"{name} is {(now - at) / HOUR:.1f} h old, at most {oldest // HOUR} h are taken"
    return ""


def _short(name: str, pct: float | None, days: float) -> str:
    """Why a percentile says nothing; empty when it does."""
    if pct is None:
        return f"{name} has no history to be compared with" if not days else f"{name} is unknown"
    if not 0 <= pct <= 1:
        return f"{name} has a percentile of {pct}, 0 to 1 are allowed"
    return "" if days >= LEAST_DAYS else f"{name} has {days:.1f} days of history, {LEAST_DAYS:.0f} are needed"


def _crowding(fuel: Fuel, side: Side, now: int) -> RiskPart:
    pct = fuel.funding_pct
    why = _doubt("funding", fuel.funding_at, FUNDING_AGE, now) or _short("funding", pct, fuel.funding_days)
    value = None if why or pct is None else pct if side is Side.LONG else 1 - pct
    return RiskPart(
        name="crowding",
        value=value,
        weight=WEIGHTS[0],
        at=fuel.funding_at,
        days=fuel.funding_days,
        inputs={"funding_8h": fuel.funding_8h, "funding_pct": pct},
        reason=why,
    )


def _leverage(fuel: Fuel, now: int) -> RiskPart:
    """Of open interest and turnover those that are known; no side has it alone."""
    both = {"oi_pct": (fuel.oi_pct, fuel.oi_days), "turnover_pct": (fuel.turnover_pct, fuel.turnover_days)}
    why = _doubt("open interest", fuel.oi_at, OI_AGE, now)
    known = {name: (pct, days) for name, (pct, days) in both.items() if pct is not None and not _short(name, pct, days)}
    if not known:
        why = why or _short("open interest", *both["oi_pct"])
    return RiskPart(
        name="leverage",
        value=None if why else sum(pct for pct, _ in known.values()) / len(known),
        weight=WEIGHTS[1],
        at=fuel.oi_at,
        days=min((days for _, days in known.values()), default=fuel.oi_days),
        inputs={name: pct for name, (pct, _) in both.items()},
        reason=why,
    )


def _stretch(fuel: Fuel, side: Side, now: int) -> RiskPart:
    pct = fuel.stretch_up_pct if side is Side.SHORT else fuel.stretch_down_pct
    why = _doubt("price", fuel.price_at, PRICE_AGE, now) or _short("price", pct, fuel.stretch_days)
    return RiskPart(
        name="stretch",
        value=None if why else pct,
        weight=WEIGHTS[2],
        at=fuel.price_at,
        days=fuel.stretch_days,
        inputs={"stretch_pct": pct},
        reason=why,
    )
