"""Is every venue heard: the upper half of the board Feeds. Owns its questions, no look.

Counters are shown as they stand, since the service started: rate() and increase() lose the first value of a series
that is born with its first event, which is the one that matters for errors.
"""

from asking import CHOSEN_VENUES, cells, line, now, or_zero, series, tail
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import VisibilityMode
from panels import BAD, GOOD, ODD, QUIET, figure, grid, legend, panel, plain, plot, steps, tint, words

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


def ranks() -> str:
    """Each socket's state as a number, best first."""
    each = (
        f"{rank} * ({series(m.FEED_STATE, CHOSEN_VENUES, state=state)} == 1)"
        for rank, state in enumerate(STATES, start=1)
    )
    return " or ".join(each)


def state_words() -> dict[str, tuple[str, str]]:
    """Text and colour of each rank."""
    return {f"_{rank}": (state.value, color) for rank, (state, color) in enumerate(STATES.items(), start=1)}


def missing() -> stat.Panel:
    """Whether all is well, in one number."""
    live = series(m.FEED_STATE, CHOSEN_VENUES, state=FeedState.LIVE)
    made = panel(
        figure(),
        "Sockets not live",
        "Planned sockets of the chosen venues whose state is another than live. A venue counts as heard only while all "
        "of its sockets are.",
        "none",
        now(f"count(max by (venue, socket) ({live}) == 0) or 0 * count({live})"),
    )
    return made.mappings([words(_0=("none", GOOD))]).thresholds(steps((None, GOOD), (1, BAD)))


def silenced() -> stat.Panel:
    """Live, and yet suspect."""
    made = panel(
        figure(),
        "Silent venues",
        "Their sockets are live, but dozens of orders were due, going by the other venues, and none came. Its time "
        "counts as unheard. No data: no venue is judged yet.",
        "none",
        now(f"sum(max by (venue) ({series(m.VENUE_SILENT, CHOSEN_VENUES)}))"),
    )
    return made.mappings([words(_0=("none", GOOD))]).thresholds(steps((None, GOOD), (1, BAD)))


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
        ("pong", "s", age),
        ("frame", "s", age),
        ("control", "s", age | {"noValue": "has none"}),
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
        cells(f"min {each} ({series(m.PONG_AGE, CHOSEN_VENUES)})"),
        cells(f"min {each} ({series(m.FRAME_AGE, CHOSEN_VENUES)})"),
        cells(f"min {each} ({series(m.CONTROL_AGE, CHOSEN_VENUES)})"),
        cells(f"sum {each} ({series(m.DIALS, CHOSEN_VENUES)})"),
    )


def frames() -> timeseries.Panel:
    """Whether anything comes in at all."""
    why = (
        "Everything the venues sent, answers to pings too. A line that falls to 0 while its socket is live: the venue "
        "has stopped talking."
    )
    expr = f"sum by (venue) (rate({series(m.FRAMES, CHOSEN_VENUES)}[$__rate_interval]))"
    return panel(plot(), "How many frames come in?", why, "suffix:/s", line(expr, "{{venue}}")).legend(legend())


def orders() -> timeseries.Panel:
    """How much comes in."""
    why = "Orders counted once, after duplicates are taken out. Quiet markets are quiet here too: look at the states."
    expr = f"sum by (venue) (rate({series(m.ORDERS, CHOSEN_VENUES)}[$__rate_interval]))"
    return panel(plot(), "How many orders come in?", why, "suffix:/s", line(expr, "{{venue}}")).legend(legend())


def lag() -> timeseries.Panel:
    """How late we are."""
    lags = series(m.INGEST_LAG, CHOSEN_VENUES)
    made = panel(
        plot(),
        "How late do orders arrive?",
        f"From the venue's time of an order to the ledger, {CLOCK} Half of all are faster than the grey line, of each "
        "venue 99 % than its own. A gap: no order came.",
        "s",
        line(tail(0.5, "", lags), "half of all"),
        line(tail(0.99, "venue", lags), "99 % {{venue}}"),
    )
    return made.override_by_name("half of all", [tint(QUIET)]).legend(legend())


def ages() -> timeseries.Panel:
    """How long ago each venue gave a sign of life."""
    expr = f"max by (venue) (min by (venue, socket) ({series(m.FRAME_AGE, CHOSEN_VENUES)}))"
    why = f"Since the last frame of each venue's quietest socket, {CLOCK} A line that climbs without end has died."
    return panel(plot(), "How old is the last frame?", why, "s", line(expr, "{{venue}}")).legend(legend())


def dials() -> timeseries.Panel:
    """How steady the lines are."""
    expr = f"sum by (venue) ({series(m.DIALS, CHOSEN_VENUES)})"
    why = (
        "Connections tried since the start, first ones included. A step a day is normal, since venues end sockets "
        "after 24 h; a staircase means a venue throws us out."
    )
    made = panel(plot(), "How often was dialed?", why, "locale", line(expr, "{{venue}}"))
    return made.fill_opacity(0).legend(legend())


def gaps() -> timeseries.Panel:
    """What was missed, and what of it came back."""
    made = panel(
        plot(),
        "How much of the last day was missed?",
        "Seconds of the last 24 h in which a venue was not live. Healed: its history told them later. Missing: nobody "
        "will, and totals are too low by what fell there; so is all that was before the first start.",
        "s",
        line(f"max by (venue) ({series(m.GAP_SECONDS, CHOSEN_VENUES, state='missing')})", "missing {{venue}}"),
        line(f"max by (venue) ({series(m.GAP_SECONDS, CHOSEN_VENUES, state='healed')})", "healed {{venue}}"),
    )
    return made.fill_opacity(0).legend(legend())


def unread() -> timeseries.Panel:
    """What nobody could read."""
    expr = or_zero(f"sum by (venue, reason) ({series(m.BAD_FRAMES, CHOSEN_VENUES)})", "venue")
    why = "Frames and rows kept for inspection since the start. A step on one venue: it has changed its format."
    made = panel(plot(), "What could not be read?", why, "locale", line(expr, "{{venue}} {{reason}}"))
    return made.axis_soft_max(1).legend(legend())


def parked() -> timeseries.Panel:
    """What is not counted yet."""
    why = (
        "Orders of contracts nobody has described. They are counted as soon as the venue's metadata names them; until "
        "then totals are too low. 0 when well."
    )
    expr = or_zero(f"max by (venue) ({series(m.PARKED, CHOSEN_VENUES)})", "venue")
    made = panel(plot(), "Which orders wait for their contract?", why, "locale", line(expr, "{{venue}}"))
    return made.axis_soft_max(1).legend(legend())


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
        cells(f"max by (venue) ({series(m.INSTRUMENTS, CHOSEN_VENUES)})"),
        cells(f"min by (venue) ({series(m.INSTRUMENTS_AGE, CHOSEN_VENUES)})"),
    )
