"""The knobs of the detector. Owns their meaning, defaults and bounds; the reasons stand in config/README.md."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

from annotated_types import Ge, Gt, Le, Lt

from service.model import ALL

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
    budget: Annotated[float, Gt(0), Le(100)] = 1.0
    """False alarms of ALL in 30 days that the learnt levels may cost: how often may I wake you."""
    child_budget: Annotated[float, Gt(0), Le(1)] = 0.2
    """Every other asset has this part of the budget."""
    early: Annotated[float, Gt(0)] = 4.0
    """Level of growth x breadth x lean that opens an episode, until the market's own is learnt."""
    watch: Annotated[float, Gt(0)] = 2.0
    """The same for putting a market on watch, which nobody is told of."""
    breadth: Annotated[float, Gt(0)] = 5.0
    """One-sided capped dollars of the last minutes over the usual that open one, until the market's own is learnt."""
    early_floor: Annotated[float, Gt(0), Lt(1)] = 0.01
    """Part of the hour's floor that must have fallen in the last minutes before growth may open an episode ..."""
    breadth_floor: Annotated[float, Gt(0), Lt(1)] = 0.1
    """... or breadth alone may."""
    lean: Annotated[float, Ge(0.5), Le(1)] = 0.65
    """Part of the last minutes' dollars, large orders capped, that one side must hold for either."""
    fade_s: Annotated[float, Ge(0)] = 120
    """An episode fades when the signals have been under half their levels for this long, ..."""
    end_s: Annotated[float, Ge(0)] = 1800
    """... and ends when they stay there for this long; what comes back before is the same episode."""
    update_s: Annotated[float, Ge(0)] = 300
    """Between two updates of an episode, unless it becomes more severe."""
    remind_s: Annotated[float, Gt(0)] = 3600
    """An open episode of which nothing new was said for so long is recalled."""
    zone: str = "Asia/Shanghai"
    """The dates of records are named in UTC and in this zone of the tz database."""

    calendar: str = "shipped"
    """File of dated public events an onset may coincide with; `shipped` is the service's own, empty is none."""
    part: ClassVar[float] = 1.45
    """Parts of the budget each of the two signals may spend, measured: they speak together, and the levels err high."""
    watches: ClassVar[float] = 4.0
    """Watches for one alarm."""

    def budget_of(self, asset: str) -> float:
        """False alarms of one market in 30 days."""
        return self.budget if asset == ALL else self.budget * self.child_budget

    @property
    def tz(self) -> tzinfo:
        """The zone itself. Raises ZoneInfoNotFoundError where the tz database does not have it."""
        return _tz(self.zone)

    def floor(self, asset: str) -> float:
        """The floor of an asset, in dollars."""
        return self.floors.get(asset, self.floors["default"])


def is_zone(name: str) -> bool:
    """Whether a name is one of the tz database of this machine; UTC always is."""
    try:
        _tz(name)
    except (LookupError, ValueError, OSError):  # the name of a folder is an OSError, a path a ValueError
        return False
    return True


def _tz(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
