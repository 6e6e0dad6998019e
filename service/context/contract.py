"""One contract as its venue last told it, field by field, each with its age; and how its open interest went. Pure.

A figure that halves or doubles from one answer to the next is believed when the next says so too: an empty or a
mistaken answer must not read as a market that closed.
"""

from service.context.points import KEEP_MS, Points
from service.context.risk import LEAST_DAYS, STEP, Point, percentile
from service.context.track import Track
from service.model import HOUR, MINUTE, Record, Ticker
from service.symbols import counts_lots

#: A jump by this factor, either way, waits to be told again.
JUMP = 2.0
#: An answer dated further back than this is an old one that was told again.
_YESTERDAY_MS = HOUR
#: A contract that tells nothing for so long is forgotten.
GONE_MS = 48 * HOUR
#: More than any contract ever held.
MOST_COINS, MOST_USD = 1e15, 1e12
#: What was told within so long, ms, is one moment.
_TOGETHER_MS = 30 * MINUTE
_EIGHT_H = 8.0
#: Of a rate: a hundredth of a basis point is more than anybody quotes.
_DIGITS = 9
#: Steps and reach of the two memories, ms: some 4 kB a contract, of which there are thousands.
_FINE, _COARSE = (2 * MINUTE, 3 * HOUR), (30 * MINUTE, 26 * HOUR)


class Told(Record, frozen=True, kw_only=True):
    """A value and when we got it, ms UTC."""

    value: float
    at: int


class Fresh(Record, frozen=True, kw_only=True):
    """How old a figure may be and still stand for now, ms."""

    oi_ms: int = 5 * MINUTE
    funding_ms: int = 15 * MINUTE
    mark_ms: int = 5 * MINUTE


def fresh_value(told: Told | None, now: int, within_ms: int) -> float | None:
    """A value that is young enough; else None."""
    return told.value if told is not None and now - told.at <= within_ms else None


