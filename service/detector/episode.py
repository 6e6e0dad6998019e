"""What is remembered of an episode between two readings, and what is said of it at a turn. Records only."""

from service.detector import signal
from service.model import Kind, Phase, Reading, Record, Severity, Side, Totals


class Open(Record, frozen=True, kw_only=True):
    """An open episode: what was said of it, how high it went, since when it has been calm. Dollars, ms UTC."""

    id: str
    kind: Kind
    side: Side
    severity: Severity
    started_at: int
    said_usd: float
    """Dollars of the episode's side when the last alert was written."""
    peak_usd: float
    peak_at: int
    alerts: int
    calm_since: int | None = None
    """The hour does not speak for it since then."""
    low_since: int | None = None
    """The signals do not speak for it since then."""
    onset: int = 0
    said_at: int = 0
    said_severity: Severity = Severity.WATCH
    crossed: bool = False
    """Its hour has crossed the floor, and that was said."""
    rule: str = signal.HOUR_RULE
    """The rule that opened it."""
    grade: int = 0
    rarity_days: float | None = None
    parent: str | None = None
    """The open episode of ALL it is a line of now ..."""
    line_of: str | None = None
    """... and the last one it was."""
    told: bool = False
    """It has been news by itself."""
    fading: bool = False


class State(Record, frozen=True, kw_only=True):
    """All that is remembered of one market between two readings."""

    open: Open | None = None
    waiting_since: int | None = None
    """A signal speaks since then, and the market is one that waits for ALL."""
    watch_since: int | None = None


class Verdict(Record, frozen=True, kw_only=True):
    """One phase change and what it rests on."""

    phase: Phase
    asset: str
    episode: Open
    totals: Totals
    at: int
    rule: str
    reading: Reading
    crossed: bool
    """It says for the first time that the hour has crossed the floor."""
