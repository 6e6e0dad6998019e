"""What an hour usually holds, as the signals have learnt it: the dollars an alert's baseline names. Learns nothing."""

from service.model import HOUR, SECOND
from service.pipeline import Judge


def usual_hour(judge: Judge, asset: str) -> float | None:
    """Usual dollars of an hour at this time of day; None while it is being learnt."""
    pulse = judge.pulse(asset)
    return pulse.usual_usd * (HOUR // SECOND) or None if pulse else None
