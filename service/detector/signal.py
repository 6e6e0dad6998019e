"""The two early rules: growth (E) and one-sided breadth (B) of the last minutes against the market's own levels.

    early    E >= its level  and  the last minutes' dollars >= early_floor x floor
    level    B >= its level  and  the last minutes' dollars >= breadth_floor x floor

and for either one side must hold `lean` of the capped dollars, and at least half of the venue-seconds of the last five
minutes must have been heard: half a market is no market (detection study, A.3 and A.5). What is heard of an hour that
crossed its floor is a floor all the same, so that rule (hour.py) has no such condition.
"""

from service.detector.rules import Rules
from service.model import Coverage, Pulse, Reading, Side

EARLY, LEVEL, HOUR_RULE, REMINDER, CALM = "early", "level", "hour", "reminder", "calm"
#: The span whose coverage must be at least this much.
HEARD_SPAN, HEARD = "5m", 0.5
#: Below these parts of their levels the signals are low: an episode fades.
LOW_BREADTH, LOW_EARLY = 0.5, 0.2
#: And below this part of the dollars growth needs to open one, whatever their levels: in a quiet night a single small
#: order is many times the usual, and kept an episode open for hours (recorded on 2023-01-09).
LOW_USD = 0.5


def spoken(reading: Reading, rules: Rules) -> tuple[str, Side] | None:
    """The rule that speaks and the side it speaks of, if one does."""
    pulse, side = reading.pulse, may_speak(reading, rules)
    if pulse is None or side is None:
        return None
    usd, floor = pulse.long_usd + pulse.short_usd, rules.floor(reading.asset)
    if pulse.early >= pulse.early_level and usd >= rules.early_floor * floor:
        return EARLY, side
    if pulse.breadth >= pulse.breadth_level and usd >= rules.breadth_floor * floor:
        return LEVEL, side
    return None


def may_speak(reading: Reading, rules: Rules) -> Side | None:
    """The side a signal could speak of: it dominates, enough was heard, and prices do not go the other way."""
    pulse = reading.pulse
    if pulse is None or pulse.lean is None or not heard_enough(reading.coverage.get(HEARD_SPAN)):
        return None
    side = Side.SHORT if pulse.lean >= 1 / 2 else Side.LONG
    return side if leaning(pulse, side) >= rules.lean and side is not reading.against else None


def low(pulse: Pulse, side: Side, asset: str, rules: Rules) -> bool:
    """Whether the signals no longer speak for an episode of this side."""
    if pulse.lean is None or leaning(pulse, side) < 1 / 2:
        return True
    if pulse.long_usd + pulse.short_usd < LOW_USD * rules.early_floor * rules.floor(asset):
        return True
    return pulse.breadth < LOW_BREADTH * pulse.breadth_level and pulse.early < LOW_EARLY * pulse.early_level


def leaning(pulse: Pulse, side: Side) -> float:
    """The side's part of the last minutes' capped dollars."""
    lean = pulse.lean or 0.0
    return lean if side is Side.SHORT else 1 - lean


def heard_enough(coverage: Coverage | None) -> bool:
    """Half of the venue-seconds, where they are known."""
    return coverage is None or coverage.seconds_share is None or coverage.seconds_share >= HEARD
