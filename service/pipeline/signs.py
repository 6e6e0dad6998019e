"""What a market's second-by-second signals say of an alert: what is usual, five minutes, how it feeds on itself."""

from collections.abc import Sequence

import msgspec

from service.detector import LEARNT_DAYS, Verdict
from service.detector.branching import branching
from service.model import HOUR, SECOND, SPANS, Baseline, Excitation, Liquidation, Phase, Side, once_in

_BURST_S = 300


def baseline(verdict: Verdict) -> Baseline | None:
    """What is usual, of the span that is the news; None while nothing is learnt."""
    pulse, episode = verdict.reading.pulse, verdict.episode
    if pulse is None:
        return None
    short = verdict.phase is Phase.OPENED and not verdict.crossed
    seconds = pulse.width_s if short else HOUR // SECOND
    usd = pulse.long_usd + pulse.short_usd if short else verdict.totals.usd
    usual = pulse.usual(seconds)
    if usual is None:
        return None
    rarity = episode.rarity_days
    return Baseline(
        usual_usd=round(usual, 2),
        multiple=round(usd / usual, 2),
        rarity=once_in(rarity) if rarity else None,
        rarity_days=round(rarity, 2) if rarity else None,
        learning=pulse.days < LEARNT_DAYS,
        span=next(name for name, span in SPANS.items() if span == seconds * SECOND),
    )


def burst(verdict: Verdict) -> float | None:
    """Dollars of the side in five minutes; None where single orders are unknown."""
    pulse = verdict.reading.pulse
    if pulse is None or pulse.width_s != _BURST_S:
        return None
    return pulse.short_usd if verdict.episode.side is Side.SHORT else pulse.long_usd


def excitation(verdict: Verdict, orders: Sequence[Liquidation]) -> Excitation | None:
    """How much the orders of the hour feed on themselves; None where single orders are unknown."""
    pulse = verdict.reading.pulse
    if pulse is None:
        return None
    first = verdict.at // SECOND - HOUR // SECOND
    counts = [0] * (HOUR // SECOND + 1)
    for order in orders:
        if 0 <= order.at // SECOND - first < len(counts):
            counts[order.at // SECOND - first] += 1
    return msgspec.structs.replace(pulse.excitation, branching=branching(counts))
