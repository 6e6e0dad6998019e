"""The street right of the queue: queue -> ledger -> detector -> alerts. Owns the order of the steps, no rule."""

from service.pipeline.health import Health
from service.pipeline.heard import Heard
from service.pipeline.judge import Judge
from service.pipeline.knobs import Knobs
from service.pipeline.street import Item, Parts, Pipeline

__all__ = ["Health", "Heard", "Item", "Judge", "Knobs", "Parts", "Pipeline"]
