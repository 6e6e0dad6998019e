"""How long to wait before the next dial. Pure: no clock, no sleep, the dice are handed in."""

import random

_DOUBLINGS = 30


def backoff(attempt: int, first: float, most: float, rng: random.Random) -> float:
    """Seconds before dial number `attempt` + 1 (0 is the first failure): full jitter under a doubling ceiling."""
    return rng.uniform(0.0, min(most, first * 2.0 ** min(attempt, _DOUBLINGS)))
