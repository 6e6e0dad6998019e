"""Kraken Futures' tickers, as its pages show them: rates are absolute, what one contract pays in an hour."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def tickers(server: VenueServer) -> list[Mapping[str, object]]:
    """Every contract, and an index."""
    index = {"symbol": "in_xbtusd", "last": 95_000.0, "lastTime": "2026-01-13T22:00:00.000Z"}
    return [*(_row(server, listing) for listing in server.listings()), index]


def _row(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """Dated contracts have no funding; the turnover of inverse ones stands in contracts, which are dollars."""
    mark, volume = figures.mark(server, listing), server.interest.volume_usd(listing)
    traded = volume if listing.inverse else volume / mark
    body: dict[str, object] = {"symbol": listing.symbol, "tag": "quarter" if listing.expiry else "perpetual"}
    body |= {"pair": f"{'XBT' if listing.base == 'BTC' else listing.base}:USD", "markPrice": mark, "indexPrice": mark}
    body |= {
        "bid": mark,
        "ask": mark,
        "last": mark,
        "vol24h": traded,
        "openInterest": figures.contracts(server, listing),
    }
    body |= {} if listing.inverse else {"volumeQuote": volume}
    if listing.expiry:
        return body | {"suspended": False, "postOnly": False}
    rate = server.interest.rate(listing)
    absolute = rate / mark if listing.inverse else rate * mark
    return body | {"fundingRate": absolute, "fundingRatePrediction": absolute, "suspended": False, "postOnly": False}
