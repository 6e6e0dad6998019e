"""Bitget's tickers and funding as its UTA pages show them."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def ticker(server: VenueServer, listing: Listing) -> dict[str, object]:
    """One contract; open interest in base units, of a coin-margined one in the quote, which no page settles."""
    price = server.price(listing)
    in_quote = listing.quote == "USD"
    held = figures.usd(server, listing) if in_quote else figures.coins(server, listing)
    volume = server.interest.volume_usd(listing)
    row: dict[str, object] = {"highPrice24h": price, "lowPrice24h": price, "openPrice24h": price, "lastPrice": price}
    row |= {"turnover24h": figures.text(volume), "volume24h": figures.text(volume / figures.mark(server, listing))}
    row |= {"price24hPcnt": "0.01833", "bid1Price": price, "ask1Price": price, "bid1Size": "186.183209"}
    row |= {"ask1Size": "188.312553", "indexPrice": price, "markPrice": price}
    return row | {"fundingRate": figures.text(server.interest.rate(listing)), "openInterest": figures.text(held)}


def row(server: VenueServer, kind: str, listing: Listing) -> dict[str, object]:
    """The same in a list of its family's."""
    named = {"category": kind.upper(), "symbol": listing.symbol, "ts": str(server.clock.now())}
    return named | ticker(server, listing) | {"deliveryStartTime": "", "deliveryTime": "", "deliveryStatus": ""}


def funding(server: VenueServer, listing: Listing) -> Mapping[str, str]:
    """Rate, hours between payments and the next of them."""
    told = {"symbol": listing.symbol, "fundingRate": figures.text(server.interest.rate(listing))}
    told |= {"fundingRateInterval": f"{server.interest.interval_h:g}", "nextUpdate": str(figures.paid_next(server))}
    return told | {"minFundingRate": "-0.003", "maxFundingRate": "0.003"}
