"""How far back gaps are asked for: the knobs. Acts on none of them."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le


@dataclass(frozen=True)
class Knobs:
    """What may be asked of the venues' histories."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    enabled: bool = True
    """Ask for gaps; a venue without sockets is heard by its history alone and is silent without this."""
    horizon_h: Annotated[float, Ge(0), Le(24)] = 24
    """Hours back, at most, and never further than the venue's history is believed to reach."""
