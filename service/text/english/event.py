"""What happened and how unusual it is, in English. The first sentence must do for a reader who stops there."""

from service.model import Alert, Baseline, Phase, Side, Since
from service.text import facts
from service.text.amounts import clock_utc, clocks_utc, date_utc, level, multiple, percent, usd_en, when_utc
from service.text.english.nouns import BURST, SIDE, SPOKE, coins, floor, market, name, sentence, share, spread

_SPAN = {"1m": "minute", "5m": "5 min", "15m": "15 min", "1h": "hour"}
_MEASURE = {"day": "UTC day", "24h": "24 h"}


def unheard(alert: Alert) -> str:
    """The warning before everything else."""
    part = facts.little_heard(alert)
    return "" if part is None else f"Only {percent(part)} of the hour heard!"


def event(alert: Alert) -> str:
    """When, what, where, how much, which side."""
    at, since = clock_utc(alert.at), when_utc(facts.began(alert), alert.at)
    if alert.phase is Phase.CLOSED:
        least, now = floor(alert), usd_en(facts.total(alert))
        hours = f"peak hour {least}{usd_en(alert.peak_usd)}, last hour now {least}{now}"
        return sentence([f"{name(alert)} over, {market(alert)}: {since} to {at}, {hours}"])
    turn = ""
    if alert.rule == "reminder":
        turn = f" still running since {since}"
    elif alert.phase is Phase.GREW:
        turn = f" growing since {since}"
    return f"{at} {name(alert)}{turn}, {market(alert)}: {_amount(alert)}, {share(alert)}{spread(alert)}."


def unusual(alert: Alert) -> str:
    """Against what is usual here, and whether it feeds on itself. Of an episode that is over neither is news."""
    if alert.phase is Phase.CLOSED:
        return ""
    growth = f"chain reaction {alert.excitation.word}" if alert.excitation else ""
    return sentence([*(_against(alert, alert.baseline) if alert.baseline else ()), growth])


def record(alert: Alert) -> str:
    """Since when there was nothing larger; while it runs the record may still move, so it says already."""
    since = facts.standing(alert)
    if since is None:
        return ""
    span, _, side = since.measure.partition(" ")
    what = f"{_MEASURE.get(span, span)} of {SIDE[Side(side)] if side in set(Side) else 'both sides'}"
    return sentence(
        [f"{'already the ' if since.running else ''}largest {what} since {_since(since, _reached(alert, since))}"]
    )


def course(alert: Alert) -> str:
    """How its dollars came, and the peak hour beside the day; when it began only where no sentence said so."""
    told, now = alert.course, alert.at
    if told is None:
        return ""
    parts = [f"began {when_utc(told.onset, now)}"] if alert.phase is Phase.OPENED else []
    if came := facts.milestones(alert):
        shares, times = "/".join(str(one) for one, _ in came), clocks_utc([at for _, at in came], now, ", ")
        parts.append(f"{shares}% of {floor(alert)}{usd_en(told.usd)} {SIDE[alert.side]} by {times}")
    day = "" if told.share_of_day is None else f"{percent(told.share_of_day)} of the last 24 h"
    if not facts.peak_elsewhere(alert):
        return sentence([*parts, f"this hour is {day}" if day and not facts.filling(alert) else ""])
    peak = "" if alert.phase is Phase.CLOSED else f" {floor(alert)}{usd_en(alert.peak_usd)}"
    return sentence([*parts, f"peak hour{peak} until {when_utc(told.peak_hour_at, now)}{day and f', {day}'}"])


def _reached(alert: Alert, since: Since) -> str:
    """How much it is now, where no other sentence says so."""
    usd = facts.record_now(since)
    return "" if usd is None else f"{floor(alert)}{usd_en(usd)} now"


def _since(since: Since, now: str) -> str:
    """The date in both zones, how much it is and was; a memory without an equal claims no more than its reach."""
    if since.largest_since is None or since.usd is None:
        counted = "" if since.comparable else ", not all of them counted alike"
        return f"our records began on {date_utc(since.first_at)} (UTC){now and f' ({now})'}{counted}"
    dates = f"{since.largest_since} (UTC)"
    if since.zone_date not in {None, since.largest_since}:
        dates += f", {since.zone_date} in {since.zone}"
    then = "then" if since.comparable else "counted differently then"
    joined = " " if now or since.comparable else ", "
    return f"{dates} ({now and f'{now}, '}{usd_en(since.usd)}{joined}{then})"


def _amount(alert: Alert) -> str:
    hour = f"{floor(alert)}{usd_en(facts.total(alert))}"
    if alert.estimated:
        hour += f" (estimated {usd_en(alert.estimated.usd)})"
    if alert.crossed_usd is not None and alert.phase is not Phase.CLOSED:
        return f"the hour crossed {level(usd_en(alert.crossed_usd))}, {hour} liquidated"
    if not facts.filling(alert):
        return f"{hour} liquidated in 1 h"
    spoke = SPOKE[alert.rule]
    if alert.burst_usd is not None:
        burst = f"{floor(alert)}{usd_en(alert.burst_usd)} of {SIDE[alert.side]}"
        spoke = BURST[alert.rule].format(spoke=spoke, burst=burst)
    return f"{spoke}, hour so far {hour}"


def _against(alert: Alert, usual: Baseline) -> list[str]:
    parts = []
    if usual.usual_usd > 0:
        span, time = _SPAN.get(usual.span, usual.span), "so far" if usual.learning else "at this time of day"
        parts.append(f"{multiple(usual.multiple)}x the usual {span} {time} ({usd_en(usual.usual_usd)})")
    if usual.learning:
        parts.append("still learning what is usual")
    elif usual.rarity:
        parts.append(f"{usual.rarity} for {coins(alert)}")
    return parts
