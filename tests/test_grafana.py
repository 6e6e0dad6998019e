"""The board is what its code makes, is whole, and asks Prometheus for what the service really exports."""

import itertools
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asking
import build
import panels as house
import pytest
import yaml
from asking import series
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from service import metrics
from tests.scraping import AMTOOL, PROMETHEUS, PROMTOOL, Prometheus, free_port, running, scraping, wait_for

ROOT = Path(__file__).resolve().parent.parent
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "grafana/dashboards").glob("*.json"))
}
PANELS = [panel for board in BOARDS.values() for panel in board["panels"] if panel["type"] != "row"]
TITLES = [panel["title"] for panel in PANELS]
QUERIES = [(panel, target) for panel in PANELS for target in panel["targets"]]
MARKS = [query for board in BOARDS.values() for query in board["annotations"].get("list", [])]
#: What the reader's choices and Grafana's own variables stand for in a test.
CHOSEN = {"$asset": "ALL", "$span": "1h", "$venue": ".+", "$__rate_interval": "10s", "$__interval": "2s"}
EXPRS = list(dict.fromkeys([target["expr"] for _, target in QUERIES] + [query["expr"] for query in MARKS]))
#: Families are exported under these names; those of histograms also under others.
SAMPLES = {"counter": "_total", "histogram": "_bucket"}


def asked(expr: str) -> str:
    """An expression with its variables filled in."""
    for name, value in CHOSEN.items():
        expr = expr.replace(name, value)
    return expr


def test_there_are_two_boards() -> None:
    assert set(BOARDS) == set(build.BOARDS) == {"cascade", "feeds"}


@pytest.mark.parametrize("name", BOARDS)
def test_committed_board_is_what_the_code_makes(name: str) -> None:
    assert (build.FOLDER / f"{name}.json").read_text(encoding="utf-8") == build.text(name), "run: make boards"


def test_check_fails_on_an_edited_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setattr(build, "HERE", tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path / "dashboards")
    edited = tmp_path / "dashboards" / "feeds.json"

    def outcome(*options: str) -> int:
        monkeypatch.setattr(sys, "argv", ["build.py", *options])
        return build.main()

    assert outcome("--check") == 1, "absent"
    assert outcome() == 0
    assert outcome("--check") == 0
    edited.write_text(edited.read_text().replace("Venue", "venue"), encoding="utf-8")
    capsys.readouterr()
    assert outcome("--check") == 1
    told = capsys.readouterr().err
    assert "dashboards/feeds.json" in told
    assert "make boards" in told
    assert "cascade.json" not in told


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_no_key_is_unknown_to_grafanas_schema(board: dict[str, Any]) -> None:
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert again == board
    broken = json.loads(json.dumps(board).replace('"refresh"', '"refersh"').replace('"gridPos"', '"gridPoss"'))
    assert json.loads(json.dumps(Dashboard.from_json(broken), cls=JSONEncoder)) != broken


@pytest.mark.parametrize("name", BOARDS)
def test_board_has_a_fixed_name_and_cannot_be_edited(name: str) -> None:
    board = BOARDS[name]
    assert (board["uid"], board["editable"], board["title"]) == (name, False, name.title())
    assert "version" not in board
    assert board.get("id") is None
    assert board["links"][0]["tags"] == board["tags"], "one board leads to the other"


@pytest.mark.parametrize("name", BOARDS)
def test_every_choice_is_used_and_every_used_one_can_be_chosen(name: str) -> None:
    board = BOARDS[name]
    chosen = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps([board["panels"], board["annotations"]])))
    assert used - {"__rate_interval", "__interval", "1"} == chosen
    assert chosen == {"cascade": {"datasource", "asset", "venue", "span"}, "feeds": {"datasource", "venue"}}[name]


