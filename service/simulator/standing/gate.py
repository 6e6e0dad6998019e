"""Gate's tickers and what a contract pays, as its pages show them (apiv4: list futures tickers, get a contract)."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures

_SECONDS_H = 3_600


def ticker(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """One contract: open interest in contracts, turnover in the quote coin."""
    price, volume = server.price(listing), server.interest.volume_usd(listing)
    traded = figures.text(volume / figures.mark(server, listing))
    body: dict[str, object] = {"contract": listing.symbol, "last": price, "change_percentage": "0.77"}
    body |= {"total_size": figures.text(figures.contracts(server, listing))}
    body |= {"volume_24h": traded, "volume_24h_base": traded, "volume_24h_quote": figures.text(volume)}
    body |= {"volume_24h_settle": figures.text(volume), "low_24h": price, "high_24h": price}
    rate = figures.text(server.interest.rate(listing))
    body |= {"funding_rate": rate, "funding_rate_indicative": rate, "quanto_base_rate": ""}
    return body | {"mark_price": price, "index_price": price}


def paid(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """What stands about funding among a contract's metadata."""
    rate, every = figures.text(server.interest.rate(listing)), int(server.interest.interval_h * _SECONDS_H)
    due = figures.paid_next(server) // 1_000
    return {"funding_rate": rate, "funding_interval": every, "funding_next_apply": due, "interest_rate": "0.0003"}
