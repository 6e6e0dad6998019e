"""Everything the board says, as a list of blanks each language fills in. Owns the list; says nothing itself.

All texts are plain: whoever puts one into a page escapes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from service.model import ContextReport, Coverage, Episode, FeedState, Liquidation, Side, Since
from service.text.standing import Fact

#: What stands for a number nobody knows.
UNKNOWN = "—"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Heads of tables."""

    time: str
    venue: str
    contract: str
    side: str
    usd: str
    longs: str
    shorts: str
    price: str
    heard: str
    state: str
    last_order: str


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What stands on what can be picked and pressed."""

    market: str
    other_language: str
    """The other one, in its own words."""
    other_code: str
    skip: str
    theme: Mapping[str, str]
    """By `auto`, `light` and `dark`: what it is now."""
    docs: str


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """One language."""

    code: str
    """As HTML names it."""
    title: str
    simulation: str
    columns: Columns
    controls: Controls

    all_coins: str
    usd: Callable[[float], str]
    floor: str
    """Before dollars that are at least so much."""
    side: Mapping[Side, str]
    """Of positions."""
    kind: Callable[[Episode], str]
    """With its grade, first letter large."""
    severity: Callable[[str], str]

    numbers: str
    hour: str
    day: str
    share: Callable[[float], str]
    """Of the part of shorts: the larger side's part."""
    no_share: str
    nothing: str
    """Beneath dollars that are none."""
    usual: str
    times: Callable[[float], str]
    usual_is: Callable[[float], str]
    learning: str
    """While nobody knows what is usual."""
    since: Callable[[Since], str]
    since_lately: str
    """That there was as much within the last day."""
    since_when: str
    """That the memory is too short to call anything a record."""
    heard: str
    heard_hour: str
    live: Callable[[Coverage], str]
    hidden: Callable[[Coverage], str]
    """Of the venues that show a part only; empty without any."""

    bars: str
    bars_about: str
    bars_label: Callable[[str, str], str]
    """For who cannot see the chart: of the market and of the last hour's dollars."""
    price_of: Callable[[str], str]
    not_heard: str
    as_table: str
    millions: str
    """A JavaScript function of a number of dollars that labels the axis."""

    episodes: str
    no_episode: str
    began: Callable[[int, int], str]
    stage: Callable[[Episode], str]
    hour_usd: Callable[[str], str]
    part: str
    """Of a coin's episode inside one of all coins."""

    beside: str
    standing: Callable[[ContextReport], tuple[Fact, ...]]
    """What stands beside the market."""
    no_context: str
    """That it is switched off."""
    no_forecast: str
    """What the gauge is not."""

    alerts: str
    no_alert: str
    started: str
    """Of an alert that opens an episode; the headlines of the others say what they are."""
    new_alert: Callable[[str], str]

    tape: str
    no_order: str
    order: Callable[[Liquidation], str]

    venues: str
    states: Mapping[FeedState, str]
    socket: Callable[[str, str], str]

    stale: str
    """`{time}` is where the time goes."""
    waiting: str
    """While there is no picture at all."""
    unready: Callable[[str], str]
    no_advice: str
