"""The street right of the queue: queue -> ledger -> detector -> alerts. Owns the order of the steps, no rule."""

from service.pipeline.beside import Beside
from service.pipeline.boards import Boards
from service.pipeline.cover import Cover
from service.pipeline.depths import Depths
from service.pipeline.health import Health
from service.pipeline.heard import Heard
from service.pipeline.intake import Item
from service.pipeline.judge import Judge
from service.pipeline.knobs import Knobs
from service.pipeline.recent import Recent
from service.pipeline.roster import Roster
from service.pipeline.sources import Sources
from service.pipeline.street import Parts, Pipeline

__all__ = [
    "Beside",
    "Boards",
    "Cover",
    "Depths",
    "Health",
    "Heard",
    "Item",
    "Judge",
    "Knobs",
    "Parts",
    "Pipeline",
    "Recent",
    "Roster",
    "Sources",
]
