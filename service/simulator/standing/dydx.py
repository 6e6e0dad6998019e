"""dYdX's markets, as its indexer shows them: what they are and what stands in them, in one body."""

from collections.abc import Mapping

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures


def market(server: VenueServer, own: Listing) -> Mapping[str, object]:
    """Open interest in base units, funding of an hour, the oracle price as the only one."""
    held = figures.text(figures.coins(server, own))
    text = {"ticker": own.symbol, "status": "ACTIVE", "oraclePrice": server.price(own), "openInterest": held}
    text |= {"nextFundingRate": figures.text(server.interest.rate(own), 16), "baseOpenInterest": held}
    text |= {"clobPairId": "0", "tickSize": "1", "stepSize": "0.0001", "marketType": "CROSS"}
    text |= {"initialMarginFraction": "0.05", "maintenanceMarginFraction": "0.03", "defaultFundingRate1H": "0"}
    text |= {"volume24H": figures.text(server.interest.volume_usd(own), 4)}
    return {**text, "trades24H": 73556, "atomicResolution": -10, "subticksPerTick": 100000}
