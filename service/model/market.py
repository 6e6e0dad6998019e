"""What happens on the market: contracts, orders, and how much of them a span holds."""

from collections.abc import Mapping

from service.model.findings import Certainty, Estimated, Excitation
from service.model.words import USD_DIGITS, Contract, Record, Side

_SHARE_DIGITS = 6


class Instrument(Record, frozen=True, kw_only=True):
    """One contract as its venue's own metadata describes it. `size` is dollars or base units per unit of quantity."""

    venue: str
    symbol: str
    asset: str
    contract: Contract
    size: float
    rate: float = 1.0
    """Dollars per unit of what the price (quanto: the payout) is counted in, when the metadata was fetched."""
    mark: float | None = None
    """The last price the metadata told, for feeds whose orders carry none."""
    alias: str = ""
    """What people call the contract, where the feed knows it by a number only."""


class Print(Record, frozen=True, kw_only=True):
    """One forced order as its venue told it, side already the position's; quantity in the venue's own unit.

    `price` is in quote currency, None where the feed tells none; `rate` is dollars per unit of the payout coin where
    the feed tells it, and is read for a quanto contract only. `at` is the venue's time and `seen` ours, both in ms
    UTC. `id` is the venue's own id or a digest of the identifying raw fields: the same order seen twice has the same
    id.
    """

    venue: str
    symbol: str
    side: Side
    price: float | None
    quantity: float
    at: int
    seen: int
    id: str
    rate: float | None = None


class Liquidation(Record, frozen=True, kw_only=True):
    """One forced order in the house's words. `quantity` in base units of `asset`'s contract, `usd` in dollars."""

    venue: str
    symbol: str
    asset: str
    side: Side
    price: float | None
    quantity: float | None
    usd: float
    at: int
    seen: int
    id: str


class Totals(Record, frozen=True, kw_only=True):
    """Dollars and orders of both sides inside one span: a lower bound, since the oldest partial bucket is left out."""

    long_usd: float = 0.0
    short_usd: float = 0.0
    long_count: int = 0
    short_count: int = 0

    @property
    def usd(self) -> float:
        """Both sides together."""
        return round(self.long_usd + self.short_usd, USD_DIGITS)

    @property
    def share(self) -> float | None:
        """The part of short in both, or None when nothing was liquidated: unknown is not zero."""
        return round(self.short_usd / self.usd, _SHARE_DIGITS) if self.usd else None


class Pulse(Record, frozen=True, kw_only=True):
    """Signals of one market at the end of one second (`at`, ms UTC): how unusual it is, how much it breeds.

    `breadth` is B and `early` is E of the detector, each with the level at which it speaks; dollars are those of the
    last `width_s` seconds, `lean` the part of shorts in them with large orders capped.
    """

    at: int
    width_s: int
    early: float
    early_level: float
    watch_level: float
    breadth: float
    breadth_level: float
    growth_z: float
    orders_minute: int
    orders: int
    long_usd: float
    short_usd: float
    lean: float | None
    onset: int
    usual_rate: float
    """Orders a second."""
    usual_usd: float
    """Capped dollars a second."""
    median_usd: float
    cap_usd: float
    days: float
    """Days the levels have been learnt from."""
    rarity_days: float | None
    excitation: Excitation

    def usual(self, seconds: int) -> float | None:
        """Dollars so many seconds usually hold at this time of day; None while nothing is learnt."""
        return self.usual_usd * seconds or None


class Depth(Record, frozen=True, kw_only=True):
    """What the single orders of a span say beyond their sum; null for spans above an hour and where nobody can say."""

    certainty: Certainty | None = None
    estimated: Estimated | None = None


class Edge(Record, frozen=True, kw_only=True):
    """What a span's totals leave out: the bucket its old edge runs through. The truth lies between without and with it.

    `inside` is the part of the bucket's time that is still inside the span, above 0, at most 1.
    """

    totals: Totals
    inside: float

    def mid_usd(self, counted: Totals) -> float:
        """Both sides of a span, best guess: as if the bucket's dollars lay evenly in its time. For display."""
        return round(counted.usd + self.inside * self.totals.usd, USD_DIGITS)

    def hi_usd(self, counted: Totals) -> float:
        """Both sides of a span, certainly not more than this."""
        return round(counted.usd + self.totals.usd, USD_DIGITS)


class Reading(Record, frozen=True, kw_only=True):
    """All spans of one asset at one moment (`now`, ms UTC), and how much of each span was heard.

    `late_usd` are those dollars of the last hour that were told more than two minutes after they happened.
    """

    asset: str
    now: int
    spans: Mapping[str, Totals]
    coverage: Mapping[str, "Coverage"] = {}
    late_usd: float = 0.0
    pulse: Pulse | None = None
    """The second-by-second signals; None where single orders are unknown or too little has been heard."""
    against: Side | None = None
    """The side that prices speak against: its orders are forced one way while prices go the other."""


class Largest(Record, frozen=True, kw_only=True):
    """The largest single order of a span."""

    venue: str
    symbol: str
    side: Side
    usd: float
    at: int


class Detail(Record, frozen=True, kw_only=True):
    """One span of one asset broken down; every mapping is name -> Totals, largest total first."""

    asset: str
    span: str
    now: int
    venues: Mapping[str, Totals]
    symbols: Mapping[str, Totals]
    assets: Mapping[str, Totals]
    largest: Largest | None


class Coverage(Record, frozen=True, kw_only=True):
    """How much of a span was heard on the enabled venues that list the asset: live now, and venue-seconds heard."""

    venues_live: int
    venues: int
    seconds_share: float | None
    """Venue-seconds heard over all venue-seconds, 0 to 1; None while unknown."""
    healed_share: float | None = None
    """The part of them that no socket brought and a venue's history told later."""
    by_venue: Mapping[str, float] = {}
    """`seconds_share` of each venue."""
    leaving_out: tuple[str, ...] = ()
    """Those of the venues whose public feed leaves orders out: with one of them a total is a floor."""

    @property
    def at_least(self) -> bool:
        """Whether a total of this coverage is a floor: something was not heard, or was never told."""
        return bool(self.leaving_out) or self.seconds_share is None or self.seconds_share < 1
