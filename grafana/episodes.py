"""Which cascades run and what was said: tables and marks of the board Cascade. Owns their questions, no look."""

from asking import SOURCE, cells, series
from grafana_foundation_sdk.builders import dashboard, table
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import NO_ANSWER, PLAIN, QUIET, SEVERITIES, grid, panel, plain, words

from service import metrics as m
from service.model import Kind, Severity

SAID = {Kind.SHORT_SQUEEZE: "short squeeze", Kind.LONG_FLUSH: "long flush"}


def severity_words() -> list[DynamicConfigValue]:
    """A severity in its colour."""
    colors = words(**{severity.value: (severity.value, color) for severity, color in SEVERITIES.items()})
    return [
        DynamicConfigValue(id_val="mappings", value=[plain(colors)]),
        DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
        DynamicConfigValue(id_val="custom.width", value=90),
    ]


def kind_words() -> list[DynamicConfigValue]:
    """A kind in words."""
    mapped = plain(words(**{kind.value: (text, PLAIN) for kind, text in SAID.items()}))
    return [
        DynamicConfigValue(id_val="mappings", value=[mapped]),
        DynamicConfigValue(id_val="custom.width", value=115),
    ]


def running() -> table.Panel:
    """Which cascades run. No row is none; a dead service has a row that says so, and no dollars."""
    gone = f'label_replace(-absent({series(m.EPISODES)}), "asset", "{NO_ANSWER}", "", "")'
    missing = [plain(words(**{"_-1": ("-", QUIET)}))]
    money = {"decimals": 1, "custom.width": 105, "mappings": missing}
    made = panel(
        grid(
            ("hour", "currencyUSD", money),
            ("since onset", "currencyUSD", money),
            ("told first", "dateTimeAsIso", {"custom.width": 160}),
            ("grade", "none", {"custom.width": 60, "mappings": [plain(words(_0=("-", QUIET)))]}),
            ("its part", "percentunit", {"custom.width": 75, "decimals": 0}),
            sort="hour",
            by=("asset", "kind", "severity", "phase", "state", "venue", "how"),
        ),
        "Which cascades are running?",
        "Every open episode: both sides in its running hour, its own side since the onset, and the venue that led or "
        "was only first, with its part of the dollars. Grade 1 to 5 is told of the whole market. Reasons: /alerts.",
        "none",
        cells(f"max by (asset, kind, severity) ({series(m.EPISODE_USD)}) or {gone}"),
        cells(f"max by (asset, kind) ({series(m.EPISODE_TOTAL)})"),
        cells(f"1000 * max by (asset, kind) ({series(m.EPISODE_STARTED)})"),
        cells(f"max by (asset, kind, phase, state) ({series(m.EPISODE_GRADE)})"),
        cells(
            f'max by (asset, kind, venue, how) (label_replace({series(m.EPISODE_LEAD)}, "how", "$1", "state", "(.*)"))'
        ),
    ).no_value("none running")
    made.override_by_name("state", [DynamicConfigValue(id_val="displayName", value="stage")])
    made.override_by_name("venue", [DynamicConfigValue(id_val="displayName", value="lead venue")])
    return made.override_by_name("severity", severity_words()).override_by_name("kind", kind_words())


def said() -> table.Panel:
    """The last alerts."""
    made = panel(
        grid(
            ("at", "dateTimeAsIso", {"custom.width": 160}),
            sort="at",
            by=("asset", "kind", "phase", "severity"),
        ),
        "What was said last?",
        "The last ten alerts that were told, each asset, phase and severity once, on the service's clock. Their words "
        "and reasons are at /alerts. None: nothing was said since the service started.",
        "none",
        cells(f"1000 * max by (asset, kind, phase, severity) ({series(m.ALERT_AT)})"),
    ).no_value("no data: nothing said since the start")
    made.override_by_name("phase", [DynamicConfigValue(id_val="custom.width", value=75)])
    return made.override_by_name("severity", severity_words()).override_by_name("kind", kind_words())


def ground() -> dashboard.AnnotationQuery:
    """Violet ground behind the market's lines while an episode of the asset is open."""
    return (
        _mark("Episodes", SEVERITIES[Severity.WARNING])
        .title_format("{{asset}} {{kind}}")
        .expr(f"max by (asset, kind) ({series(m.EPISODE_USD, asset='$asset')})")
    )


def alerts() -> dashboard.AnnotationQuery:
    """A line where an alert was written, on whichever asset: a count higher than a step ago, a missing past being 0."""
    by, counted = "sum by (kind, phase, severity)", series(m.ALERTS)
    past = f"{by} ({counted} offset $__interval) or 0 * {by} ({counted})"
    made = _mark("Alerts", SEVERITIES[Severity.CRITICAL]).expr(f"{by} ({counted}) - ({past}) > 0")
    return made.title_format("{{severity}} {{kind}} {{phase}}")


def _mark(name: str, color: str) -> dashboard.AnnotationQuery:
    made = dashboard.AnnotationQuery().name(name).datasource(SOURCE).enable(enable=True)
    return made.icon_color(color).step("10s")
