"""What every connection of one venue shares. Owns nothing: it only carries."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.clock import Clock
from service.feed.inspection import Inspection
from service.feed.knobs import Knobs
from service.feed.outlet import Queue
from service.feed.pace import Pace
from service.model import Ticker
from service.venues.base import Venue


@dataclass(frozen=True)
class Kit:
    """Handed down from `Feeds` to its lines and their connections."""

    venue: Venue
    clock: Clock
    knobs: Knobs
    rng: random.Random
    pace: Pace
    inspection: Inspection
    queue: Queue
    tell: Callable[[Sequence[Ticker]], object]
    """Takes what control streams say beside being alive."""
