"""The knobs of the hour rule. Owns their meaning, defaults and bounds; the reasons stand in config/README.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from annotated_types import Ge, Gt, Le, Lt

Usd = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class Rules:
    """When an episode opens, grows and closes. Dollars are totals of both sides inside the rolling hour."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    floors: Mapping[str, Usd] = field(
        default_factory=lambda: {"ALL": 100e6, "BTC": 30e6, "ETH": 20e6, "default": 5e6},
    )
    """Hour total an episode needs to open, by asset; `default` serves every asset without its own."""
    share: Annotated[float, Gt(0.5), Le(1)] = 0.80
    """Part of the total one side must hold to open."""
    grow: Annotated[float, Gt(1)] = 1.5
    """The next `grew` comes when the dominating side is this many times what the last alert said."""
    close_total: Annotated[float, Gt(0), Lt(1)] = 0.5
    """An episode may close when the hour total is below this part of the floor ..."""
    close_share: Annotated[float, Ge(0.5), Le(1)] = 0.65
    """... or its side holds less than this part of the total ..."""
    close_after_s: Annotated[float, Ge(0)] = 300
    """... without a break for this long."""
    warning: Annotated[float, Ge(1)] = 2.0
    """Severity `warning` from this many floors."""
    critical: Annotated[float, Ge(1)] = 3.0
    """Severity `critical` from this many floors."""
    calendar: str = "shipped"
    """File of dated public events an onset may coincide with; `shipped` is the service's own, empty is none."""

    def floor(self, asset: str) -> float:
        """The floor of an asset, in dollars."""
        return self.floors.get(asset, self.floors["default"])
