"""What the market does: the panels of the upper half. Owns their questions, no look."""

from grafana_foundation_sdk.builders import common, gauge, stat, table, timeseries
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueGraphMode, StackingMode
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import (
    BAD,
    GOOD,
    LONG,
    NO_ANSWER,
    NO_DATA,
    ODD,
    QUIET,
    SHORT,
    cells,
    fixed,
    grid,
    last,
    legend,
    line,
    now,
    panel,
    plain,
    plot,
    series,
    steps,
    tint,
    words,
)

from service import metrics as m
from service.detector.rules import Rules
from service.model import ALL, SPANS, Side
from service.pipeline.meters import OTHER

HOUR = "1h"
SIDES = {Side.LONG: LONG, Side.SHORT: SHORT}
RULES = Rules()


def side_usd(side: Side, span: str = "$span") -> str:
    """Dollars of one side; `max`, because every replica shows the same shared ledger."""
    return f"max({series(m.WINDOW_USD, asset='$asset', side=side, span=span)})"


def both(label: str, selector: str) -> str:
    """The sum of both sides for each value of the label, whichever replica shows them."""
    return f"sum by ({label}) (max by ({label}, side) ({selector}))"


def floor() -> str:
    """The floor of the chosen asset, or that of assets without one of their own."""
    return f"(max({series(m.FLOOR_USD, asset='$asset')}) or max({series(m.FLOOR_USD, asset='default')}))"


def banner() -> stat.Panel:
    """Real, rehearsed or gone, on the whole width."""
    why = (
        "A rehearsal plays invented orders through the real service, on a clock that is neither now nor as fast. "
        "Nothing on this board is a market then."
    )
    gone = NO_ANSWER.replace(NO_DATA, NO_DATA.upper())
    expr = f"max({series(m.SIMULATED)}) or vector(2)"
    made = panel(stat.Panel(), "Is this the market?", why, "none", now(expr)).no_value(gone)
    made.mappings(
        [
            words(
                _0=("LIVE: orders of real venues", QUIET),
                _1=("SIMULATION: own venue servers; their clock is not this one", LONG),
                _2=(gone, BAD),
            )
        ]
    )
    made.color_mode(BigValueColorMode.BACKGROUND_SOLID).graph_mode(BigValueGraphMode.NONE)
    made.text(common.VizTextDisplayOptions().value_size(16))  # left to itself it shrinks to nothing in a low panel
    return made.color_scheme(fixed(BAD)).reduce_options(last())


def total(side: Side) -> stat.Panel:
    """One side's dollars as they are now."""
    why = f"Dollars of {side} positions closed by force, all venues, by venue time. Sampled venues make it a floor."
    made = panel(stat.Panel(), f"{side.title()}s closed by force, last $span", why, "currencyUSD", now(side_usd(side)))
    made.color_scheme(fixed(SIDES[side])).graph_mode(BigValueGraphMode.NONE).reduce_options(last())
    return made.decimals(1)


def share_gauge() -> gauge.Panel:
    """Whose cascade it is."""
    share = RULES.share
    why = f"Short dollars over all dollars. An episode needs one side to hold {share:.0%}: blue shorts, orange longs."
    expr = f"max({series(m.WINDOW_SHARE, asset='$asset', span='$span')})"
    made = panel(gauge.Panel(), "Short share, last $span", why, "percentunit", now(expr)).min(0).max(1)
    made.thresholds(steps((None, LONG), (round(1 - share, 4), QUIET), (share, SHORT)))
    return made.reduce_options(last()).show_threshold_labels(show_threshold_labels=False)


def floor_gauge() -> gauge.Panel:
    """How far the next alert is."""
    why = "The hour total of both sides over the asset's floor. From 1 on an episode may open, if one side dominates."
    expr = f"({side_usd(Side.LONG, HOUR)} + {side_usd(Side.SHORT, HOUR)}) / {floor()}"
    made = panel(gauge.Panel(), "Hour against its floor", why, "percentunit", now(expr)).min(0)
    made.max(RULES.critical).thresholds(steps((None, GOOD), (1, ODD), (RULES.warning, LONG), (RULES.critical, BAD)))
    return made.reduce_options(last()).show_threshold_labels(show_threshold_labels=False).decimals(0)


def open_episodes() -> stat.Panel:
    """How many cascades run."""
    expr = f"sum(max by (kind, severity) ({series(m.EPISODES)}))"
    why = "Cascades that opened and have not closed, each asset and all coins on the enabled venues."
    made = panel(stat.Panel(), "Open episodes", why, "none", now(expr)).mappings([words(_0=("none", GOOD))])
    made.thresholds(steps((None, GOOD), (1, BAD))).graph_mode(BigValueGraphMode.NONE)
    return made.reduce_options(last())


