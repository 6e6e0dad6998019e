"""The faults the messenger can be told to make: shares, bounds and dice. Owns no socket and no chat."""

import random
from typing import Literal

from service.model import Record

Fate = Literal["fine", "too_many", "internal", "gateway", "lost", "dropped"]
_SHARES: tuple[Fate, ...] = ("too_many", "internal", "gateway", "lost", "dropped")


class Faults(Record, frozen=True, kw_only=True):
    """What goes wrong with requests that send or edit, as shares of all of them; off by default.

    Raises ValueError when a share is out of bounds or they are more than 1 together.
    """

    too_many: float = 0.0
    """Answered 429, whatever the limits say."""
    retry_after_s: int = 1
    """What such a 429 asks for, whole seconds."""
    internal: float = 0.0
    """Answered 500."""
    gateway: float = 0.0
    """Answered 502 with a page of HTML."""
    lost: float = 0.0
    """Carried out, but the answer is never sent."""
    dropped: float = 0.0
    """Neither carried out nor answered."""
    hold_s: float = 0.0
    """How long a connection that gets no answer is held before it is closed; 0 closes it at once."""
    slow_s: float = 0.0
    """Every answer comes this much later, those that only ask included."""
    everywhere: bool = False
    """Also strike the other methods, getUpdates among them."""
    seed: int = 0
    """Where the dice start; read when the faults are set."""

    def __post_init__(self) -> None:
        """Bounds."""
        shares: dict[str, float] = {name: getattr(self, name) for name in _SHARES}
        for name, share in shares.items():
            if not 0 <= share <= 1:
                raise ValueError(f"fault {name} is a share from 0 to 1, got {share}")
        if sum(shares.values()) > 1:
            raise ValueError(f"faults may strike at most every request, got shares of {sum(shares.values())} together")
        for key in ("hold_s", "slow_s"):
            if getattr(self, key) < 0:
                raise ValueError(f"fault {key} must be 0 (off) or above, got {getattr(self, key)}")
        if self.retry_after_s < 1:
            raise ValueError(f"fault retry_after_s must be 1 or above, got {self.retry_after_s}")


class Dice:
    """Decides request by request, the same way for the same seed and the same order of requests."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._random = random.Random(faults.seed)  # noqa: S311  # faults have to repeat, not to be secret

    def fate(self, *, speaks: bool) -> Fate:
        """What becomes of the next request; `speaks` when it sends or edits."""
        if not (speaks or self.faults.everywhere):
            return "fine"
        left = self._random.random()
        for name in _SHARES:
            left -= getattr(self.faults, name)
            if left < 0:
                return name
        return "fine"
