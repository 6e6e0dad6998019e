"""One venue's history, page after page: pace, patience, Retry-After. Keeps no order and judges no gap."""

import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import httpx

from service import metrics
from service.clock import Clock
from service.feed.end import plain
from service.feed.inspection import Inspection
from service.fetch import FetchError, get
from service.model import BadFrame, DecodeError, Print
from service.venues.base import BUGS, History, Page, Spoilt

#: First and longest pause (clock) after an answer that may be better next time.
RETRY_S = (2.0, 300.0)
#: Attempts for one page before the gap is left for later.
ATTEMPTS = 5
#: An answer nobody can read is asked for once more: venues tell "too many requests" inside a 200, too.
READINGS = 2
#: Pages of one gap; more than any documented limit needs.
MOST_PAGES = 5_000
#: Addresses without an answer after which the rest of a walk is left for later.
MOST_DECLINED = 20


Keep = Callable[[BadFrame], Awaitable[None]]


class UntoldError(Exception):
    """The history did not tell the whole gap; it may be asked again."""


class _DeclinedError(Exception):
    """One address got no answer to use, and would get none now; the others may."""


class Asking:
    """Asks one history, one request after the other. `spoilt`: rows of the last walk that nobody could read."""

    def __init__(self, name: str, history: History, clock: Clock, client: httpx.AsyncClient, keep: Keep) -> None:
        self._name, self._history, self._clock, self._client, self._keep = name, history, clock, client, keep
        self._inspection = Inspection(name)
        self._free_at = 0.0
        self.spoilt = 0

    async def orders(self, urls: Sequence[str]) -> AsyncIterator[list[Print]]:
        """The orders of every page behind these addresses.

        Raises UntoldError at the end when some addresses had no answer, and at once when it is the venue that has none.
        """
        waiting, seen = deque(urls), set(urls)
        declined: list[str] = []
        self.spoilt = 0
        while waiting:
            try:
                found, more = await self._page(waiting.popleft())
            except _DeclinedError as error:
                declined.append(str(error))
                if len(declined) >= MOST_DECLINED:
                    break
                continue
            fresh = [one for one in more if one not in seen]
            seen.update(fresh)
            if len(seen) > MOST_PAGES + len(urls):
                raise UntoldError(f"more than {MOST_PAGES} further pages")
            waiting.extend(fresh)
            yield found
        if declined:
            raise UntoldError(f"{declined[0]} (and {len(declined) - 1} more)" if declined[1:] else declined[0])

    async def _page(self, url: str) -> tuple[list[Print], Sequence[str]]:
        why = ""
        for _ in range(READINGS):
            body = await self._body(url)
            try:
                page = self._history.read(url, body, self._clock.now())
            except BUGS as error:
                why = str(error) if isinstance(error, DecodeError) else repr(error)
                metrics.BACKFILL_FAILURES.labels(self._name, "decode").inc()
                await self._bad(body, why)
                self._hold(RETRY_S[0])
            else:
                return await self._sorted(page, body), page.more
        raise _DeclinedError(plain(f"an answer is not what is documented: {why}"))

    async def _sorted(self, page: Page, body: bytes) -> list[Print]:
        for row in page.orders:
            if isinstance(row, Spoilt):
                self.spoilt += 1
                await self._bad(body, row.detail)
        return [row for row in page.orders if isinstance(row, Print)]

    async def _bad(self, body: bytes, detail: str) -> None:
        """Counted and kept for inspection, as a bad frame of a socket is."""
        bad = self._inspection.bad("history", body, detail, self._clock.now())
        if bad is not None:
            await self._keep(bad)

    async def _body(self, url: str) -> bytes:
        first, most = RETRY_S
        why = ""
        for attempt in range(ATTEMPTS):
            await self._turn()
            metrics.BACKFILL_REQUESTS.labels(self._name).inc()
            try:
                return await get(self._client, url, self._clock)
            except FetchError as error:
                metrics.BACKFILL_FAILURES.labels(self._name, str(error.status or "none")).inc()
                why = plain(str(error))
                if error.lasting:
                    raise _DeclinedError(why) from None
                jitter = random.uniform(0.5, 1.0)  # noqa: S311  # no secret
                self._hold(max(error.retry_after or 0.0, min(first * 2.0**attempt, most) * jitter))
        raise UntoldError(f"{why}, {ATTEMPTS} times")

    async def _turn(self) -> None:
        while (wait := self._free_at - time.monotonic()) > 0:
            await self._clock.sleep(wait * self._clock.speed)
        self._hold(self._history.gap_s)

    def _hold(self, seconds: float) -> None:
        self._free_at = max(self._free_at, time.monotonic() + seconds / self._clock.speed)
