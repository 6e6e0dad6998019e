"""OKX's open interest, marks and funding as its pages show them."""

from collections.abc import Sequence

from service.model import HOUR
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.listener import Answer
from service.simulator.standing import figures

#: Asked for one contract, or for ANY; the others for a kind.
FUNDING = "/api/v5/public/funding-rate"
PATHS = (FUNDING, "/api/v5/public/open-interest", "/api/v5/public/mark-price")


def answer(server: VenueServer, path: str, kind: str, shown: Sequence[Listing]) -> Answer:
    """Funding, open interest or marks of some contracts; `kind` stands in what is told by kind."""
    if path == FUNDING:
        return 200, {"code": "0", "msg": "", "data": [_funding(server, listing) for listing in shown]}
    tell = _interest if path.endswith("open-interest") else mark
    return 200, {"code": "0", "msg": "", "data": [{"instType": kind} | tell(server, listing) for listing in shown]}


def mark(server: VenueServer, listing: Listing) -> dict[str, object]:
    """One contract's mark."""
    return {"instId": listing.symbol, "markPx": server.price(listing), "ts": str(server.clock.now())}


def _interest(server: VenueServer, listing: Listing) -> dict[str, object]:
    row: dict[str, object] = {"instId": listing.symbol, "oi": figures.text(figures.contracts(server, listing))}
    row |= {"oiCcy": figures.text(figures.coins(server, listing)), "oiUsd": figures.text(figures.usd(server, listing))}
    return row | {"ts": str(server.clock.now())}


def _funding(server: VenueServer, listing: Listing) -> dict[str, object]:
    due, every = figures.paid_next(server), int(server.interest.interval_h * HOUR)
    row: dict[str, object] = {"instType": "SWAP", "instId": listing.symbol, "method": "current_period"}
    row |= {"fundingRate": figures.text(server.interest.rate(listing), 16), "nextFundingRate": ""}
    row |= {"fundingTime": str(due), "nextFundingTime": str(due + every), "settState": "settled"}
    return row | {"maxFundingRate": "0.00375", "minFundingRate": "-0.00375", "ts": str(server.clock.now())}
