"""A market of local venues: the table of servers, and the one thing that starts them, plays to them and stops them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from service.clock import Clock
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing
from service.simulator.faults import Faults
from service.simulator.player import Played, Player, relabelled, symbols_of
from service.simulator.venues import SERVERS
from service.tape import Row

_NO_FAULTS = Faults()


class Market:
    """Local servers of the named venues, one port each, from `async with` to its end.

    `symbols` are the contracts to list by venue, as a tape names them, or the tape itself; `ports` 0 or absent picks a
    free one. `endpoints` has, for each venue, the keys and paths of its real endpoints once it is entered.
    Raises ValueError for a venue without a server, OSError for a port that is taken.
    """

    def __init__(
        self,
        venues: Sequence[str],
        clock: Clock,
        *,
        symbols: Mapping[str, Sequence[str]] | Sequence[Row] = (),
        faults: Faults = _NO_FAULTS,
        host: str = "127.0.0.1",
        ports: Mapping[str, int] | None = None,
    ) -> None:
        unknown = [venue for venue in venues if venue not in SERVERS]
        if unknown:
            raise ValueError(f"no simulator for {', '.join(unknown)}; allowed are {', '.join(SERVERS)}")
        listed = symbols if isinstance(symbols, Mapping) else _symbols(symbols, venues)
        self.servers: Mapping[str, VenueServer] = {
            venue: SERVERS[venue](clock, listed.get(venue, ()), faults) for venue in venues
        }
        self.endpoints: dict[str, Mapping[str, str]] = {}
        self._clock = clock
        self._faults = faults
        self._host = host
        self._ports = ports or {}

    @property
    def faults(self) -> Faults:
        """The faults of all venues; set them at any time. One venue's own: `servers[name].faults`."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._faults = faults
        for server in self.servers.values():
            server.faults = faults

    @property
    def told(self) -> int:
        """Rows told to somebody so far, over all tapes."""
        return sum(server.told for server in self.servers.values())

    async def __aenter__(self) -> Self:
        """Start every server."""
        try:
            for name, server in self.servers.items():
                self.endpoints[name] = await server.start(self._host, self._ports.get(name, 0))
        except OSError:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop every server within a second."""
        await self._close()

    async def _close(self) -> None:
        await asyncio.gather(*(server.close() for server in self.servers.values()))

    async def play(self, rows: Iterable[Row], *, wait_for_listeners: bool = True, relabel: bool = False) -> Played:
        """Tell every row at `row.at` on the clock, those already due at once, in the frames its venue would make.

        With `wait_for_listeners` a row waits until somebody is subscribed to its stream. `relabel` gives all rows to
        the only venue there is. Rows of other venues are skipped and counted. Raises ValueError for `relabel` with
        several venues.
        """
        if relabel:
            if len(self.servers) != 1:
                raise ValueError(f"relabel needs a single venue, there are {', '.join(self.servers)}")
            rows = relabelled(rows, next(iter(self.servers)))
        return await Player(self.servers, self._clock, wait=wait_for_listeners).play(rows)

    def list_symbol(self, venue: str, symbol: str) -> Listing:
        """Show one more contract in a venue's metadata from now on."""
        return self.servers[venue].list_symbol(symbol)

    async def inject(self, venue: str, text: str) -> None:
        """Say any text to every client of a venue."""
        await self.servers[venue].shout(text)


def _symbols(rows: Sequence[Row], venues: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """A single venue lists the whole tape: it may get all of it."""
    return symbols_of(rows, venues[0] if len(venues) == 1 else None)
