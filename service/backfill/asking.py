"""One venue's history, page after page: pace, patience, Retry-After. Keeps no order and judges no gap."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import httpx

from service import metrics
from service.clock import Clock
from service.fetch import FetchError, get
from service.model import BadFrame, DecodeError, Print
from service.venues.base import History, Spoilt

#: First and longest pause (clock) after an answer that may be better next time.
RETRY_S = (2.0, 300.0)
#: Attempts for one page before the gap is left for later.
ATTEMPTS = 5
#: Pages of one gap; more than any documented limit needs.
MOST_PAGES = 5_000
#: Bytes of an unreadable answer worth keeping.
KEPT_BYTES = 4_096


Keep = Callable[[BadFrame], Awaitable[None]]


class UntoldError(Exception):
    """The history did not tell the whole gap; it may be asked again."""


class Asking:
    """Asks one history, one request after the other."""

    def __init__(self, name: str, history: History, clock: Clock, client: httpx.AsyncClient, keep: Keep) -> None:
        self._name, self._history, self._clock, self._client, self._keep = name, history, clock, client, keep
        self._free_at = 0.0

    async def orders(self, urls: Sequence[str]) -> AsyncIterator[list[Print]]:
        """The orders of every page behind these addresses. Raises UntoldError when a page could not be had."""
        waiting, seen = list(urls), set(urls)
        while waiting:
            url = waiting.pop(0)
            found, more = await self._page(url)
            fresh = [one for one in more if one not in seen]
            seen.update(fresh)
            if len(seen) > MOST_PAGES + len(urls):
                raise UntoldError(f"more than {MOST_PAGES} further pages")
            waiting += fresh
            yield found

    async def _page(self, url: str) -> tuple[list[Print], Sequence[str]]:
        body = await self._body(url)
        try:
            page = self._history.read(url, body, self._clock.now())
        except DecodeError as error:
            metrics.BACKFILL_FAILURES.labels(self._name, "decode").inc()
            await self._bad(body, str(error))
            raise UntoldError(f"an answer is not what is documented: {error}") from None
        for row in page.orders:
            if isinstance(row, Spoilt):
                await self._bad(body, row.detail)
        return [row for row in page.orders if isinstance(row, Print)], page.more

    async def _bad(self, body: bytes, detail: str) -> None:
        """Counted and kept for inspection, as a bad frame of a socket is."""
        metrics.BAD_FRAMES.labels(self._name, "history").inc()
        text = body[:KEPT_BYTES].decode("utf-8", "backslashreplace")
        await self._keep(
            BadFrame(venue=self._name, frame=text, reason="history", detail=detail[:200], seen=self._clock.now())
        )

    async def _body(self, url: str) -> bytes:
        first, most = RETRY_S
        for attempt in range(ATTEMPTS):
            await self._turn()
            metrics.BACKFILL_REQUESTS.labels(self._name).inc()
            try:
                return await get(self._client, url, self._clock)
            except FetchError as error:
                metrics.BACKFILL_FAILURES.labels(self._name, str(error.status or "none")).inc()
                if error.lasting:
                    raise UntoldError(str(error)) from None
                why = error
                jitter = random.uniform(0.5, 1.0)  # noqa: S311  # no secret
                self._hold(max(error.retry_after or 0.0, min(first * 2.0**attempt, most) * jitter))
        raise UntoldError(f"{why}, {ATTEMPTS} times")

    async def _turn(self) -> None:
        while (wait := self._free_at - time.monotonic()) > 0:
            await self._clock.sleep(wait * self._clock.speed)
        self._hold(self._history.gap_s)

    def _hold(self, seconds: float) -> None:
        self._free_at = max(self._free_at, time.monotonic() + seconds / self._clock.speed)
