"""Bitfinex's status of derivatives, as its page shows it: rows of 24 parts, 23 of them behind the key."""

from collections.abc import Sequence

from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.standing import figures

_INSURANCE_USD, _CLAMP_MIN, _CLAMP_MAX = 1_396_531.67, 0.0005, 0.0025


def status(server: VenueServer, keys: Sequence[str]) -> list[object]:
    """All perpetuals, or those asked for; keys the venue does not know are left out, without an error."""
    shown = [own for own in server.listings() if "F0:" in own.symbol and (keys == ["ALL"] or own.symbol in keys)]
    return [_row(server, own) for own in shown]


def _row(server: VenueServer, listing: Listing) -> list[object]:
    price, due = figures.mark(server, listing), figures.paid_next(server)
    now = server.clock.now() // 1_000 * 1_000
    row: list[object] = [listing.symbol, now, None, price, price, None, _INSURANCE_USD, None, due, 0.00002, 18, None]
    row += [server.interest.rate(listing), None, None, price, None, None, figures.coins(server, listing)]
    return [*row, None, None, None, _CLAMP_MIN, _CLAMP_MAX]
