"""The venue's metadata over HTTP: every catalogue, every page. Keeps nothing and knows no venue's words."""

import asyncio
from collections.abc import Mapping

import httpx

from service.clock import Clock
from service.masking import mask
from service.model import DecodeError, Instrument
from service.retry import retry_after
from service.venues.base import Venue

#: Real seconds a venue may take for one page.
PATIENCE_S = 30.0
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
            except DecodeError as error:
                raise InstrumentsError(f"{self._venue.name}: {mask(page)} is not what is documented: {error}") from None
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
            async with asyncio.timeout(PATIENCE_S):
                answer = await self._client.get(url, timeout=PATIENCE_S)
        except httpx.InvalidURL:
            # its text repeats a part of the address, which may carry a key
            raise InstrumentsError(f"{self._venue.name}: {mask(url)} is no usable address") from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise InstrumentsError(f"{self._venue.name}: {mask(url)} did not answer: {error!r}") from None
        if answer.status_code != httpx.codes.OK:
            raise InstrumentsError(
                f"{self._venue.name}: {mask(url)} answered {answer.status_code}: {answer.text[:200]!r}",
                retry_after=retry_after(answer.headers.get("Retry-After"), self._clock.now()),
            )
        return answer.content
