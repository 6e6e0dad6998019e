"""How fast a bot may speak, measured at the receiving end over sliding windows. Knows no method and answers nobody.

The messenger publishes its limits as rules of thumb: one message a second to a person, twenty a minute to a group,
thirty a second over all. Here they are exact, so that whoever keeps them here keeps them there.
"""

from collections import Counter, deque
from typing import Literal

from service.model import Record

Kind = Literal["private", "group"]
_MINUTE = 60.0


class Limits(Record, frozen=True, kw_only=True):
    """What is allowed. Raises ValueError for a number that is not above 0."""

    per_chat_s: float = 1.0
    """Least seconds between two messages to one person."""
    group_per_minute: int = 20
    """Most messages to one group or channel in 60 seconds."""
    overall: int = 30
    """Most messages of the bot in one second."""
    speed: float = 1.0
    """How many times shorter every window is, for a trial on a faster clock."""
    slack_s: float = 0.0
    """How much shorter a window counts as kept: what the way to us may squeeze. Real seconds, after `speed`."""

    def __post_init__(self) -> None:
        """Bounds."""
        for name in ("per_chat_s", "group_per_minute", "overall", "speed"):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"limit {name} must be above 0, got {getattr(self, name)}")
        if self.slack_s < 0:
            raise ValueError(f"limit slack_s must be 0 or above, got {self.slack_s}")

    def window(self, seconds: float) -> float:
        """Real length of a window."""
        return max(0.0, seconds / self.speed - self.slack_s)


class Violation(Record, frozen=True, kw_only=True):
    """A limit that was not kept."""

    at: float
    """Seconds of the monotonic clock."""
    chat: int
    rule: Literal["chat", "group", "overall"]
    number: float
    """Seconds since the last message to the person; messages in the window otherwise."""


class Meter:
    """Counts messages as they come."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.violations: list[Violation] = []
        self.worst_second = 0
        """Most messages in any window of a second."""
        self.worst_gap: dict[int, float] = {}
        """Least seconds between two messages, by private chat that had two."""
        self.worst_minute: Counter[int] = Counter()
        """Most messages in any window of a minute, by group."""
        self._all: deque[float] = deque()
        self._groups: dict[int, deque[float]] = {}
        self._last: dict[int, float] = {}

    def wait(self, at: float, chat: int, kind: Kind | None) -> float:
        """Seconds from `at` until a message to that chat would keep every limit, 0 for now. Counts nothing."""
        limits = self.limits
        free = _free(self._all, at, limits.window(1.0), limits.overall)
        if kind == "private" and chat in self._last:
            free = max(free, self._last[chat] + limits.window(limits.per_chat_s))
        elif kind == "group" and chat in self._groups:
            free = max(free, _free(self._groups[chat], at, limits.window(_MINUTE), limits.group_per_minute))
        return max(0.0, free - at)

    def take(self, at: float, chat: int, kind: Kind | None) -> None:
        """Count a message that came at `at`, and note what it breaks. `kind` None is a chat that does not exist."""
        limits = self.limits
        number = _slide(self._all, at, limits.window(1.0))
        self.worst_second = max(self.worst_second, number)
        self._note(number > limits.overall, at, chat, "overall", number)
        if kind == "private":
            self._person(at, chat)
        elif kind == "group":
            number = _slide(self._groups.setdefault(chat, deque()), at, limits.window(_MINUTE))
            self.worst_minute[chat] = max(self.worst_minute[chat], number)
            self._note(number > limits.group_per_minute, at, chat, "group", number)

    def _person(self, at: float, chat: int) -> None:
        last = self._last.get(chat)
        self._last[chat] = at
        if last is None:
            return
        gap = at - last
        self.worst_gap[chat] = min(gap, self.worst_gap.get(chat, gap))
        self._note(gap < self.limits.window(self.limits.per_chat_s), at, chat, "chat", gap)

    def _note(
        self, broken: bool, at: float, chat: int, rule: Literal["chat", "group", "overall"], number: float
    ) -> None:
        if broken:
            self.violations.append(Violation(at=at, chat=chat, rule=rule, number=number))


def _slide(times: deque[float], at: float, window: float) -> int:
    """How many came in the window that ends now, this one among them."""
    while times and at - times[0] >= window:
        times.popleft()
    times.append(at)
    return len(times)


def _free(times: deque[float], at: float, window: float, most: int) -> float:
    """When one more would fit."""
    return times[-most] + window if len(times) >= most and at - times[-most] < window else at
