"""Deribit's book summaries of futures, as its page shows them; only perpetuals tell a funding."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def summary(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """Open interest in the unit of amounts: dollars of inverse futures, base units of linear ones."""
    mark, volume = figures.mark(server, listing), server.interest.volume_usd(listing)
    body: dict[str, object] = {"instrument_name": listing.symbol, "mark_price": mark, "last": mark, "mid_price": mark}
    body |= {"open_interest": figures.contracts(server, listing), "volume_usd": volume, "volume": volume / mark}
    body |= {"base_currency": listing.base, "quote_currency": listing.quote, "bid_price": mark, "ask_price": mark}
    body |= {"estimated_delivery_price": mark, "price_change": 0.5, "creation_timestamp": server.clock.now()}
    if listing.expiry:
        return body
    return body | {"funding_8h": server.interest.rate(listing), "current_funding": 0.0}
