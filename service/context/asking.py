"""One venue's open interest, funding and marks, asked round after round: pace, patience, who is left alone for a while.

Owns the order and the times of the requests of one venue. Knows no venue's words, keeps no figure and judges none.
"""

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import httpx

from service.clock import Clock
from service.context.poll import AGAIN, DECLINED_S, JITTER, LATE_PART, LATE_S, backoff
from service.context.source import Question
from service.context.standing import FAULTS, UNREAD, Standing, refusal
from service.fetch import FetchError, Request, ask
from service.masking import host_of
from service.model import SECOND, Instrument, SourceReport, Ticker
from service.venues.base import Ask, Venue

#: Bytes of one answer; the longest, all contracts of a large venue, is half a megabyte.
MOST_BYTES = 8_000_000
#: Requests in a row of which nothing came: then the rest of the round is spared.
MOST_MISSES = 3
#: Seconds on the clock until a venue whose contracts are not known yet is looked at again.
UNLISTED_S = 5.0
#: "Too many" and Binance's ban: they are about our address, not about one question.
_EVERYTHING = frozenset({418, 429})


@dataclass(frozen=True)
class Market:
    """What a venue is asked about, and who hears it: its contracts, the assets worth a request each."""

    listed: Callable[[], Sequence[Instrument]]
    coins: Callable[[], Collection[str]]
    hear: Callable[[Sequence[Ticker]], None]
    every_s: float = 0.0
    """Least seconds on the clock between two rounds, where it is more than the venue's own."""


class _Round:
    """What became of one round; `wish_s` is how long the venue wants to be left alone, None while it does not say."""

    def __init__(self) -> None:
        self.answered = self.missed = self.spared = 0
        self.in_a_row = 0
        self.lasting = True
        self.why = ""
        self.wish_s: float | None = None

    @property
    def over(self) -> bool:
        """Whether the rest is better not asked."""
        return self.wish_s is not None or self.in_a_row >= MOST_MISSES

    def spare(self, why: str) -> None:
        """One question is not asked."""
        self.spared += 1
        self.why = self.why or why

    def miss(self, why: str, *, lasting: bool) -> None:
        """Nothing came of one that was asked."""
        self.missed += 1
        self.in_a_row += 1
        self.lasting &= lasting
        self.why = self.why or why

    def words(self) -> str:
        """What was wrong with it; empty when nothing was."""
        lost = self.missed + self.spared
        if not lost:
            return ""
        whole = self.answered + lost
        return f"{lost} of {whole} requests gave nothing: {self.why}" if self.answered else self.why


