"""The board, as code: `python grafana/build.py` writes dashboards/cascade.json, `--check` fails when it differs.

Owns the order on the screen and the variables. Metric names come from `service.metrics`, words and thresholds from the
rooms that own them.
"""

import argparse
import json
import sys
from pathlib import Path

import machine
import market
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
)
from panels import BAD, SOURCE, series, shelf

from service import metrics
from service.model import ALL, SPANS, Side

HERE = Path(__file__).resolve().parent
BOARD = HERE / "dashboards" / "cascade.json"


def variables(made: dashboard.Dashboard) -> dashboard.Dashboard:
    """Data source, asset and span: what the reader may choose."""
    chosen = VariableOption(selected=True, text="1h", value="1h")
    spans = [VariableOption(selected=span == "1h", text=span, value=span) for span in SPANS]
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    made.with_variable(
        dashboard.QueryVariable("asset")
        .label("Asset")
        .description("ALL is the whole market")
        .datasource(SOURCE)
        .query(f"label_values({series(metrics.WINDOW_USD)}, asset)")
        .current(VariableOption(selected=True, text=ALL, value=ALL))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
    return made.with_variable(
        dashboard.CustomVariable("span").label("Span").values(",".join(SPANS)).options(spans).current(chosen)
    )


def board() -> Dashboard:
    """The board."""
    upper = [
        *shelf(0, 3, (24, market.banner())),
        *shelf(
            3,
            5,
            (5, market.total(Side.LONG)),
            (5, market.total(Side.SHORT)),
            (4, market.share_gauge()),
            (4, market.floor_gauge()),
            (3, market.open_episodes()),
            (3, market.coverage()),
        ),
        *shelf(8, 10, (16, market.rolling()), (8, market.running())),
        *shelf(18, 9, (9, market.assets()), (7, market.venues()), (8, market.turning())),
    ]
    lower = [
        *shelf(28, 8, (10, machine.health()), (14, machine.sockets())),
        *shelf(36, 7, (6, machine.orders()), (6, machine.lag()), (6, machine.unread()), (6, machine.waiting())),
        *shelf(
            43,
            7,
            (5, machine.ledger()),
            (6, machine.said()),
            (5, machine.errors()),
            (5, machine.contracts()),
            (3, machine.leader()),
        ),
    ]
    made = dashboard.Dashboard("Cascade").uid("cascade").tags(["liquidations"]).timezone("utc").readonly()
    made.description("Forced liquidations over all venues: how much, which side, which cascade, and who was heard.")
    made.time("now-6h", "now").refresh("10s").tooltip(DashboardCursorSync.CROSSHAIR)
    variables(made).annotation(open_episodes())
    for panel in upper:
        made.with_panel(panel)
    made.with_row(dashboard.Row("What our machine does"))
    for panel in lower:
        made.with_panel(panel)
    return made.build()


def open_episodes() -> dashboard.AnnotationQuery:
    """Red ground behind the market's lines while an episode is open."""
    expr = f"max by (asset, kind) ({series(metrics.EPISODE_USD, asset='$asset')})"
    return (
        dashboard.AnnotationQuery()
        .name("Episodes")
        .datasource(SOURCE)
        .enable(enable=True)
        .icon_color(BAD)
        .expr(expr)
        .title_format("{{asset}} {{kind}}")
        .step("10s")
    )


def text() -> str:
    """The file's content."""
    return json.dumps(board(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the board, or with --check say whether it is the one that is committed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file differs")
    if not options.parse_args().check:
        BOARD.parent.mkdir(exist_ok=True)
        BOARD.write_text(text(), encoding="utf-8")
        return 0
    if BOARD.is_file() and BOARD.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{BOARD.relative_to(HERE.parent)} is not what grafana/build.py makes; run: make boards\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
