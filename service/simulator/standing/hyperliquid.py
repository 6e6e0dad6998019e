"""Hyperliquid's contexts of perpetuals, as its info endpoint shows them (metaAndAssetCtxs, meta)."""

from collections.abc import Mapping

import msgspec

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.listener import Answer
from service.simulator.standing import figures

#: A perpetual that is no longer traded stands in both lists all the same.
_GONE = {"name": "GONE", "szDecimals": 0, "maxLeverage": 3, "isDelisted": True}
_NO_PRICE: Mapping[str, object] = {"funding": "0.0", "openInterest": "0.0", "markPx": "0.37621", "dayNtlVlm": "0.0"}


def context(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    """One perpetual: open interest in base units, funding of an hour."""
    price, volume = server.price(listing), server.interest.volume_usd(listing)
    body: dict[str, object] = {"funding": figures.text(server.interest.rate(listing), 10)}
    body |= {"openInterest": figures.text(figures.coins(server, listing)), "prevDayPx": price}
    body |= {"dayNtlVlm": figures.text(volume), "premium": "0.0", "oraclePx": price, "markPx": price, "midPx": price}
    return body | {"impactPxs": [price, price], "dayBaseVlm": figures.text(volume / figures.mark(server, listing))}


def info(server: VenueServer, body: bytes) -> Answer:
    """Names and contexts, in two lists of the same order; anything else is not spoken here."""
    try:
        asked = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        asked = {}
    if asked.get("type") not in ("metaAndAssetCtxs", "meta"):
        return 422, "Failed to deserialize the JSON body into the target type"
    listings = server.listings()
    names = [{"name": listing.symbol, "szDecimals": 5, "maxLeverage": 50} for listing in listings]
    meta = {"universe": [*names, _GONE], "marginTables": [], "collateralToken": 0}
    if asked["type"] == "meta":
        return 200, meta
    return 200, [meta, [*(context(server, listing) for listing in listings), _NO_PRICE]]
