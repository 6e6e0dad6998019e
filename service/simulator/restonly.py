"""A venue without a socket: what a server of it need not say. Its orders stand in its REST history and nowhere else."""

from collections.abc import Sequence

from service.simulator.base import VenueServer
from service.simulator.contracts import Order
from service.simulator.peer import Peer


class RestOnlyServer(VenueServer):
    """Refuses every socket; a venue adds its contracts and its REST."""

    rest_only = True

    def line(self, path: str) -> str | None:  # noqa: ARG002  # whatever the path
        """There is no socket to dial."""
        return None

    async def attend(self, peer: Peer) -> None:
        """No client ever connects."""

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """No client ever speaks."""

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """All at once: there are no frames."""
        return [list(orders)]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:  # noqa: ARG002  # there are none
        """Nothing carries an order."""
        return []

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # never asked for
        """There is nothing to say."""
        return ""

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # never asked for
        """There is no control stream."""
        return None
