"""How much of the bot one chat may have: so many answers a minute, none while the messenger wants it left alone.

Owns the counting; sends nothing and reads no clock: `now` is in seconds, of any clock that only goes forward.
"""

from collections import deque
from enum import StrEnum

_MINUTE_S = 60.0
#: Chats remembered before those of whom nothing counts any more are forgotten.
_MANY = 5_000


class Turn(StrEnum):
    """What is due to something a chat has said."""

    ANSWER = "answer"
    SLOW = "slow"
    """One line that says it talks too fast."""
    SILENCE = "silence"


class _Chat:
    """What is remembered of one: when it was answered, when it was told to talk slower, how long it must rest."""

    def __init__(self, most: int, now: float) -> None:
        self.answers: deque[float] = deque(maxlen=most)
        self.warned = now - _MINUTE_S
        self.rests = now

    def full(self, now: float) -> bool:
        """Whether the minute before `now` has all the answers it may have."""
        return len(self.answers) == self.answers.maxlen and self.answers[0] > now - _MINUTE_S

    def counts(self, now: float) -> bool:
        """Whether anything of it matters still."""
        last = max((self.warned, *self.answers))
        return last > now - _MINUTE_S or self.rests > now


class Pace:
    """The pace of every chat; `most` answers a minute to each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._chats: dict[int, _Chat] = {}

    def turn(self, chat: int, now: float) -> Turn:
        """What is due to the next thing a chat says. That it is too fast it is told once a minute."""
        one = self._chats.get(chat)
        if one is None:
            return Turn.ANSWER
        if one.rests > now:
            return Turn.SILENCE
        if not one.full(now):
            return Turn.ANSWER
        if one.warned > now - _MINUTE_S:
            return Turn.SILENCE
        one.warned = now
        return Turn.SLOW

    def answered(self, chat: int, now: float) -> None:
        """One answer more."""
        self._of(chat, now).answers.append(now)

    def rest(self, chat: int, now: float, seconds: float) -> None:
        """Leave a chat alone for so long from now."""
        one = self._of(chat, now)
        one.rests = max(one.rests, now + seconds)

    def _of(self, chat: int, now: float) -> _Chat:
        if chat not in self._chats and len(self._chats) >= _MANY:
            self._chats = {name: one for name, one in self._chats.items() if one.counts(now)}
        return self._chats.setdefault(chat, _Chat(self._most, now))
