"""The newest alerts, read from the ledger once for everybody who asks and encoded once. Owns no truth of its own."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

import msgspec

from service.ledger import Ledger, LedgerError
from service.ledger.archive import place
from service.model import Alert, unexplained

#: The cursor before every alert.
START = "0-0"
#: Alerts kept at hand.
KEEP = 500

_ENCODE = msgspec.json.Encoder().encode
Place = tuple[int, int]


class Row:
    """One alert with its cursor; `place` is the cursor as numbers that compare."""

    def __init__(self, cursor: str, alert: Alert) -> None:
        self.cursor = cursor
        self.place = place(cursor)
        self.alert = alert

    @cached_property
    def body(self) -> bytes:
        """Its JSON, encoded once and only when somebody wants it."""
        return _ENCODE(unexplained(self.alert))


def rows_of(found: Sequence[tuple[str, Alert]]) -> list[Row]:
    """What the ledger found."""
    return [Row(cursor, alert) for cursor, alert in found]


class Tail:
    """The last 500 alerts. Call `refresh` first; every caller gets a read that began after the call, all share it."""

    def __init__(self, ledger: Ledger) -> None:
        self.rows: list[Row] = []
        self.whole = False
        """True when there are no alerts before the first row."""
        self.revision = 0
        """Changes whenever a row came."""
        self._ledger = ledger
        self._lock = asyncio.Lock()
        self._begun = 0
        self._last: tuple[int, LedgerError | None] = (0, None)

    @property
    def cursor(self) -> str:
        """The newest cursor."""
        return self.rows[-1].cursor if self.rows else START

    async def refresh(self) -> None:
        """Take in what the ledger has. Raises LedgerError."""
        asked = self._begun
        async with self._lock:
            if self._last[0] <= asked:
                await self._read()
            error = self._last[1]
        if error is not None:
            raise error

    async def _read(self) -> None:
        self._begun += 1
        number = self._begun
        try:
            if self.rows:
                await self._read_on()
            else:
                self.rows = rows_of(await self._ledger.alerts(None, KEEP))
                self.whole = len(self.rows) < KEEP
                self.revision += bool(self.rows)
            self._last = number, None
        except LedgerError as error:
            self._last = number, error

    async def _read_on(self) -> None:
        while True:
            more = rows_of(await self._ledger.alerts(self.cursor, KEEP))
            if not more:
                return
            self.revision += 1
            self.whole = self.whole and len(self.rows) + len(more) <= KEEP
            self.rows = [*self.rows, *more][-KEEP:]
            if len(more) < KEEP:
                return

    def after(self, since: str) -> list[Row] | None:
        """Rows behind a cursor, oldest first; None when it lies before what is at hand."""
        at = place(since)
        if not self.whole and (not self.rows or at < self.rows[0].place):
            return None
        return self.rows[bisect_right(self.rows, at, key=lambda row: row.place) :]
