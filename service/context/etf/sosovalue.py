"""SoSoValue's open API: daily net inflow of the US spot ETFs together. Owns its words; needs a key of the user's own.

Documented: POST `/openapi/v2/etf/historicalInflowChart` with `{"type": "us-btc-spot"}` and the header `x-soso-api-key`;
the answer `{"code": 0, "msg": ..., "data": [{"date": "2024-01-11", "totalNetInflow": 655300000.0, ...}]}`, dollars, the
last 300 days; `data` has been seen as `{"list": [...]}` too. It tells neither funds nor whether all have reported.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from service.context.etf.days import due
from service.context.etf.flows import Flows
from service.context.etf.rows import Row, days_from
from service.context.source import Question, SourceError
from service.model import Record

NAME = "sosovalue"
BASE = "https://api.sosovalue.xyz"
PATH = "/openapi/v2/etf/historicalInflowChart"
TYPES: Mapping[str, str] = MappingProxyType({"BTC": "us-btc-spot", "ETH": "us-eth-spot", "SOL": "us-sol-spot"})


class _Day(Record, frozen=True, kw_only=True, rename="camel"):
    date: str
    total_net_inflow: float | None = None


class _List(Record, frozen=True, kw_only=True):
    list: tuple[_Day, ...]


class _Answer(Record, frozen=True, kw_only=True):
    code: int
    msg: str | None = None
    data: tuple[_Day, ...] | _List | None = None


_DECODER = msgspec.json.Decoder(_Answer)


class SoSoValue:
    """One asset's inflow chart, read into `book`."""

    def __init__(self, asset: str, book: Flows, key: str, base: str = BASE, every_s: float = 1_800) -> None:
        """`key` is the user's. Raises ValueError for an asset that has no ETFs."""
        if asset not in TYPES:
            raise ValueError(f"{asset!r} has no inflow chart; allowed: {', '.join(TYPES)}")
        self.name = f"etf {NAME} {asset}"
        self.every_s = every_s
        self._asset, self._book, self._key, self._url = asset, book, key, f"{base}{PATH}"

    def question(self, now: int) -> Question:  # noqa: ARG002  # the chart is the same all day
        """The chart; the key goes in a header."""
        post = msgspec.json.encode({"type": TYPES[self._asset]}).decode()
        return Question(url=self._url, post=post, headers={"x-soso-api-key": self._key}, most_bytes=1_000_000)

    def take(self, body: bytes, now: int) -> None:
        """Hand the days to the book. Raises SourceError, and then the book has nothing of it."""
        days = days_from(self._asset, _rows(body), now)
        # It cannot say that a fund is missing, so a day is whole only when all are expected to have reported.
        whole = [msgspec.structs.replace(day, complete=due(day.date) <= now) for day in days]
        self._book.take_all(self._asset, whole, NAME, now)


def _rows(body: bytes) -> list[Row]:
    try:
        answer = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise SourceError(f"an answer in another form: {str(error)[:120]}; wanted: code, data, date") from None
    if answer.code != 0:
        raise SourceError(f"answered code {answer.code}: {(answer.msg or '')[:80]!r}; wanted: 0")
    if answer.data is None:
        raise SourceError("an answer without data; wanted: a list of days")
    days = answer.data.list if isinstance(answer.data, _List) else answer.data
    return [Row(where=f"day {day.date[:20]}", date=day.date, total=day.total_net_inflow) for day in days]
