"""Aster: marks, funding and open interest of its perpetuals, in the words of `premium`. Pure.

Open interest is in base units, one side, one contract a request. The reference leaves that endpoint out; the
community notes beside it tell it, and that the venue's own page shows twice as much, both sides. `fundingInfo` names
every contract with its hours: what it does not name is not known. Weight 1 each, that of openInterest is not stated;
2,400 a minute and address.
https://github.com/asterdex/api-docs: V3 futures (Mark Price, Get Funding Rate Config), docs/community-notes.md.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from service.model import Instrument
from service.venues.base import Ask
from service.venues.tickers.premium import Premium


class AsterTickers(Premium):
    """One product."""

    venue: ClassVar[str] = "aster"
    gap_s: ClassVar[float] = 0.5

    def asks(self, endpoints: Mapping[str, str], listed: Sequence[Instrument], coins: Collection[str]) -> Sequence[Ask]:
        """Marks, funding and intervals of all, then the open interest of each contract of `coins`."""
        bulk, single = self.asked(f"{endpoints['rest']}/fapi/v3", listed, coins)
        return bulk + single
