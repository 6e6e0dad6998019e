"""The venue's metadata over HTTP: every catalogue, every page. Keeps nothing and knows no venue's words."""

from collections.abc import Mapping

import httpx

from service.clock import Clock
from service.fetch import FetchError, get
from service.masking import mask
from service.model import DecodeError, Instrument
from service.venues.base import BUGS, Venue

#: Pages of one catalogue; Bybit needs two.
MOST_PAGES = 50


class InstrumentsError(Exception):
    """Metadata could not be fetched or read; the old book stands. `retry_after` is the venue's wish in seconds."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Source:
    """Where one venue's metadata comes from."""

    def __init__(self, venue: Venue, endpoints: Mapping[str, str], clock: Clock, client: httpx.AsyncClient) -> None:
        self._venue, self._endpoints, self._clock, self._client = venue, endpoints, clock, client

    async def fetch(self) -> dict[str, Instrument]:
        """All contracts by symbol, in the venue's order. Raises InstrumentsError when any page is missing."""
        found: dict[str, Instrument] = {}
        catalogue = self._venue.catalogue(self._endpoints)
        for url in catalogue:
            await self._turn(url, found)
        if catalogue and not found:
            raise InstrumentsError(f"{self._venue.name}: the metadata lists no contract")
        return found

    async def _turn(self, url: str, found: dict[str, Instrument]) -> None:
        """Every page of one catalogue into `found`; a contract met again stays as it was."""
        page, cursors = url, set[str]()
        while len(cursors) < MOST_PAGES:
            body = await self._get(page)
            try:
                instruments, cursor = self._venue.instruments(body)
            except BUGS as error:
                words = str(error) if isinstance(error, DecodeError) else repr(error)
                raise InstrumentsError(f"{self._venue.name}: {mask(page)} is not what is documented: {words}") from None
            for instrument in instruments:
                found.setdefault(instrument.symbol, instrument)
            if cursor is None:
                return
            if cursor in cursors:
                raise InstrumentsError(f"{self._venue.name}: the pages of {mask(url)} run in a circle at {cursor!r}")
            cursors.add(cursor)
            page = self._venue.next_page(url, cursor)
        raise InstrumentsError(f"{self._venue.name}: {mask(url)} has more than {MOST_PAGES} pages")

    async def _get(self, url: str) -> bytes:
        try:
            return await get(self._client, url, self._clock)
        except FetchError as error:
            raise InstrumentsError(f"{self._venue.name}: {error}", retry_after=error.retry_after) from None
