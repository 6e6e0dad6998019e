"""How sure it is, in English: who was heard, what the feeds hide, what the true sum may be."""

from collections.abc import Sequence

from service.model import Alert, Coverage, Estimated
from service.text import facts
from service.text.amounts import listed, percent, usd_en
from service.text.english.nouns import sentence

_METHOD = {"order sizes": "from the sizes shown", "reference venue": "scaled from a venue that shows all"}


def sure(alert: Alert) -> str:
    """What the numbers rest on, and what is missing in them."""
    coverage, estimated = alert.coverage, alert.estimated
    heard = _heard(coverage, told=facts.little_heard(alert) is not None) if coverage else []
    missing = ""
    if coverage and coverage.leaving_out:
        missing = _hidden(coverage.leaving_out)
        missing += "" if estimated else ", so the true sum is higher"
    elif coverage and alert.at_least:
        missing = "what was not heard is missing"
    return sentence([*heard, missing, *(_estimate(estimated) if estimated else ())])


def _hidden(venues: Sequence[str]) -> str:
    if len(venues) == 1:
        return f"{venues[0]} shows only part of its own"
    return f"{listed(venues, ' and ')} show only part of theirs"


def _heard(coverage: Coverage, *, told: bool) -> list[str]:
    """Who was heard; `told` when a warning has said already how little of the hour."""
    live = f"{coverage.venues_live} of {coverage.venues} venues live"
    if coverage.seconds_share is not None and not told:
        live += f", {percent(coverage.seconds_share)} of the hour heard"
    late, least = facts.healed(coverage), facts.deaf(coverage)
    if late is not None:
        live += f" ({percent(late)} of {'the hour' if told else 'it'} only later, from the venues' history)"
    return [live, f"least heard {least[0]} {percent(least[1])}" if least else ""]


def _estimate(estimated: Estimated) -> list[str]:
    how = " and ".join(_METHOD.get(one, one) for one in estimated.method.split(" and "))
    between = f"estimate {usd_en(estimated.low)} to {usd_en(estimated.high)} (90% sure), {how}"
    if not estimated.unknown:
        return [between]
    hide = "hide" if len(estimated.unknown) > 1 else "hides"
    return [between, f"what {listed(estimated.unknown, ' and ')} {hide} is unknown, so even that is a floor"]
