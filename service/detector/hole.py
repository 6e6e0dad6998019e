"""Days in which nobody listened to a market: nothing is learnt of them, so they need not be walked minute by minute.

Owns the jump of a gauge (gauge.py) over whole days; whether there was a hole, others say. The hours at both of its ends
are walked as unheard by the caller, so that what was begun before it is closed, and lags are filled anew.
"""

from service.detector.gauge import Gauge
from service.detector.scale import MINUTE_S
from service.detector.tail import BLOCK_S

_DAY_S = 86_400


def jump(gauge: Gauge, days: int) -> None:
    """Go on by whole days, in place; the gauge must have no order pending and its last hour must have been unheard."""
    gauge.second += days * _DAY_S
    gauge.block += days * (_DAY_S // BLOCK_S)
    gauge.scale.minute += days * (_DAY_S // MINUTE_S)
