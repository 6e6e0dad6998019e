"""The open episodes and the alerts said last, told to Prometheus. Labels are bounded: shown assets, and ten alerts."""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter

from service import metrics
from service.detector import side_usd
from service.ledger import Ledger
from service.model import HOUR, MINUTE, SECOND, Alert, Episode, Kind, Phase, Severity
from service.pipeline.sheet import Labels, Sheet

OTHER = "other"
#: Alerts that are still shown, of those a person is told.
_SHOWN_ALERTS = 10
#: The ledger has minutes of two days.
_MINUTES_KEPT = 48 * HOUR
#: A sum since the onset is read again after this part of its length.
_SUM_PART = 60


class Running:
    """Sets the gauges of episodes; one that has closed keeps no series."""

    def __init__(self) -> None:
        self._usd, self._total = Sheet(metrics.EPISODE_USD), Sheet(metrics.EPISODE_TOTAL)
        self._grade, self._started = Sheet(metrics.EPISODE_GRADE), Sheet(metrics.EPISODE_STARTED)
        self._lead, self._said = Sheet(metrics.EPISODE_LEAD), Sheet(metrics.ALERT_AT)
        self._leads: dict[str, tuple[str, str, float]] = {}
        """By episode: the venue, how it was first, its part of the dollars."""
        self._alerts: deque[Alert] = deque(maxlen=_SHOWN_ALERTS)
        self._sums: dict[str, tuple[int, float]] = {}
        """By episode: when its dollars were last added up, and the sum."""

    def alerted(self, alerts: Iterable[Alert]) -> None:
        """Alerts have been written: only they say who led."""
        for alert in alerts:
            metrics.ALERTS.labels(alert.kind, alert.phase, alert.severity).inc()
            if alert.parent is None:
                self._alerts.append(alert)
            if first := _first(alert):
                self._leads[alert.episode] = first

    async def show(self, ledger: Ledger, episodes: Sequence[Episode], shown: Collection[str], now: int) -> None:
        """The state now. An episode of a market without a label of its own counts for `other`. Raises LedgerError."""
        self._counts(episodes)
        usd: dict[Labels, float | None] = {}
        for one in episodes:
            labels = (one.asset if one.asset in shown else OTHER, one.kind.value, one.severity.value)
            usd[labels] = (usd.get(labels) or 0.0) + one.long_usd + one.short_usd
        self._usd.write(usd)
        named = [one for one in episodes if one.asset in shown]
        self._grade.write({_course(one): one.grade for one in named})
        self._started.write({_name(one): one.started_at / SECOND for one in named})
        self._total.write({_name(one): await self._sum(ledger, one, now) for one in named})
        self._sums = {one.id: self._sums[one.id] for one in named}
        self._leads = {one.id: self._leads[one.id] for one in episodes if one.id in self._leads}
        leads = {one: self._leads[one.id] for one in named if one.id in self._leads}
        self._lead.write({(*_name(one), venue, how): part for one, (venue, how, part) in leads.items()})
        last = sorted(self._alerts, key=attrgetter("at"))
        self._said.write({_said(alert, shown): alert.at / SECOND for alert in last})

    def _counts(self, episodes: Sequence[Episode]) -> None:
        for kind in Kind:
            for severity in Severity:
                count = sum(episode.kind is kind and episode.severity is severity for episode in episodes)
                metrics.EPISODES.labels(kind, severity).set(count)

    async def _sum(self, ledger: Ledger, episode: Episode, now: int) -> float:
        """Dollars of the episode's side since its onset, read the more rarely the longer that is."""
        age = now - episode.onset
        read_at, usd = self._sums.get(episode.id, (0, 0.0))
        if now - read_at >= age / _SUM_PART:
            width = MINUTE if age < _MINUTES_KEPT else HOUR
            buckets = await ledger.history(episode.asset, episode.onset // width * width, now + 1, width=width)
            usd = sum(side_usd(totals, episode.side) for totals in buckets.values())
            self._sums[episode.id] = now, usd
        return usd


def _first(alert: Alert) -> tuple[str, str, float] | None:
    """The venue that led; where none did, the one that reached a tenth of its dollars first."""
    lead = alert.lead
    if lead is None:
        return None
    if lead.venue is not None and lead.share is not None:
        return lead.venue, "led", lead.share
    first, total = lead.first_venue, sum(alert.venues.values())
    if first is None or first not in alert.venues or not total:
        return None
    return first, "first", alert.venues[first] / total


def _name(episode: Episode) -> Labels:
    return episode.asset, episode.kind.value


def _course(episode: Episode) -> Labels:
    phase = Phase.OPENED if episode.alerts <= 1 else Phase.GREW
    return *_name(episode), episode.severity.value, phase.value, episode.stage


def _said(alert: Alert, shown: Collection[str]) -> Labels:
    asset = alert.asset if alert.asset in shown else OTHER
    return asset, alert.kind.value, alert.phase.value, alert.severity.value
