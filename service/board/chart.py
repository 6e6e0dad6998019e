"""The mirrored bars and the price: options of the chart, and the same minutes as a table. Pure."""

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from service.board.phrases import UNKNOWN, Phrases
from service.board.picture import Market, Minute
from service.model import MINUTE, Alert, Side
from service.text import percent, sign
from service.text.amounts import clock_utc

#: As on the boards in Grafana; both are readable on dark and on light.
LONG, SHORT, PRICE, QUIET = "#ff9830", "#5794f2", "#8e8e8e", "#8e8e8e"
#: Below this part a minute was not heard in full.
_WHOLE = 0.999

Options = dict[str, Any]


def options(market: Market | None, words: Phrases, alerts: Sequence[Alert] = ()) -> Options:
    """What the chart shows: shorts up, longs down, price on a scale of its own, a line where an alert was written."""
    minutes = market.minutes if market else ()
    quoted = words.price_of(market.quoted) if market and market.quoted else words.columns.price
    shorts, longs = words.side[Side.SHORT], words.side[Side.LONG]
    return {
        "animation": False,
        "textStyle": {"fontFamily": "inherit"},
        "grid": {"left": 8, "right": 8, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8, "textStyle": {"color": QUIET}},
        "tooltip": {"trigger": "axis", "confine": True, ":valueFormatter": _VALUE},
        "xAxis": _minutes(minutes),
        "yAxis": [_dollars(words), _price()],
        "series": [
            _bars(shorts, SHORT, [one.short_usd for one in minutes]) | {"markArea": _unheard(minutes)},
            _bars(longs, LONG, [None if one.long_usd is None else -one.long_usd for one in minutes]),
            _line(quoted, [one.price for one in minutes]) | {"markLine": _marks(minutes, alerts)},
        ],
    }


_VALUE = (
    f"v => v == null ? '{UNKNOWN}' : Math.abs(v).toLocaleString('en-US', "
    "{maximumFractionDigits: v % 1 && Math.abs(v) < 100 ? 4 : 0})"
)


def _minutes(minutes: Sequence[Minute]) -> Options:
    return {
        "type": "category",
        "data": [clock_utc(one.at)[:5] for one in minutes],
        "axisLabel": {"color": QUIET, "hideOverlap": True},
        "axisTick": {"show": False, "interval": 0},  # areas snap to ticks
        "axisLine": {"onZero": True, "lineStyle": {"color": QUIET}},
    }


def _dollars(words: Phrases) -> Options:
    return {
        "type": "value",
        "axisLabel": {"color": QUIET, ":formatter": words.millions},
        "splitLine": {"lineStyle": {"color": QUIET, "opacity": 0.2}},
        "splitNumber": 4,
    }


def _price() -> Options:
    return {
        "type": "value",
        "scale": True,
        "axisLabel": {"color": QUIET},
        "splitLine": {"show": False},
        "splitNumber": 3,
    }


def _bars(name: str, color: str, data: list[float | None]) -> Options:
    return {
        "name": name,
        "type": "bar",
        "stack": "sides",
        "data": [None if usd is None else round(usd) for usd in data],
        "itemStyle": {"color": color},
        "barCategoryGap": "12%",
    }


def _line(name: str, data: list[float | None]) -> Options:
    return {
        "name": name,
        "type": "line",
        "yAxisIndex": 1,
        "data": data,
        "connectNulls": True,
        "showSymbol": False,
        "lineStyle": {"color": PRICE, "width": 1.5},
        "itemStyle": {"color": PRICE},
    }


def _unheard(minutes: Sequence[Minute]) -> Options:
    """Grey stretches in which less than all was heard; of the last minutes that is not known yet."""
    places = [at for at, one in enumerate(minutes) if one.heard is not None and one.heard < _WHOLE]
    runs = [[at for _, at in run] for _, run in groupby(enumerate(places), lambda pair: pair[1] - pair[0])]
    return {
        "silent": True,
        "itemStyle": {"color": QUIET, "opacity": 0.15},
        "data": [[{"xAxis": run[0]}, {"xAxis": run[-1]}] for run in runs],
    }


def _marks(minutes: Sequence[Minute], alerts: Sequence[Alert]) -> Options:
    """A line in each minute with an alert, under the sign of the newest one."""
    places = {one.at: place for place, one in enumerate(minutes)}
    signs = {places[at]: sign(alert) for alert in reversed(alerts) if (at := alert.at // MINUTE * MINUTE) in places}
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": QUIET, "type": "dashed", "width": 1, "opacity": 0.7},
        "data": [{"xAxis": place, "label": {"formatter": one, "color": QUIET}} for place, one in signs.items()],
    }


def table(market: Market | None, words: Phrases) -> str:
    """The same minutes as an HTML table, newest first."""
    heads = words.columns
    head = "".join(
        f"<th scope=col>{escape(name)}</th>"
        for name in (heads.time, heads.shorts, heads.longs, heads.price, heads.heard)
    )
    rows = "".join(_row(one, words) for one in reversed(market.minutes if market else ()))
    return (
        f"<table><caption class=unseen>{escape(words.bars)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(one: Minute, words: Phrases) -> str:
    usd = [UNKNOWN if value is None else words.usd(value) for value in (one.short_usd, one.long_usd)]
    price = UNKNOWN if one.price is None else f"{one.price:,.6g}" if one.price < 100 else f"{one.price:,.1f}"  # noqa: PLR2004
    heard = UNKNOWN if one.heard is None else percent(one.heard)
    cells = "".join(f"<td class=number>{escape(text)}</td>" for text in (*usd, price, heard))
    return f"<tr><th scope=row>{clock_utc(one.at)[:5]}</th>{cells}</tr>"
