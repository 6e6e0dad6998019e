"""The words of the house: every record that travels down the street.

Owns the meaning of side, usd, at, seen, span, share, coverage, phase and severity. Knows no venue, no clock, no I/O.
"""

from service.model.market import (
    Coverage,
    Detail,
    Instrument,
    Largest,
    Liquidation,
    Print,
    Reading,
    Totals,
)
from service.model.speech import (
    Alert,
    Episode,
    Words,
)
from service.model.state import (
    RETIRED,
    BadFrame,
    SocketHealth,
    VenueReport,
)
from service.model.words import (
    ALL,
    HOUR,
    MINUTE,
    SECOND,
    SPANS,
    USD_DIGITS,
    USD_UNIT,
    Completeness,
    Contract,
    DecodeError,
    FeedState,
    Kind,
    Phase,
    Record,
    Severity,
    Side,
    to_units,
    to_usd,
)

__all__ = [
    "ALL",
    "HOUR",
    "MINUTE",
    "RETIRED",
    "SECOND",
    "SPANS",
    "USD_DIGITS",
    "USD_UNIT",
    "Alert",
    "BadFrame",
    "Completeness",
    "Contract",
    "Coverage",
    "DecodeError",
    "Detail",
    "Episode",
    "FeedState",
    "Instrument",
    "Kind",
    "Largest",
    "Liquidation",
    "Phase",
    "Print",
    "Reading",
    "Record",
    "Severity",
    "Side",
    "SocketHealth",
    "Totals",
    "VenueReport",
    "Words",
    "to_units",
    "to_usd",
]