def test_no_plugin_has_to_be_installed() -> None:
    assert {panel["type"] for panel in PANELS} <= {"stat", "gauge", "table", "timeseries", "state-timeline"}


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_panel_says_what_it_is_for(panel: dict[str, Any]) -> None:
    shown = panel["fieldConfig"]["defaults"]
    assert panel["title"].strip()
    assert len(panel["description"]) > 30, "say why one looks at it"
    assert shown["unit"]
    says_itself = "no data" in json.dumps([target["expr"] for target in panel["targets"]])
    assert says_itself or "no data" in shown["noValue"].lower(), "no data must not look like zero"
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize("panel", PANELS, ids=TITLES)
def test_panel_does_not_pass_off_the_past_as_the_present(panel: dict[str, Any]) -> None:
    moment = panel["type"] in {"stat", "gauge", "table"}
    assert all(target.get("instant", False) is moment for target in panel["targets"])
    if panel["type"] == "timeseries":
        assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False


def test_titles_and_ids_are_unique() -> None:
    assert len(set(TITLES)) == len(TITLES)
    for board in BOARDS.values():
        ids = [panel["id"] for panel in board["panels"] if panel["type"] != "row"]
        assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_panels_fill_the_grid_without_overlap(board: dict[str, Any]) -> None:
    spots = [(panel["title"], panel["gridPos"]) for panel in board["panels"]]
    for title, spot in spots:
        assert spot["x"] + spot["w"] <= 24, title
    for (one, a), (two, b) in itertools.combinations(spots, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart or above, f"{one} lies on {two}"


@pytest.mark.parametrize("expr", EXPRS)
def test_expression_uses_our_metrics_in_our_way(expr: str) -> None:
    families = [*metrics.REGISTRY.collect()]
    exported = {family.name + SAMPLES.get(family.type, "") for family in families}
    used = set(re.findall(r"\bcascade_\w+", expr))
    assert used
    assert used <= exported
    rated = re.findall(r"\brate\((cascade_\w+)[^)]*\)", expr)
    assert all("[$__rate_interval]" in part for part in re.findall(r"\brate\([^)]*\)", expr)), rated
    assert "increase(" not in expr, "loses the first value of a series that is born non-zero"
    assert all(span == "$__rate_interval" for span in re.findall(r"\[(.+?)\]", expr))
    assert "instance=" not in expr
    assert 'job="' not in expr


def test_a_label_the_metric_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="cascade_window_usd has no label 'venue'; it has asset, side, span"):
        asking.series(metrics.WINDOW_USD, venue="okx")


def test_a_shelf_that_is_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="25 wide, not 24"):
        house.shelf(0, 3, (12, house.plot()), (13, house.plot()))


def test_every_panel_is_in_the_readme() -> None:
    text = (ROOT / "grafana/README.md").read_text(encoding="utf-8")
    missing = [title for title in TITLES if f"| {title} |" not in text]
    assert not missing, "each panel has its line in grafana/README.md, under its exact title"


def test_scrape_interval_is_told_to_grafana() -> None:
    source = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    scraped = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
