"""What an alert carries beyond its verdict, gathered from the ledger and the last hour's orders. Judges nothing.

What costs tens of milliseconds (who led, what feeds left out) is worked out in a thread, and only for alerts that speak
for themselves: a line of a larger episode is told by that one.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from service import text
from service.detector import SPAN, Claim, Verdict, certainty, explained, side_usd
from service.detector.calendar import coincides
from service.detector.lead import lead
from service.detector.pattern import facts, pattern
from service.detector.undercount import estimate
from service.model import (
    HOUR,
    MINUTE,
    SPANS,
    Alert,
    Course,
    Lead,
    Phase,
    PriceMove,
    Side,
    Since,
    Totals,
)
from service.pipeline.backdrop import Backdrop, shown
from service.pipeline.prices import Prices
from service.pipeline.recent import KEEP_MS
from service.pipeline.signs import baseline, burst, excitation
from service.pipeline.sources import Sources

#: Prices are compared over at least this long, and at most over an hour.
_PRICE_MS = 5 * MINUTE
#: Orders from before the onset that show whose curve rose first.
_LEAD_IN = 2 * MINUTE
#: Curves that cannot be told apart any closer than this (s) were not compared at all.
_TOGETHER_S = 60
#: The ledger has minutes of two days.
_MINUTES_KEPT = 48 * HOUR
_TENTHS = (0.1, 0.5, 0.9)


class Dossier:
    """Turns verdicts into alerts."""

    def __init__(self, sources: Sources, prices: Prices) -> None:
        self._sources, self._prices, self._backdrop = sources, prices, Backdrop(sources)

    async def alert(self, verdict: Verdict, above: Collection[str]) -> Alert:
        """The alert of a verdict; `above`: the assets that are above their own usual level now."""
        sources, episode, totals = self._sources, verdict.episode, verdict.totals
        detail = await sources.ledger.detail(verdict.asset, SPAN, verdict.at)
        coverage = sources.cover(verdict.asset, SPAN, verdict.at) if sources.cover else None
        alert = Alert(
            id=f"{episode.id}.{episode.alerts}",
            episode=episode.id,
            kind=episode.kind,
            phase=verdict.phase,
            severity=episode.severity,
            asset=verdict.asset,
            side=episode.side,
            span=SPAN,
            started_at=episode.started_at,
            at=verdict.at,
            long_usd=totals.long_usd,
            short_usd=totals.short_usd,
            share=totals.share,
            at_least=sources.cover is None or (coverage is not None and coverage.at_least),
            peak_usd=episode.peak_usd,
            rule=verdict.rule,
            grade=episode.grade,
            parent=episode.parent,
            crossed_usd=sources.rules.floor(verdict.asset) if verdict.crossed else None,
            coverage=coverage,
            venues=_dollars(detail.venues),
            symbols=_dollars(detail.symbols),
            assets=_dollars(detail.assets),
            largest=detail.largest if sources.singles else None,
            simulated=sources.simulated,
        )
        found = await self._findings(verdict, above)
        context = await self._backdrop.of(verdict, detail)
        found |= {"context": context, "explain": shown(found["explain"], context)}
        alert = msgspec.structs.replace(alert, **found)
        return msgspec.structs.replace(alert, why=text.why(alert))

    def price(self, asset: str, side: Side, since: int, now: int) -> PriceMove | None:
        """The price over the event so far: five minutes at least, an hour at most."""
        return self._prices.move(asset, side, _window(since, now), now)

    async def _findings(self, verdict: Verdict, above: Collection[str]) -> dict[str, Any]:
        """What was found out, by the alert's field."""
        sources = self._sources
        found: dict[str, Any] = {
            "baseline": baseline(verdict),
            "burst_usd": burst(verdict),
            "record": self._record(verdict),
            "course": await self._course(verdict),
            "coincides": coincides(sources.calendar, verdict.episode.onset),
            "explain": explained(verdict, sources.rules),
        }
        if sources.singles:
            found |= await asyncio.to_thread(self._of_orders, verdict, above)
        if found.get("price") is None and not _ebbing(verdict):
            onset, at = verdict.episode.onset, verdict.at
            found["price"] = self._prices.of_marks(verdict.asset, verdict.episode.side, _window(onset, at), at)
        return found

    def _of_orders(self, verdict: Verdict, above: Collection[str]) -> dict[str, Any]:
        """Findings that need single orders, by the alert's field."""
        sources, episode, at = self._sources, verdict.episode, verdict.at
        orders = sources.recent.of(verdict.asset, at - KEEP_MS, at)
        hour = [order for order in orders if order.at > at - SPANS[SPAN]]
        event = facts((order for order in orders if order.side is episode.side), episode.onset, at)
        ebbing = _ebbing(verdict)
        found: dict[str, Any] = {
            "certainty": certainty((order.usd, order.side is Side.SHORT) for order in hour),
            "pattern": pattern(event, verdict.asset, above) if event else None,
        }
        if not ebbing:
            found["price"] = self.price(verdict.asset, episode.side, episode.onset, at)
        if episode.parent is None:
            own = [order for order in orders if order.side is episode.side and order.at > episode.onset - _LEAD_IN]
            estimated = estimate(orders, sources.feeds(), at, SPAN, sources.spread())
            found |= {
                "estimated": estimated and estimated.no_less_than(verdict.totals.usd),
                "lead": None if ebbing else _worth_telling(lead(own, episode.onset, at)),
                "excitation": excitation(verdict, orders),
            }
        return found

    def _record(self, verdict: Verdict) -> Since | None:
        """The farthest-reaching claim: of the hour or of 24 h, of the episode's side."""
        episode, closed = verdict.episode, verdict.phase is Phase.CLOSED
        spans = {"24h": verdict.reading.spans.get("24h", Totals()), "hour": verdict.totals}
        claims = [
            Claim(
                measure=name,
                side=episode.side,
                usd=side_usd(totals, episode.side),
                onset=episode.onset,
                running=not closed,
            )
            for name, totals in spans.items()
        ]
        if closed:
            claims = [Claim(measure="hour", side="total", usd=episode.peak_usd, onset=episode.onset, running=False)]
        found = [since for claim in claims if (since := self._sources.boards.since(verdict.asset, claim))]
        return min(found, key=lambda since: since.at if since.at is not None else since.first_at - 1, default=None)

    async def _course(self, verdict: Verdict) -> Course:
        episode, at = verdict.episode, verdict.at
        width = MINUTE if at - episode.onset < _MINUTES_KEPT else HOUR
        since = episode.onset // width * width
        buckets = await self._sources.ledger.history(verdict.asset, since, at + 1, width=width)
        by_end = [(start + width, side_usd(totals, episode.side)) for start, totals in sorted(buckets.items())]
        usd = sum(dollars for _, dollars in by_end)
        board, day = self._sources.boards.of(verdict.asset), verdict.reading.spans.get("24h", Totals()).usd
        whole = board is not None and board.first_at is not None and board.first_at <= at - SPANS["24h"]
        tenths = [_reached(by_end, part * usd, at) if usd else None for part in _TENTHS]
        return Course(
            onset=episode.onset,
            p10_at=tenths[0],
            p50_at=tenths[1],
            p90_at=tenths[2],
            usd=round(usd, 2),
            hour_usd=verdict.totals.usd,
            peak_hour_usd=episode.peak_usd,
            peak_hour_at=episode.peak_at,
            share_of_day=min(1.0, round(episode.peak_usd / day, 4)) if day and whole else None,
            notices=episode.alerts,
        )


def _window(since: int, now: int) -> int:
    """From when on a price is compared: over the event so far, five minutes at least, an hour at most."""
    return max(now - HOUR, min(since, now - _PRICE_MS))


def _ebbing(verdict: Verdict) -> bool:
    """What price and venues do once it ebbs away says nothing of what drove it."""
    return verdict.phase is Phase.CLOSED or verdict.episode.fading


def _worth_telling(found: Lead | None) -> Lead | None:
    """That venues went together within minutes tells nothing."""
    vague = found is not None and found.venue is None and (found.within_s or 0) > _TOGETHER_S
    return None if vague else found


def _reached(by_end: Sequence[tuple[int, float]], usd: float, now: int) -> int:
    total = 0.0
    for end, dollars in by_end:
        total += dollars
        if total >= usd:
            return min(end, now)
    return now


def _dollars(names: Mapping[str, Totals], most: int = 10) -> dict[str, float]:
    return {name: totals.usd for name, totals in list(names.items())[:most]}
