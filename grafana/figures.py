"""How it stands now: the figures at the top of the board Cascade. Owns their questions, no look."""

from asking import DAY, HOUR, both_usd, floor, now, series, side_usd
from grafana_foundation_sdk.builders import common, gauge, stat
from grafana_foundation_sdk.models.common import BigValueColorMode, BigValueTextMode
from panels import (
    BAD,
    GOOD,
    LONG,
    NO_ANSWER,
    NO_DATA,
    ODD,
    PLAIN,
    QUIET,
    SEVERITIES,
    SHORT,
    figure,
    fixed,
    last,
    panel,
    sided,
    steps,
    tint,
    words,
)

from service import metrics as m
from service.detector.rules import Rules
from service.model import Severity, Side

RULES = Rules()


def banner() -> stat.Panel:
    """Real, rehearsed or gone, on the whole width."""
    why = (
        "A rehearsal plays invented orders through the real service, on a clock that is neither now nor as fast. "
        "Nothing on this board is a market then."
    )
    gone = NO_ANSWER.replace(NO_DATA, NO_DATA.upper())
    expr = f"max({series(m.SIMULATED)}) or vector(2)"
    made = panel(figure(), "Is this the market?", why, "none", now(expr)).no_value(gone)
    made.mappings(
        [
            words(
                _0=("LIVE: real venues", QUIET),
                _1=("SIMULATION: not the market, not this clock", LONG),
                _2=(gone, BAD),
            )
        ]
    )
    made.color_mode(BigValueColorMode.BACKGROUND_SOLID)
    made.text(common.VizTextDisplayOptions().value_size(16))  # left to itself it shrinks to nothing in a low panel
    return made.color_scheme(fixed(BAD))


def closed(span: str, title: str) -> stat.Panel:
    """Both sides' dollars as they are now."""
    why = (
        "Dollars of positions closed by force, all venues, by venue time. Some venues show only a part of their "
        "orders, so it is at least this much."
    )
    queries = (now(side_usd(Side.LONG, span), "longs"), now(side_usd(Side.SHORT, span), "shorts"))
    made = sided(panel(figure(), title, why, "currencyUSD", *queries)).decimals(1)
    return made.text_mode(BigValueTextMode.VALUE_AND_NAME)


def multiple() -> stat.Panel:
    """How unusual the hour is."""
    why = (
        "The hour over what an hour usually holds at this time of day, large orders capped in the usual. "
        "No data: the market is not known well enough yet."
    )
    expr = f"{both_usd(HOUR)} / max({series(m.USUAL_USD, asset='$asset')})"
    made = panel(figure(), "Times the usual hour", why, "suffix: x", now(expr))
    return made.color_scheme(fixed(PLAIN)).decimals(1)


def as_large() -> stat.Panel:
    """Since when there was nothing like it."""
    why = (
        "When the hour, and 24 hours, last held as many dollars of both sides; or that nothing as large is remembered, "
        "and since when. No data: the memory is too short to say."
    )
    queries = []
    for span in (HOUR, DAY):
        seen = series(m.AS_LARGE, asset="$asset", span=span, state="seen")
        unseen = series(m.AS_LARGE, asset="$asset", span=span, state="unseen")
        queries.append(now(f"1000 * max({seen})", f"{span}: last on"))
        queries.append(now(f"1000 * max({unseen})", f"{span}: nothing since"))
    made = panel(figure(), "When was it last as large?", why, "dateTimeAsIso", *queries)
    made.text(common.VizTextDisplayOptions().value_size(22))
    return made.color_scheme(fixed(PLAIN)).text_mode(BigValueTextMode.VALUE_AND_NAME)


def share_gauge() -> gauge.Panel:
    """Whose cascade it is."""
    share = RULES.share
    why = f"Short dollars over all dollars. An episode needs one side to hold {share:.0%}: blue shorts, orange longs."
    expr = f"max({series(m.WINDOW_SHARE, asset='$asset', span='$span')})"
    made = panel(gauge.Panel(), "Short share, last $span", why, "percentunit", now(expr)).min(0).max(1)
    made.thresholds(steps((None, LONG), (round(1 - share, 4), QUIET), (share, SHORT)))
    return made.reduce_options(last()).show_threshold_labels(show_threshold_labels=False).decimals(0)


def floor_gauge() -> gauge.Panel:
    """How far the next alert is."""
    why = (
        "The hour total of both sides over the asset's floor. From 100 % on an episode may open, if one side "
        "dominates; signals may open one before."
    )
    made = panel(gauge.Panel(), "Hour against its floor", why, "percentunit", now(f"{both_usd(HOUR)} / {floor()}"))
    colors = [(None, QUIET), (1.0, SEVERITIES[Severity.WATCH])]
    colors += [(RULES.warning, SEVERITIES[Severity.WARNING]), (RULES.critical, SEVERITIES[Severity.CRITICAL])]
    made.min(0).max(RULES.critical).thresholds(steps(*colors)).decimals(0)
    return made.reduce_options(last()).show_threshold_labels(show_threshold_labels=False)


def open_episodes() -> stat.Panel:
    """How many cascades run."""
    counts = [
        now(f"sum(max by (kind) ({series(m.EPISODES, severity=severity)}))", severity.value) for severity in Severity
    ]
    why = (
        "Cascades that opened and have not closed, by severity: of all coins together and of single ones, most of "
        "which are part of it."
    )
    made = panel(figure(), "Open episodes", why, "none", *counts).text_mode(BigValueTextMode.VALUE_AND_NAME)
    for severity, color in SEVERITIES.items():
        made.override_by_name(severity.value, [tint(color)])
    return made


def coverage() -> stat.Panel:
    """How much of the hour was heard."""
    why = (
        "Live venue-seconds over all venue-seconds. Below 100 % something was not heard: totals are too low, not zero."
    )
    expr = f"max({series(m.COVERAGE, span='$span')})"
    made = panel(figure(), "Heard, last $span", why, "percentunit", now(expr)).decimals(0)
    return made.thresholds(steps((None, BAD), (0.8, ODD), (0.95, GOOD)))
