"""What of an alert is worth a word, before any language: both languages pick here, so that both say the same.

Pure; writes no sentence, decides nothing about the market. What is not known comes out as None and is left unsaid.
"""

from service.model import HOUR, Alert, Coverage, Phase, Side, Since

#: What was heard only later is told from here on; less would read as 0%.
_WORTH_SAYING = 0.01
#: Below this the reader must know first how little was heard.
_MUCH_HEARD = 0.9
#: A record that stood for less is no news: a market is the largest since yesterday every other day.
_RECORD_MS = 7 * 24 * HOUR
#: A peak this much above the running hour is another hour, and must be told beside it.
ABOVE = 1.01
#: Rules that speak before the hour has filled.
EARLY = frozenset({"early", "level"})
WHALE = "whale"
#: Longer names of coins are no names; the dollars after them must stay in sight.
NAME = 16


def total(alert: Alert) -> float:
    """Dollars of both sides."""
    return alert.long_usd + alert.short_usd


def side_share(alert: Alert) -> float | None:
    """The part of the episode's own side; None when nothing was liquidated."""
    if alert.share is None:
        return None
    return alert.share if alert.side is Side.SHORT else 1 - alert.share


def side_range(alert: Alert) -> tuple[float, float] | None:
    """The interval of the own side's part; None while unknown."""
    certainty = alert.certainty
    if certainty is None or alert.share is None:
        return None
    return (certainty.low, certainty.high) if alert.side is Side.SHORT else (1 - certainty.high, 1 - certainty.low)


def balance(alert: Alert) -> str:
    """The certainty's type where it warns of the share: `whale`, `mixed`; else empty."""
    kind = alert.certainty.type if alert.certainty and alert.share is not None else ""
    return kind if kind in {WHALE, "mixed"} else ""


def two_sided(alert: Alert) -> bool:
    """Whether what runs has no side, whatever it began as. Of one that is over only the end would say so."""
    return alert.certainty is not None and alert.certainty.type == "two_sided" and alert.phase is not Phase.CLOSED


def little_heard(alert: Alert) -> float | None:
    """How much was heard, where it was so little that the reader must know first."""
    share = alert.coverage.seconds_share if alert.coverage else None
    return share if share is not None and share < _MUCH_HEARD else None


def healed(coverage: Coverage) -> float | None:
    """The part a history told later, where it is more than nothing."""
    return coverage.healed_share if (coverage.healed_share or 0) >= _WORTH_SAYING else None


def deaf(coverage: Coverage) -> tuple[str, float] | None:
    """The venue that was heard least, where that is news."""
    if not coverage.by_venue:
        return None
    name, share = min(coverage.by_venue.items(), key=lambda pair: pair[1])
    return (name, share) if share < _MUCH_HEARD else None


def tops(alert: Alert) -> tuple[tuple[str, float], tuple[str, float]] | None:
    """The venue and the contract with most dollars; None where the split is unknown."""
    if not alert.venues or not alert.symbols:
        return None
    venue, symbol = (max(names.items(), key=lambda item: item[1]) for names in (alert.venues, alert.symbols))
    return venue, symbol


def top_asset(alert: Alert) -> tuple[str, float] | None:
    """The coin with most dollars of all coins; None where it is one coin anyway."""
    return max(alert.assets.items(), key=lambda item: item[1]) if alert.assets else None


def part(usd: float, alert: Alert) -> float | None:
    """Dollars as a part of the alert's; None without any."""
    whole = total(alert)
    return min(1.0, usd / whole) if whole > 0 else None


def whale(alert: Alert) -> bool:
    """Whether few large orders carry the total."""
    return alert.pattern == WHALE or (alert.certainty is not None and alert.certainty.type == WHALE)


def standing(alert: Alert) -> Since | None:
    """The record worth telling: one that stood, or a memory that reaches back, a week at least before the onset."""
    record = alert.record
    if record is None:
        return None
    since = record.first_at if record.at is None else record.at
    return record if alert.started_at - since >= _RECORD_MS else None


def record_now(since: Since) -> float | None:
    """What a record has reached, where the alert's own dollars, an hour's, do not tell it."""
    return None if since.measure.startswith("hour") else since.now_usd


def began(alert: Alert) -> int:
    """When it began, ms UTC: at its change point where that is known, else when it was first told of."""
    return alert.course.onset if alert.course else alert.started_at


def peak_elsewhere(alert: Alert) -> bool:
    """Whether the peak hour is another than the running one."""
    return alert.peak_usd >= ABOVE * total(alert)


def milestones(alert: Alert) -> tuple[tuple[int, int], ...]:
    """Percent of the episode's dollars and when (ms UTC) they had come; while it runs they are no news, but change."""
    course = alert.course if alert.phase is Phase.CLOSED else None
    found = ((10, course.p10_at), (50, course.p50_at), (90, course.p90_at)) if course else ()
    return tuple((percent, at) for percent, at in found if at is not None)


def filling(alert: Alert) -> bool:
    """Whether the rule spoke before the hour could fill: its dollars are the hour's so far."""
    return alert.rule in EARLY and alert.phase is not Phase.CLOSED


def burst(alert: Alert) -> float | None:
    """Dollars of the side in five minutes, where they are the news and the hour is not yet."""
    return alert.burst_usd if filling(alert) else None