def test_expressions_are_promql(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{place}", "expr": asked(expr)} for place, expr in enumerate(EXPRS)]
    file = tmp_path / "exprs.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    done = subprocess.run([PROMTOOL, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


CONTEXT = {
    "How much fuel is there?",
    "How old is it?",
    "How much is open, by venue?",
    "What do longs pay shorts?",
    "What did US spot ETFs take in?",
    "What does money cost?",
    "How old is the context, by source?",
}
RUNNING = 'cascade_episode_usd{asset="BTC",kind="long_flush",severity="watch"}'
COUNTED = 'cascade_episodes_open{kind="long_flush",severity="watch"}'
GONE = '{asset="no data: the service does not answer"}'


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        pytest.param({COUNTED: "0x4"}, [], id="idle"),
        pytest.param({COUNTED: "1x4", RUNNING: "7x4"}, [(RUNNING.removeprefix("cascade_episode_usd"), 7)], id="open"),
        pytest.param({}, [(GONE, -1)], id="down"),
    ],
)
@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
def test_running_table_tells_none_from_a_dead_service(
    tmp_path: Path, given: dict[str, str], rows: list[tuple[str, int]]
) -> None:
    (panel,) = [panel for panel in PANELS if panel["title"] == "Which cascades are running?"]
    wanted = [{"labels": labels, "value": value} for labels, value in rows]
    case = {"expr": panel["targets"][0]["expr"], "eval_time": "1m", "exp_samples": wanted}
    fed = [{"series": name, "values": values} for name, values in given.items()]
    file = tmp_path / "running.yml"
    file.write_text(yaml.safe_dump({"tests": [{"interval": "15s", "input_series": fed, "promql_expr_test": [case]}]}))
    done = subprocess.run([PROMTOOL, "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("title", sorted(CONTEXT))
def test_context_that_is_unknown_says_so_and_is_no_zero(title: str) -> None:
    (panel,) = [panel for panel in PANELS if panel["title"] == title]
    assert panel["fieldConfig"]["defaults"]["noValue"] == "no data: unknown"
    assert all(not re.search(r"\bor (vector\(0\)|0 \*)", target["expr"]) for target in panel["targets"])


def test_the_row_of_context_holds_all_of_it_below_the_market() -> None:
    panels = BOARDS["cascade"]["panels"]
    (row,) = [panel for panel in panels if panel["type"] == "row"]
    below = {panel["title"] for panel in panels if panel["gridPos"]["y"] > row["gridPos"]["y"]}
    assert row["title"].startswith("Context")
    assert below == CONTEXT


def test_fuel_is_rounded_down_so_that_its_number_is_never_above_its_colour() -> None:
    (panel,) = [panel for panel in PANELS if panel["title"] == "How much fuel is there?"]
    assert len(panel["targets"]) == 2
    assert all(target["expr"].startswith("floor(max(cascade_squeeze_risk") for target in panel["targets"])
    assert panel["fieldConfig"]["defaults"]["decimals"] == 0


def test_floor_is_one_line_over_the_stacked_sides() -> None:
    (panel,) = [panel for panel in PANELS if panel["title"].startswith("What was closed by force")]
    assert [target["legendFormat"] for target in panel["targets"]] == ["shorts", "longs", "floor of the total"]
    assert panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    looks = {
        rule["matcher"]["options"]: {p["id"]: p["value"] for p in rule["properties"]} for rule in _overrides(panel)
    }
    assert looks["floor of the total"]["custom.stacking"] == {"mode": "none"}
    assert "negative-Y" not in json.dumps(panel)


def _overrides(panel: dict[str, Any]) -> list[dict[str, Any]]:
    return list(panel["fieldConfig"]["overrides"])


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not installed")
def test_prometheus_rules_fire_and_stay_quiet() -> None:
    for command in (["check", "config", "config/prometheus/prometheus.yml"], ["test", "rules", *_rule_tests()]):
        done = subprocess.run([PROMTOOL, *command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _rule_tests() -> list[str]:
    return [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests/rules").glob("*.test.yaml"))]


def test_every_rule_is_tested_both_ways_and_has_its_runbook() -> None:
    groups = yaml.safe_load((ROOT / "config/prometheus/rules.yml").read_text())["groups"]
    tests = [yaml.safe_load((ROOT / path).read_text()) for path in _rule_tests()]
    cases = [case for file in tests for test in file["tests"] for case in test["alert_rule_test"]]
    text = (ROOT / "grafana/README.md").read_text(encoding="utf-8")
    for rule in (rule for group in groups for rule in group["rules"]):
        outcomes = {bool(case.get("exp_alerts")) for case in cases if case["alertname"] == rule["alert"]}
        assert outcomes == {True, False}, rule["alert"]
        assert rule["annotations"]["runbook"] == f"grafana/README.md#{rule['alert'].lower()}"
        assert f"### {rule['alert']}\n" in text


def test_an_alert_is_marked_once_when_it_is_told() -> None:
    (told,) = [query["expr"] for query in MARKS if query["name"] == "Alerts"]
    assert "offset $__interval" in told
    assert 'asset=~"ALL|$asset"' in told


def test_example_for_alertmanager_knows_the_rules() -> None:
    text = (ROOT / "config/prometheus/alertmanager.example.yml").read_text(encoding="utf-8")
    groups = yaml.safe_load((ROOT / "config/prometheus/rules.yml").read_text())["groups"]
    rules = {rule["alert"]: rule["labels"]["about"] for group in groups for rule in group["rules"]}
    named = set(re.findall(r"\b[A-Z][a-z]+[A-Z][A-Za-z]+\b", re.sub(r"#.*", "", text))) - {"CommonAnnotations"}
    assert named <= set(rules)
    assert {rule for rule, about in rules.items() if about == "market"} == {"CascadeOpen"}
    made = yaml.safe_load(text)
    assert {made["route"]["receiver"], *(route["receiver"] for route in made["route"]["routes"])} == {
        receiver["name"] for receiver in made["receivers"]
    }


@pytest.mark.skipif(not AMTOOL, reason="amtool is not installed")
def test_alertmanager_takes_the_example() -> None:
    command = [str(AMTOOL), "check-config", "config/prometheus/alertmanager.example.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


#: What the demo has no series of: it has no chats, its sources of context do not fail, its memory is shorter than a day,
#: and only at its end there was more.
ABSENT = [
    series(metrics.SINK_OVERDUE),
    series(metrics.CONTEXT_FAILURES),
    series(metrics.AS_LARGE, asset="$asset", span="24h")[:-1],
    series(metrics.AS_LARGE, asset="$asset", span="1h", state="seen"),
]
#: What does not move while all is well: settings, what is known of contracts, failures that do not happen.
STILL = [
    metrics.SIMULATED,
    metrics.FLOOR_USD,
    metrics.INSTRUMENTS,
    metrics.DIALS,
    metrics.LEADER,
    metrics.VENUE_SILENT,
    metrics.PARKED,
    metrics.BAD_FRAMES,
    metrics.LEDGER_ERRORS,
    metrics.SINK_FAILURES,
    metrics.SINK_ROWS,
    metrics.SINK_WAITING,
    metrics.GAP_SECONDS,
    metrics.COVERAGE,
    metrics.VENUE_COVERAGE,
    metrics.FEED_STATE,
    metrics.FUNDING,
    metrics.ETF_FLOW,
    metrics.ETF_DAY,
    metrics.RATE,
    metrics.RATE_DAY,
]


#: The beginning of the memory.
UNSEEN = series(metrics.AS_LARGE, asset="$asset", span="1h", state="unseen")


def moves(answer: list[dict[str, Any]]) -> bool:
    """Whether a value changes, or a series comes later than another."""
    begins = {series["values"][0][0] for series in answer}
    return len(begins) > 1 or any(len({value for _, value in series["values"]}) > 1 for series in answer)


def unmet(prometheus: Prometheus, exprs: list[str], since: float) -> list[str]:
    """Expressions that returned nothing since a time, or nothing that moves where it should."""
    still = [next(iter(metric.describe())).name for metric in STILL] + [UNSEEN]
    found = []
    for expr in exprs:
        answer = prometheus.history(asked(expr), since)
        if not answer or not (moves(answer) or any(name in expr for name in still)):
            found.append(expr)
    return found


@pytest.mark.timeout(150)
@pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not installed")
def test_every_expression_returns_series_that_move_while_the_demo_runs(tmp_path: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {"CASCADE_API__PORT": str(port), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "service", "demo", "--speed", "120"]
    log = tmp_path / "demo.log"
    open_questions = [expr for expr in EXPRS if not any(absent in expr for absent in ABSENT)]
    since = time.time()
    with running(command, log, cwd=tmp_path, env=environment) as demo:
        wait_for(f"{base}/readyz", demo, log, 30)
        with scraping(base, tmp_path) as prometheus:
            until = time.monotonic() + 90
            while (open_questions := unmet(prometheus, open_questions, since)) and time.monotonic() < until:
                assert demo.poll() is None, log.read_text()[-3000:]
                time.sleep(1)
            assert not open_questions, f"{len(open_questions)} of {len(EXPRS)}:\n" + "\n".join(open_questions)
