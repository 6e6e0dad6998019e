"""What the picture of an episode shows: its hour by the minute, both sides, the price beside it. Pure; draws nothing.

What is not known is missing or None, never 0: a minute without orders has no entry, a minute without a price None.
"""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

from service.model import HOUR, MINUTE, Alert, Coverage, Liquidation, Phase, Record, Totals, coin_of
from service.text import percent, stamp_utc
from service.text.markup import plain
from service.text.message import voice


class Picture(Record, frozen=True, kw_only=True):
    """Everything a drawing needs, in Latin letters: the font that draws it has no others. Times are ms UTC."""

    title: str
    footer: str
    since: int
    """Where the hour begins; 60 minutes are drawn from here."""
    minutes: tuple[tuple[int, float, float], ...]
    """Start, dollars of longs, dollars of shorts, of every minute with orders."""
    prices: tuple[tuple[int, float | None], ...]
    """Start and price of all 60 minutes."""
    price_name: str
    """Whose price it is; empty without any."""
    onset: int | None
    simulated: bool


def hour_of(alert: Alert) -> tuple[int, int]:
    """The hour that is shown, whole minutes, ms UTC: the running one, of an episode that is over its peak hour."""
    last = alert.course.peak_hour_at if alert.course and alert.phase is Phase.CLOSED else alert.at
    until = -(-last // MINUTE) * MINUTE
    return until - HOUR, until


def picture_of(alert: Alert, history: Mapping[int, Totals], orders: Sequence[Liquidation]) -> Picture:
    """The picture of an alert, from the ledger's minutes and orders of `hour_of(alert)`; others are passed over."""
    since, until = hour_of(alert)
    symbol, prices = _prices([order for order in orders if since <= order.at < until], _priced(alert))
    onset = alert.course.onset if alert.course else None
    return Picture(
        title=_latin(voice("en").headline(alert)),
        footer=_footer(alert.coverage, at_least=alert.at_least, until=until),
        since=since,
        minutes=tuple(
            (at, history[at].long_usd, history[at].short_usd)
            for at in range(since, until, MINUTE)
            if at in history and history[at].usd
        ),
        prices=tuple((at, prices.get(at)) for at in range(since, until, MINUTE)),
        price_name=_latin(symbol),
        onset=onset if onset is not None and since <= onset < until else None,
        simulated=alert.simulated,
    )


def _priced(alert: Alert) -> str:
    if alert.price:
        return alert.price.asset
    return coin_of(alert.asset)


def _prices(orders: Sequence[Liquidation], asset: str) -> tuple[str, Mapping[int, float]]:
    """The median price by the minute of the contract with most dollars: prices of two contracts are no one line."""
    dollars: defaultdict[str, float] = defaultdict(float)
    minutes: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for order in orders:
        if order.asset == asset and order.price is not None:
            dollars[order.symbol] += order.usd
            minutes[order.symbol, order.at - order.at % MINUTE].append(order.price)
    top = min(dollars, key=lambda symbol: (-dollars[symbol], symbol), default="")
    return top, {at: statistics.median(prices) for (symbol, at), prices in minutes.items() if symbol == top}


def _footer(coverage: Coverage | None, *, at_least: bool, until: int) -> str:
    heard = "how much was heard is unknown"
    if coverage is not None:
        heard = f"{coverage.venues_live} of {coverage.venues} venues live"
        if coverage.seconds_share is not None:
            heard += f", {percent(coverage.seconds_share)} heard"
    return f"Liquidated by the minute{', at least' if at_least else ''}: {heard}. Hour to {stamp_utc(until)}"


def _latin(text: str) -> str:
    return plain(text).replace("…", "...").encode("latin-1", "replace").decode("latin-1")
