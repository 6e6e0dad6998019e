"""The shapes of the answers that are no records of the house themselves. Meanings of the fields: meanings.py."""

from collections.abc import Mapping, Sequence

from service.model import (
    Alert,
    BadFrame,
    Certainty,
    Coverage,
    Episode,
    Estimated,
    EtfFlow,
    Largest,
    Leverage,
    Rates,
    Record,
    Risk,
    SecondOpinion,
    SinkReport,
    SourceReport,
    Totals,
    VenueReport,
)


class Page(Record, frozen=True, kw_only=True):
    """Alerts, newest last, and the cursor to ask on with."""

    alerts: Sequence[Alert]
    next: str


class Part(Record, frozen=True, kw_only=True):
    """What was liquidated inside a span: dollars and orders of both sides."""

    long_usd: float
    short_usd: float
    total_usd: float
    share: float | None
    long_count: int
    short_count: int


class Window(Record, frozen=True, kw_only=True):
    """One rolling span of one asset, and what stands behind its total."""

    asset: str
    span: str
    now: int
    long_usd: float
    short_usd: float
    total_usd: float
    mid_usd: float
    hi_usd: float
    share: float | None
    long_count: int
    short_count: int
    at_least: bool
    coverage: Coverage
    by_venue: Mapping[str, Part]
    by_symbol: Mapping[str, Part]
    by_asset: Mapping[str, Part] | None
    largest: Largest | None
    estimated: Estimated | None
    certainty: Certainty | None
    second_opinion: SecondOpinion | None
    simulated: bool


class Windows(Record, frozen=True, kw_only=True):
    """Every rolling span of one asset."""

    asset: str
    now: int
    simulated: bool
    spans: Mapping[str, Window]


class Standing(Record, frozen=True, kw_only=True):
    """A peak of one measure and side that nothing has reached since."""

    measure: str
    usd: float
    at: int
    date: str
    zone_date: str
    comparable: bool


class Records(Record, frozen=True, kw_only=True):
    """What stands of one asset: whoever wants to be the largest since a date has to beat these."""

    asset: str
    now: int
    simulated: bool
    first_at: int | None
    regime: str | None
    alike_since: int | None
    zone: str
    records: Sequence[Standing]


class Beside(Record, frozen=True, kw_only=True):
    """What stands beside the liquidations of one asset, as it is known now."""

    asset: str
    now: int
    simulated: bool
    leverage: Leverage | None
    risk: Mapping[str, Risk]
    flows: Sequence[EtfFlow]
    rates: Rates | None
    missing: Mapping[str, str]
    sources: Sequence[SourceReport]


class Episodes(Record, frozen=True, kw_only=True):
    """Cascades that are running, largest first."""

    now: int
    simulated: bool
    episodes: Sequence[Episode]
    watching: Mapping[str, int]


class Venues(Record, frozen=True, kw_only=True):
    """The enabled venues as they stand."""

    now: int
    simulated: bool
    venues: Sequence[VenueReport]


class BadFrames(Record, frozen=True, kw_only=True):
    """Frames of one venue that could not be accepted, newest first."""

    venue: str
    frames: Sequence[BadFrame]


class Sinks(Record, frozen=True, kw_only=True):
    """The channels alerts go to as they stand."""

    now: int
    simulated: bool
    sinks: Sequence[SinkReport]


class Health(Record, frozen=True, kw_only=True):
    """The process answers."""

    status: str
    version: str
    now: int
    started_at: int
    simulated: bool


class Ready(Record, frozen=True, kw_only=True):
    """The service watches."""

    ready: bool
    problems: Sequence[str]


class Doors(Record, frozen=True, kw_only=True):
    """Where to go from here."""

    service: str
    version: str
    simulated: bool
    doors: Mapping[str, str]


def part(totals: Totals) -> Part:
    """Totals as the door shows them."""
    return Part(
        long_usd=totals.long_usd,
        short_usd=totals.short_usd,
        total_usd=totals.usd,
        share=totals.share,
        long_count=totals.long_count,
        short_count=totals.short_count,
    )
