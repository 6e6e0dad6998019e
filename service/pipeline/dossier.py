"""What an alert carries beyond its verdict, gathered from the ledger and the last hour's orders. Judges nothing."""

from collections.abc import Callable, Mapping

import msgspec

from service import text
from service.detector import SPAN, Verdict
from service.ledger import Ledger
from service.model import Alert, Coverage, Totals


class Dossier:
    """`at_least` is for recordings, of which coverage is not known: their totals are floors."""

    def __init__(
        self,
        ledger: Ledger,
        cover: Callable[[str, str, int], Coverage] | None,
        *,
        at_least: bool = False,
        simulated: bool = False,
        singles: bool = True,
    ) -> None:
        self._ledger, self._cover = ledger, cover
        self._at_least, self._simulated, self._singles = at_least, simulated, singles

    async def alert(self, verdict: Verdict) -> Alert:
        """The alert of a verdict."""
        episode, totals = verdict.episode, verdict.totals
        detail = await self._ledger.detail(verdict.asset, SPAN, verdict.at)
        coverage = self._cover(verdict.asset, SPAN, verdict.at) if self._cover else None
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
            at_least=self._at_least or (coverage is not None and coverage.at_least),
            peak_usd=episode.peak_usd,
            rule=verdict.rule,
            grade=episode.grade,
            parent=episode.parent,
            coverage=coverage,
            venues=_dollars(detail.venues),
            symbols=_dollars(detail.symbols),
            assets=_dollars(detail.assets),
            largest=detail.largest if self._singles else None,
            simulated=self._simulated,
        )
        return msgspec.structs.replace(alert, why=text.why(alert))


def _dollars(names: Mapping[str, Totals], most: int = 10) -> dict[str, float]:
    return {name: totals.usd for name, totals in list(names.items())[:most]}
