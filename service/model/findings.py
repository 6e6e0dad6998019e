"""What the detector finds out about a market beyond its dollars. A finding that is not known is null, never 0."""

from collections.abc import Mapping

import msgspec

from service.model.words import Record


class Estimated(Record, frozen=True, kw_only=True):
    """What the true dollars may be where feeds leave orders out; 90 % of the time inside [low, high]."""

    usd: float
    low: float
    high: float
    method: str
    """How the missing part was found: `order sizes`, or `reference venue` for one scaled from a complete venue."""
    venues: tuple[str, ...] = ()
    """Venues whose missing part is estimated."""
    unknown: tuple[str, ...] = ()
    """Venues whose missing part nobody can say: with one of them even this is a floor."""
    long_usd: float | None = None
    """The long part of `usd`, as far as sides can be told: unseen orders have the sides of those that were shown."""
    short_usd: float | None = None
    sizes: tuple[str, ...] = ()
    """Whose order sizes were used: `reference` (complete venues), `isolated` (the contract's own), `usual` (table)."""

    def no_less_than(self, shown_usd: float) -> "Estimated":
        """The same where a total, counted a few seconds apart from the orders, shows more."""
        if self.low >= shown_usd:
            return self
        usd, high = max(self.usd, shown_usd), max(self.high, shown_usd)
        return msgspec.structs.replace(self, low=shown_usd, usd=usd, high=high)


class Certainty(Record, frozen=True, kw_only=True):
    """How far the share of shorts can be trusted, a few large orders weighing as much as they do."""

    type: str
    """`one_sided`, `two_sided`, `whale` (one order carries the total) or `mixed`."""
    low: float
    high: float
    n_eff: float
    """Orders of equal size that would say as much: (sum of dollars)^2 / sum of squares."""


class Baseline(Record, frozen=True, kw_only=True):
    """What is usual for this market at this time of day, in dollars of one span."""

    usual_usd: float
    multiple: float
    rarity: str | None
    """In words, as `about once in 4 months`; null while the market is still being learned."""
    rarity_days: float | None
    learning: bool
    """True until 30 days have been heard: levels lean on the settings instead of on data."""
    span: str = "1h"
    """Of which span the usual dollars and the multiple are."""


class Excitation(Record, frozen=True, kw_only=True):
    """How much the liquidations feed on themselves: further orders one order causes. A gauge, not an alarm."""

    word: str
    """`fading`, `steady`, `growing` or `exploding`."""
    low: float
    high: float
    branching: float | None
    """Share of orders that earlier orders caused within seconds; null where the feed shows too little."""


class Since(Record, frozen=True, kw_only=True):
    """The last time there was at least as much. Dates belong to a zone: the same moment has two of them.

    Where nothing as large is remembered the four fields of that time are null: it is the largest since `first_at`, and
    nobody can say more.
    """

    largest_since: str | None = None
    """Date in UTC, as 2025-10-10."""
    zone_date: str | None = None
    """The same moment's date in `zone`."""
    zone: str
    """As `UTC+8`, or `UTC`: where `zone_date` is a date; it may change over the year."""
    at: int | None = None
    """The moment, ms UTC; of a whole day its noon."""
    usd: float | None = None
    """How much it was then."""
    now_usd: float | None = None
    """How much it is now; a rolling day stands nowhere else in an alert."""
    measure: str
    """What was compared: `hour`, `day` or `24h`, then the side or `total`, as `24h short`."""
    comparable: bool
    """False where the venues or what they show have changed in between: the two are not counted alike."""
    first_at: int
    """How far back the memory reaches, ms UTC."""
    running: bool = True
    """True while it may still grow: it is already the largest since; only the end makes it final."""


class Lead(Record, frozen=True, kw_only=True):
    """Who went first, or that nobody did: then venue is null, and `within_s` how close together they were."""

    venue: str | None
    symbol: str | None
    at: int | None
    share: float | None
    """The leader's part of the dollars."""
    within_s: float | None
    first_venue: str | None = None
    """Where 10 % of the dollars were reached first: shown, never decided by."""


class PriceMove(Record, frozen=True, kw_only=True):
    """Price of the asset (of ALL: of BTC) at the start and now, from the orders' own prices."""

    asset: str
    start: float
    now: float
    move_pct: float
    confirms: bool | None
    """True when it moved with the forced orders by at least its usual swing, False against them, else null."""


class Course(Record, frozen=True, kw_only=True):
    """An episode's record: when it began, how its dollars came, its running and its peak hour. Times ms UTC."""

    onset: int
    """The change point, before anything could be known."""
    p10_at: int | None
    p50_at: int | None
    p90_at: int | None
    usd: float
    """Dollars of the episode's side since the onset."""
    hour_usd: float
    peak_hour_usd: float
    peak_hour_at: int
    share_of_day: float | None
    """The peak hour's part of the last 24 h."""
    notices: int


class Fired(Record, frozen=True, kw_only=True):
    """One rule, whether it fired, and why in a sentence with its numbers."""

    rule: str
    fired: bool
    because: str


class Explained(Record, frozen=True, kw_only=True):
    """Every input, level and rule behind an alert, as they stood when it was written."""

    inputs: Mapping[str, float | str | None]
    levels: Mapping[str, float | str | None]
    rules: tuple[Fired, ...]
