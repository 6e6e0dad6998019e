"""Which cascades run and what was said: tables and marks of the board Cascade. Owns their questions, no look."""

from asking import SOURCE, cells, series
from grafana_foundation_sdk.builders import dashboard, table
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import LONG, NO_ANSWER, QUIET, SEVERITIES, SHORT, grid, looks, panel, plain, words

from service import metrics as m
from service.model import ALL, Kind, Severity

#: A moment of the service's clock, short enough for a column.
TIME = "time:MM-DD HH:mm"
KINDS = {Kind.SHORT_SQUEEZE.value: ("short squeeze", SHORT), Kind.LONG_FLUSH.value: ("long flush", LONG)}
SEVERITY = {severity.value: (severity.value, color) for severity, color in SEVERITIES.items()}


def column(width: int, texts: dict[str, tuple[str, str]] | None = None, name: str = "") -> list[DynamicConfigValue]:
    """A column of words: its width in px, its values' own words and colours, another name where it needs one."""
    made = looks(**{"custom.width": width, "noValue": "-"})
    if texts:
        made += looks(mappings=[plain(words(**texts))], **{"custom.cellOptions": {"type": "color-text"}})
    return made + looks(displayName=name) if name else made


def running() -> table.Panel:
    """Which cascades run. No row is none; a dead service has a row that says so, and no dollars."""
    gone = f'label_replace(-absent({series(m.EPISODES)}), "asset", "{NO_ANSWER}", "", "")'
    money = {"decimals": 1, "custom.width": 95, "noValue": "-", "mappings": [plain(words(**{"_-1": ("-", QUIET)}))]}
    made = panel(
        grid(
            ("hour", "currencyUSD", money),
            ("since onset", "currencyUSD", money),
            ("told at", TIME, {"custom.width": 105, "noValue": "-"}),
            ("grade", "none", {"custom.hidden": True}),
            ("lead part", "percentunit", {"custom.width": 75, "decimals": 0, "noValue": "-"}),
            sort="hour",
            by=("asset", "severity"),
            behind=("kind", "phase", "state", "venue", "how"),
        ),
        "Which cascades are running?",
        "Every open episode: both sides in its running hour, its own side since the onset, and the venue that led or, "
        "where none did, was first, with its part of the dollars. `other` are coins beyond the top list. Why: /alerts.",
        "none",
        cells(f"max by (asset, kind, severity) ({series(m.EPISODE_USD)}) or {gone}"),
        cells(f"max by (asset, kind) ({series(m.EPISODE_TOTAL)})"),
        cells(f"1000 * max by (asset, kind) ({series(m.EPISODE_STARTED)})"),
        cells(f"max by (asset, kind, phase, state) ({series(m.EPISODE_GRADE)})"),
        cells(
            f'max by (asset, kind, venue, how) (label_replace({series(m.EPISODE_LEAD)}, "how", "$1", "state", "(.*)"))'
        ),
    ).no_value("none running")
    made.override_by_name("asset", column(65))
    made.override_by_name("kind", column(115, KINDS)).override_by_name("severity", column(80, SEVERITY))
    made.override_by_name("phase", column(70)).override_by_name("state", column(70, name="stage"))
    return made.override_by_name("venue", column(90, name="lead venue")).override_by_name("how", column(60))


def said() -> table.Panel:
    """The last alerts."""
    made = panel(
        grid(
            ("at", TIME, {"custom.width": 105}),
            sort="at",
            by=("asset", "severity"),
            behind=("kind", "phase"),
        ),
        "What was said last?",
        "The last ten alerts that were told, each asset, phase and severity once, on the service's clock. Their words "
        "and reasons are at /alerts. No data: nothing was said since the service started.",
        "none",
        cells(f"1000 * max by (asset, kind, phase, severity) ({series(m.ALERT_AT)})"),
    ).no_value("no data: nothing said since the start")
    made.override_by_name("kind", column(115, KINDS)).override_by_name("severity", column(80, SEVERITY))
    return made.override_by_name("phase", column(70)).override_by_name("asset", column(65))


def ground() -> dashboard.AnnotationQuery:
    """Violet ground behind the market's lines while an episode of the asset is open."""
    return (
        _mark("Episodes", SEVERITIES[Severity.WARNING])
        .title_format("{{asset}} {{kind}}")
        .expr(f"max by (asset, kind) ({series(m.EPISODE_USD, asset='$asset')})")
    )


def alerts() -> dashboard.AnnotationQuery:
    """A line where an alert was told of the asset or of all: a newer one than a step ago, or the first of its kind."""
    by, chosen = "max by (asset, kind, phase, severity)", series(m.ALERT_AT, f'asset=~"{ALL}|$asset"')
    told, past = f"{by} ({chosen})", f"{by} ({chosen} offset $__interval)"
    made = _mark("Alerts", SEVERITIES[Severity.CRITICAL]).expr(f"({told} > {past}) or ({told} unless {past})")
    return made.title_format("{{asset}} {{severity}} {{kind}} {{phase}}")


def _mark(name: str, color: str) -> dashboard.AnnotationQuery:
    made = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(enable=True)
    return made.icon_color(color).step("10s")
