"""Slow money beside forced orders: one plain rule, with all it was told. Pure; forecasts nothing, advises nothing.

Slow is the last published day of the US spot ETFs, fast is the side an episode closes by force (detection study, G).
Flows are net creations, hedged trades among them: nobody's conviction.
"""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from service.model import Divergence, EtfFlow, Side

#: A day of less than this part of the usual size is flat.
FLAT = 0.25
#: Dollars over coins must lie so near the price of their day, or one of the two is wrong.
UNIT_SLACK = 0.05
_DIGITS = 4

RULES = {
    (Side.SHORT, "in"): "aligned_up",
    (Side.SHORT, "out"): "hollow_squeeze",
    (Side.SHORT, "flat"): "leverage_only_up",
    (Side.LONG, "in"): "absorption",
    (Side.LONG, "out"): "aligned_down",
    (Side.LONG, "flat"): "leverage_only_down",
}
#: Rules in which slow and fast go against each other.
AGAINST = frozenset({"hollow_squeeze", "absorption"})


def divergence(side: Side, flows: Sequence[EtfFlow], forced_usd: float | None) -> Divergence | None:
    """The rule that holds while `side` is closed by force; None without a fresh and complete day.

    `flows`: of the alert's asset, of ALL those of every asset. `forced_usd`: dollars of the side in 24 h.
    """
    told = of_one_day(flows)
    if not told:
        return None
    usd, rule = sum(flow.usd for flow in told), RULES[side, way(told)]
    return Divergence(
        rule=rule,
        diverges=rule in AGAINST,
        flow_usd=usd,
        date=told[0].date,
        forced_usd=forced_usd,
        ratio=round(abs(usd) / forced_usd, _DIGITS) if forced_usd else None,
    )


def of_one_day(flows: Sequence[EtfFlow]) -> tuple[EtfFlow, ...]:
    """The fresh and complete flows of the day that weighs most, largest usual size first.

    Days are not added to each other: where one asset is published later than the next, the lighter day is left out.
    """
    usable = sorted((flow for flow in flows if flow.fresh and flow.complete), key=lambda flow: flow.date)
    by_date = groupby(usable, key=lambda flow: flow.date)
    days = [sorted(day, key=_weight, reverse=True) for _, day in by_date]
    heaviest = max(days, key=_day_weight, default=[])
    return tuple(heaviest)


def way(flows: Sequence[EtfFlow]) -> str:
    """`in`, `out` or `flat` of flows of one day together: by the usual size of those that have one."""
    ways = {flow.way for flow in flows}
    if len(ways) == 1:
        return ways.pop()
    usd, usual = sum(flow.usd for flow in flows), sum(flow.usual_usd or 0.0 for flow in flows)
    if usd == 0 or abs(usd) < FLAT * usual:
        return "flat"
    return "in" if usd > 0 else "out"


def unit_checked(
    flow: EtfFlow, price: float | None, slack: float = UNIT_SLACK, name: str = "the mark"
) -> tuple[EtfFlow, str]:
    """The flow, without its coins where dollars and coins do not fit together at `price`; then also why, in words.

    `slack` is the part of the price they may be off, `name` what the price is. No coins for no dollars need no price.
    """
    units = flow.units
    if units is None or units == flow.usd == 0:
        return flow, ""
    if price is None:
        return msgspec.structs.replace(flow, units=None), f"no price of {flow.date} is known to check coins with"
    implied = flow.usd / units if units else None
    if implied is not None and abs(implied / price - 1) <= slack:
        return flow, ""
    made = "no coins" if implied is None else f"{implied:,.2f} dollars a coin"
    why = f"{flow.usd:,.0f} dollars of {flow.date} make {made}, more than {100 * slack:.0f} % from {name} {price:,.2f}"
    return msgspec.structs.replace(flow, units=None), why


def _day_weight(day: Sequence[EtfFlow]) -> tuple[float, str]:
    return sum(map(_weight, day)), day[0].date


def _weight(flow: EtfFlow) -> float:
    return flow.usual_usd if flow.usual_usd is not None else abs(flow.usd)
