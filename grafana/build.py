"""The boards, as code: `python grafana/build.py` writes dashboards/*.json, `--check` fails when one differs.

Owns the order on the screen and the variables. Metric names come from `service.metrics`, words and thresholds from the
rooms that own them.
"""

import argparse
import json
import sys
from pathlib import Path

import beside
import course
import episodes
import feeds
import figures
import machine
import where
from asking import SOURCE, series
from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    GridPos,
    VariableOption,
    VariableRefresh,
)
from panels import AnyPanel, shelf

from service import metrics
from service.model import ALL, SPANS

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "dashboards"
TAG = "liquidations"
EVERY = VariableOption(selected=True, text="All", value="$__all")


def cascade() -> Dashboard:
    """What the market does."""
    panels = [
        *shelf(0, 2, (24, figures.banner())),
        *shelf(
            2,
            4,
            (7, figures.closed("1h", "Closed by force, last hour")),
            (7, figures.closed("24h", "Closed by force, last 24 hours")),
            (4, figures.multiple()),
            (6, figures.open_episodes()),
        ),
        *shelf(
            6,
            5,
            (5, figures.share_gauge()),
            (5, figures.floor_gauge()),
            (10, figures.as_large()),
            (4, figures.coverage()),
        ),
        *shelf(11, 8, (12, course.minutes()), (12, course.price())),
        *shelf(19, 8, (16, episodes.running()), (8, episodes.said())),
        *shelf(27, 8, (12, course.rolling()), (12, course.since_onset())),
        *shelf(35, 7, (8, course.signals()), (8, course.excitation()), (8, course.turning())),
        *shelf(42, 10, (12, where.assets()), (12, where.venues())),
        *shelf(52, 7, (24, where.heard())),
    ]
    context = [
        *shelf(60, 8, (6, beside.fuel()), (4, beside.fuel_age()), (7, beside.interest()), (7, beside.funding())),
        *shelf(68, 8, (7, beside.flows()), (8, beside.rates()), (9, beside.sources())),
    ]
    made = _board("cascade", "Cascade", panels)
    made.description("Forced liquidations over all venues: how much, which side, which cascade, and who was heard.")
    made.with_row(dashboard.Row("Context: what stands beside the liquidations").grid_pos(GridPos(1, 24, 0, 59)))
    for panel in context:
        made.with_panel(panel)
    return _span(_venue(_asset(made))).annotation(episodes.ground()).annotation(episodes.alerts()).build()


def heard() -> Dashboard:
    """What our machine does."""
    upper = [
        *shelf(
            0,
            4,
            (4, feeds.missing()),
            (4, feeds.silenced()),
            (4, machine.leader()),
            (4, machine.replicas()),
            (4, machine.overdue()),
            (4, machine.used()),
        ),
        *shelf(4, 9, (10, feeds.health()), (14, feeds.sockets())),
        *shelf(13, 7, (8, feeds.frames()), (8, feeds.orders()), (8, feeds.ages())),
        *shelf(20, 7, (8, feeds.lag()), (8, feeds.dials()), (8, feeds.gaps())),
        *shelf(27, 7, (8, feeds.unread()), (8, feeds.parked()), (8, feeds.contracts())),
    ]
    lower = [
        *shelf(35, 7, (6, machine.queue()), (6, machine.again()), (6, machine.ledger()), (6, machine.errors())),
        *shelf(42, 7, (8, machine.said()), (8, machine.failures()), (8, machine.waiting())),
        *shelf(49, 6, (12, machine.memory()), (12, machine.lease())),
    ]
    made = _board("feeds", "Feeds", upper).description("Whether every venue is heard, and our machine keeps up.")
    made.with_row(dashboard.Row("Our machine and its messages").grid_pos(GridPos(1, 24, 0, 34)))
    for panel in lower:
        made.with_panel(panel)
    return _venue(made).build()


def _board(uid: str, title: str, panels: list[AnyPanel]) -> dashboard.Dashboard:
    made = dashboard.Dashboard(title).uid(uid).tags([TAG]).timezone("utc").readonly()
    # A cascade is minutes old when it matters, and the demo is over in four: hours would make a hairline of it.
    made.time("now-30m", "now").refresh("5s").tooltip(DashboardCursorSync.CROSSHAIR)
    link = dashboard.DashboardLink("Boards").type(DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(keep_time=True)
    made.links([link])
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    for panel in panels:
        made.with_panel(panel)
    return made


def _asset(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return made.with_variable(
        dashboard.QueryVariable("asset")
        .label("Asset")
        .description("ALL is all coins on the enabled venues")
        .datasource(SOURCE)
        .query(f"label_values({series(metrics.WINDOW_USD)}, asset)")
        .current(VariableOption(selected=True, text=ALL, value=ALL))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _venue(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return made.with_variable(
        dashboard.QueryVariable("venue")
        .label("Venue")
        .description("Narrows what is shown by venue; totals are always of all")
        .datasource(SOURCE)
        .query(f"label_values({series(metrics.FEED_STATE)}, venue)")
        .include_all(include_all=True)
        .all_value(".+")
        .multi(multi=True)
        .current(EVERY)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _span(made: dashboard.Dashboard) -> dashboard.Dashboard:
    chosen = VariableOption(selected=True, text="1h", value="1h")
    spans = [VariableOption(selected=span == "1h", text=span, value=span) for span in SPANS]
    return made.with_variable(
        dashboard.CustomVariable("span").label("Span").values(",".join(SPANS)).options(spans).current(chosen)
    )


BOARDS = {"cascade": cascade, "feeds": heard}


def text(name: str) -> str:
    """The content of a board's file. Raises KeyError for a board that is none of BOARDS."""
    return json.dumps(BOARDS[name](), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Write the boards, or with --check say which of them is not the one that is committed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file differs")
    check = options.parse_args().check
    files = {FOLDER / f"{name}.json": text(name) for name in BOARDS}
    FOLDER.mkdir(exist_ok=True)
    stale = [file for file, made in files.items() if not file.is_file() or file.read_text(encoding="utf-8") != made]
    for file in stale:
        if check:
            sys.stderr.write(f"{file.relative_to(HERE.parent)} is not what grafana/build.py makes; run: make boards\n")
        else:
            file.write_text(files[file], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
