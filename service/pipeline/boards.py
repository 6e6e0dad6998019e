"""The memories of records, one a market: made from the ledger's hours, kept up with every reading, asked by speakers.

Owns the boards between readings and how often a calendar day is added up. Holds no rule: those stand in the detector.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, tzinfo

import msgspec

from service.detector import Board, Claim, interrupted, seed, seen, since, sum_of
from service.ledger import Ledger
from service.model import ALL, HOUR, MINUTE, Reading, Since, Totals

log = logging.getLogger("cascade.pipeline")

DAY = 24 * HOUR
#: A calendar day is added up this often (ms of the service's clock).
DAY_EVERY = MINUTE
#: ALL has a reading in every round. After a longer pause than this (ms) something may have been missed for good.
HOLE = 3 * HOUR
#: So far back a first memory looks. The ledger keeps its hours longer, but each of them is a question.
REACH = 365 * DAY
#: A single coin's memory begins with less, and this many coins begin theirs in one round.
COIN_REACH, MOST_NEW = 90 * DAY, 3

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(tuple[Board, int]).decode


class Boards:
    """By market. `regime` says which venues are counted at a time (ms UTC), by which rules; `zone` names dates too."""

    def __init__(self, ledger: Ledger, regime: Callable[[int], str], zone: tzinfo = UTC) -> None:
        self._ledger = ledger
        self._regime = regime
        self._zone = zone
        self._boards: dict[str, Board] = {}
        self._days: dict[str, int] = {}
        """When a market's day was last added up."""

    def of(self, asset: str) -> Board | None:
        """What is remembered of a market; None before its first reading."""
        return self._boards.get(asset)

    def since(self, asset: str, claim: Claim) -> Since | None:
        """The last time there was as much; None while nothing can be said."""
        board = self._boards.get(asset)
        return since(board, claim, self._zone) if board else None

    async def observe(self, readings: Collection[Reading], onsets: Mapping[str, int]) -> set[str]:
        """Take note; the markets whose memory changed. `onsets` of open events, by market. Raises LedgerError."""
        changed = set()
        if readings:
            await self._begin(max(one.now for one in readings))
        new = MOST_NEW
        for reading in readings:
            asset = reading.asset
            before = self._boards.get(asset)
            if before is None and asset != ALL and asset not in onsets:
                if not new:
                    continue  # each costs hours of history: the others in the next rounds
                new -= 1
            board = before or await self._first(asset, reading.now)
            days = await self._day(asset, reading.now)
            after = seen(board, reading, self._regime(reading.now), days, onsets.get(asset))
            if after is not before:
                self._boards[asset] = after
                changed.add(asset)
        return changed

    def stored(self, asset: str) -> bytes | None:
        """A board as it is kept; None for a market without one."""
        board = self._boards.get(asset)
        return _ENCODE((board, self._days.get(asset, 0))) if board else None

    def load(self, states: Mapping[str, bytes]) -> None:
        """Take up what `stored` gave, by market; what cannot be read is made anew from the hours."""
        self._boards, self._days = {}, {}
        for asset, state in states.items():
            try:
                self._boards[asset], self._days[asset] = _DECODE(state)
            except msgspec.MsgspecError as error:
                log.warning("the stored records of %s are of another version and are made anew: %s", asset, error)

    async def _begin(self, now: int) -> None:
        if ALL not in self._boards:
            self._boards[ALL] = await self._first(ALL, now)
        elif now - self._boards[ALL].heard_until > HOLE:
            self._boards = {asset: interrupted(board, now) for asset, board in self._boards.items()}

    async def _first(self, asset: str, now: int) -> Board:
        """From hours of which nobody noted who was counted: what comes is not comparable with them.

        No market is older than ALL: where that has no history, no other is asked for one.
        """
        whole = self._boards.get(ALL, Board()).first_at
        begin = now - REACH if asset == ALL else max(now - COIN_REACH, (now if whole is None else whole) // HOUR * HOUR)
        return seed(await self._ledger.history(asset, begin, now), now, "")

    async def _day(self, asset: str, now: int) -> dict[int, Totals]:
        """Calendar days so far by their start: today's, and yesterday's when it was not added up since it ended."""
        last = self._days.get(asset, 0)
        if now - last < DAY_EVERY and now // DAY == last // DAY:
            return {}
        self._days[asset] = now
        starts = [start for start in (now // DAY * DAY - DAY, now // DAY * DAY) if last < start + DAY]
        hours = await self._ledger.history(asset, starts[0], now + 1)
        return {start: sum_of({at: one for at, one in hours.items() if at // DAY == start // DAY}) for start in starts}
