"""ETF pages of the demo: published totals of 2026-01-05 to 01-16 in the layout of Farside's daily tables.

The totals are public figures; how one is split over the funds is invented, and so are the fees. Knows no reader of it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from statistics import fmean
from types import MappingProxyType

#: US$ millions of each trading day.
TOTALS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "2026-01-05": {"BTC": 697.2, "ETH": 168.0, "SOL": 16.2},
        "2026-01-06": {"BTC": -243.2, "ETH": 114.7, "SOL": 9.2},
        "2026-01-07": {"BTC": -486.1, "ETH": -98.3, "SOL": 2.0},
        "2026-01-08": {"BTC": -398.8, "ETH": -159.2, "SOL": 13.6},
        "2026-01-09": {"BTC": -250.0, "ETH": -93.8, "SOL": 0.0},
        "2026-01-12": {"BTC": 116.7, "ETH": 5.1, "SOL": 10.7},
        "2026-01-13": {"BTC": 753.8, "ETH": 130.0, "SOL": 5.9},
        "2026-01-14": {"BTC": 840.6, "ETH": 175.1, "SOL": 23.6},
        "2026-01-15": {"BTC": 100.2, "ETH": 164.4, "SOL": 8.9},
        "2026-01-16": {"BTC": -394.7, "ETH": 4.7, "SOL": -2.2},
    }
)
FUNDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "BTC": ("IBIT", "FBTC", "BITB", "ARKB", "GBTC", "BTC"),
        "ETH": ("ETHA", "FETH", "ETHW", "ETHE", "ETH"),
        "SOL": ("BSOL", "VSOL", "FSOL", "GSOL"),
    }
)
#: Parts of a day that go to the first three funds, the fourth has the rest; invented.
_SPLIT = (0.5, 0.3, -0.1)
_FOOT: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {"Total": sum, "Average": fmean, "Maximum": max, "Minimum": min}
)
#: Midnight in New York is 05:00 UTC all January.
_OUT_AFTER_MS = 29 * 3_600_000
_EPOCH = date(1970, 1, 1)


def page(asset: str, now: int) -> bytes:
    """The page of an asset as it stood at `now` (ms UTC): days that were over in New York, and today's without figures.

    Raises KeyError for an asset that has no page.
    """
    funds = FUNDS[asset]
    told = {day: _split(of[asset], len(funds)) for day, of in TOTALS.items() if _midnight(day) + _OUT_AFTER_MS <= now}
    rows = [_row(_label(day), [_figure(value) for value in values]) for day, values in told.items()]
    waiting = next((day for day in TOTALS if day not in told and _midnight(day) <= now), None)
    if waiting is not None:
        rows.append(_row(_label(waiting), ["-"] * len(funds) + ["0.0"]))
    columns = list(zip(*told.values(), strict=True)) or [(0.0,)] * (len(funds) + 1)
    rows += [_row(name, [_figure(value) for value in _foot(name, columns)]) for name in _FOOT]
    head = _row("", [*([""] * len(funds)), "Total"], "th") + _row("", [*funds, ""], "th")
    fees = _row("Fee", [*(["0.25%"] * len(funds)), ""])
    table = f'<table class="etf"><thead>{head}</thead><tbody>{fees}{"".join(rows)}</tbody></table>'
    title = f"{asset} ETF Flow (US$m)"
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>"
        f'<div class="table-wrapper">{table}</div>'
        "<p>Totals as published; the split over funds is invented.</p></body></html>"
    ).encode()


def _split(total: float, funds: int) -> list[float]:
    parts = [round(part * total, 1) for part in _SPLIT]
    parts.append(round(total - sum(parts), 1))
    return [*parts, *([0.0] * (funds - len(parts))), total]


def _foot(name: str, columns: Sequence[Sequence[float]]) -> list[float]:
    return [_FOOT[name](column) for column in columns]


def _row(label: str, cells: Sequence[str], tag: str = "td") -> str:
    inside = "".join(f'<{tag}><span class="tabletext">{cell}</span></{tag}>' for cell in (label, *cells))
    return f"<tr>{inside}</tr>"


def _figure(value: float) -> str:
    return f'<span class="redFont">({-value:,.1f})</span>' if value < 0 else f"{value:,.1f}"


def _label(day: str) -> str:
    return f"{day[-2:]} Jan 2026"


def _midnight(day: str) -> int:
    return (date.fromisoformat(day) - _EPOCH) // timedelta(milliseconds=1)
