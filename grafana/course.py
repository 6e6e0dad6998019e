"""How it goes: the curves of the chosen asset on the board Cascade. Owns their questions, no look."""

from asking import HOUR, floor, line, series, side_usd
from grafana_foundation_sdk.builders import common, timeseries
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import (
    PLAIN,
    SEVERITIES,
    SHORT,
    bars,
    dashed,
    fixed,
    legend,
    level,
    looks,
    panel,
    plot,
    sided,
    tint,
)

from service import metrics as m
from service.model import SPANS, Severity, Side

STRONG, FAINT = SEVERITIES[Severity.CRITICAL], SEVERITIES[Severity.WATCH]


def minutes() -> timeseries.Panel:
    """The bars, shorts up and longs down."""
    made = panel(
        bars(),
        "Who was closed by force, minute by minute?",
        "Each bar is the minute that ended there: shorts above zero, since they buy, longs below. Bars closer than a "
        "minute overlap. Violet ground: an episode of the asset is open; lines: an alert was written.",
        "currencyUSD",
        line(side_usd(Side.SHORT, "1m"), "shorts"),
        line(side_usd(Side.LONG, "1m"), "longs"),
    )
    made.override_by_name("longs", looks(**{"custom.transform": "negative-Y"}))
    return sided(made).axis_centered_zero(axis_centered_zero=True).legend(legend())


def price() -> timeseries.Panel:
    """What it does to the price."""
    made = panel(
        timeseries.Panel().line_width(2).fill_opacity(0).span_nulls(span_nulls=False),
        "Does the price go along?",
        "Price in the asset's own forced orders, of ALL that of BTC. A squeeze lifts it, a flush presses it; where it "
        "goes the other way, check the feeds. A gap: nothing was forced to trade for a quarter of an hour.",
        "currencyUSD",
        line(f"max({series(m.PRICE_USD, asset='$asset')})", "price"),
    )
    # shortened to 95.8 K every line of the axis would read the same
    made.unit("prefix:$").override_by_name("price", [tint(PLAIN)])
    return made.legend(legend())


def rolling() -> timeseries.Panel:
    """The picture: shorts and longs on top of each other, the floor of both dashed."""
    hour_chosen = series(m.WINDOW_USD, f'span="{HOUR}"', asset="$asset", span="$span")
    made = panel(
        timeseries.Panel(),
        "What was closed by force in the rolling $span?",
        "Longs stand on shorts, so the upper edge is the total of both. The dashed floor is the hour total of both "
        "sides at which an episode may open, so it is drawn for the span of one hour only. Violet ground: an episode "
        "is open.",
        "currencyUSD",
        line(side_usd(Side.SHORT), "shorts"),
        line(side_usd(Side.LONG), "longs"),
        line(f"{floor()} and on () {hour_chosen}", "floor of the total"),
    )
    made.line_width(2).fill_opacity(40).span_nulls(span_nulls=False).min(0)
    made.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("sides"))
    alone = [DynamicConfigValue(id_val="custom.stacking", value={"mode": "none"}), *dashed()]
    return sided(made).override_by_name("floor of the total", alone).legend(legend())


def since_onset() -> timeseries.Panel:
    """The episode's own sum."""
    made = panel(
        plot(),
        "How much has the episode closed so far?",
        "Dollars of the episode's side since its onset, which only grows, beside the running hour of both sides, which "
        "falls again: where they part, it ebbs away. No data: the asset has no open episode.",
        "currencyUSD",
        line(f"max({series(m.EPISODE_TOTAL, asset='$asset')})", "its side since the onset"),
        line(f"max({series(m.EPISODE_USD, asset='$asset')})", "running hour"),
    ).no_value("no data: no episode is open")
    made.override_by_name("running hour", dashed())
    return made.color_scheme(fixed(STRONG)).legend(legend())


def signals() -> timeseries.Panel:
    """What may open an episode."""
    made = panel(
        plot(),
        "How near are the signals to speaking?",
        "Growth and one-sided breadth of the last minutes over the levels the market has taught. From the dashed 1 on "
        "they may open an episode, if enough dollars and one side stand behind. No data: the market is still learnt.",
        "suffix: x",
        line(f"max({series(m.SIGNAL_EARLY, asset='$asset')})", "growth"),
        line(f"max({series(m.SIGNAL_BREADTH, asset='$asset')})", "breadth"),
    )
    made.override_by_name("growth", [tint(STRONG)]).override_by_name("breadth", [tint(FAINT)])
    return level(made, 1).axis_soft_max(1.2).legend(legend())


def excitation() -> timeseries.Panel:
    """Whether it feeds on itself."""
    made = panel(
        plot(),
        "Do liquidations cause liquidations?",
        "Further orders that one order causes, as a band that holds the truth nine times in ten. A band wholly above "
        "the dashed 1: it feeds on itself and grows. A gap: no order for minutes.",
        "none",
        line(f"max({series(m.EXCITATION, asset='$asset', state='high')})", "at most"),
        line(f"max({series(m.EXCITATION, asset='$asset', state='low')})", "at least"),
    )
    made.override_by_name(
        "at most", [*looks(**{"custom.fillBelowTo": "at least", "custom.fillOpacity": 25}), tint(FAINT)]
    )
    made.override_by_name("at least", [*looks(**{"custom.fillOpacity": 0}), tint(STRONG)])
    return level(made, 1).axis_soft_max(1.5).decimals(1).legend(legend())


def turning() -> timeseries.Panel:
    """Whether the tide turns."""
    shown = [span for span in SPANS if span in {"5m", "1h", "24h"}]
    exprs = [line(f"max({series(m.WINDOW_SHARE, asset='$asset', span=span)})", span) for span in shown]
    why = "When the short span leaves the long one, the cascade has turned or ended. A gap: nothing was liquidated."
    made = panel(plot(), "Short share by span: is it turning?", why, "percentunit", *exprs).max(1).fill_opacity(0)
    for span, color in zip(shown, ("#8ab8ff", SHORT, "#1f60c4"), strict=True):
        made.override_by_name(span, [tint(color)])
    return made.legend(legend())
