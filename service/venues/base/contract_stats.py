"""Gate's `contract_stats`: what the venue itself says was liquidated of one contract in five minutes. Pure.

Documented (https://www.gate.io/docs/developers/apiv4/en/#futures-statistics): `time` in seconds, `long_liq_usd`,
`short_liq_usd`, public. Measured against the live interface by a third party in September 2026: `time` is the start of
the interval; the newest row is an early reading, rewritten some three minutes after its interval has ended, when its
successor appears; rows are oldest first, `from` is inclusive, and a page may run a row or two past `limit`.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec

from service.model import SECOND, DecodeError
from service.venues.base.history import address, query_of
from service.venues.base.reading import contract_name, moment_of_any, parse
from service.venues.base.tallies import Tallies, Tally

#: By the coin a contract is settled in; `BTC_USD` is the one contract settled in its own coin.
_SETTLES = {"USDT": "usdt", "USD1": "usd1", "USD": "btc"}
#: The interval asked for, the one behind it that proves it final, and some spare ones.
_ROWS = 4
_MOST_USD = 1e12


class _Row(msgspec.Struct):
    time: int
    long_liq_usd: float | str
    short_liq_usd: float | str


_STATS: msgspec.json.Decoder[list[_Row]] = msgspec.json.Decoder(list[_Row])


class ContractStats(Tallies):
    """Every contract's own liquidation sums, five minutes each."""

    interval_s: ClassVar[int] = 300
    delay_s: ClassVar[float] = 360.0  # a row is final with its successor, which comes some 170 s behind the end
    gap_s: ClassVar[float] = 0.5  # 200 requests in ten seconds

    def ask(self, endpoints: Mapping[str, str], symbol: str, since: int) -> str:
        """The interval and a few behind it."""
        settle = _SETTLES.get(contract_name(symbol, "contract").rpartition("_")[2], "usdt")
        base = f"{endpoints['rest']}/api/v4/futures/{settle}/contract_stats"
        return address(base, contract=symbol, from_=since // SECOND, interval="5m", limit=_ROWS)

    def read(self, url: str, body: bytes) -> Sequence[Tally]:
        """Every row but the newest, which is no more than an early reading."""
        symbol = query_of(url).get("contract", "")
        rows = parse(_STATS, body)
        rows.sort(key=lambda row: row.time)
        return [self._tally(symbol, row) for row in rows[:-1]]

    def _tally(self, symbol: str, row: _Row) -> Tally:
        since = moment_of_any(row.time, "time")
        return Tally(
            symbol=symbol,
            since=since,
            until=since + self.interval_s * SECOND,
            long_usd=_dollars(row.long_liq_usd, "long_liq_usd"),
            short_usd=_dollars(row.short_liq_usd, "short_liq_usd"),
        )


def _dollars(value: float | str, name: str) -> float:
    """A sum of dollars, nothing among them: a quiet interval is what most are."""
    try:
        found = float(value)
    except ValueError:
        raise DecodeError(f"{name} is not a number: {str(value)[:40]!r}") from None
    if not 0 <= found < _MOST_USD:
        raise DecodeError(f"{name} must be a finite number at least 0, got {str(value)[:40]!r}")
    return found
