"""Who was hit, where, and what of it was heard: the lower part of the board Cascade. Owns its questions, no look."""

from asking import CHOSEN_VENUES, HOUR, both, cells, line, series
from grafana_foundation_sdk.builders import common, statetimeline, table
from grafana_foundation_sdk.models.common import VisibilityMode
from panels import BAD, GOOD, LONG, ODD, QUIET, SHORT, by_value, grid, panel, steps

from service import metrics as m
from service.model import ALL, Side
from service.pipeline.running import OTHER

#: A bar as long as the row's part of the largest; grey, since it has both sides.
BAR = {
    "decimals": 1,
    "min": 0,
    "custom.width": 150,
    "custom.cellOptions": {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"},
    "color": {"mode": "fixed", "fixedColor": QUIET},
}


def dollars(color: str) -> dict[str, object]:
    """A cell in the colour of its side."""
    shown = {"type": "color-text"}
    return {"custom.cellOptions": shown, "decimals": 1, "color": {"mode": "fixed", "fixedColor": color}}


def assets() -> table.Panel:
    """Who was hit."""
    one = (f'asset!="{ALL}"', 'span="$span"')
    named = both("asset", series(m.WINDOW_USD, f'asset!~"{ALL}|{OTHER}"', span="$span"))
    rest = both("asset", series(m.WINDOW_USD, asset=OTHER, span="$span"))
    made = grid(
        ("total", "currencyUSD", BAR),
        ("longs", "currencyUSD", dollars(LONG)),
        ("shorts", "currencyUSD", dollars(SHORT)),
        ("orders", "locale", {}),
        by=("asset",),
    )
    return panel(
        made,
        "Which assets were hit in the last $span?",
        "The largest assets by dollars; the rest together is `other`, at the end. Many orders for few dollars are "
        "small orders.",
        "none",
        cells(f"sort_desc({named}) or {rest}"),
        cells(f"max by (asset) ({series(m.WINDOW_USD, *one, side=Side.LONG)})"),
        cells(f"max by (asset) ({series(m.WINDOW_USD, *one, side=Side.SHORT)})"),
        cells(both("asset", series(m.WINDOW_ORDERS, *one))),
    )


def venues() -> table.Panel:
    """Where it happened."""
    made = grid(
        ("total", "currencyUSD", BAR),
        ("longs", "currencyUSD", dollars(LONG)),
        ("shorts", "currencyUSD", dollars(SHORT)),
        ("heard", "percentunit", {"decimals": 0}),
        sort="total",
        by=("venue",),
    )
    long = series(m.VENUE_WINDOW_USD, CHOSEN_VENUES, side=Side.LONG, span=HOUR)
    short = series(m.VENUE_WINDOW_USD, CHOSEN_VENUES, side=Side.SHORT, span=HOUR)
    return panel(
        made,
        "Which venues, last hour, all assets?",
        "Asset and span at the top do not change it. A venue that samples its feed looks smaller than it is; one that "
        "was not heard has a lower part heard.",
        "none",
        cells(both("venue", series(m.VENUE_WINDOW_USD, CHOSEN_VENUES, span=HOUR))),
        cells(f"max by (venue) ({long})"),
        cells(f"max by (venue) ({short})"),
        cells(f"max by (venue) ({series(m.VENUE_COVERAGE, CHOSEN_VENUES, span=HOUR)})"),
    )


def heard() -> statetimeline.Panel:
    """The strip: what the totals above rest on."""
    why = (
        "The part of the last five minutes in which each venue was heard, live or filled later. Red or yellow: what "
        "happened there then may be missing above. A gap: no service."
    )
    query = line(f"max by (venue) ({series(m.VENUE_COVERAGE, CHOSEN_VENUES, span='5m')})", "{{venue}}")
    made = panel(statetimeline.Panel(), "What do the totals rest on?", why, "percentunit", query)
    made.thresholds(steps((None, BAD), (0.8, ODD), (0.95, GOOD))).fill_opacity(80).line_width(0).row_height(0.8)
    made.color_scheme(by_value()).legend(common.VizLegendOptions().show_legend(show_legend=False))
    return made.show_value(VisibilityMode.NEVER).merge_values(merge_values=True)
