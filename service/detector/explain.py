"""Everything behind one alert: inputs, levels and rules, as they stood. For whoever wants to check it by hand.

Owns no threshold: it reads those of hour.py, signal.py and the rules, and says for each rule whether it held and why.
"""

from service.detector import hour, signal
from service.detector.episode import Verdict
from service.detector.hour import SPAN, side_usd
from service.detector.rules import Rules
from service.model import Explained, Fired, Pulse, Reading

_DIGITS = 4


def explained(verdict: Verdict, rules: Rules) -> Explained:
    """Inputs and levels by name (dollars, shares 0 to 1, seconds), and every rule with a sentence."""
    reading, pulse = verdict.reading, verdict.reading.pulse
    return Explained(
        inputs=_rounded(_of_hour(verdict) | (_of_pulse(pulse) if pulse else {}) | _heard(reading)),
        levels=_rounded(_levels(verdict, rules)),
        rules=(_hour(reading, rules), *_signals(reading, rules), _life(verdict, rules)),
    )


def _of_hour(verdict: Verdict) -> dict[str, float | str | None]:
    totals = verdict.totals
    return {
        "hour_long_usd": totals.long_usd,
        "hour_short_usd": totals.short_usd,
        "hour_side_share": side_usd(totals, verdict.episode.side) / totals.usd if totals.usd else None,
        "hour_late_usd": verdict.reading.late_usd,
        "said_usd": verdict.episode.said_usd,
        "prices_against": verdict.reading.against,
    }


def _of_pulse(pulse: Pulse) -> dict[str, float | str | None]:
    return {
        "burst_s": pulse.width_s,
        "burst_long_usd": pulse.long_usd,
        "burst_short_usd": pulse.short_usd,
        "burst_short_share_capped": pulse.lean,
        "burst_orders": pulse.orders,
        "orders_last_minute": pulse.orders_minute,
        "breadth": pulse.breadth,
        "growth_z": pulse.growth_z,
        "early": pulse.early,
        "usual_orders_per_s": pulse.usual_rate,
        "usual_usd_per_s_capped": pulse.usual_usd,
        "median_order_usd": pulse.median_usd,
        "cap_usd": pulse.cap_usd,
        "days_learnt": pulse.days,
        "rarity_days": pulse.rarity_days,
    }


def _heard(reading: Reading) -> dict[str, float | str | None]:
    return {
        f"heard_{span}": coverage.seconds_share for span, coverage in reading.coverage.items() if span in ("5m", "1h")
    }


def _levels(verdict: Verdict, rules: Rules) -> dict[str, float | str | None]:
    floor, pulse = rules.floor(verdict.asset), verdict.reading.pulse
    return {
        "hour_floor_usd": floor,
        "hour_share": rules.share,
        "early": pulse.early_level if pulse else None,
        "early_floor_usd": rules.early_floor * floor,
        "breadth": pulse.breadth_level if pulse else None,
        "breadth_floor_usd": rules.breadth_floor * floor,
        "watch": pulse.watch_level if pulse else None,
        "lean": rules.lean,
        "heard_5m": signal.HEARD,
        "false_alarms_per_30_days": rules.budget_of(verdict.asset),
    }


def _hour(reading: Reading, rules: Rules) -> Fired:
    totals, floor = reading.spans[SPAN], rules.floor(reading.asset)
    larger = max(totals.long_usd, totals.short_usd)
    share = larger / totals.usd if totals.usd else 0.0
    return Fired(
        rule=signal.HOUR_RULE,
        fired=hour.crossed(reading, rules) is not None,
        because=f"the hour holds {totals.usd:,.0f} USD of a floor of {floor:,.0f}, its larger side {share:.3f} "
        f"of {rules.share:g} asked for, {reading.late_usd:,.0f} USD of it told late",
    )


def _signals(reading: Reading, rules: Rules) -> tuple[Fired, ...]:
    pulse, floor = reading.pulse, rules.floor(reading.asset)
    if pulse is None:
        unknown = "single orders are unknown, or too little has been heard to know what is usual"
        return tuple(Fired(rule=rule, fired=False, because=unknown) for rule in (signal.EARLY, signal.LEVEL))
    usd = pulse.long_usd + pulse.short_usd
    speaks = signal.may_speak(reading, rules) is not None
    early = speaks and pulse.early >= pulse.early_level and usd >= rules.early_floor * floor
    level = speaks and pulse.breadth >= pulse.breadth_level and usd >= rules.breadth_floor * floor
    lean = "unknown" if pulse.lean is None else f"{max(pulse.lean, 1 - pulse.lean):.3f}"
    common = f"; {usd:,.0f} USD in {pulse.width_s} s; one side holds {lean} of {rules.lean:g} asked for"
    return (
        Fired(
            rule=signal.EARLY,
            fired=early,
            because=f"growth x breadth x lean is {pulse.early:.2f} of {pulse.early_level:.2f} asked for{common}; "
            f"{rules.early_floor * floor:,.0f} USD asked for; {pulse.orders_minute} orders in the last minute",
        ),
        Fired(
            rule=signal.LEVEL,
            fired=level,
            because=f"one-sided capped dollars are {pulse.breadth:.2f} times usual of {pulse.breadth_level:.2f} asked "
            f"for{common}; {rules.breadth_floor * floor:,.0f} USD asked for",
        ),
    )


def _life(verdict: Verdict, rules: Rules) -> Fired:
    episode = verdict.episode
    because = (
        f"{verdict.phase} by rule {verdict.rule}; opened by {episode.rule}; severity {episode.severity}, grade "
        f"{episode.grade}; updates every {rules.update_s:g} s at most, when the side's hour is {rules.grow:g} times "
        f"what was said or the severity rises; a reminder every {rules.remind_s:g} s; it ends after "
        f"{rules.end_s:g} s of low signals and {rules.close_after_s:g} s of a calm hour"
    )
    return Fired(rule="life", fired=True, because=because)


def _rounded(values: dict[str, float | str | None]) -> dict[str, float | str | None]:
    return {name: round(value, _DIGITS) if isinstance(value, float) else value for name, value in values.items()}
