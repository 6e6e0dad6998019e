"""What a contract of a local venue stands at now, before a venue spells it: one side, in coins and dollars. Pure."""

from service.model import HOUR
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing


def mark(server: VenueServer, listing: Listing) -> float:
    """Its price."""
    return float(server.price(listing))


def coins(server: VenueServer, listing: Listing) -> float:
    """Open interest in base units."""
    return server.interest.coins(listing, mark(server, listing))


def usd(server: VenueServer, listing: Listing) -> float:
    """Open interest in dollars at the mark."""
    return coins(server, listing) * mark(server, listing)


def contracts(server: VenueServer, listing: Listing) -> float:
    """Open interest in the venue's units of quantity."""
    worth = usd(server, listing) if listing.inverse else coins(server, listing)
    return worth / float(listing.size)


def paid_next(server: VenueServer) -> int:
    """When funding is paid next, ms UTC."""
    every = int(server.interest.interval_h * HOUR)
    return (server.clock.now() // every + 1) * every


def text(value: float, decimals: int = 8) -> str:
    """A figure as most venues write it: no exponent, decimals as fixed."""
    return f"{value:.{decimals}f}"
