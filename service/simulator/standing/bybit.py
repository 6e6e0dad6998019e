"""Bybit's tickers as its pages show them: open interest of both sides and of one, funding, marks, volume."""

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def moving(server: VenueServer, listing: Listing) -> dict[str, object]:
    """What a delta carries."""
    price = server.price(listing)
    return {"symbol": listing.symbol, "markPrice": price, "indexPrice": price}


def ticker(server: VenueServer, listing: Listing) -> dict[str, object]:
    """A whole ticker; a dated contract has no funding and no hours."""
    row = moving(server, listing) | _held(server, listing) | {"lastPrice": server.price(listing)}
    if listing.expiry:
        return row | {"fundingRate": "", "nextFundingTime": ""}
    row |= {"fundingRate": figures.text(server.interest.rate(listing))}
    row |= {"nextFundingTime": str(figures.paid_next(server))}
    return row | {"fundingIntervalHour": f"{server.interest.interval_h:g}"}


def _held(server: VenueServer, listing: Listing) -> dict[str, object]:
    """Open interest and volume: in base units and their value in the quote, or in dollars and their value in coins."""
    one, worth = figures.coins(server, listing), figures.usd(server, listing)
    size, value = (worth, one) if listing.inverse else (one, worth)
    row: dict[str, object] = {"openInterest": figures.text(2 * size), "openInterestValue": figures.text(2 * value)}
    row |= {"singleOpenInterest": figures.text(size), "singleOpenInterestValue": figures.text(value)}
    volume = server.interest.volume_usd(listing)
    amounts = (figures.text(volume), figures.text(volume / figures.mark(server, listing)))
    turnover, count = reversed(amounts) if listing.inverse else amounts
    return row | {"turnover24h": turnover, "volume24h": count}
