"""The patience of the feeds. Owns the knobs' meaning, defaults and bounds; acts on none of them."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt

Seconds = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class Knobs:
    """Patience of the feeds, in seconds on the clock."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    ack_within_s: Seconds = 10
    """A subscription must be accepted this soon."""
    ping_every_s: Seconds = 20
    """How often a WebSocket ping is sent."""
    pong_within_s: Seconds = 20
    """A connection whose pong takes longer is dead."""
    settled_after_s: Seconds = 30
    """Back-off starts afresh only after an accepted subscription has lived this long."""
    backoff_first_s: Seconds = 1
    """First pause after a lost connection; doubles, with jitter ..."""
    backoff_most_s: Seconds = 60
    """... up to this."""
    refused_first_s: Seconds = 30
    """First pause after the venue said no; doubles, with jitter ..."""
    refused_most_s: Seconds = 900
    """... up to this."""
    silent_redial_s: Seconds = 120
    """A socket whose control stream has been silent this long is replaced."""
    max_frame_bytes: Annotated[int, Ge(1024)] = 1_000_000
    """A longer frame is kept (cut) for inspection instead of being decoded."""
