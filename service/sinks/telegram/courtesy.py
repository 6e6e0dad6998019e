"""When something may be sent: so many messages a second in all, one at a time to a chat, silence when asked for it.

Telegram's page "Bots FAQ" names the limits: one message a second in a chat, 20 a minute in a group, about 30 a second
in all. Spacing keeps all three in any window of time, without a memory of what was sent. Owns waiting; sends nothing.
"""

import asyncio
from collections import deque

from service.model import Record

#: Who waits less: a person at the other end, then what is said for the first time, then what was said already.
PERSON, NEWS, PICTURE = range(3)
#: Chats remembered before those that are free again are forgotten.
_MANY = 5_000
_LOOK_S = 0.02


class Limits(Record, frozen=True, kw_only=True):
    """Messages a second in all, and seconds between two in a chat and in a group: below what Telegram allows.

    `grace_s` is the silence at the start: a process that was killed a moment ago may have used up this second.
    """

    per_second: float = 25.0
    chat_s: float = 1.05
    group_s: float = 3.1
    grace_s: float = 1.0


class Courtesy:
    """The bot's manners. Seconds are real ones of the running loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {kind: deque() for kind in (PERSON, NEWS, PICTURE)}
        self._person_went = False
        self._next = self._loop.time() + limits.grace_s
        self._timer: asyncio.TimerHandle | None = None
        self._chats: dict[int, float] = {}
        self._taken: set[int] = set()

    @property
    def per_second(self) -> float:
        """Messages a second in all."""
        return self._limits.per_second

    def gap(self, *, group: bool) -> float:
        """Seconds between two messages in a chat."""
        return self._limits.group_s if group else self._limits.chat_s

    def free_in(self, chat: int) -> float:
        """Seconds until the chat may be addressed; 0 when it may."""
        return max(0.0, self._chats.get(chat, 0.0) - self._loop.time())

    async def turn(self, chat: int, urgency: int, *, group: bool) -> None:
        """Wait until one message may go to the chat; from then on it rests for its gap."""
        while chat in self._taken or self.free_in(chat) > 0:  # noqa: ASYNC110  # a time, not an event
            await asyncio.sleep(max(self.free_in(chat), _LOOK_S))
        self._taken.add(chat)  # whoever comes next queues behind
        try:
            await self.slot(urgency)
        finally:
            self._taken.discard(chat)
        self.rest(chat, self.gap(group=group))

    async def slot(self, urgency: int) -> None:
        """Wait until one more request may be made at all."""
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting[urgency].append(turn)
        self._wake()
        await turn

    def rest(self, chat: int, seconds: float) -> None:
        """Leave a chat alone for so long from now."""
        if len(self._chats) >= _MANY:
            now = self._loop.time()
            self._chats = {name: free for name, free in self._chats.items() if free > now}
        self._chats[chat] = max(self._chats.get(chat, 0.0), self._loop.time() + seconds)

    @property
    def paused_s(self) -> float:
        """Seconds until anybody may be addressed."""
        return max(0.0, self._next - self._loop.time())

    def pause(self, seconds: float) -> None:
        """Address nobody for so long from now."""
        self._next = max(self._next, self._loop.time() + seconds)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()

    def _wake(self) -> None:
        if self._timer is None and any(self._waiting.values()):
            self._timer = self._loop.call_at(max(self._next, self._loop.time()), self._release)

    def _release(self) -> None:
        self._timer = None
        while (kind := self._first()) is not None:
            turn = self._waiting[kind].popleft()
            if not turn.done():  # whoever was cancelled waits no more
                turn.set_result(None)
                self._person_went = kind == PERSON
                self._next = self._loop.time() + 1 / self._limits.per_second
                break
        self._wake()

    def _first(self) -> int | None:
        """Whose turn it is. People go first, but not twice in a row while alerts wait: many talkers starve nobody."""
        order = (NEWS, PERSON, PICTURE) if self._person_went else (PERSON, NEWS, PICTURE)
        return next((kind for kind in order if self._waiting[kind]), None)
