"""What an hour usually holds, as the signals have learnt it: the dollars an alert's baseline names. Learns nothing."""

from service.model import HOUR, SECOND
from service.pipeline.markets import Markets


def usual_hour(markets: Markets, asset: str) -> float | None:
    """Usual dollars of an hour at this time of day; None while it is being learnt, and on a replica that judges not."""
    gauge = markets.gauges.get(asset)
    if gauge is None or gauge.scale.usual is None or gauge.widths.sparse:
        return None
    return gauge.scale.usual_usd * (HOUR // SECOND) or None
