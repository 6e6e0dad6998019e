"""What stands beside the market, told to Prometheus out of memory. Asks no source, judges nothing.

A row for each configured asset and each venue that tells of it: bounded by the settings, whatever a source says.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from service import metrics
from service.model import ALL, SECOND, ContextReport, EtfFlow, Leverage, Rates, Risk, SourceReport
from service.pipeline.sheet import Sheet
from service.venues.base import BUGS

log = logging.getLogger("cascade.pipeline")

Report = Callable[[str], ContextReport | None]
"""All the context of an asset; None while context is switched off."""

#: Series of rates: fields of the record, and the names of their dates.
_SERIES = ("target_low", "target_high", "sofr", "three_month", "two_year")
#: More sources than this are a mistake in the settings; the first of them are shown.
MOST_SOURCES = 100


class Beside:
    """Sets the gauges of context for ALL and the configured assets, in their order, `most` of them at most."""

    def __init__(self, report: Report, assets: Iterable[str], most: int = 20) -> None:
        self._report = report
        self._assets = (ALL, *[asset for asset in dict.fromkeys(assets) if asset != ALL][:most])
        self._interest, self._funding = Sheet(metrics.OPEN_INTEREST), Sheet(metrics.FUNDING)
        self._mark, self._flow, self._day = Sheet(metrics.MARK_PRICE), Sheet(metrics.ETF_FLOW), Sheet(metrics.ETF_DAY)
        self._risk, self._risk_age = Sheet(metrics.SQUEEZE_RISK), Sheet(metrics.SQUEEZE_RISK_AGE)
        self._rate, self._rate_day = Sheet(metrics.RATE), Sheet(metrics.RATE_DAY)
        self._age = Sheet(metrics.CONTEXT_AGE)
        self._spoilt = False

    def show(self) -> None:
        """Show what is known now; what is not has no series. A mistake costs these gauges only."""
        try:
            self._show()
        except BUGS:
            if not self._spoilt:
                log.exception("the gauges of context stay as they are")
            self._spoilt = True

    def _show(self) -> None:
        found = {asset: report for asset in self._assets if (report := self._report(asset)) is not None}
        self._leverage({asset: one.leverage for asset, one in found.items() if one.leverage})
        self._gauge({(asset, side): risk for asset, one in found.items() for side, risk in one.risk.items()}, found)
        self._flows({flow.asset: flow for one in found.values() for flow in one.flows})
        whole = next(iter(found.values()), None)
        self._rates(whole.rates if whole else None)
        self._sources(whole.sources if whole else (), whole.now if whole else 0)

    def _leverage(self, found: Mapping[str, Leverage]) -> None:
        venues = {(one.venue, asset): one for asset, leverage in found.items() for one in leverage.venues}
        self._interest.write({labels: one.oi_usd for labels, one in venues.items()})
        self._funding.write({labels: one.funding_8h for labels, one in venues.items()})
        self._mark.write({(asset,): leverage.mark for asset, leverage in found.items()})

    def _gauge(self, found: Mapping[tuple[str, str], Risk], reports: Mapping[str, ContextReport]) -> None:
        known = {labels: risk for labels, risk in found.items() if risk.score is not None}
        self._risk.write({labels: risk.score for labels, risk in known.items()})
        self._risk_age.write({labels: _age(risk, reports[labels[0]].now) for labels, risk in known.items()})

    def _flows(self, flows: Mapping[str, EtfFlow]) -> None:
        """The last day; its date says how old it is. One that is not whole has no series: a number cannot say so."""
        whole = {asset: flow for asset, flow in flows.items() if flow.complete}
        self._flow.write({(asset,): flow.usd for asset, flow in whole.items()})
        self._day.write({(asset,): midnight(flow.date) for asset, flow in whole.items()})

    def _rates(self, rates: Rates | None) -> None:
        found = (rates.target_low, rates.target_high, rates.sofr, rates.three_month, rates.two_year) if rates else ()
        values = {name: value for name, value in zip(_SERIES, found, strict=False) if value is not None}
        dates = {name: rates.dates.get(name, "") for name in values} if rates else {}
        meeting = rates.next_meeting if rates else None
        self._rate.write({(name,): value for name, value in values.items()})
        self._rate_day.write({(name,): midnight(day) for name, day in {**dates, "next_meeting": meeting or ""}.items()})

    def _sources(self, sources: Sequence[SourceReport], now: int) -> None:
        shown = sources[:MOST_SOURCES]
        self._age.write({(one.name,): _since(one.answered_at, now) for one in shown})


def midnight(date: str) -> float | None:
    """A date, as 2026-01-13, as unix seconds of its midnight UTC; None for what is no date."""
    try:
        return datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _age(risk: Risk, now: int) -> float | None:
    """Of the oldest part that counts."""
    told = [part.at for part in risk.parts if part.value is not None and part.at is not None]
    return _since(min(told), now) if told else None


def _since(at: int | None, now: int) -> float | None:
    return None if at is None else max(0.0, (now - at) / SECOND)
