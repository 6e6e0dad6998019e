"""Does our machine keep up, and do people hear of it: the lower half of the board Feeds. Owns its questions, no look.

Counters are shown as they stand, since the service started, for the reason told in feeds.py.
"""

from asking import line, now, or_zero, series, tail
from grafana_foundation_sdk.builders import stat, statetimeline, timeseries
from grafana_foundation_sdk.models.common import BigValueTextMode, VisibilityMode
from panels import BAD, GOOD, ODD, PLAIN, QUIET, SHORT, figure, fixed, legend, level, panel, plot, steps, tint, words

from service import metrics as m

#: The flush interval: a write that takes longer lets the queue grow.
FLUSH_S = 0.08


def leader() -> stat.Panel:
    """Who may speak."""
    made = panel(
        figure(),
        "Judging (must be 1)",
        "Every replica counts; exactly one holds the lease, judges and speaks. Nobody: no alert can be written.",
        "none",
        now(f"sum({series(m.LEADER)})"),
    )
    return made.mappings([words(_0=("nobody", BAD))]).thresholds(steps((None, BAD), (1, GOOD), (2, BAD)))


def replicas() -> stat.Panel:
    """How many there are."""
    made = panel(
        figure(),
        "Replicas",
        "Every one hears all venues and fills the others' gaps; one is enough, two survive the loss of a machine.",
        "none",
        now(f"count({series(m.LEADER)})"),
    )
    return made.color_scheme(fixed(PLAIN))


def overdue() -> stat.Panel:
    """Whether people wait."""
    made = panel(
        figure(),
        "Longest wait of a chat",
        "Since when the first chat that may be told has been waiting. Minutes are normal while thousands are served. "
        "No data: there is no channel with chats.",
        "s",
        now(f"max({series(m.SINK_OVERDUE)})"),
    )
    return made.thresholds(steps((None, GOOD), (60, ODD), (900, BAD)))


def used() -> stat.Panel:
    """Memory now."""
    made = panel(
        figure(),
        "Memory in use",
        "The largest process, and the store by its own count. Bounded by the windows, not by how long it has run. No "
        "data of the store: it is part of the process, or does not tell.",
        "bytes",
        now(f"max by (source) ({series(m.MEMORY)})", "{{source}}"),
    )
    return made.color_scheme(fixed(PLAIN)).text_mode(BigValueTextMode.VALUE_AND_NAME)


def lease() -> statetimeline.Panel:
    """Who judged when."""
    why = "Green while a replica holds the lease. One green strip at any time; a gap in all: nobody could speak then."
    made = panel(
        statetimeline.Panel(),
        "Which replica judged when?",
        why,
        "none",
        line(f"max by (instance) ({series(m.LEADER)})", "{{instance}}"),
    )
    made.mappings([words(_0=("follows", QUIET), _1=("judges", GOOD))]).fill_opacity(80).line_width(0).row_height(0.8)
    return made.show_value(VisibilityMode.NEVER).merge_values(merge_values=True).legend(legend())


def queue() -> timeseries.Panel:
    """Whether the store keeps up."""
    why = "Orders between the sockets and the ledger. It returns to 0 when well; at 100,000 the sockets have to wait."
    made = panel(plot(), "What waits to be counted?", why, "locale", line(f"max({series(m.QUEUE_DEPTH)})", "queue"))
    return made.override_by_name("queue", [tint(SHORT)]).axis_soft_max(10).legend(legend())


def again() -> timeseries.Panel:
    """What came twice."""
    why = (
        "Orders seen again since the start, and not counted again. A steady rise is normal: Binance sends each order "
        "on two sockets. So is a step after a reconnect."
    )
    expr = f"sum({series(m.DUPLICATES)})"
    made = panel(plot(), "How many orders came twice?", why, "locale", line(expr, "duplicate orders"))
    return made.override_by_name("duplicate orders", [tint(QUIET)]).axis_soft_max(1).legend(legend())


def ledger() -> timeseries.Panel:
    """Whether the store keeps up."""
    writes = series(m.LEDGER_SECONDS)
    made = panel(
        plot(),
        "How long is a ledger write?",
        "One write carries up to 500 orders. Above the flush interval (80 ms) the queue grows. A gap: no write.",
        "s",
        line(tail(0.5, "", writes), "half"),
        line(tail(0.99, "", writes), "99 %"),
    )
    made.override_by_name("half", [tint(QUIET)]).override_by_name("99 %", [tint(SHORT)])
    return level(made, FLUSH_S).axis_soft_max(1.25 * FLUSH_S).legend(legend())


def errors() -> timeseries.Panel:
    """Whether the store refuses."""
    why = "Calls that failed since the start and were repeated, so nothing is lost. Normal is a flat line at 0."
    expr = f"sum({series(m.LEDGER_ERRORS)})"
    made = panel(plot(), "Did ledger calls fail?", why, "locale", line(expr, "failed calls"))
    return made.override_by_name("failed calls", [tint(BAD)]).axis_soft_max(1).legend(legend())


def memory() -> timeseries.Panel:
    """Whether it grows."""
    why = (
        "Of each process, and of the store as it says itself. A slope that does not flatten within a day is a leak; "
        "steps with the market are not."
    )
    expr = f"max by (source) ({series(m.MEMORY)})"
    made = panel(plot(), "Does memory stay where it is?", why, "bytes", line(expr, "{{source}}"))
    return made.override_by_name("process", [tint(SHORT)]).override_by_name("store", [tint(QUIET)]).legend(legend())


def said() -> timeseries.Panel:
    """What became of the alerts."""
    made = panel(
        plot(),
        "Were the alerts delivered?",
        "Since the start. Written and delivered rise together: a channel that stays below has something to catch up "
        "with, or leaves out single coins inside a larger cascade.",
        "locale",
        line(or_zero(f"sum({series(m.ALERTS)})"), "written"),
        line(or_zero(f"sum by (sink) ({series(m.SINK_ALERTS)})", "sink"), "delivered {{sink}}"),
        line(or_zero(f"sum by (sink, state) ({series(m.SINK_ROWS)})", "sink"), "to chats: {{sink}} {{state}}"),
    )
    return made.override_by_name("written", [tint(PLAIN)]).axis_soft_max(1).legend(legend())


def failures() -> timeseries.Panel:
    """What went wrong with them."""
    expr = or_zero(f"sum by (sink, reason) ({series(m.SINK_FAILURES)})", "sink")
    why = (
        "Failed deliveries since the start, by channel and reason. A failure is tried again unless the channel refused "
        "for good; a wait the messenger asked for is no fault."
    )
    made = panel(plot(), "Which deliveries failed?", why, "locale", line(expr, "{{sink}} {{reason}}"))
    return made.axis_soft_max(1).legend(legend())


def waiting() -> timeseries.Panel:
    """Chats still to be told."""
    expr = or_zero(f"max by (sink) ({series(m.SINK_WAITING)})", "sink")
    why = "Chats with something still to be told, quiet hours included. It rises with an alert and falls slowly."
    made = panel(plot(), "How many chats wait?", why, "locale", line(expr, "{{sink}}"))
    return made.axis_soft_max(1).legend(legend())
