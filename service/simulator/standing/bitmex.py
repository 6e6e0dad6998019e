"""What BitMEX's instruments tell beside their contract: open interest, funding and turnover, as its pages show them."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def held(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """Open interest in contracts; the interval of funding is told as a time of day."""
    body: dict[str, object] = {"openInterest": figures.contracts(server, listing)}
    body |= {"foreignNotional24h": server.interest.volume_usd(listing)}
    if listing.expiry:
        return body | {"fundingRate": None, "fundingInterval": None}
    every = f"2000-01-01T{int(server.interest.interval_h):02d}:00:00.000Z"
    return body | {"fundingRate": server.interest.rate(listing), "fundingInterval": every}
