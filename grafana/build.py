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
    GridPos,
    VariableOption,
    VariableRefresh,
)
from panels import BAD, SOURCE, series, shelf, tower

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
        .description("ALL is all coins on the enabled venues")
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
        *shelf(0, 2, (24, market.banner())),
        *shelf(
            2,
            5,
            (5, market.total(Side.LONG)),
            (5, market.total(Side.SHORT)),
            (4, market.share_gauge()),
            (4, market.floor_gauge()),
            (3, market.open_episodes()),
            (3, market.coverage()),
        ),
        *tower(0, 7, 16, (9, market.rolling()), (6, market.turning())),
        *tower(16, 7, 8, (15, market.running())),
        *shelf(22, 13, (14, market.assets()), (10, market.venues())),
    ]
    lower = [
        *shelf(36, 8, (10, machine.health()), (14, machine.sockets())),
        *shelf(44, 7, (6, machine.orders()), (6, machine.again()), (6, machine.lag()), (6, machine.unread())),
        *shelf(51, 7, (6, machine.waiting()), (6, machine.ledger()), (6, machine.errors()), (6, machine.said())),
        *shelf(58, 6, (18, machine.contracts()), (6, machine.leader())),
    ]
    made = dashboard.Dashboard("Cascade").uid("cascade").tags(["liquidations"]).timezone("utc").readonly()
    made.description("Forced liquidations over all venues: how much, which side, which cascade, and who was heard.")
    # A cascade is minutes old when it matters, and the demo is over in four: hours would make a hairline of it.
    made.time("now-30m", "now").refresh("5s").tooltip(DashboardCursorSync.CROSSHAIR)
    variables(made).annotation(open_episodes())
    for panel in upper:
        made.with_panel(panel)
    made.with_row(dashboard.Row("What our machine does").grid_pos(GridPos(h=1, w=24, x=0, y=35)))
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
