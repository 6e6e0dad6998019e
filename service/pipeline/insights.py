"""How unusual each shown market is now, told to Prometheus: signals, usual dollars, records, price. Judges nothing."""

from collections.abc import Collection, Mapping

from service import metrics
from service.detector import Claim
from service.model import HOUR, SECOND, Pulse, Reading
from service.pipeline.judge import Judge
from service.pipeline.quotes import Quotes
from service.pipeline.recent import Recent
from service.pipeline.sheet import Labels, Sheet

#: Spans whose dollars are compared with all that is remembered, by the measure of the memory.
_MEASURES = {"hour": "1h", "24h": "24h"}


class Insights:
    """Sets the gauges of single markets; those of markets no longer shown are taken down."""

    def __init__(self, judge: Judge, recent: Recent) -> None:
        self._judge = judge
        self._quotes = Quotes(recent, judge.marks)
        self._early, self._breadth = Sheet(metrics.SIGNAL_EARLY), Sheet(metrics.SIGNAL_BREADTH)
        self._usual, self._excitation = Sheet(metrics.USUAL_USD), Sheet(metrics.EXCITATION)
        self._as_large, self._price = Sheet(metrics.AS_LARGE), Sheet(metrics.PRICE_USD)

    def show(self, readings: Mapping[str, Reading], shown: Collection[str], now: int, *, leads: bool) -> None:
        """`shown`: markets with a label of their own. A replica that does not judge follows no signals: it has none."""
        pulses = {market: pulse for market in shown if leads and (pulse := self._judge.pulse(market))}
        self._signals(pulses)
        self._price.write({(market,): self._quotes.price(market, now) for market in shown})
        onsets = {episode.asset: episode.onset for episode in self._judge.episodes()}
        rows: dict[Labels, float | None] = {}
        for market in shown:
            rows |= self._records(market, readings[market], onsets.get(market, now))
        self._as_large.write(rows)

    def _signals(self, pulses: Mapping[str, Pulse]) -> None:
        self._early.write({(market,): pulse.early / pulse.early_level for market, pulse in pulses.items()})
        self._breadth.write({(market,): pulse.breadth / pulse.breadth_level for market, pulse in pulses.items()})
        self._usual.write({(market,): pulse.usual(HOUR // SECOND) for market, pulse in pulses.items()})
        # a market at rest breeds nothing, and its band would be that of whenever it last moved
        moving = {market: pulse.excitation for market, pulse in pulses.items() if pulse.orders}
        low: dict[Labels, float | None] = {(market, "low"): one.low for market, one in moving.items()}
        self._excitation.write(low | {(market, "high"): one.high for market, one in moving.items()})

    def _records(self, market: str, reading: Reading, onset: int) -> Mapping[Labels, float]:
        rows: dict[Labels, float] = {}
        for measure, span in _MEASURES.items():
            usd = reading.spans[span].usd
            claim = Claim(measure=measure, side="total", usd=usd, onset=onset)
            found = self._judge.since(market, claim) if usd else None
            if found:
                seen = found.at is not None
                rows[market, span, "seen" if seen else "unseen"] = (found.at or found.first_at) / SECOND
        return rows
