"""Lighter's details of order books and its comparison of funding, as its pages show them."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def details(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """What stands in a market: open interest in base units, turnover in dollars, no mark."""
    mark, volume = figures.mark(server, listing), server.interest.volume_usd(listing)
    body = {"last_trade_price": mark, "open_interest": figures.coins(server, listing), "daily_price_change": 0.5}
    return body | {"daily_quote_token_volume": volume, "daily_base_token_volume": volume / mark}


def rates(server: VenueServer) -> Mapping[str, object]:
    """Eight hours of every market, at this venue and at another."""
    rows: list[Mapping[str, object]] = []
    for own in server.listings():
        row = {"market_id": int(own.symbol), "symbol": own.base}
        rows.append(row | {"exchange": "binance", "rate": 0.0001})
        rows.append(row | {"exchange": "lighter", "rate": server.interest.rate(own)})
    return {"code": 200, "funding_rates": rows}
