"""What stands beside the liquidations: ETF flows, rates, and what is said of them together.

A field that is not known is null, never 0; what is known but old says so. Percentages are per cent, shares and rates
fractions, times ms UTC; days of ETF flows are days in US Eastern time.
"""

from collections.abc import Mapping

from service.model.leverage import FundingNow, Leverage, OiMove, Risk
from service.model.words import Record, Side


class FlowDay(Record, frozen=True, kw_only=True):
    """Net creations of one asset's US spot ETFs on one trading day, as one source told them."""

    asset: str
    date: str
    """The US trading day, as 2026-01-13."""
    usd: float
    units: float | None = None
    """Coins, where the source tells them."""
    funds: Mapping[str, float] = {}
    """Dollars by fund."""
    complete: bool = True
    """False while some funds have not reported."""


class EtfFlow(Record, frozen=True, kw_only=True):
    """The last day that had been published, and what it means beside the days before it."""

    asset: str
    date: str
    usd: float
    units: float | None
    funds: Mapping[str, float]
    complete: bool
    source: str
    told_at: int
    """When this day was first known here."""
    revised_from_usd: float | None
    """What was told first, where it has been changed since."""
    streak: int
    """Trading days in a row with money the same way, this one included; negative for outflows, 0 for none."""
    largest_since: str | None
    """The last day with at least as much the same way; null where a trading day nobody knows comes before it."""
    first_date: str
    """How far back the memory reaches."""
    usual_usd: float | None
    """Median of the size of the 60 days before; null below 20 of them."""
    five_day_usd: float | None
    way: str
    """`in`, `out`, or `flat` where it is less than a quarter of the usual size."""
    fresh: bool
    reason: str = ""
    """Why it is not fresh; of a fresh one, that funds are missing or that another source tells another figure."""
    streak_at_least: bool = False
    """Whether the streak may be longer: the day before it is not known."""


class Rates(Record, frozen=True, kw_only=True):
    """US policy rate and what yields expect of it, in per cent a year; each series has its own date."""

    target_low: float | None
    target_high: float | None
    sofr: float | None
    three_month: float | None
    two_year: float | None
    dates: Mapping[str, str]
    implied: float | None
    """The 2-year yield less the middle of the target range, percentage points."""
    word: str | None
    """`lower`, `unchanged` or `higher`: where the 2-year yield puts the policy rate."""
    next_meeting: str | None
    """Last day of the next FOMC meeting, a date in US Eastern time."""
    days_to_meeting: int | None
    source: str
    told_at: int
    fresh: bool
    reason: str = ""
    """What is old or missing, said; `fresh` is false where nothing may be concluded from it."""
    near: float | None = None
    """The 3-month yield less the middle of the target range, percentage points."""


class Situation(Record, frozen=True, kw_only=True):
    """What an alert knows when it asks for its context. Times ms UTC, money in dollars."""

    asset: str
    """The alert's own; ALL is all coins."""
    side: Side
    onset: int
    """Before anything was liquidated; of a recording of totals the beginning of the hour."""
    at: int
    venues: Mapping[str, float] | None = None
    """Both sides' dollars of the hour by venue, of the asset whose leverage it is; null where nobody knows venues."""
    since_onset: Mapping[str, float] | None = None
    """The same since the onset; null where nobody knows single orders, or the onset is further back than they are."""
    forced_24h_usd: float | None = None
    """Dollars of the side in 24 h; null where they are not whole."""
    at_least: bool = True
    """Whether these dollars are floors."""


class Divergence(Record, frozen=True, kw_only=True):
    """What slow money did while leverage was closed by force: one plain rule, with all it was told."""

    rule: str
    """`aligned_up`, `hollow_squeeze`, `leverage_only_up`, `absorption`, `aligned_down` or `leverage_only_down`."""
    diverges: bool
    """True where the two go against each other: shorts or longs die while the slow money does the opposite of it."""
    flow_usd: float
    """Net ETF dollars of the day in `date`, all assets of the alert that have ETFs."""
    date: str
    forced_usd: float | None
    """Forced dollars of the side in 24 h."""
    ratio: float | None
    """Size of the flow over the forced dollars."""


class Context(Record, frozen=True, kw_only=True):
    """What was known beside an alert when it was written. What was missing or old stands in `missing`, with why."""

    asset: str
    """Whose leverage it is; BTC stands for ALL."""
    oi: OiMove | None = None
    funding: FundingNow | None = None
    risk: Risk | None = None
    flows: tuple[EtfFlow, ...] = ()
    rates: Rates | None = None
    divergence: Divergence | None = None
    missing: Mapping[str, str] = {}
    """`open_interest`, `share`, `funding`, `risk`, `etf BTC`, `etf BTC units`, `rates` -> why it is not here."""


class SourceReport(Record, frozen=True, kw_only=True):
    """One source of context as it stands; `address` without its secrets."""

    name: str
    address: str
    every_s: float
    asked_at: int | None
    answered_at: int | None
    """The last answer that could be used, an unchanged one among them."""
    changed_at: int | None
    """When what it says last changed."""
    failures: int
    """In a row."""
    reason: str
    """What is wrong now; empty when nothing is."""


class ContextReport(Record, frozen=True, kw_only=True):
    """All the context of one asset as it stands."""

    asset: str
    now: int
    leverage: Leverage | None
    risk: Mapping[str, Risk]
    """By side."""
    flows: tuple[EtfFlow, ...]
    rates: Rates | None
    missing: Mapping[str, str]
    sources: tuple[SourceReport, ...]
