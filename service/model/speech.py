"""What is said of the market: episodes, and the alerts that tell their turns."""

from collections.abc import Mapping

import msgspec

from service.model.context import Context
from service.model.findings import (
    Baseline,
    Certainty,
    Course,
    Estimated,
    Excitation,
    Explained,
    Lead,
    PriceMove,
    Since,
)
from service.model.market import Coverage, Largest
from service.model.words import Kind, Phase, Record, Severity, Side


class Words(Record, frozen=True, kw_only=True):
    """One sentence in the languages the house speaks."""

    en: str
    zh: str


class Alert(Record, frozen=True, kw_only=True):
    """One phase change of one episode, as programs read it. A field that is not known is null, never 0."""

    id: str
    episode: str
    kind: Kind
    phase: Phase
    severity: Severity
    asset: str
    side: Side
    span: str
    started_at: int
    at: int
    long_usd: float
    short_usd: float
    share: float | None
    at_least: bool
    peak_usd: float
    rule: str = "hour"
    """What made it speak: `early`, `level`, `hour`, `reminder` or `calm`."""
    grade: int = 0
    """0 to 5: notable, major, severe, extreme, historic."""
    burst_usd: float | None = None
    """Dollars of the side in the last five minutes; null where single orders are unknown."""
    crossed_usd: float | None = None
    """The floor of the market, in dollars, where the hour has just crossed it; null when that was said before."""
    parent: str | None = None
    """Id of the open episode of ALL this one is a line of; null for one that speaks for itself."""
    pattern: str | None = None
    """`whale`, `single_venue`, `single_asset`, `market_wide` or `mixed`; null while unknown."""
    certainty: Certainty | None = None
    estimated: Estimated | None = None
    baseline: Baseline | None = None
    excitation: Excitation | None = None
    record: Since | None = None
    coverage: Coverage | None = None
    lead: Lead | None = None
    coincides: tuple[str, ...] = ()
    """Calendar entries within 15 minutes of the onset: beside it, not its cause."""
    course: Course | None = None
    venues: Mapping[str, float] = {}
    symbols: Mapping[str, float] = {}
    largest: Largest | None = None
    assets: Mapping[str, float] = {}
    """Of ALL: dollars by asset, largest first."""
    price: PriceMove | None = None
    context: Context | None = None
    """What stood beside it: leverage, ETF flows, rates; null where nothing is asked for it, or before there was any."""
    simulated: bool = False
    why: Words = Words(en="", zh="")
    explain: Explained | msgspec.UnsetType = msgspec.UNSET
    """Only where it was asked for."""


def unexplained(alert: Alert) -> Alert:
    """The alert as it is shown to whoever did not ask how it came about."""
    return msgspec.structs.replace(alert, explain=msgspec.UNSET)


class Episode(Record, frozen=True, kw_only=True):
    """One cascade as it stands: the running hour, its peak hour so far, and what was last said of it."""

    id: str
    kind: Kind
    side: Side
    asset: str
    severity: Severity
    started_at: int
    at: int
    long_usd: float
    short_usd: float
    share: float | None
    peak_usd: float
    peak_at: int
    alerts: int
    onset: int
    rule: str
    grade: int
    stage: str
    """`running`, or `fading` when the signals are low and it may come back."""
    parent: str | None
