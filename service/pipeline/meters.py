"""What the street tells Prometheus. Reads the windows the ledger keeps; label sets are bounded by a top list."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import Gauge

from service import metrics
from service.ledger import Added, Ledger
from service.model import ALL, SPANS, Alert, Liquidation, Reading, Side, Totals
from service.pipeline.cover import Cover
from service.pipeline.insights import Insights
from service.pipeline.judge import Judge
from service.pipeline.memory import process_bytes
from service.pipeline.recent import Recent
from service.pipeline.running import OTHER, Running
from service.pipeline.sheet import Sheet


class Meters:
    """Sets the market's gauges. An asset that leaves the top list keeps no stale series."""

    def __init__(self, top: int, judge: Judge, recent: Recent) -> None:
        self._top = top
        self._shown: set[str] = set()
        self._judge = judge
        self._running = Running()
        self._insights = Insights(judge, recent)
        self._memory = Sheet(metrics.MEMORY)

    def written(self, orders: Sequence[Liquidation], added: Added, now: int) -> None:
        """A batch has been counted."""
        metrics.DUPLICATES.inc(added.duplicates)
        for position in added.fresh:
            order = orders[position]
            metrics.ORDERS.labels(order.venue, order.side).inc()
            metrics.ORDERS_USD.labels(order.venue, order.side).inc(order.usd)
            metrics.INGEST_LAG.labels(order.venue).observe(max(0, now - order.at) / 1_000)

    def alerted(self, alerts: Iterable[Alert]) -> None:
        """Alerts have been written."""
        self._running.alerted(alerts)

    async def show(
        self,
        ledger: Ledger,
        cover: Cover,
        venues: Sequence[str],
        readings: Mapping[str, Reading],
        now: int,
        *,
        leads: bool,
    ) -> None:
        """Set every gauge that describes the market now. Raises LedgerError."""
        self._windows(readings)
        named = self._shown - {OTHER}
        self._insights.show(readings, named, now, leads=leads)
        await self._running.show(ledger, self._judge.episodes(), named, now)
        self._heard(cover, venues, now)
        self._memory.write({("process",): process_bytes(), ("store",): await ledger.used_bytes()})
        detail = await ledger.detail(ALL, "1h", now)
        for venue in venues:
            _set_sides(metrics.VENUE_WINDOW_USD, detail.venues.get(venue, Totals()), venue=venue, span="1h")

    def _heard(self, cover: Cover, venues: Sequence[str], now: int) -> None:
        for span in SPANS:
            _set_known(metrics.COVERAGE.labels(span), cover.of(ALL, span, now).seconds_share)
            for asset in self._shown - {ALL, OTHER}:
                _set_known(metrics.ASSET_COVERAGE.labels(asset, span), cover.of(asset, span, now).seconds_share)
            for venue in venues:
                _set_known(metrics.VENUE_COVERAGE.labels(venue, span), cover.venue(venue, span, now))
        for venue in venues:
            for seconds, state in zip(cover.gap_seconds(venue, now) or (), ("healed", "missing"), strict=False):
                metrics.GAP_SECONDS.labels(venue, state).set(seconds)

    def _windows(self, readings: Mapping[str, Reading]) -> None:
        ranked = sorted(
            (asset for asset in readings if asset != ALL), key=lambda asset: -readings[asset].spans["1h"].usd
        )
        rows = {asset: readings[asset].spans for asset in ranked[: self._top]}
        rest = [readings[asset].spans for asset in ranked[self._top :]]
        if rest:
            rows[OTHER] = {span: _sum(spans[span] for spans in rest) for span in SPANS}
        if ALL in readings:
            rows[ALL] = readings[ALL].spans
        for asset in self._shown - rows.keys():
            _forget(asset)
        self._shown = set(rows)
        for asset, spans in rows.items():
            for span, totals in spans.items():
                _show_window(asset, span, totals)


def _set_known(gauge: Gauge, value: float | None) -> None:
    if value is not None:
        gauge.set(value)


def _show_window(asset: str, span: str, totals: Totals) -> None:
    _set_sides(metrics.WINDOW_USD, totals, asset=asset, span=span)
    metrics.WINDOW_ORDERS.labels(asset, Side.LONG, span).set(totals.long_count)
    metrics.WINDOW_ORDERS.labels(asset, Side.SHORT, span).set(totals.short_count)
    if totals.share is not None:
        metrics.WINDOW_SHARE.labels(asset, span).set(totals.share)
    elif (asset, span) in metrics.WINDOW_SHARE._metrics:  # noqa: SLF001  # no public way to ask; absent, never 0
        metrics.WINDOW_SHARE.remove(asset, span)


def _set_sides(gauge: Gauge, totals: Totals, **labels: str) -> None:
    gauge.labels(side=Side.LONG, **labels).set(totals.long_usd)
    gauge.labels(side=Side.SHORT, **labels).set(totals.short_usd)


def _forget(asset: str) -> None:
    for gauge in (metrics.WINDOW_USD, metrics.WINDOW_ORDERS, metrics.WINDOW_SHARE, metrics.ASSET_COVERAGE):
        gauge.remove_by_labels({"asset": asset})


def _sum(rows: Iterable[Totals]) -> Totals:
    total = Totals()
    for row in rows:
        total = Totals(
            long_usd=total.long_usd + row.long_usd,
            short_usd=total.short_usd + row.short_usd,
            long_count=total.long_count + row.long_count,
            short_count=total.short_count + row.short_count,
        )
    return total
