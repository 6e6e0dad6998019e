"""What the demo's venues show of leverage: funding below zero, as was told of that evening; its size is invented.

Press of 2026-01-13 said that funding was still negative after the jump: shorts paid to stay short.
"""

from collections.abc import Iterable, Mapping

from service.simulator.base import VenueServer

#: What longs pay shorts in eight hours, a fraction.
FUNDING: Mapping[str, float] = {"BTC": -0.00006, "ETH": -0.00003, "SOL": -0.00004}


def lend(servers: Iterable[VenueServer]) -> None:
    """Let these venues show it."""
    for server in servers:
        server.interest.funding.update(FUNDING)
