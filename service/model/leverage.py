"""Leverage on the venues: open interest, funding, marks, and the gauge made of them.

A field that is not known is null, never 0. Percentages are per cent, shares and rates fractions, times ms UTC.
"""

from collections.abc import Mapping

from service.model.words import Record, Side


class Ticker(Record, frozen=True, kw_only=True):
    """One contract as its venue told it, one-sided; a part of it where the venue tells it in parts.

    `at` is the venue's time where it tells one, else ours; `seen` ours.
    """

    venue: str
    symbol: str
    asset: str
    at: int
    seen: int
    oi_coins: float | None = None
    """Open interest in the contract's own base units, each contract counted once (a venue's both sides are halved)."""
    oi_usd: float | None = None
    """The same in dollars, where the venue tells it or a contract is worth a fixed sum."""
    funding: float | None = None
    """What longs pay shorts of their position each interval, a fraction; negative where shorts pay."""
    interval_h: float | None = None
    """Hours between two payments."""
    mark: float | None = None
    """The mark price in quote currency, of the contract as it is quoted."""
    volume_usd: float | None = None
    """Dollars traded in the last 24 h."""
    inverse: bool = False
    """A contract is worth a fixed sum of dollars: in coins its open interest would move with the price alone."""


class VenueLeverage(Record, frozen=True, kw_only=True):
    """One venue's part of an asset's leverage. What is older than its poll allows is not here but in `missing`."""

    venue: str
    oi_usd: float | None
    oi_at: int | None
    funding_8h: float | None
    """Per eight hours, whatever the venue's own interval is."""
    funding_at: int | None
    mark: float | None
    mark_at: int | None


class Leverage(Record, frozen=True, kw_only=True):
    """An asset's leverage over the venues that told it lately. Changes compare the same contracts only."""

    asset: str
    now: int
    oi_usd: float | None
    """Open interest, one-sided, of the venues in `venues` that tell it: a floor of the market's."""
    oi_change_1h_pct: float | None
    """Of the contracts known at both times, in coins; in dollars where one is worth a fixed sum of them."""
    oi_change_24h_pct: float | None
    oi_pct: float | None
    """Part of the last 30 days in which it was lower, counted alike, 0 to 1."""
    oi_days: float
    """Days these 30 rest on."""
    funding_8h: float | None
    """Weighted by open interest."""
    funding_pct: float | None
    """Part of the last 90 days in which it was lower, 0 to 1."""
    funding_days: float
    mark: float | None
    mark_at: int | None
    volume_usd: float | None
    venues: tuple[VenueLeverage, ...]
    missing: Mapping[str, str]
    """Venues that list it and tell nothing fresh, and why."""


class RiskPart(Record, frozen=True, kw_only=True):
    """One part of the gauge: `crowding`, `leverage` or `stretch`."""

    name: str
    value: float | None
    """0 to 1; null while unknown."""
    weight: float
    at: int | None
    """When its youngest input was told."""
    days: float
    """Days of history it is compared with."""
    inputs: Mapping[str, float | None]
    reason: str = ""
    """Why it is unknown."""


class Risk(Record, frozen=True, kw_only=True):
    """How much fuel a squeeze of this side has before anything happens, 0 to 100. A gauge, not a forecast."""

    asset: str
    side: Side
    now: int
    score: float | None
    word: str | None
    """`low`, `raised` (60), `high` (80) or `extreme` (90)."""
    parts: tuple[RiskPart, ...]
    reason: str = ""
    """Why there is no score."""
    of: str = ""
    """The one contract it is read off: the one whose past is longest."""


class OiMove(Record, frozen=True, kw_only=True):
    """Open interest before the onset and now, the same contracts at both times, beside what was liquidated of them."""

    asset: str
    venues: tuple[str, ...]
    usd: float
    """Before the onset."""
    change_pct: float
    """Each contract in what it is counted in, so that a price that moves is no change."""
    since: int
    at: int
    """When the oldest of the figures was told that stand for now; it is behind the onset."""
    liquidated_usd: float | None
    """Both sides of the alert's hour on these venues only; null where orders are not known by venue."""
    share: float | None
    """The same over `usd`."""
    at_least: bool
    """Whether `liquidated_usd` is a floor."""
    ratio: float | None
    """Dollars of open interest that vanished over those liquidated since the onset; below 0 where it grew; null where
    the dollars since the onset are not known by venue."""
    word: str | None
    """`confirms` (0.5 to 2), `more` (above: closed by choice, or feeds show too little), `none` (below)."""
    missing: tuple[str, ...]
    """Venues that list the asset, have no figure fresh at both times, and are left out on both sides."""


class FundingNow(Record, frozen=True, kw_only=True):
    """What longs pay shorts at the moment, weighted by open interest."""

    asset: str
    rate_8h: float
    percentile: float | None
    days: float
    crowded: Side | None
    """Who pays unusually much: short where it is below 0 and in its lowest tenth of 90 days, long in its highest."""
    venues: tuple[str, ...]
    at: int
