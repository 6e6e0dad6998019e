"""How the bot behaves: its knobs. Owns their meaning, defaults and bounds; acts on none of them."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True)
class Knobs:
    """What the bot allows, and its patience (real seconds)."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    language: Literal["en", "zh"] = "en"
    """Spoken to people whose own language is neither English nor Chinese."""
    owners: tuple[int, ...] = ()
    """Ids of the people who may ask for /stats."""
    most_rules: Annotated[int, Ge(1), Le(100)] = 20
    """Rules a chat may have."""
    poll_s: Annotated[float, Gt(0), Le(50)] = 25
    """How long the messenger may wait for something new before it answers with nothing."""
    at_once: Annotated[int, Ge(1), Le(1000)] = 64
    """Chats that are answered at the same time."""
    most_chats: Annotated[int, Ge(1), Le(100_000)] = 1_000
    """Chats that may wait to be answered; what others say is dropped."""
    most_waiting: Annotated[int, Ge(1), Le(1000)] = 20
    """Of one chat this much may wait to be answered; what comes beyond it is dropped."""
    per_minute: Annotated[int, Ge(1), Le(60)] = 20
    """Answers one chat gets in a minute; it is told once that it talks too fast, and what comes beyond is dropped."""
    patience_s: Annotated[float, Gt(0)] = 60
    """One answer may take this long, waiting for the messenger's limits included."""
