"""What stands beside the liquidations: the row Context of the board Cascade. Owns its questions, no look.

All of it is read from the service's memory, and of ALL the leverage and the risk are BTC's.
"""

from asking import CHOSEN_VENUES, cells, line, now, series
from grafana_foundation_sdk.builders import common, gauge, table, timeseries
from grafana_foundation_sdk.models.common import StackingMode, VizOrientation
from panels import (
    NO_DATA,
    PLAIN,
    QUIET,
    SEVERITIES,
    SIDES,
    by_value,
    grid,
    last,
    legend,
    level,
    looks,
    panel,
    plain,
    steps,
    words,
)

from service import metrics as m
from service.model import Severity

UNKNOWN = f"{NO_DATA}: unknown"
#: A day, whatever its zone.
DAY = "time:YYYY-MM-DD"
RATES = {
    "target_low": ("target range, from", PLAIN),
    "target_high": ("target range, to", PLAIN),
    "sofr": ("SOFR, overnight", PLAIN),
    "three_month": ("3-month yield", PLAIN),
    "two_year": ("2-year yield", PLAIN),
    "next_meeting": ("next FOMC meeting", PLAIN),
}


def fuel() -> gauge.Panel:
    """How much a squeeze of each side has to burn."""
    queries = [
        now(f"floor(max({series(m.SQUEEZE_RISK, asset='$asset', side=side)}))", f"of {side.value}s") for side in SIDES
    ]
    made = panel(
        gauge.Panel(),
        "How much fuel is there?",
        "0 to 100 by side, from crowding, leverage and how far the price went, each against its own past; of ALL that "
        "of BTC. A gauge of what could burn that has not been shown to forecast. Unknown is no 0.",
        "none",
        *queries,
    )
    colors = [(None, QUIET), (60.0, SEVERITIES[Severity.WATCH])]
    colors += [(80.0, SEVERITIES[Severity.WARNING]), (90.0, SEVERITIES[Severity.CRITICAL])]
    made.min(0).max(100).decimals(0).thresholds(steps(*colors)).orientation(VizOrientation.VERTICAL)
    made.reduce_options(last()).show_threshold_labels(show_threshold_labels=False)
    return made.no_value(UNKNOWN)


def fuel_age() -> table.Panel:
    """What the gauge rests on is how old."""
    made = panel(
        grid(
            ("age", "s", {"decimals": 0, "noValue": "unknown"}),
            by=("side",),
        ),
        "How old is it?",
        "Since the oldest part of the gauge beside it was told, on the service's clock. A side that is not here is "
        "unknown: too little history, or nothing fresh; /context says which.",
        "none",
        cells(f"max by (side) ({series(m.SQUEEZE_RISK_AGE, asset='$asset')})"),
    )
    return made.override_by_name("side", looks(**{"custom.width": 60})).no_value(UNKNOWN)


def interest() -> timeseries.Panel:
    """What is open on the venues."""
    made = panel(
        timeseries.Panel().line_width(1).fill_opacity(35).span_nulls(span_nulls=False).min(0),
        "How much is open, by venue?",
        "Open interest in dollars, one-sided, venues on top of each other; of ALL that of BTC. A floor of the market: "
        "of the enabled venues that told it lately. Where one goes quiet its part is a gap, and the edge falls.",
        "currencyUSD",
        line(f"max by (venue) ({series(m.OPEN_INTEREST, CHOSEN_VENUES, asset='$asset')})", "{{venue}}"),
    )
    made.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("venues"))
    return made.legend(legend()).no_value(UNKNOWN)


def funding() -> timeseries.Panel:
    """Who pays whom."""
    made = panel(
        timeseries.Panel().line_width(2).fill_opacity(0).span_nulls(span_nulls=False),
        "What do longs pay shorts?",
        "Funding per 8 h as a part of the position, whatever the venue's own interval; of ALL that of BTC. Below the "
        "dashed 0 shorts pay longs. Most venues tell an estimate that may still change before it is paid.",
        "percentunit",
        line(f"max by (venue) ({series(m.FUNDING, CHOSEN_VENUES, asset='$asset')})", "{{venue}}"),
    )
    return level(made, 0).decimals(3).legend(legend()).no_value(UNKNOWN)


def flows() -> table.Panel:
    """What the US spot ETFs did."""
    money = {"decimals": 1, "noValue": "unknown"}
    made = panel(
        grid(("net flow", "currencyUSD", money), ("of the day", DAY, {"noValue": "unknown"}), by=("asset",)),
        "What did US spot ETFs take in?",
        "Net dollars of the last published trading day, a day in US Eastern time; what is out shows a minus. Funds "
        "report in the evening or the next morning, so it is never today's; a day some have not reported is not here.",
        "none",
        cells(f"max by (asset) ({series(m.ETF_FLOW)})"),
        cells(f"1000 * max by (asset) ({series(m.ETF_DAY)})"),
    )
    return made.no_value(UNKNOWN)


def rates() -> table.Panel:
    """What money costs, and what yields expect."""
    made = panel(
        grid(
            ("% a year", "none", {"decimals": 2, "noValue": "-"}),
            ("of", DAY, {"noValue": "unknown"}),
            by=("source",),
        ),
        "What does money cost?",
        "The Federal Reserve's target range, what overnight money costs, Treasury yields, and the last day of the next "
        "meeting. A yield holds more than an expectation; it is no probability of a decision.",
        "none",
        cells(f"max by (source) ({series(m.RATE)})"),
        cells(f"1000 * max by (source) ({series(m.RATE_DAY)})"),
    )
    mapped = looks(displayName="series", mappings=[plain(words(**RATES))], **{"custom.width": 150})
    return made.override_by_name("source", mapped).no_value(UNKNOWN)


def sources() -> table.Panel:
    """Who still talks to us."""
    made = panel(
        grid(
            ("age", "s", {"decimals": 0, "noValue": "never"}),
            ("requests", "locale", {"decimals": 0}),
            ("failed", "locale", {"decimals": 0, "noValue": "-"}),
            by=("source",),
        ),
        "How old is the context, by source?",
        "Since each source last told something usable, on the service's clock, and requests and failures since the "
        "start. Tickers are minutes old at most, pages of ETFs and rates hours. Why one is old: /context.",
        "none",
        cells(f"max by (source) ({series(m.CONTEXT_AGE)})"),
        cells(f"sum by (source) ({series(m.CONTEXT_REQUESTS)})"),
        cells(f"sum by (source) ({series(m.CONTEXT_FAILURES)})"),
    )
    made.override_by_name("source", looks(**{"custom.width": 145}))
    return made.color_scheme(by_value()).thresholds(steps((None, PLAIN))).no_value(UNKNOWN)
