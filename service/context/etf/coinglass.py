"""CoinGlass's API, version 4: daily flows by fund of the US spot ETFs. Owns its words; needs a key of the user's own.

Documented: GET `/api/etf/bitcoin/flow-history` (`ethereum`, `solana`) with the header `CG-API-KEY`; the answer
`{"code": "0", "data": [{"timestamp": 1762473600000, "flow_usd": ..., "price_usd": ..., "etf_flows": [{"etf_ticker":
"BSOL", "flow_usd": ...}, {"etf_ticker": "VSOL"}]}]}`: the time is midnight UTC of the US trading day, dollars; a fund
without a figure has not reported or does not trade yet. The price is told, coins are not.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from service.context.etf.flows import Flows
from service.context.etf.rows import Row, days_from
from service.context.source import Question, SourceError
from service.model import Record

NAME = "coinglass"
BASE = "https://open-api-v4.coinglass.com"
COINS: Mapping[str, str] = MappingProxyType({"BTC": "bitcoin", "ETH": "ethereum", "SOL": "solana"})
_DAY_MS = 86_400_000
#: Years 2000 to 2100.
_FIRST, _LAST = 946_684_800_000, 4_102_444_800_000


class _Fund(Record, frozen=True, kw_only=True):
    etf_ticker: str
    flow_usd: float | None = None


class _Day(Record, frozen=True, kw_only=True):
    timestamp: int
    flow_usd: float | None = None
    etf_flows: tuple[_Fund, ...] = ()


class _Answer(Record, frozen=True, kw_only=True):
    code: str | int
    msg: str | None = None
    data: tuple[_Day, ...] | None = None


_DECODER = msgspec.json.Decoder(_Answer)


class CoinGlass:
    """One asset's flow history, read into `book`."""

    def __init__(self, asset: str, book: Flows, key: str, base: str = BASE, every_s: float = 1_800) -> None:
        """`key` is the user's. Raises ValueError for an asset that has no ETFs."""
        if asset not in COINS:
            raise ValueError(f"{asset!r} has no flow history; allowed: {', '.join(COINS)}")
        self.name = f"etf {NAME} {asset}"
        self.every_s = every_s
        self._asset, self._book, self._key = asset, book, key
        self._url = f"{base}/api/etf/{COINS[asset]}/flow-history"

    def question(self, now: int) -> Question:  # noqa: ARG002  # the history is the same all day
        """The whole history; the key goes in a header."""
        return Question(url=self._url, headers={"CG-API-KEY": self._key, "accept": "application/json"})

    def take(self, body: bytes, now: int) -> None:
        """Hand the days to the book. Raises SourceError, and then the book has nothing of it."""
        days = days_from(self._asset, _rows(body), now)
        self._book.take_all(self._asset, days, NAME, now)


def _rows(body: bytes) -> list[Row]:
    try:
        answer = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SourceError(f"an answer in another form: {str(error)[:120]}; wanted: code, data, timestamp") from None
    if str(answer.code) != "0":
        raise SourceError(f"answered code {str(answer.code)[:20]}: {(answer.msg or '')[:80]!r}; wanted: 0")
    if answer.data is None:
        raise SourceError("an answer without data; wanted: a list of days")
    return [_row(day) for day in answer.data]


def _row(day: _Day) -> Row:
    if day.timestamp % _DAY_MS or not _FIRST <= day.timestamp <= _LAST:
        raise SourceError(f"{day.timestamp} is no day; wanted: midnight UTC in ms, as 1762473600000")
    date = datetime.fromtimestamp(day.timestamp / 1_000, UTC).date().isoformat()
    funds = {fund.etf_ticker: fund.flow_usd for fund in day.etf_flows}
    if len(funds) < len(day.etf_flows):
        raise SourceError(f"day {date}: a fund stands there twice; wanted: each once")
    return Row(where=f"day {date}", date=date, total=day.flow_usd, funds=funds)
