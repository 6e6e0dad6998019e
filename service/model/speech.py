"""What is said of the market: episodes, and the alerts that tell their turns."""

from collections.abc import Mapping

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
    estimated: Mapping[str, float] | None = None
    baseline: Mapping[str, float] | None = None
    excitation: Mapping[str, float] | None = None
    record: Mapping[str, str] | None = None
    coverage: Coverage | None = None
    lead: Mapping[str, str | float] | None = None
    venues: Mapping[str, float] = {}
    symbols: Mapping[str, float] = {}
    largest: Largest | None = None
    price: Mapping[str, float] | None = None
    simulated: bool = False
    why: Words = Words(en="", zh="")


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
