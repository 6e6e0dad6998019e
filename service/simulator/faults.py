"""The faults a local venue can be told to make: their names, bounds and dice. Owns no socket and no venue's words."""

import difflib
import itertools
import random
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from service.model import Record

T = TypeVar("T")

#: What a garbage frame is, in turn: no JSON, cut short, nested, not a number, below zero, ten years ahead.
SPOILS = ("noise", "truncated", "nested", "nan", "negative", "future")
NOISE = "<html><body>502 Bad Gateway</body></html>"
NESTED = '{"data":' + "[" * 20_000 + "]" * 20_000 + "}"
FUTURE_MS = 10 * 365 * 86_400_000


class FaultsError(ValueError):
    """Such faults there are none; the text says what is wrong and what is allowed."""


class Faults(Record, frozen=True, kw_only=True):
    """What goes wrong, all off by default. "Frame" is a frame with liquidations; durations are seconds on the clock.

    Raises FaultsError when a number is out of bounds.
    """

    drop: int = 0
    """Abort one connection after every so many frames. The peer has all of them by then, and the tape waits until
    somebody is subscribed again, so that the fault itself loses no order, unless `lossy`."""
    duplicate: float = 0.0
    """Send a frame twice: with this probability, or from 1 on every so many frames."""
    garbage: int = 0
    """After every so many frames send one that nobody may accept, in the turn of SPOILS."""
    slow: float = 0.0
    """Hold every frame back this long."""
    accept_then_close: bool = False
    """New connections are accepted and closed at once."""
    refuse: bool = False
    """Subscriptions are refused in the venue's words."""
    silence: bool = False
    """Sockets stay healthy, but neither liquidations nor the control stream come; the orders of that time are lost."""
    hollow: bool = False
    """Subscriptions are accepted and the control stream speaks, but no liquidation comes, as on Binance's retired path;
    the orders of that time are in the REST history only."""
    throttle: int = 0
    """After every so many REST requests answer one with 429 and a Retry-After of two seconds."""
    shuffle: bool = False
    """Orders of a second come out of order, and so do the frames they make."""
    mute_pongs: bool = False
    """No ping is answered; together with `silence` a half-open connection."""
    lossy: bool = False
    """`drop` neither waits for the peer nor for its return."""
    seed: int = 0
    """Where the dice start; read when a server is made."""

    def __post_init__(self) -> None:
        """Bounds."""
        for name in ("drop", "duplicate", "garbage", "slow", "throttle"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise FaultsError(f"fault {name} must be 0 (off) or above, got {getattr(self, name)}")
        if self.duplicate > 1 and self.duplicate % 1:
            raise FaultsError(f"fault duplicate must be a probability up to 1 or a whole number, got {self.duplicate}")

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Faults from "drop=200,duplicate=0.05,silence". Raises FaultsError naming what is wrong and allowed."""
        chosen: dict[str, object] = {}
        for word in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = (part.strip() for part in word.partition("="))
            chosen[name] = _value(name, value)
        return cls(**chosen)  # type: ignore[arg-type]  # _value gives each name its own type


_TYPES = {field.name: field.type for field in msgspec.structs.fields(Faults)}
_SWITCH = {"": True, "on": True, "true": True, "1": True, "off": False, "false": False, "0": False}


def _value(name: str, value: str) -> object:
    kind = _TYPES.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, _TYPES, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise FaultsError(f"unknown fault {name!r}{hint}; allowed are {', '.join(_TYPES)}")
    if kind is bool:
        if value.lower() not in _SWITCH:
            raise FaultsError(f"fault {name} is a switch: say {name}, {name}=on or {name}=off, not {value!r}")
        return _SWITCH[value.lower()]
    try:
        return int(value) if kind is int else float(value)
    except ValueError:
        form = "a whole number" if kind is int else "a number"
        raise FaultsError(f"fault {name} needs {form}, as in {name}=5, got {value!r}") from None


class Roll(Record, frozen=True, kw_only=True):
    """What happens to one frame."""

    twice: bool
    spoil: str | None
    cut: bool


class Dice:
    """Decides frame by frame, the same way for the same seed and the same frames."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311  # faults have to repeat, not to be secret
        self._spoils = itertools.cycle(SPOILS)
        self._frames = 0

    def roll(self, faults: Faults) -> Roll:
        """The fate of the next frame."""
        self._frames += 1
        twice = self._twice(faults.duplicate)
        spoil = next(self._spoils) if self._turn(faults.garbage) else None
        return Roll(twice=twice, spoil=spoil, cut=self._turn(faults.drop))

    def shuffle(self, items: Sequence[T]) -> list[T]:
        """The items out of order."""
        return self._random.sample(items, len(items))

    def _turn(self, every: int) -> bool:
        return every > 0 and self._frames % every == 0

    def _twice(self, duplicate: float) -> bool:
        if duplicate >= 1:
            return self._turn(int(duplicate))
        return duplicate > 0 and self._random.random() < duplicate
