"""A second opinion on the last hour: what CoinGlass counts, asked every five minutes if there is a key.

`GET /api/futures/liquidation/exchange-list?range=1h` with the header CG-API-KEY; the row named All holds every venue it
knows (https://docs.coinglass.com/reference/liquidation-exchange-list). Refusals come as an HTTP status or as a `code`
inside an answer of 200. The key goes into that header and nowhere else.
"""

import logging
from collections.abc import Callable

import httpx
import msgspec

from service import metrics
from service.clock import Clock
from service.fetch import FetchError, get
from service.masking import MASK, mask
from service.model import MINUTE, SecondOpinion, Side

log = logging.getLogger("cascade.opinion")

SOURCE = "coinglass"
PATH = "/api/futures/liquidation/exchange-list?range=1h"
#: Seconds on the clock between two questions, and after a no that will not change by itself.
EVERY_S = 300.0
REFUSED_S = 3600.0
#: An opinion on an hour that ended longer ago is none on the last one.
STALE_MS = 15 * MINUTE
#: A wrong or missing key, and a plan that may not ask for one hour.
_REFUSALS = ("401", "402", "403")
_MOST_USD = 1e12
_SHOWN = 120


class _Row(msgspec.Struct):
    exchange: str
    long_liquidation_usd: float | str
    short_liquidation_usd: float | str


class _Answer(msgspec.Struct):
    code: str | int = ""
    msg: str | None = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


_ANSWER = msgspec.json.Decoder(_Answer)
_ROWS = msgspec.json.Decoder(list[_Row])


class _SilentError(Exception):
    """No opinion; `wait_s` until the next question."""

    def __init__(self, text: str, wait_s: float = EVERY_S) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class Opinion:
    """One aggregator. `ours` tells our own dollars of the last hour, None while they are not known."""

    def __init__(
        self, url: str, key: str, clock: Clock, client: httpx.AsyncClient, ours: Callable[[], float | None]
    ) -> None:
        self._url, self._key, self._clock, self._client, self._ours = url + PATH, key, clock, client, ours
        self._last: SecondOpinion | None = None
        self._trouble = ""

    def latest(self) -> SecondOpinion | None:
        """The last opinion, unless it is too old to be one on the last hour."""
        last = self._last
        return last if last and self._clock.now() - last.at <= STALE_MS else None

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            wait_s = EVERY_S
            try:
                self._last = await self._ask()
                self._trouble = ""
            except _SilentError as error:
                wait_s = error.wait_s
                self._complain(str(error))
            self._show()
            await self._rest(wait_s)

    async def _rest(self, seconds: float) -> None:
        """Wait, and take away meanwhile what has become too old."""
        while seconds > 0:
            await self._clock.sleep(min(seconds, EVERY_S))
            seconds -= EVERY_S
            self._show()

    async def _ask(self) -> SecondOpinion:
        headers = {"CG-API-KEY": self._key, "Accept": "application/json"}
        try:
            return self._read(await get(self._client, self._url, self._clock, headers))
        except FetchError as error:
            if not error.status:  # its text may repeat what was sent, the key among it
                raise _SilentError(f"it did not answer: {error.said}") from None
            raise _refusal(str(error.status), error.said, error.retry_after or 0.0) from None

    def _read(self, body: bytes) -> SecondOpinion:
        try:
            answer = _ANSWER.decode(body)
            if str(answer.code) != "0":
                raise _refusal(str(answer.code), answer.msg or "", 0.0)
            rows = {row.exchange: row for row in _ROWS.decode(answer.data)}
            if "All" not in rows:
                raise _SilentError("its answer has no row for all venues")
            long_usd, short_usd = (
                _dollars(value) for value in (rows["All"].long_liquidation_usd, rows["All"].short_liquidation_usd)
            )
        except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
            raise _SilentError(f"its answer is not what is documented: {error}") from None
        ours, theirs = self._ours(), long_usd + short_usd
        ratio = round(ours / theirs, 4) if ours is not None and theirs else None
        return SecondOpinion(source=SOURCE, long_usd=long_usd, short_usd=short_usd, at=self._clock.now(), ratio=ratio)

    def _complain(self, text: str) -> None:
        """The same trouble is said once."""
        words = text.replace(self._key, MASK)[:_SHOWN] if self._key else text[:_SHOWN]
        if words != self._trouble:
            log.warning("no second opinion from %s: %s", mask(self._url), words)
        self._trouble = words

    def _show(self) -> None:
        found = self.latest()
        if found is None:
            metrics.SECOND_OPINION_USD.clear()
            return
        metrics.SECOND_OPINION_USD.labels(Side.LONG).set(found.long_usd)
        metrics.SECOND_OPINION_USD.labels(Side.SHORT).set(found.short_usd)


def _refusal(code: str, text: str, wish: float) -> _SilentError:
    least = REFUSED_S if code in _REFUSALS else EVERY_S
    return _SilentError(f"it answered {code}: {text.strip()!r}", max(least, wish))


def _dollars(value: float | str) -> float:
    found = float(value)
    if not 0 <= found < _MOST_USD:
        raise ValueError(f"dollars must be finite and at least 0, got {str(value)[:40]!r}")
    return found
