"""The hour rule: the rolling hour has reached its floor and one side holds the agreed share.

The plain, always explainable floor beside every other rule. It is late by construction (the dollars must have fallen
first) and says so nowhere: what it claims is only that the hour was crossed. Source of the shape: detection study, A.3.

    crossed     total >= floor  and  one side >= share
    calm        total < close_total x floor  or  side < close_share

Opening and closing levels lie apart, so a total that trembles around either cannot flap.

What a venue's history tells after an outage is counted in its own past and can lift the running hour over the floor
long after the fact. Such an hour opens nothing unless the market is still at it: `FRESH` of the floor in the last
quarter of an hour.
"""

from service.detector.rules import Rules
from service.model import Reading, Severity, Side, Totals

SPAN = "1h"
#: Where late dollars carried the hour over its floor: this part of the floor must have fallen on the side lately.
LATELY, FRESH = "15m", 0.1


def crossed(reading: Reading, rules: Rules) -> Side | None:
    """The side whose hour has crossed the market's floor, if one's has."""
    totals, floor = reading.spans[SPAN], rules.floor(reading.asset)
    if totals.usd < floor:
        return None
    side = Side.SHORT if totals.short_usd >= totals.long_usd else Side.LONG
    if side_usd(totals, side) < rules.share * totals.usd:
        return None
    if totals.usd - reading.late_usd < floor and side_usd(reading.spans[LATELY], side) < FRESH * floor:
        return None
    return side


def calm(side: Side, reading: Reading, rules: Rules) -> bool:
    """Whether the hour no longer speaks for an episode of this side."""
    totals, floor = reading.spans[SPAN], rules.floor(reading.asset)
    return totals.usd < rules.close_total * floor or side_usd(totals, side) < rules.close_share * totals.usd


def severity_of(usd: float, floor: float, rules: Rules) -> Severity:
    """How large an hour is, in floors of its market."""
    if usd >= rules.critical * floor:
        return Severity.CRITICAL
    return Severity.WARNING if usd >= rules.warning * floor else Severity.WATCH


def side_usd(totals: Totals, side: Side) -> float:
    """Dollars of one side."""
    return totals.short_usd if side is Side.SHORT else totals.long_usd
