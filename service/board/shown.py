"""A picture in words: every area of the page, made once for all pages that show the same asset in the same language."""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, TypeVar, cast

from service.board import lists, numbers
from service.board.beside import beside
from service.board.chart import Options, options
from service.board.phrases import UNKNOWN, Phrases
from service.board.picture import Market, Picture
from service.model import ALL, Alert
from service.subscribers.parse import MAJORS
from service.text import clock_utc

T = TypeVar("T")
_ASSET = re.compile(r"[\w.$-]{1,24}")


def is_asset(name: str) -> bool:
    """Whether a coin may be called so: letters and digits of any script, few signs, no markup."""
    return _ASSET.fullmatch(name) is not None


@dataclass(frozen=True)
class Drawn:
    """A chart's options, a mark that differs where they do, and what it shows in words (escaped)."""

    options: Options
    mark: str
    label: str


class Shown:
    """One picture, or none yet, as every page may show it."""

    def __init__(self, picture: Picture | None) -> None:
        self.picture = picture
        self._made: dict[Hashable, Any] = {}

    @property
    def assets(self) -> tuple[str, ...]:
        """Coins to pick from; what is called unlike a coin cannot be picked."""
        names = [name for name in (self.picture.assets if self.picture else ()) if is_asset(name)]
        return tuple(sorted(names, key=lambda name: (MAJORS.index(name) if name in MAJORS else len(MAJORS), name)))

    def market(self, asset: str) -> Market | None:
        """One asset; None while nothing of it is known."""
        return self.picture.markets.get(asset) if self.picture else None

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made for this key, or makes it."""
        if key not in self._made:
            self._made[key] = make()
        return cast("T", self._made[key])

    def areas(self, asset: str, words: Phrases) -> Mapping[str, str]:
        """HTML by area."""
        return self.once(("areas", asset, words.code), lambda: self._areas(asset, words))

    def chart(self, asset: str, words: Phrases) -> Drawn:
        """The bars."""
        return self.once(("chart", asset, words.code), lambda: self._chart(asset, words))

    def news(self, alert: Alert, words: Phrases) -> str:
        """An alert to be read out."""
        return escape(words.new_alert(lists.spoken(alert, words)))

    def _areas(self, asset: str, words: Phrases) -> dict[str, str]:
        picture, market = self.picture, self.market(asset)
        found = {
            "numbers": numbers.numbers(market, words),
            "beside": beside(market, words),
            "tape": lists.tape(market, words),
            "venues": lists.venues(picture, words),
            "clock": f"<time data-beat=0>{UNKNOWN}</time>",
        }
        if picture is None:
            waiting = f"<p class=none>{escape(words.waiting)}</p>"
            return found | {"episodes": waiting, "alerts": waiting, "unready": escape(words.waiting)}
        second = f"{clock_utc(picture.now)[:5]}:{picture.now // 1_000 % 60:02d} UTC"
        return found | {
            "clock": f"<time data-beat={picture.taken}>{second}</time>",
            "episodes": lists.episodes(picture, asset, words),
            "alerts": lists.alerts(picture, asset, words),
            "simulation": escape(words.simulation) if picture.simulated else "",
            "unready": escape(words.unready("; ".join(picture.problems))) if picture.problems else "",
        }

    def _chart(self, asset: str, words: Phrases) -> Drawn:
        market = self.market(asset)
        name = words.all_coins if asset == ALL else asset
        usd = numbers.dollars(market.hour, words) if market else UNKNOWN
        made = options(market, words, lists.told(self.picture, asset) if self.picture else ())
        return Drawn(options=made, mark=repr(made["series"]), label=escape(words.bars_label(name, usd), quote=True))
