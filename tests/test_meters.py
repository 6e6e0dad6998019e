"""What the street tells Prometheus: bounded whatever the market does, and nothing where nothing is known."""

import re
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from service import metrics
from service.detector import Open, State
from service.ledger.memory import MemoryLedger
from service.model import ALL, MINUTE, SECOND, Alert, Kind, Lead, Phase, Severity, Side
from service.pipeline import Cover, Health, Heard, Recent
from service.pipeline.memory import process_bytes
from service.pipeline.meters import Meters
from service.pipeline.quotes import OLDEST_MS, Quotes
from service.pipeline.sheet import Sheet
from service.venues import VENUES
from tests.court import judge_over
from tests.orders import T0, order

TOP = 20


def samples(metric: Gauge) -> dict[tuple[str, ...], float]:
    """Values by their labels."""
    return {tuple(one.labels.values()): one.value for one in next(iter(metric.collect())).samples}


@pytest.fixture(autouse=True)
def blank():
    """Gauges of the market are the process's own: a test begins and ends with none of them set."""
    ours = [one for one in vars(metrics).values() if isinstance(one, Gauge) and one._labelnames]
    for one in ours:
        one.clear()
    yield
    for one in ours:
        one.clear()


class Street:
    """Ledger, judge and meters, without a queue."""

    def __init__(self, venues=("bybit", "okx")) -> None:
        self.ledger = MemoryLedger()
        self.recent = Recent(self.ledger)
        self.judge = judge_over(self.ledger, recent=self.recent)
        self.meters = Meters(TOP, self.judge, self.recent)
        clock = SimpleNamespace(speed=1.0, now=lambda: T0)
        self.health = Health(list(venues), Heard(clock.speed)) if False else None
        self.venues = list(venues)

    async def show(self, orders=(), now=T0, *, leads=True):
        added = await self.ledger.add(list(orders), now)
        self.meters.written(list(orders), added, now)
        await self.recent.refresh(now)
        assets = [ALL, *await self.ledger.assets(now)]
        readings = {one.asset: one for one in await self.ledger.read(assets, now)}
        await self.meters.show(self.ledger, NOBODY, self.venues, readings, now, leads=leads)
        return readings
