"""An alert's question for its context, and the answer's place in the explanation. Judges nothing.

Memory answers, so nothing is waited for. A bug there costs the context and is logged once, never the alert.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping

import msgspec

from service.context.standing import FAULTS
from service.detector import SPAN, Verdict, side_usd
from service.model import ALL, HOUR, SPANS, Context, Detail, Explained, Fired, Situation, coin_of
from service.pipeline.recent import KEEP_MS
from service.pipeline.sources import Sources

log = logging.getLogger("cascade.pipeline")

#: With less of a span heard its dollars are not whole.
_HEARD = 0.9
_DAY = "24h"


class Backdrop:
    """Asks for what stands beside alerts, where there is somebody to ask."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._failed = False

    async def of(self, verdict: Verdict, detail: Detail) -> Context | None:
        """The context of a verdict; `detail`: its hour by venue. None where nobody is asked. Raises LedgerError."""
        ask = self._sources.context
        if ask is None:
            return None
        asset, at = verdict.asset, verdict.at
        hour = await self._sources.ledger.detail(coin_of(asset), SPAN, at) if asset == ALL else detail
        try:
            found = ask(self._situation(verdict, hour))
            # what cannot be read back, as a figure that is no number, must not take its alert along
            return msgspec.json.decode(msgspec.json.encode(found), type=Context | None)
        except FAULTS:
            if not self._failed:
                log.exception("the context of %s is lost, and alerts go on without; this is said once", asset)
            self._failed = True
            return None

    def _situation(self, verdict: Verdict, hour: Detail) -> Situation:
        sources, episode, at = self._sources, verdict.episode, verdict.at
        coverage = sources.cover(verdict.asset, SPAN, at) if sources.cover else None
        # a venue that was heard and had no order had none; of a recording nobody says who was heard
        heard = {name: 0.0 for name, share in coverage.by_venue.items() if share >= _HEARD} if coverage else {}
        # a recorded total is dated by its end and began up to an hour before
        began = episode.onset if sources.singles else episode.onset + 1 - HOUR
        return Situation(
            asset=verdict.asset,
            side=episode.side,
            onset=began,
            at=at,
            venues=heard | {name: totals.usd for name, totals in hour.venues.items()},
            since_onset=self._since_onset(verdict, began, hour),
            forced_24h_usd=self._forced(verdict),
            at_least=sources.cover is None or (coverage is not None and coverage.at_least),
        )

    def _since_onset(self, verdict: Verdict, began: int, hour: Detail) -> Mapping[str, float] | None:
        """Both sides' dollars by venue since the onset, of the asset whose leverage it is."""
        sources, at = self._sources, verdict.at
        if not sources.singles:
            return {name: totals.usd for name, totals in hour.venues.items()}
        if at - began > KEEP_MS:
            return None
        found: defaultdict[str, float] = defaultdict(float)
        for order in sources.recent.of(hour.asset, began - 1, at):
            found[order.venue] += order.usd
        return found

    def _forced(self, verdict: Verdict) -> float | None:
        """Dollars of the side in 24 h, where all of them were heard."""
        sources, asset, at = self._sources, verdict.asset, verdict.at
        board, totals = sources.boards.of(asset), verdict.reading.spans.get(_DAY)
        if totals is None or board is None or board.first_at is None or board.first_at > at - SPANS[_DAY]:
            return None
        heard = sources.cover(asset, _DAY, at).seconds_share if sources.cover else 1.0
        return side_usd(totals, verdict.episode.side) if heard is not None and heard >= _HEARD else None


def shown(explain: Explained, context: Context | None) -> Explained:
    """The explanation with the context's figures among its inputs, and the rule that holds for them."""
    if context is None:
        return explain
    rules = explain.rules
    if context.divergence is not None:
        found = context.divergence
        because = f"ETFs {found.flow_usd:,.0f} USD on {found.date}, {found.rule}"
        rules = (*rules, Fired(rule="divergence", fired=True, because=because))
    return msgspec.structs.replace(explain, inputs={**explain.inputs, **_inputs(context)}, rules=rules)


def _inputs(context: Context) -> Mapping[str, float | str | None]:
    oi, funding, divergence = context.oi, context.funding, context.divergence
    return {
        "oi_asset": context.asset,
        "oi_before_usd": oi.usd if oi else None,
        "oi_change_pct": oi.change_pct if oi else None,
        "oi_liquidated_usd": oi.liquidated_usd if oi else None,
        "oi_vanished_over_liquidated": oi.ratio if oi else None,
        "funding_8h": funding.rate_8h if funding else None,
        "funding_rank": funding.percentile if funding else None,
        "etf_usd": divergence.flow_usd if divergence else None,
        "etf_date": divergence.date if divergence else None,
        "side_24h_usd": divergence.forced_usd if divergence else None,
    }
