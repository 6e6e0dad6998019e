"""Which chat wants which alert. Owns the matching of rules; knows no hours, sends nothing."""

from service.model import Alert, Phase, Severity
from service.subscribers.chat import Chat, Rule

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def wants(chat: Chat, alert: Alert, *, told: bool, parent_told: bool) -> bool:
    """Whether a chat is to be told of an alert, whatever the hour.

    `told`: it was told of this episode before; then it gets what follows and the end, whatever its thresholds, as long
    as an unpaused rule is about the asset and the kind. `parent_told`: it was told of the episode of ALL the alert is a
    line of; then the line is no news, but the end of what was told is.
    """
    ends = alert.phase is Phase.CLOSED
    if chat.closed or (ends and not told):
        return False
    if parent_told and alert.parent is not None and not ends:
        return False
    return any((told or large_enough(rule, alert)) and about(rule, alert) for rule in chat.rules if not rule.paused)


def about(rule: Rule, alert: Alert) -> bool:
    """Whether a rule speaks of the alert's asset and kind."""
    return rule.asset == alert.asset and rule.kind in (None, alert.kind)


def large_enough(rule: Rule, alert: Alert) -> bool:
    """Whether severity, dollars and venue of an alert reach what a rule asks. Dollars nobody knows reach nothing."""
    if _RANK[alert.severity] < _RANK[rule.severity]:
        return False
    if rule.venue is None:
        return rule.usd is None or max(alert.long_usd + alert.short_usd, alert.peak_usd) >= rule.usd
    if rule.usd is None:
        return _foremost(rule.venue, alert)
    return alert.venues.get(rule.venue, 0) >= rule.usd


def _foremost(venue: str, alert: Alert) -> bool:
    """Whether a venue went first or holds the largest part."""
    if alert.lead is not None and alert.lead.venue == venue:
        return True
    return venue in alert.venues and alert.venues[venue] == max(alert.venues.values())
