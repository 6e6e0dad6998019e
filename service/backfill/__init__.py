"""What the sockets missed, asked of the venues' public histories. The only caller of them.

Owns which gap is asked for, at which pace, and when it counts as healed. Knows no venue's words and counts no order.
"""

from service.backfill.filler import Backfill, Parts
from service.backfill.knobs import Knobs

__all__ = ["Backfill", "Knobs", "Parts"]
