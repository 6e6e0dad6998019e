"""Binance's public past, asked for once at the start and daily, so that the gauge need not wait a month for its own.

Three requests a coin, one after the other, far below what is allowed of each address: 1,000 in five minutes of
`/futures/data/openInterestHist` (500 rows, the last month only), 500 of `/fapi/v1/fundingRate` (1,000 rows, oldest
first from `startTime` on), and of `/fapi/v1/klines` a weight of 2,400 a minute, of which one costs 2 below 500 rows.
Owns what is asked when. What the answers mean stands in `past`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from service.context.past import READERS, STEPS_A_DAY, VENUE
from service.context.risk import DAY, Point
from service.context.source import NotYetError, Question, SourceError
from service.model import HOUR, SECOND, Contract, Instrument
from service.venues.base import address

#: Days of open interest (no more are told) and prices, and of funding.
DAYS, FUNDING_DAYS = 30, 90
#: Seconds on the clock between two requests, between two rounds, and until one that failed comes to its turn again.
PAUSE_S = 2.0
EVERY_S = 86_400.0
AGAIN_S = 3_600.0
#: The last payment is no longer ago than two of the longest intervals, else there is another page.
SETTLED_MS = 16 * HOUR
#: The days, one more for the volume of the first, and the step that is not over.
_CANDLES = (DAYS + 1) * STEPS_A_DAY + 1
_MOST_RATES = 1_000
_MOST_BYTES = 1_000_000


class Past:
    """The past of some coins as one Source: each of its questions is another, until all are answered for a day.

    `hear` is told a contract and some of its points, of which each history knows other fields.
    """

    name = f"past {VENUE}"

    def __init__(
        self,
        rest: str,
        contracts: Callable[[], Sequence[Instrument]],
        coins: Callable[[], Collection[str]],
        hear: Callable[[Instrument, Sequence[Point]], None],
    ) -> None:
        self._rest, self._contracts, self._coins, self._hear = rest, contracts, coins, hear
        self._due: dict[tuple[str, str], int] = {}
        """When each history of each contract is to be asked for, ms UTC."""
        self._since: dict[str, int] = {}
        """From when on a contract's funding is asked for, where a page did not reach the present."""
        self._asked: tuple[str, Instrument] | None = None
        self.every_s = PAUSE_S

    def question(self, now: int) -> Question:
        """The history that is due for longest. Raises NotYetError while no contract is known."""
        wanted = {row.symbol: row for row in _perpetuals(self._contracts(), self._coins())}
        if not wanted:
            raise NotYetError(f"{VENUE} lists no contract in USDT of the coins wanted, or has not told it yet")
        self._due = {(kind, symbol): self._due.get((kind, symbol), 0) for symbol in wanted for kind in READERS}
        kind, symbol = min(self._due, key=self._due.__getitem__)
        self._due[kind, symbol] = now + int(AGAIN_S * SECOND)
        self._asked = (kind, wanted[symbol])
        return Question(url=self._url(kind, symbol, now), most_bytes=_MOST_BYTES)

    def take(self, body: bytes, now: int) -> None:
        """The answer to the last question."""
        if self._asked is None:
            raise SourceError("nothing was asked")
        kind, contract = self._asked
        points = READERS[kind](body, contract, now)
        more = kind == "fundingRate" and self._goes_on(points, contract.symbol, now)
        self._due[kind, contract.symbol] = 0 if more else now + int(EVERY_S * SECOND)
        if more:
            self._since[contract.symbol] = points[-1].at
        else:
            self._since.pop(contract.symbol, None)
        self.every_s = max(PAUSE_S, (min(self._due.values()) - now) / SECOND)
        if points:
            self._hear(contract, points)

    def _goes_on(self, points: Sequence[Point], symbol: str, now: int) -> bool:
        """Whether there is another page: this one ends long ago, and further on than the one before."""
        return bool(points) and self._since.get(symbol, 0) < points[-1].at < now - SETTLED_MS

    def _url(self, kind: str, symbol: str, now: int) -> str:
        if kind == "openInterestHist":
            base = f"{self._rest}/futures/data/openInterestHist"
            return address(base, symbol=symbol, period="4h", limit=DAYS * STEPS_A_DAY)
        if kind == "klines":
            return address(f"{self._rest}/fapi/v1/klines", symbol=symbol, interval="4h", limit=_CANDLES)
        since = self._since.get(symbol, now - FUNDING_DAYS * DAY)
        return address(f"{self._rest}/fapi/v1/fundingRate", symbol=symbol, startTime=since, limit=_MOST_RATES)


def _perpetuals(listed: Iterable[Instrument], coins: Collection[str]) -> list[Instrument]:
    """A coin's perpetual in USDT, the contract with the longest past; dated ones carry an underscore."""
    return [
        row
        for row in listed
        if row.asset in coins
        and row.contract is Contract.LINEAR
        and row.symbol.endswith("USDT")
        and "_" not in row.symbol
    ]
