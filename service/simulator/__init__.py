"""Local venue servers that speak the real protocols and play tapes, with faults to order."""

from service.simulator.base import VenueServer
from service.simulator.faults import Faults, FaultsError
from service.simulator.market import Market
from service.simulator.player import Played, rebase, shorten, symbols_of
from service.simulator.venues import SERVERS

__all__ = ["SERVERS", "Faults", "FaultsError", "Market", "Played", "VenueServer", "rebase", "shorten", "symbols_of"]
