"""The bot's updates: kept until they are confirmed, handed to one asker at a time. Knows no chat."""

import asyncio
from collections import deque
from collections.abc import Sequence

from service.simulator.botapi.answers import CONFLICT, Refusal

#: What a bot gets that never said what it wants: all but these.
_UNASKED = {"chat_member", "message_reaction", "message_reaction_count"}
_FIRST = 100_001
MOST = 100
LONGEST_S = 50


class Updates:
    """A queue with numbers."""

    def __init__(self) -> None:
        self._kept: deque[dict[str, object]] = deque()
        self._next = _FIRST
        self._allowed: frozenset[str] = frozenset()
        self._asker: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, kind: str, body: object) -> int | None:
        """Keep an update and wake whoever waits; its number, None for a kind the bot does not want."""
        if kind not in self._allowed if self._allowed else kind in _UNASKED:
            return None
        number, self._next = self._next, self._next + 1
        self._kept.append({"update_id": number, kind: body})
        if self._asker is not None and not self._asker.done():
            self._asker.set_result(None)
        return number

    def allow(self, kinds: Sequence[str] | None) -> None:
        """What is kept from now on; None changes nothing, an empty list is the usual kinds."""
        if kinds is not None:
            self._allowed = frozenset(kinds)

    def drop(self) -> None:
        """Forget everything that is kept."""
        self._kept.clear()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[dict[str, object]]:  # noqa: ASYNC109  # its name in the API
        """Updates from `offset` on; those below are confirmed and gone. Waits up to `timeout` s while there are none.

        Raises a 409 when another request comes to ask meanwhile.
        """
        if self._asker is not None and not self._asker.done():
            self._asker.set_exception(Refusal(409, CONFLICT))
        self._confirm(offset)
        if not self._kept and timeout > 0:
            await self._wait(min(timeout, LONGEST_S))
        return list(self._kept)[: min(max(limit, 1), MOST)]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            offset = max(self._next + offset, 0)
        while self._kept and int(str(self._kept[0]["update_id"])) < offset:
            self._kept.popleft()

    async def _wait(self, seconds: float) -> None:
        asker = self._asker = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait((asker,), timeout=seconds)
            if asker.done():
                asker.result()
        finally:
            if self._asker is asker:
                self._asker = None
