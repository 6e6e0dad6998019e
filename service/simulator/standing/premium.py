"""Marks, funding and open interest in the dialect Binance speaks and Aster repeats: premiumIndex and its like."""

from collections.abc import Mapping, Sequence

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.listener import Answer
from service.simulator.standing import figures

_NO_SYMBOL = {"code": -1102, "msg": "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."}
_BAD_SYMBOL = {"code": -1121, "msg": "Invalid symbol."}
#: Their cap and interval were never adjusted: fundingInfo of an exchange that tells exceptions leaves them out.
_USUAL = ("BTC", "ETH")
_USUAL_H = 8


def premium_index(server: VenueServer, shown: Sequence[Listing]) -> Answer:
    """Mark and funding of every contract; a dated one has no funding."""
    return 200, [_premium(server, listing) for listing in shown]


def funding_info(server: VenueServer, shown: Sequence[Listing], *, exceptions: bool) -> Answer:
    """Hours between payments: of every perpetual, or of those that are not as usual."""
    every = server.interest.interval_h
    named = [listing for listing in shown if not listing.expiry]
    if exceptions and every == _USUAL_H:
        named = [listing for listing in named if listing.base not in _USUAL and not listing.inverse]
    caps = {"adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000", "disclaimer": False}
    if not exceptions:
        caps = {"interestRate": "0.00010000", "time": server.clock.now(), "fundingFeeCap": 0.02}
    return 200, [{"symbol": listing.symbol, "fundingIntervalHours": every} | caps for listing in named]


def open_interest(server: VenueServer, shown: Sequence[Listing], query: Mapping[str, str]) -> Answer:
    """One contract's, in base units, or in whole contracts where they are worth a sum of dollars."""
    if not query.get("symbol"):
        return 400, _NO_SYMBOL
    found = [listing for listing in shown if listing.symbol == query["symbol"]]
    if not found:
        return 400, _BAD_SYMBOL
    (listing,) = found
    told: dict[str, object] = {"symbol": listing.symbol, "time": server.clock.now()}
    if not listing.inverse:
        return 200, told | {"openInterest": figures.text(figures.coins(server, listing))}
    told |= {"pair": f"{listing.base}{listing.quote}"}
    told |= {"contractType": "CURRENT_QUARTER" if listing.expiry else "PERPETUAL"}
    return 200, told | {"openInterest": figures.text(figures.contracts(server, listing), 0)}


def paid(server: VenueServer, listing: Listing) -> tuple[str, int]:
    """Its funding and when it is paid; nothing and never for a dated contract."""
    if listing.expiry:
        return "", 0
    return figures.text(server.interest.rate(listing)), figures.paid_next(server)


def _premium(server: VenueServer, listing: Listing) -> Mapping[str, object]:
    price = server.price(listing)
    rate, due = paid(server, listing)
    row: dict[str, object] = {"symbol": listing.symbol, "markPrice": price, "indexPrice": price}
    row |= {"pair": f"{listing.base}{listing.quote}"} if listing.inverse else {}
    row |= {"estimatedSettlePrice": price, "lastFundingRate": rate, "nextFundingTime": due}
    return row | {"interestRate": "" if listing.expiry else "0.00010000", "time": server.clock.now()}