class Contract:
    """What is known of one contract."""

    def __init__(self, ticker: Ticker) -> None:
        self.venue, self.symbol, self.asset = ticker.venue, ticker.symbol, ticker.asset
        self.coins: Told | None = None
        self.usd: Told | None = None
        self.funding_8h: Told | None = None
        self.mark: Told | None = None
        self.volume: Told | None = None
        self.points = Points()
        self.lots = counts_lots(ticker.symbol)
        self._fine, self._coarse, self._marks = Track(*_FINE), Track(*_COARSE), Track(*_FINE)
        self.inverse = ticker.inverse
        self._interest, self._marked = Doubt(), Doubt()
        self._rate: Told | None = None
        self._interval_h: float | None = None
        self._ranks: dict[str, tuple[int, float | None, float]] = {}

    def hear(self, ticker: Ticker) -> None:
        """Take what a ticker tells and keep the rest. Open interest comes in coins, in dollars, or in both."""
        at = _told_at(ticker)
        if ticker.mark is not None and self._marked.believes(ticker.mark):
            self.mark = Told(value=ticker.mark, at=at)
            self._marks.add(at, ticker.mark)
        self._hear_funding(ticker, at)
        if ticker.volume_usd is not None:
            self.volume = Told(value=ticker.volume_usd, at=at)
        if ticker.oi_coins is not None or ticker.oi_usd is not None:
            self._hear_interest(ticker, at)

    @property
    def held(self) -> Told | None:
        """Open interest in what a contract is counted in: coins, or dollars where it is worth a fixed sum of them."""
        return self.usd if self.inverse else self.coins

    def gone(self, now: int) -> bool:
        """Whether it has told nothing for two days and its past, if any, is over: it was delisted, or never was one."""
        told = (self.coins, self.usd, self.funding_8h, self.mark, self.volume)
        youngest = max((one.at for one in told if one is not None), default=self.points.last or 0)
        return now - youngest > (GONE_MS if not len(self.points) else KEEP_MS)

    def remember(self, now: int) -> None:
        """Note what stands now among the points; a figure that is dated ahead is none."""
        for told, name in (
            (self.coins, "oi_coins"),
            (self.usd, "oi_usd"),
            (self.funding_8h, "funding_8h"),
            (self.mark, "price"),
            (self.volume, "volume_usd"),
        ):
            if told is not None and told.at <= now:
                self.points.add(told.at, **{name: told.value})

    def rank(self, name: str, told: Told | None, back_ms: int, now: int) -> tuple[float | None, float]:
        """Where a figure stands among its own past of `back_ms`, 0 to 1, and the days of it; worked out once a minute.

        None for a figure without a week behind it.
        """
        known = self._ranks.get(name)
        if known is None or not 0 <= now - known[0] < MINUTE:
            days = self.points.days(name, now - back_ms, now)
            past = self.points.values(name, now - back_ms, now - STEP) if told and days >= LEAST_DAYS else []
            known = self._ranks[name] = now, percentile(past, told.value) if told and past else None, days
        return known[1], known[2]

    def past_and_present(self) -> list[Point]:
        """The points before now, and as the last of them what stands now, nothing much older than the youngest."""
        told = (self.coins, self.usd, self.funding_8h, self.mark, self.volume)
        youngest = max((one.at for one in told if one is not None), default=None)
        if youngest is None:
            return self.points.all()
        coins, usd, funding, mark, volume = (fresh_value(one, youngest, _TOGETHER_MS) for one in told)
        now = Point(at=youngest, oi_coins=coins, oi_usd=usd, funding_8h=funding, price=mark, volume_usd=volume)
        return [*(point for point in self.points.all() if point.at // STEP < youngest // STEP), now]

    def held_at(self, at: int, reach_ms: int) -> float | None:
        """What was held at `at`, told at most `reach_ms` before it, half an hour where three hours have passed since.

        None where that was not told, or is not known any more.
        """
        since = self._fine.since
        if since is not None and since <= at:
            return self._fine.before(at, reach_ms)
        return self._coarse.before(at, max(reach_ms, _COARSE[0]))

    def mark_at(self, at: int, reach_ms: int) -> float | None:
        """The mark at `at`, as `coins_at`, within three hours."""
        if self.mark is not None and at - reach_ms <= self.mark.at <= at:
            return self.mark.value
        return self._marks.before(at, reach_ms)

    def _hear_funding(self, ticker: Ticker, at: int) -> None:
        """A rate and its interval may come in two answers; without an interval a rate says nothing."""
        self._interval_h = ticker.interval_h or self._interval_h
        if ticker.funding is not None:
            self._rate = Told(value=ticker.funding, at=at)
        if self._rate is not None and self._interval_h:
            eight = round(self._rate.value * _EIGHT_H / self._interval_h, _DIGITS)
            self.funding_8h = Told(value=eight, at=self._rate.at)

    def _hear_interest(self, ticker: Ticker, at: int) -> None:
        self.inverse = ticker.inverse
        coins, usd = self._both(ticker, at)
        held = usd if self.inverse else coins
        if held is None or not self._interest.believes(held):
            return
        self.coins = None if coins is None else Told(value=coins, at=at)
        self.usd = None if usd is None else Told(value=usd, at=at)
        self._fine.add(at, held)
        self._coarse.add(at, held)

    def _both(self, ticker: Ticker, at: int) -> tuple[float | None, float | None]:
        """Coins and dollars of an answer, the one from the other by a mark of the time where only one is told."""
        mark = fresh_value(self.mark, at, _TOGETHER_MS)
        coins, usd = ticker.oi_coins, ticker.oi_usd
        if mark:
            coins = usd / mark if coins is None and usd is not None else coins
            usd = coins * mark if usd is None and coins is not None else usd
        return _sane(coins, MOST_COINS), _sane(usd, MOST_USD)


class Doubt:
    """A figure that jumps waits to be told again."""

    def __init__(self) -> None:
        self._known: float | None = None
        self._doubted: float | None = None

    def believes(self, value: float) -> bool:
        """Whether it is near the last one that was believed, or near the one that was doubted just before."""
        known, doubted = self._known, self._doubted
        sure = known is None or _near(known, value) or (doubted is not None and _near(doubted, value))
        self._doubted = None if sure else value
        if sure:
            self._known = value
        return sure


def _told_at(ticker: Ticker) -> int:
    """When we got it, unless its venue dates it long ago: some date a figure by its last change."""
    return ticker.seen if ticker.seen - ticker.at <= _YESTERDAY_MS else ticker.at


def _sane(value: float | None, most: float) -> float | None:
    return value if value is not None and 0 <= value <= most else None


def _near(one: float, other: float) -> bool:
    return one == other or max(one, other) < JUMP * min(one, other)
