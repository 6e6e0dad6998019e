"""What it means to be told to wait: this chat, or the whole bot. Keeps both waits over a restart; sends nothing."""

import logging
from collections.abc import Callable

from service.outbox import Outbox
from service.sinks.telegram.courtesy import Courtesy
from service.sinks.telegram.outcome import Later, Outcome

log = logging.getLogger("cascade.sinks")

#: So many people in a row told to wait: it is the whole bot that is meant.
ALL_OF_US = 3


class Patience:
    """Heard by alerts and answers alike, since the messenger does not tell them apart."""

    def __init__(self, courtesy: Courtesy, outbox: Outbox, now: Callable[[], int]) -> None:
        self._courtesy = courtesy
        self._outbox = outbox
        self._now = now
        self._told: list[int] = []
        """People that were told to wait, since one was not."""

    async def note(self, chat: int, outcome: Outcome, *, group: bool) -> None:
        """Keep a wait. Groups have slow modes of their own, so only people's waits speak of us. Raises LedgerError."""
        if not isinstance(outcome, Later):
            self._told.clear()
            return
        if not outcome.told:
            return
        self._courtesy.rest(chat, outcome.seconds)
        now = self._now()
        await self._outbox.rest(chat, now + round(1_000 * outcome.seconds))
        if not group and chat not in self._told:
            self._told.append(chat)
        if len(self._told) >= ALL_OF_US:
            self._told.clear()
            log.warning("telegram asks the whole bot to wait %g s", outcome.seconds)
            self._courtesy.pause(outcome.seconds)
            await self._outbox.stay_away(now + round(1_000 * outcome.seconds), now)

    async def away(self) -> bool:
        """Whether the whole bot has to wait, whichever replica was told."""
        ahead = (await self._outbox.away_until() - self._now()) / 1_000
        if ahead > 0:
            self._courtesy.pause(ahead)
        return ahead > 0

    async def recall(self, chat: int, claim_s: float) -> None:
        """Remember a wait that a process before us was told; a claim, which is shorter, is none. Raises LedgerError."""
        ahead = (await self._outbox.free_at(chat) - self._now()) / 1_000
        if ahead > claim_s:
            self._courtesy.rest(chat, ahead)
