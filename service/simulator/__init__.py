"""Local venue servers that speak the real protocols and play tapes, with faults to order."""

from service.simulator.base import VenueServer
from service.simulator.faults import Faults
from service.simulator.market import SERVERS, Market
from service.simulator.player import Played, rebase, shorten, symbols_of

__all__ = ["SERVERS", "Faults", "Market", "Played", "VenueServer", "rebase", "shorten", "symbols_of"]
