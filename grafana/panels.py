"""How a panel of the house looks. Owns colours and defaults; `asking.py` the queries, `build.py` the order.

The sides have two colours of their own, which colour-blind eyes tell apart as well; green and red mean health, violet
an episode, the stronger the more severe.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from asking import SOURCE
from grafana_foundation_sdk.builders import common, dashboard, gauge, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    GridPos,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from service.model import Severity, Side

LONG, SHORT, QUIET = "#ff9830", "#5794f2", "#8e8e8e"
GOOD, ODD, BAD = "#73bf69", "#fade2a", "#f2495c"
PLAIN = "#d8d9da"
SEVERITIES = {Severity.WATCH: "#a499b8", Severity.WARNING: "#b877d9", Severity.CRITICAL: "#ff66c4"}
SIDES = {Side.LONG: LONG, Side.SHORT: SHORT}
NO_DATA, NO_ANSWER = "no data", "no data: the service does not answer"
WIDTH = 24
REFS = "ABCDEFGH"

AnyPanel = stat.Panel | gauge.Panel | table.Panel | timeseries.Panel | statetimeline.Panel
P = TypeVar("P", stat.Panel, gauge.Panel, table.Panel, timeseries.Panel, statetimeline.Panel)


def panel(made: P, title: str, why: str, unit: str, *queries: prometheus.Dataquery) -> P:
    """What every panel must say: a title, why one looks at it, a unit, and that no data is not zero."""
    made.title(title).description(why).unit(unit).no_value(NO_DATA).datasource(SOURCE)
    made.targets([query.ref_id(ref).datasource(SOURCE) for ref, query in zip(REFS, queries, strict=False)])
    return made


def steps(*points: tuple[float | None, str]) -> dashboard.ThresholdsConfig:
    """Colours from a value on; the first value is None."""
    return (
        dashboard.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for value, color in points])
    )


def words(**texts: tuple[str, str]) -> ValueMap:
    """Text and colour for values, named _0, _1 and so on."""
    return ValueMap(
        {
            value.removeprefix("_"): ValueMappingResult(text=text, color=color, index=index)
            for index, (value, (text, color)) in enumerate(texts.items())
        }
    )


def plain(shape: ValueMap) -> Any:
    """The same as dictionaries, for overrides, whose values the SDK does not type."""
    return json.loads(json.dumps(shape, cls=JSONEncoder))


def fixed(color: str) -> dashboard.FieldColor:
    """One colour, whatever the value."""
    return dashboard.FieldColor().mode(FieldColorModeId.FIXED).fixed_color(color)


def by_value() -> dashboard.FieldColor:
    """The colour of the threshold a value has passed."""
    return dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS)


def tint(color: str) -> DynamicConfigValue:
    """One colour for one series."""
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})


def looks(**properties: Any) -> list[DynamicConfigValue]:
    """Properties of one column or series."""
    return [DynamicConfigValue(id_val=name, value=value) for name, value in properties.items()]


def last() -> common.ReduceDataOptions:
    """The newest value of each series."""
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def legend() -> common.VizLegendOptions:
    """A list below the plot."""
    return common.VizLegendOptions().show_legend(show_legend=True)


def plot() -> timeseries.Panel:
    """Lines that break where samples are missing."""
    return timeseries.Panel().line_width(2).fill_opacity(8).span_nulls(span_nulls=False).min(0)


def bars() -> timeseries.Panel:
    """One bar for each point."""
    return (
        timeseries.Panel().draw_style(GraphDrawStyle.BARS).line_width(0).fill_opacity(90).span_nulls(span_nulls=False)
    )


def figure() -> stat.Panel:
    """A number as it is now, or a few side by side, in the colour of what it is."""
    made = stat.Panel().color_mode(BigValueColorMode.VALUE).graph_mode(BigValueGraphMode.NONE)
    return made.orientation(VizOrientation.VERTICAL).reduce_options(last())


def level(made: timeseries.Panel, value: float) -> timeseries.Panel:
    """A dashed line at a value that means something."""
    made.thresholds(steps((None, "transparent"), (value, PLAIN)))
    return made.thresholds_style(common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED))


def sided(made: P) -> P:
    """The two sides in their colours."""
    return made.override_by_name("longs", [tint(LONG)]).override_by_name("shorts", [tint(SHORT)])


def dashed() -> list[DynamicConfigValue]:
    """A thin line for what the others are measured by."""
    style = {"fill": "dash", "dash": [8, 6]}
    return [*looks(**{"custom.lineStyle": style, "custom.fillOpacity": 0, "custom.lineWidth": 1}), tint(PLAIN)]


def grid(
    *columns: tuple[str, str, Mapping[str, Any]], by: Sequence[str], behind: Sequence[str] = (), sort: str = ""
) -> table.Panel:
    """A table of merged queries: columns are (name, unit, extra properties) in the order of the queries.

    The labels `by` stand in front of them, so that a phone shows both, and the labels `behind` after them. Rows are
    sorted by the column `sort`, downwards; without one they keep the order of the first query's answer.
    """
    # Grafana numbers the value columns of several queries, and does not when there is one.
    values = [f"Value #{ref}" for ref in REFS[: len(columns)]] if len(columns) > 1 else ["Value"]
    order = {name: place for place, name in enumerate([*by, *values, *behind])}
    options = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": {}}
    made = table.Panel().min_width(78)
    made.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    made.with_transformation(DataTransformerConfig(id_val="organize", options=options))
    for value, (name, unit, extra) in zip(values, columns, strict=True):
        made.override_by_name(value, looks(displayName=name, unit=unit, **extra))
    made.override_by_name(by[0], looks(**{"custom.width": 90}))
    return made.sort_by([common.TableSortByFieldState().display_name(sort).desc(desc=True)]) if sort else made


def shelf(y: int, h: int, *panels: tuple[int, AnyPanel]) -> list[AnyPanel]:
    """Panels side by side from the left edge, each with its width; together as wide as the grid."""
    x = 0
    for width, made in panels:
        _place(made, x, y, width, h)
        x += width
    if x != WIDTH:
        raise ValueError(f"the shelf at y={y} is {x} wide, not {WIDTH}")
    return [made for _, made in panels]


def tower(x: int, y: int, width: int, *panels: tuple[int, AnyPanel]) -> list[AnyPanel]:
    """Panels one below the other from (x, y) on, each with its height."""
    for h, made in panels:
        _place(made, x, y, width, h)
        y += h
    return [made for _, made in panels]


def _place(made: AnyPanel, x: int, y: int, w: int, h: int) -> None:
    made.grid_pos(GridPos(h=h, w=w, x=x, y=y)).id(100 * y + x + 1)
