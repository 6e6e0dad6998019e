"""What our machine does: the panels of the lower half. Owns their questions, no look.

Counters are shown as they stand, since the service started: rate() and increase() lose the first value of a series
that is born with its first event, which is the one that matters for errors.
"""

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import BigValueGraphMode, VisibilityMode
from panels import (
    BAD,
    GOOD,
    ODD,
    QUIET,
    SHORT,
    cells,
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
from service.model import FeedState

STATES = {
    FeedState.LIVE: GOOD,
    FeedState.CONNECTING: ODD,
    FeedState.SILENT: "#ff780a",
    FeedState.REFUSED: "#b877d9",
    FeedState.DOWN: BAD,
}

#: Ages are taken on the service's own clock, which only a rehearsal lets run at another pace.
CLOCK = "in seconds of the service's clock; in the demo 60 of them are one second of yours."


def or_zero(expr: str, label: str = "") -> str:
    """A counter that is born with its first event: zero while the service runs, nothing when it does not."""
    zero = f"0 * max({series(m.SIMULATED)})"
    return f'{expr} or on () label_replace({zero}, "{label}", "none", "", "")' if label else f"{expr} or {zero}"


def ranks() -> str:
    """Each socket's state as a number, best first."""
    each = (f"{rank} * ({series(m.FEED_STATE, state=state)} == 1)" for rank, state in enumerate(STATES, start=1))
    return " or ".join(each)


def state_words() -> dict[str, tuple[str, str]]:
    """Text and colour of each rank."""
    return {f"_{rank}": (state.value, color) for rank, (state, color) in enumerate(STATES.items(), start=1)}


def health() -> statetimeline.Panel:
    """The life of the feeds."""
    why = "Each venue's worst socket. Silent: the socket is well, its control stream is not. A gap: no service."
    made = panel(
        statetimeline.Panel(),
        "Was every venue heard?",
        why,
        "none",
        line(f"min by (venue) (max by (venue, instance) ({ranks()}))", "{{venue}}"),
    )
    made.mappings([words(**state_words())]).fill_opacity(80).line_width(0).row_height(0.8)
    return made.show_value(VisibilityMode.NEVER).merge_values(merge_values=True).legend(legend())


def sockets() -> table.Panel:
    """Each socket as it is now."""
    mapped = [plain(words(**state_words()))]
    age = {"decimals": 1}
    made = grid(
        ("state", "none", {"mappings": mapped, "custom.cellOptions": {"type": "color-text"}, "custom.align": "left"}),
        ("last pong", "s", age),
        ("last frame", "s", age),
        ("control stream", "s", age | {"noValue": "has none"}),
        ("dials", "none", {}),
        sort="state",
        by=("venue", "socket"),
    )
    each = "by (venue, socket)"
    return panel(
        made,
        "How fresh is each socket?",
        f"Last pong, frame and control message {CLOCK} Liquidations may be rare, so a socket is judged by its pong and "
        "control stream.",
        "none",
        cells(f"min {each} ({ranks()})"),
        cells(f"min {each} ({series(m.PONG_AGE)})"),
        cells(f"min {each} ({series(m.FRAME_AGE)})"),
        cells(f"min {each} ({series(m.CONTROL_AGE)})"),
        cells(f"sum {each} ({series(m.DIALS)})"),
    )


def orders() -> timeseries.Panel:
    """How much comes in."""
    why = "Orders counted once, after duplicates are taken out. Quiet markets are quiet here too: look at the states."
    expr = f"sum by (venue) (rate({series(m.ORDERS)}[$__rate_interval]))"
    return panel(plot(), "How many orders come in?", why, "suffix:/s", line(expr, "{{venue}}")).legend(legend())


def lag() -> timeseries.Panel:
    """How late we are."""
    expr = f"histogram_quantile(0.99, sum by (venue, le) (rate({series(m.INGEST_LAG)}[$__rate_interval])))"
    why = f"From the venue's time of an order to the ledger, 99th percentile, {CLOCK} A gap: the venue sent no order."
    return panel(plot(), "How late do orders arrive?", why, "s", line(expr, "{{venue}}")).legend(legend())


def unread() -> timeseries.Panel:
    """What nobody could read."""
    expr = or_zero(f"sum by (venue, reason) ({series(m.BAD_FRAMES)})", "venue")
    why = "Frames and rows kept for inspection since the start. A step on one venue: it has changed its format."
    made = panel(plot(), "What could not be read?", why, "locale", line(expr, "{{venue}} {{reason}}"))
    return made.axis_soft_max(1).legend(legend())


def waiting() -> timeseries.Panel:
    """What is not counted yet."""
    why = (
        "Parked orders wait for their contract's metadata; the queue waits for the ledger. Both return to 0 when well."
    )
    made = panel(
        plot(),
        "What waits to be counted?",
        why,
        "locale",
        line(f"max({series(m.QUEUE_DEPTH)})", "queue"),
        line(or_zero(f"max by (venue) ({series(m.PARKED)})", "venue"), "parked {{venue}}"),
    )
    return made.axis_soft_max(1).legend(legend())


def ledger() -> timeseries.Panel:
    """Whether the store keeps up."""
    buckets = f"sum by (le) (rate({series(m.LEDGER_SECONDS)}[$__rate_interval]))"
    made = panel(
        plot(),
        "How long is a ledger write?",
        "One write carries up to 500 orders. Above the flush interval (80 ms) the queue grows. A gap: no write.",
        "s",
        line(f"histogram_quantile(0.5, {buckets})", "half"),
        line(f"histogram_quantile(0.99, {buckets})", "99 %"),
    )
    return made.override_by_name("half", [tint(QUIET)]).override_by_name("99 %", [tint(SHORT)]).legend(legend())


def said() -> timeseries.Panel:
    """What became of the alerts."""
    made = panel(
        plot(),
        "Were the alerts delivered?",
        "Since the start. Written and delivered rise together; a failure is tried again unless the channel refused.",
        "locale",
        line(or_zero(f"sum({series(m.ALERTS)})"), "written"),
        line(or_zero(f"sum by (sink) ({series(m.SINK_ALERTS)})", "sink"), "delivered {{sink}}"),
        line(or_zero(f"sum by (sink) ({series(m.SINK_FAILURES)})", "sink"), "failed {{sink}}"),
    )
    return made.axis_soft_max(1).legend(legend())


def again() -> timeseries.Panel:
    """What came twice."""
    why = (
        "Orders seen again since the start, and not counted again. A steady rise is normal: Binance sends each order "
        "on two sockets. So is a step after a reconnect."
    )
    expr = f"sum({series(m.DUPLICATES)})"
    made = panel(plot(), "How many orders came twice?", why, "locale", line(expr, "duplicate orders"))
    return made.override_by_name("duplicate orders", [tint(QUIET)]).axis_soft_max(1).legend(legend())


def errors() -> timeseries.Panel:
    """Whether the store refuses."""
    why = "Calls that failed since the start and were repeated, so nothing is lost. Normal is a flat line at 0."
    expr = f"sum({series(m.LEDGER_ERRORS)})"
    made = panel(plot(), "Did ledger calls fail?", why, "locale", line(expr, "failed calls"))
    return made.override_by_name("failed calls", [tint(BAD)]).axis_soft_max(1).legend(legend())


def contracts() -> table.Panel:
    """What we know of the venues."""
    made = grid(
        ("contracts", "none", {}),
        ("age", "s", {"decimals": 0}),
        sort="contracts",
        by=("venue",),
    )
    return panel(
        made,
        "Which contracts are known?",
        f"From the venue's own metadata, fetched hourly; its age {CLOCK} An order of an unknown contract is parked, "
        "never guessed.",
        "none",
        cells(f"max by (venue) ({series(m.INSTRUMENTS)})"),
        cells(f"min by (venue) ({series(m.INSTRUMENTS_AGE)})"),
    )


def leader() -> stat.Panel:
    """Who may speak."""
    made = panel(
        stat.Panel(),
        "Replicas judging (must be 1)",
        "Every replica counts; exactly one judges and speaks. Nobody: no alert can be written.",
        "none",
        now(f"sum({series(m.LEADER)})"),
    )
    made.mappings([words(_0=("nobody", BAD))]).thresholds(steps((None, BAD), (1, GOOD), (2, BAD)))
    return made.graph_mode(BigValueGraphMode.NONE).reduce_options(last())