def coverage() -> stat.Panel:
    """How much of the hour was heard."""
    why = (
        "Live venue-seconds over all venue-seconds. Below 100 % something was not heard: totals are too low, not zero."
    )
    expr = f"max({series(m.COVERAGE, span='$span')})"
    made = panel(stat.Panel(), "Heard, last $span", why, "percentunit", now(expr)).decimals(0)
    made.thresholds(steps((None, BAD), (0.8, LONG), (0.95, GOOD))).graph_mode(BigValueGraphMode.NONE)
    return made.reduce_options(last())


def rolling() -> timeseries.Panel:
    """The picture: shorts and longs on top of each other, the floor of both dashed."""
    hour_chosen = series(m.WINDOW_USD, f'span="{HOUR}"', asset="$asset", span="$span")
    made = panel(
        timeseries.Panel(),
        "What was closed by force in the rolling $span?",
        "Longs stand on shorts, so the upper edge is the total of both. The dashed floor is the hour total of both "
        "sides at which an episode may open, so it is drawn for the span of one hour only. Red ground: an episode is "
        "open.",
        "currencyUSD",
        line(side_usd(Side.SHORT), "shorts"),
        line(side_usd(Side.LONG), "longs"),
        line(f"{floor()} and on () {hour_chosen}", "floor of the total"),
    )
    made.line_width(2).fill_opacity(40).span_nulls(span_nulls=False).min(0)
    made.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("sides"))
    dashed = [
        DynamicConfigValue(id_val="custom.stacking", value={"mode": "none"}),
        DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [8, 6]}),
        DynamicConfigValue(id_val="custom.fillOpacity", value=0),
        DynamicConfigValue(id_val="custom.lineWidth", value=1),
        tint("#d8d9da"),
    ]
    made.override_by_name("shorts", [tint(SHORT)]).override_by_name("longs", [tint(LONG)])
    return made.override_by_name("floor of the total", dashed).legend(legend())


def running() -> table.Panel:
    """Which cascades run. No row is none; a dead service has a row that says so, and no dollars."""
    gone = f'label_replace(-absent({series(m.EPISODES)}), "asset", "{NO_ANSWER}", "", "")'
    no_dollars = [plain(words(**{"_-1": ("-", QUIET)}))]
    made = panel(
        grid(
            ("hour total", "currencyUSD", {"decimals": 1, "custom.width": 110, "mappings": no_dollars}),
            sort="hour total",
            by=("asset", "kind", "severity"),
        ),
        "Which cascades are running?",
        "Every open episode with its running hour total. The alerts themselves, with their reasons, are at /alerts.",
        "none",
        cells(f"max by (asset, kind, severity) ({series(m.EPISODE_USD)}) or {gone}"),
    ).no_value("none running")
    colors = words(watch=("watch", ODD), warning=("warning", LONG), critical=("critical", BAD))
    return made.override_by_name(
        "severity",
        [
            DynamicConfigValue(id_val="mappings", value=[plain(colors)]),
            DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
        ],
    )


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
        ("total", "currencyUSD", {"decimals": 1}),
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
        ("total", "currencyUSD", {"decimals": 1}),
        ("longs", "currencyUSD", dollars(LONG)),
        ("shorts", "currencyUSD", dollars(SHORT)),
        sort="total",
        by=("venue",),
    )
    return panel(
        made,
        "On which venues? (all assets, 1h)",
        "Asset and span at the top do not change it. A venue that samples its feed looks smaller than it is.",
        "none",
        cells(both("venue", series(m.VENUE_WINDOW_USD, span=HOUR))),
        cells(f"max by (venue) ({series(m.VENUE_WINDOW_USD, side=Side.LONG, span=HOUR)})"),
        cells(f"max by (venue) ({series(m.VENUE_WINDOW_USD, side=Side.SHORT, span=HOUR)})"),
    )


def turning() -> timeseries.Panel:
    """Whether the tide turns."""
    shown = [span for span in SPANS if span in {"5m", "1h", "24h"}]
    exprs = [line(f"max({series(m.WINDOW_SHARE, asset='$asset', span=span)})", span) for span in shown]
    why = "When the short span leaves the long one, the cascade has turned or ended. A gap: nothing was liquidated."
    made = panel(plot(), "Short share by span: is it turning?", why, "percentunit", *exprs).max(1).fill_opacity(0)
    for span, color in zip(shown, ("#8ab8ff", SHORT, "#1f60c4"), strict=True):
        made.override_by_name(span, [tint(color)])
    return made.legend(legend())
