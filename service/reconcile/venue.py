"""Our sums held against a venue's own: only contracts and intervals that both have, only while we heard all of them.

Asks for the contracts that had orders, and for the largest, some minutes after an interval's end. Judges no feed: it
shows what it found, and says once when the two differ much.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import httpx

from service import metrics
from service.clock import Clock
from service.fetch import FetchError, get
from service.masking import mask
from service.model import MINUTE, SECOND, Instrument, Liquidation, Reconciled, Side
from service.reconcile.sums import Day, OwnSums, Units
from service.venues.base import BUGS, Tally, Venue

log = logging.getLogger("cascade.reconcile")

#: How often to look for intervals that are over, in seconds on the clock.
LOOK_S = 20.0
#: Contracts asked for an interval; when more had orders, the largest of them.
MOST_CONTRACTS = 40
#: Their contracts are asked for in every interval, so that one in which we heard nothing is compared too.
LARGEST_ASSETS = ("BTC", "ETH")
#: After so many failures, and as many pauses, an interval is given up.
TRIES = 3
PAUSE_S = 10.0
#: Intervals that may wait for their comparison; older ones are dropped.
WAITING = 12
#: Outside of these the two do not agree, once so many dollars were published.
AGREES = (0.8, 1.25)
WORTH_SAYING_USD = 250_000.0


class _UnansweredError(Exception):
    """No sums came; `wait_s` is how long to stay away, None when only this contract is affected."""

    def __init__(self, text: str, wait_s: float | None) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Reconciler:
    """One venue that publishes sums. `live_since`: since when (ms UTC) all of it is heard, None while it is not."""

    def __init__(
        self,
        venue: Venue,
        endpoints: Mapping[str, str],
        clock: Clock,
        client: httpx.AsyncClient,
        listed: Callable[[], Sequence[Instrument]],
        live_since: Callable[[], int | None],
    ) -> None:
        if venue.tallies is None:
            raise ValueError(f"{venue.name} publishes no sums")
        self._name, self._tallies, self._endpoints = venue.name, venue.tallies, endpoints
        self._clock, self._client, self._listed, self._live_since = clock, client, listed, live_since
        self._width = self._tallies.interval_s * SECOND
        self._own, self._day = OwnSums(self._width), Day()
        self._next = -(-clock.now() // self._width) * self._width
        self._waiting: deque[int] = deque(maxlen=WAITING)
        self._agrees = True
        self.reconciled: Reconciled | None = None
        """The last 24 hours, as far as they were compared."""

    def counted(self, orders: Sequence[Liquidation]) -> None:
        """A batch has been written."""
        self._own.add(order for order in orders if order.venue == self._name)

    async def run(self) -> None:
        """Compare one interval after the other until cancelled."""
        while True:
            await self._clock.sleep(LOOK_S)
            self._mark(self._clock.now())
            settled_ms = self._width + self._tallies.delay_s * SECOND
            while self._waiting and self._waiting[0] + settled_ms <= self._clock.now():
                await self._compare(self._waiting.popleft())
            self._show(self._clock.now())

    def _mark(self, now: int) -> None:
        """Intervals that are over wait for their sums if all of them was heard."""
        self._own.trim(now)
        live = self._live_since()
        while self._next + self._width <= now:
            if live is not None and live <= self._next:
                self._waiting.append(self._next)
            self._next += self._width

    async def _compare(self, since: int) -> None:
        ours = self._own.take(since)
        symbols, failures, answers, error = deque(self._symbols(ours)), 0, 0, None
        while symbols and failures < TRIES:
            symbol, pause_s = symbols.popleft(), self._tallies.gap_s
            try:
                theirs = await self._ask(symbol, since)
            except _UnansweredError as failure:
                error = failure
                if failure.wait_s is not None:
                    failures, pause_s = failures + 1, max(pause_s, failure.wait_s)
                    symbols.appendleft(symbol)
            else:
                answers += 1
                if theirs is not None:
                    self._day.add(theirs, ours.get(symbol, dict.fromkeys(Side, 0)))
            await self._clock.sleep(pause_s)
        if error is not None and (symbols or not answers):
            log.warning("%s: its own sums could not be had: %s", self._name, error)

    def _symbols(self, ours: Mapping[str, Units]) -> list[str]:
        """Contracts to ask for: those with orders, largest first, those not to be missed, those of the day."""
        largest = [row.symbol for row in self._listed() if row.asset in LARGEST_ASSETS]
        ranked = sorted(ours, key=lambda symbol: -sum(ours[symbol].values()))
        return list(dict.fromkeys([*ranked, *largest, *self._own.symbols]))[:MOST_CONTRACTS]

    async def _ask(self, symbol: str, since: int) -> Tally | None:
        url = self._tallies.ask(self._endpoints, symbol, since)
        try:
            body = await get(self._client, url, self._clock)
            rows = self._tallies.read(url, body)
        except FetchError as error:
            wish = error.retry_after
            alone = error.lasting and wish is None
            raise _UnansweredError(str(error), None if alone else PAUSE_S if wish is None else wish) from None
        except BUGS as error:
            raise _UnansweredError(f"{mask(url)} is not what is documented: {error}", PAUSE_S) from None
        return next((row for row in rows if row.since == since and row.symbol == symbol), None)

    def _show(self, now: int) -> None:
        self._day.trim(now)
        for side in Side:
            for source, usd in zip(("ours", "theirs"), self._day.usd(side) or (), strict=False):
                metrics.RECONCILIATION_USD.labels(self._name, side, source).set(usd)
        found = self.reconciled = self._day.reconciled()
        if found is None:
            metrics.RECONCILIATION_USD.remove_by_labels({"venue": self._name})
        if found is None or found.ratio is None:
            metrics.RECONCILIATION_RATIO.remove_by_labels({"venue": self._name})
            return
        metrics.RECONCILIATION_RATIO.labels(self._name).set(found.ratio)
        agrees = AGREES[0] <= found.ratio <= AGREES[1] or found.theirs_usd < WORTH_SAYING_USD
        if agrees != self._agrees:
            self._agrees = agrees
            words = "agree again" if agrees else "do not agree: is a shard, a side or a multiplier wrong"
            minutes = (found.until - found.since) // MINUTE
            log.log(
                logging.INFO if agrees else logging.WARNING,
                "%s: our sums and its own %s; ours are %.2f of its %.0f USD in %d min",
                self._name, words, found.ratio, found.theirs_usd, minutes,
            )  # fmt: skip
