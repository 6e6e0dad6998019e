"""Every Prometheus metric of the service, its labels and its sentence.

Labels are bounded by construction: venue, socket, asset (a top list + "other"), side, span, state, sink, kind,
severity, phase, reason, source (ours or theirs, process or store, a source of context, a series of rates). The pure
rooms never import this; callers count.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

REGISTRY = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]  # a birth time beside every counter is noise


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(name, text, labels, registry=REGISTRY)


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(name, text, labels, registry=REGISTRY)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, text, labels, buckets=buckets, registry=REGISTRY)


_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_WAIT = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0)
_LAG = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

# What the market does: our own windows, since increase() loses the first value of a series born non-zero.
WINDOW_USD = _gauge("cascade_window_usd", "Dollars liquidated inside the rolling span.", "asset", "side", "span")
WINDOW_ORDERS = _gauge("cascade_window_orders", "Orders liquidated inside the rolling span.", "asset", "side", "span")
WINDOW_SHARE = _gauge(
    "cascade_window_short_share", "Short dollars over all dollars; absent when none.", "asset", "span"
)
VENUE_WINDOW_USD = _gauge(
    "cascade_venue_window_usd", "Dollars liquidated on one venue in the span.", "venue", "side", "span"
)
VENUE_SILENT = _gauge(
    "cascade_venue_silent_bool", "1 while a venue with live sockets shows nothing though the others do.", "venue"
)
VENUE_EXPECTED = _gauge(
    "cascade_venue_expected_orders", "Orders due since the venue's last, going by the others; absent: unknown.", "venue"
)
COVERAGE = _gauge("cascade_coverage_ratio", "Live venue-seconds over all venue-seconds of the span.", "span")
RECONCILIATION_RATIO = _gauge(
    "cascade_reconciliation_ratio", "Our dollars over the venue's own sums of the last 24 h; absent: unknown.", "venue"
)
RECONCILIATION_USD = _gauge(
    "cascade_reconciliation_usd",
    "Dollars compared in the last 24 h: ours and the venue's own.",
    "venue",
    "side",
    "source",
)
UNDERCOUNT_RATIO = _gauge(
    "cascade_undercount_ratio",
    "Median of estimated over true dollars, its feed thinned last night; absent: unknown.",
    "venue",
)
SECOND_OPINION_USD = _gauge(
    "cascade_second_opinion_usd", "Dollars of the last hour as an aggregator counts them; absent: unknown.", "side"
)
FLOOR_USD = _gauge("cascade_floor_usd", "Hour total at which an episode may open.", "asset")
EPISODES = _gauge("cascade_episodes_open", "Episodes open now.", "kind", "severity")
EPISODE_USD = _gauge("cascade_episode_usd", "Running hour total of an open episode.", "asset", "kind", "severity")
EPISODE_STARTED = _gauge(
    "cascade_episode_started_seconds", "When an open episode was first told of, unix seconds.", "asset", "kind"
)
EPISODE_TOTAL = _gauge(
    "cascade_episode_total_usd", "Dollars of an open episode's side since its onset.", "asset", "kind"
)
EPISODE_GRADE = _gauge(
    "cascade_episode_grade",
    "Grade 1 to 5 of an open episode, 0 below; phase: what was last said, state: running or fading.",
    "asset",
    "kind",
    "severity",
    "phase",
    "state",
)
EPISODE_LEAD = _gauge(
    "cascade_episode_lead_ratio",
    "Part of an open episode's dollars on the venue that led, or, where none did, was first; absent: unknown.",
    "asset",
    "kind",
    "venue",
    "state",
)
ALERT_AT = _gauge(
    "cascade_alert_seconds",
    "When one of the last ten notices was written, unix seconds; absent before the first.",
    "asset",
    "kind",
    "phase",
    "severity",
)
SIGNAL_EARLY = _gauge(
    "cascade_signal_early_ratio", "Growth signal over its level, from 1 on it may open; absent: unknown.", "asset"
)
SIGNAL_BREADTH = _gauge(
    "cascade_signal_breadth_ratio",
    "One-sided breadth over its level, from 1 on it may open; absent: unknown.",
    "asset",
)
EXCITATION = _gauge(
    "cascade_excitation_orders",
    "Further orders one order causes, low and high end nine times in ten; absent: unknown.",
    "asset",
    "state",
)
USUAL_USD = _gauge("cascade_usual_usd", "Usual dollars of an hour now, large orders capped; absent: unknown.", "asset")
AS_LARGE = _gauge(
    "cascade_as_large_seconds",
    "When a span last held as many dollars (seen), or since when none is remembered to (unseen), unix seconds.",
    "asset",
    "span",
    "state",
)
PRICE_USD = _gauge(
    "cascade_price_usd", "Price in the asset's latest orders, of ALL that of BTC; absent: unknown.", "asset"
)
ALERTS = _counter("cascade_alerts_total", "Alerts written.", "kind", "phase", "severity")
DATA_ALARMS = _counter(
    "cascade_data_alarms_total", "Forced orders of one side while prices went the other way: check the feeds.", "reason"
)
SIMULATED = _gauge("cascade_simulated_bool", "1 while the service runs on a simulation.")

VENUE_COVERAGE = _gauge(
    "cascade_venue_coverage_ratio", "Seconds of the span heard on one venue, live or filled later.", "venue", "span"
)
ASSET_COVERAGE = _gauge(
    "cascade_asset_coverage_ratio", "Heard venue-seconds of the venues that list the asset.", "asset", "span"
)
GAP_SECONDS = _gauge(
    "cascade_gap_seconds", "Of the last 24 h: not live, by what became of it, healed or missing.", "venue", "state"
)
LATE_USD = _counter("cascade_late_usd_total", "Dollars told more than two minutes after they happened.", "venue")

# What stands beside it, out of memory: of ALL the leverage and the risk are BTC's. Unknown has no series.
OPEN_INTEREST = _gauge(
    "cascade_open_interest_usd", "Open interest of one venue in dollars, one-sided; absent: unknown.", "venue", "asset"
)
FUNDING = _gauge(
    "cascade_funding_rate",
    "Fraction of their position that longs pay shorts per 8 h, below 0 where shorts pay; absent: unknown.",
    "venue",
    "asset",
)
MARK_PRICE = _gauge("cascade_mark_price_usd", "Mark price of the asset's contracts; absent: unknown.", "asset")
SQUEEZE_RISK = _gauge(
    "cascade_squeeze_risk",
    "Fuel of a squeeze of the side, 0 to 100: a gauge, no forecast; absent: unknown.",
    "asset",
    "side",
)
SQUEEZE_RISK_AGE = _gauge(
    "cascade_squeeze_risk_age_seconds", "Since the oldest part of the gauge was told; absent: unknown.", "asset", "side"
)
ETF_FLOW = _gauge(
    "cascade_etf_net_flow_usd",
    "Net dollars into US spot ETFs on the last day that is known and whole; absent: unknown.",
    "asset",
)
ETF_DAY = _gauge(
    "cascade_etf_flow_day_seconds", "That day, a date in US Eastern time, as its midnight UTC, unix seconds.", "asset"
)
RATE = _gauge(
    "cascade_rate_percent",
    "Per cent a year: target_low, target_high, sofr, three_month, two_year; absent: unknown.",
    "source",
)
RATE_DAY = _gauge(
    "cascade_rate_day_seconds",
    "Their dates, and next_meeting, the last day of the next FOMC meeting, as midnight UTC, unix seconds.",
    "source",
)
CONTEXT_AGE = _gauge(
    "cascade_context_age_seconds", "Since a source of context last told something usable; absent: never.", "source"
)
CONTEXT_REQUESTS = _counter("cascade_context_requests_total", "Requests to a source of context.", "source")
CONTEXT_FAILURES = _counter(
    "cascade_context_failures_total", "Requests of them without a usable answer.", "source", "reason"
)

# What our machine does.
ORDERS = _counter("cascade_orders_total", "Orders counted once.", "venue", "side")
ORDERS_USD = _counter("cascade_orders_usd_total", "Dollars of the orders counted once.", "venue", "side")
DUPLICATES = _counter("cascade_duplicates_total", "Orders seen again and not counted again.")
FRAMES = _counter("cascade_frames_total", "Frames received.", "venue", "socket")
BAD_FRAMES = _counter("cascade_bad_frames_total", "Frames or rows kept for inspection.", "venue", "reason")
FEED_STATE = _gauge("cascade_feed_state_bool", "1 for the state a venue's socket is in.", "venue", "socket", "state")
FEED_CHANGES = _counter("cascade_feed_changes_total", "State changes of a venue's socket.", "venue", "socket", "state")
DIALS = _counter("cascade_dials_total", "Connections tried.", "venue", "socket")
PONG_AGE = _gauge("cascade_pong_age_seconds", "Since the venue last answered a ping.", "venue", "socket")
FRAME_AGE = _gauge("cascade_frame_age_seconds", "Since any frame came.", "venue", "socket")
CONTROL_AGE = _gauge("cascade_control_age_seconds", "Since the control stream spoke.", "venue", "socket")
INSTRUMENTS = _gauge("cascade_instruments_count", "Contracts known from the venue's metadata.", "venue")
INSTRUMENTS_AGE = _gauge("cascade_instruments_age_seconds", "Since the metadata was fetched.", "venue")
PARKED = _gauge("cascade_parked_orders", "Orders waiting for their contract's metadata.", "venue")
BACKFILL_REQUESTS = _counter("cascade_backfill_requests_total", "Pages asked of a venue's history.", "venue")
BACKFILL_ORDERS = _counter("cascade_backfill_orders_total", "Orders a history told that no socket had.", "venue")
BACKFILL_FAILURES = _counter(
    "cascade_backfill_failures_total", "Pages that could not be had, by HTTP status, none or decode.", "venue", "reason"
)
QUEUE_DEPTH = _gauge("cascade_queue_depth", "Items between the feeds and the ledger.")
INGEST_LAG = _histogram("cascade_ingest_lag_seconds", "From the venue's time to the ledger.", _LAG, "venue")
LEDGER_SECONDS = _histogram("cascade_ledger_seconds", "Real time of one ledger write.", _FAST)
LEDGER_ERRORS = _counter("cascade_ledger_errors_total", "Ledger calls that failed and were tried again.")
MEMORY = _gauge(
    "cascade_memory_bytes",
    "Memory in use: process is the service, store what the store says; absent: unknown.",
    "source",
)
LEADER = _gauge("cascade_leader_bool", "1 while this replica judges and speaks.")
SINK_ALERTS = _counter("cascade_sink_alerts_total", "Alerts a sink delivered.", "sink")
SINK_FAILURES = _counter("cascade_sink_failures_total", "Deliveries that failed.", "sink", "reason")
SINK_DELIVERY = _histogram(
    "cascade_sink_delivery_seconds",
    "From the outbox to the messenger's answer, one a row, quiet hours included.",
    _WAIT,
    "sink",
)
SINK_ROWS = _counter("cascade_sink_rows_total", "Alerts for single chats, by what became of them.", "sink", "state")
SINK_WAITING = _gauge(
    "cascade_sink_waiting_chats", "Chats with something still to be told, held ones included.", "sink"
)
SINK_OVERDUE = _gauge(
    "cascade_sink_overdue_seconds", "Since when the first chat that may be told has been waiting; 0: nobody.", "sink"
)
SUBSCRIBERS = _gauge("cascade_subscribers_count", "Chats with a bot, by whether they can be reached.", "sink", "state")
