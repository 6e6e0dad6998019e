"""Reads what the board shows of one market: two windows, two hours of minutes, price, record, newest orders.

What changes slowly (names of coins, what was heard of each minute) is read every few seconds and kept. Sums nothing.
"""

import asyncio
from collections.abc import Sequence

from service.board.picture import Market, Minute, Window
from service.board.prices import Prices
from service.board.sight import Sight
from service.detector import Claim, since
from service.ledger.live import stretches
from service.model import HOUR, MINUTE, SECOND, Coverage, Liquidation, Reading, Since, Totals, coin_of

#: Bars.
MINUTES = 120
#: Newest orders shown.
TAPE = 24
#: So far back single orders are remembered.
_KEPT_MS = 75 * MINUTE
#: What changes slowly is read so often, in real seconds.
SLOW_S = 5.0
#: Orders of the last moments are looked at again: feeds tell late.
_AGAIN_MS = 30 * SECOND
#: What was heard of a minute is written down by then.
_HEARD_BY_MS = 3 * MINUTE
#: A record younger than this is no news: every hour is the largest since some minutes ago.
_RECORD_MS = 24 * HOUR


class Markets:
    """Every market that is looked at."""

    def __init__(self, sight: Sight) -> None:
        self.names: tuple[str, ...] = ()
        """Coins with an order in the last day."""
        self._sight = sight
        self._heard: dict[int, float] = {}
        self._prices: dict[str, Prices] = {}
        self._slow_at = float("-inf")

    async def read(self, assets: Sequence[str], venues: Sequence[str], now: int) -> dict[str, Market]:
        """By asset, as of `now` (ms UTC). Raises LedgerError."""
        await self._slowly(venues, now)
        coins = {coin_of(asset) for asset in assets}
        self._prices = {coin: self._priced(coin, now) for coin in coins}
        readings = await self._sight.ledger.read(assets, now) if assets else []
        return {reading.asset: await self._market(reading) for reading in readings}

    async def _slowly(self, venues: Sequence[str], now: int) -> None:
        clock = asyncio.get_running_loop().time
        if clock() - self._slow_at < SLOW_S / max(1.0, self._sight.clock.speed / 10):
            return
        self.names = tuple(await self._sight.ledger.assets(now))
        slots = await self._sight.ledger.slots(venues, now)
        found = {at: slots.shares(venues, list(stretches(at, at + MINUTE))) for at in _starts(now)}
        self._heard = {at: shares[0] for at, shares in found.items() if shares is not None}
        for kept in self._prices.values():
            kept.upto = 0  # read anew: histories tell old orders late
        self._slow_at = clock()

    def _priced(self, coin: str, now: int) -> Prices:
        kept = self._prices.get(coin) or Prices(MINUTES * MINUTE)
        kept.see(self._sight.recent.of(coin, max(kept.upto - _AGAIN_MS, now - _KEPT_MS), now), now)
        return kept

    async def _market(self, reading: Reading) -> Market:
        sight, asset, now = self._sight, reading.asset, reading.now
        starts = _starts(now)
        bars = await sight.ledger.history(asset, starts[0], now + 1, width=MINUTE)
        quoted, prices = self._prices[coin_of(asset)].line()
        hour, day = await self._window(reading, "1h"), await self._window(reading, "24h")
        live = hour.coverage.venues_live > 0
        return Market(
            asset=asset,
            hour=hour,
            day=day,
            usual_usd=sight.usual(asset),
            since=self._record(asset, hour.totals.usd, now),
            remembers=self._remembers(asset, now),
            minutes=tuple(self._minute(at, bars.get(at), prices.get(at), now, live=live) for at in starts),
            quoted=quoted,
            tape=self._tape(asset, now),
            context=sight.context(asset),
        )

    async def _window(self, reading: Reading, span: str) -> Window:
        coverage: Coverage = await self._sight.coverage(reading.asset, span, reading.now)
        return Window(totals=reading.spans[span], coverage=coverage)

    def _minute(self, at: int, totals: Totals | None, price: float | None, now: int, *, live: bool) -> Minute:
        """A minute without an order holds nothing only if somebody listened; of the last ones, if somebody does."""
        over = at + _HEARD_BY_MS < now
        heard = self._heard.get(at) if over else None
        silent = totals is None and not (heard if over else live)
        usd = (None, None) if silent else (totals.long_usd, totals.short_usd) if totals else (0.0, 0.0)
        return Minute(at=at, long_usd=usd[0], short_usd=usd[1], heard=heard, price=price)

    def _record(self, asset: str, usd: float, now: int) -> Since | None:
        board = self._sight.records(asset)
        if board is None or not usd or not self._remembers(asset, now):
            return None
        onset = next((one.onset for one in self._sight.episodes() if one.asset == asset), now)
        found = since(board, Claim(measure="hour", side="total", usd=usd, onset=onset, running=True), self._sight.zone)
        if found is None:
            return None
        stood = found.first_at if found.at is None else found.at
        return found if now - stood >= _RECORD_MS else None

    def _remembers(self, asset: str, now: int) -> bool:
        board = self._sight.records(asset)
        return board is not None and board.first_at is not None and now - board.first_at > _RECORD_MS + HOUR

    def _tape(self, asset: str, now: int) -> tuple[Liquidation, ...]:
        """The newest by the venues' time of those that were counted last."""
        found = [order for order in self._sight.recent.latest(asset, 2 * TAPE) if order.at <= now]
        return tuple(sorted(found, key=lambda order: (order.at, order.id), reverse=True)[:TAPE])


def _starts(now: int) -> list[int]:
    """The minutes shown, by their start; the last one runs."""
    last = now // MINUTE * MINUTE
    return [last - back * MINUTE for back in reversed(range(MINUTES))]