class TickerPoll:
    """Asks one venue's tickers until cancelled. `dice` spread the times."""

    def __init__(
        self,
        venue: Venue,
        endpoints: Mapping[str, str],
        market: Market,
        clock: Clock,
        client: httpx.AsyncClient,
        dice: random.Random | None = None,
    ) -> None:
        if venue.tickers is None:
            raise ValueError(f"{venue.name} publishes no open interest, funding or mark prices")
        self._tickers, self._endpoints, self._market = venue.tickers, endpoints, market
        self._nameless = not venue.catalogue(endpoints)
        """Whether the venue has no list of contracts: then it is asked all the same."""
        self._clock, self._client = clock, client
        self._dice = dice or random.Random()  # noqa: S311  # no secret
        self._every_s = max(venue.tickers.every_s, market.every_s)
        self._standing = Standing(f"tickers {venue.name}")
        self._failures = 0
        self._slowed = 0
        """Rounds in a row in which the venue said that it was too much."""
        self._free_at = 0.0
        self._declined: dict[Ask, tuple[int, str]] = {}
        """Questions the venue understood and declined: until when (ms UTC) they are not repeated, and its words."""

    @property
    def report(self) -> SourceReport:
        """How the venue stands now."""
        return self._standing.report(self._every_s)

    async def run(self) -> None:
        """One round after the other until cancelled."""
        await self._clock.sleep(self._dice.uniform(0.0, min(self._every_s * LATE_PART, LATE_S)))
        while True:
            began = time.monotonic()
            listed = self._market.listed()
            wait_s = await self._turn_of(listed) if listed or self._nameless else UNLISTED_S
            await self._rest(began, wait_s)

    async def _rest(self, began: float, wait_s: float) -> None:
        """Until so many seconds after the beginning, and until the venue may be asked again."""
        until = max(began + wait_s / self._clock.speed, self._free_at)
        await self._clock.sleep(max(until - time.monotonic(), 0.0) * self._clock.speed)

    async def _turn_of(self, listed: Sequence[Instrument]) -> float:
        """A whole round; seconds from its beginning to that of the next."""
        try:
            asks = self._tickers.asks(self._endpoints, listed, self._market.coins())
        except FAULTS as error:
            return self._failed(self._standing.spoilt(error))
        this = await self._ask_all(asks, {row.symbol: row for row in listed})
        every_s = self._every_s * self._dice.uniform(1.0, 1.0 + JITTER)
        self._slowed = 0 if this.wish_s is None else self._slowed + 1
        if this.wish_s is not None:
            least_s = max(this.wish_s, backoff(self._slowed, self._every_s))
            self._hold(least_s * self._dice.uniform(1.0, 1.0 + JITTER))
        if this.answered or not this.missed + this.spared:
            self._failures = 0
            if this.answered:
                self._standing.answered(self._clock.now(), changed=True, reason=this.words())
            return every_s
        if this.lasting:
            self._hold(DECLINED_S * self._dice.uniform(1.0, 1.0 + JITTER))
        return max(self._failed(f"{AGAIN if this.lasting else ''}{this.words()}"), every_s)

    async def _ask_all(self, asks: Sequence[Ask], known: Mapping[str, Instrument]) -> _Round:
        this, now = _Round(), self._clock.now()
        self._declined = {one: kept for one, kept in self._declined.items() if kept[0] > now}
        for one in asks:
            if one in self._declined:
                this.spare(self._declined[one][1])
            elif this.over:
                this.spare(this.why)
            else:
                await self._ask(one, known, this)
        return this

    async def _ask(self, one: Ask, known: Mapping[str, Instrument], this: _Round) -> None:
        await self._pace()
        self._standing.asked(host_of(one.url), self._clock.now())
        try:
            answer = await ask(self._client, Request(url=one.url, post=one.post, most_bytes=MOST_BYTES), self._clock)
            told = self._tickers.read(one, answer.body, known, self._clock.now())
            self._market.hear(told)
        except FetchError as error:
            words = refusal(error, Question(url=one.url, post=one.post))
            self._standing.miss(str(error.status or "none"))
            this.miss(words, lasting=error.lasting)
            if error.retry_after is not None or error.status in _EVERYTHING:
                this.wish_s = error.retry_after or 0.0
            elif error.lasting:
                self._declined[one] = (self._clock.now() + int(DECLINED_S * SECOND), words)
        except FAULTS as error:
            self._standing.miss(UNREAD)
            this.miss(self._standing.spoilt(error), lasting=False)
        else:
            this.answered += 1
            this.in_a_row = 0

    def _failed(self, reason: str) -> float:
        self._failures += 1
        self._standing.failed(reason)
        return backoff(self._failures, self._every_s) * self._dice.uniform(1.0 - JITTER, 1.0 + JITTER)

    async def _pace(self) -> None:
        """Our turn: by the real clock's steady time, so that no gap is shorter than it should be at any speed."""
        while (wait := self._free_at - time.monotonic()) > 0:
            await self._clock.sleep(wait * self._clock.speed)
        self._hold(self._tickers.gap_s)

    def _hold(self, seconds: float) -> None:
        self._free_at = max(self._free_at, time.monotonic() + seconds / self._clock.speed)
