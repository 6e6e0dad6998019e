"""Levels for a stated number of false episodes, found on days without cascades. Owns the budget, not the score.

Block maxima of half an hour; runs of neighbouring blocks over a level are one episode. The level is the least at which
the quiet days hold no more episodes than the budget allows them.
"""

from collections.abc import Sequence

import numpy as np

from service.lab.law import DAY_S, Floats

BLOCK_S = 1_800


def maxima(score: Floats) -> Floats:
    """The 48 block maxima of a day's score."""
    return np.asarray(score.reshape(DAY_S // BLOCK_S, BLOCK_S).max(axis=1), dtype=np.float64)


def level_for(blocks: Sequence[float] | Floats, budget: float) -> float:
    """The level at which these consecutive blocks hold as many episodes as `budget` episodes in 30 days allow.

    Raises ValueError when there are too few blocks for even one.
    """
    values = np.asarray(blocks, dtype=np.float64)
    allowed = int(budget * len(values) * BLOCK_S / DAY_S / 30)
    if allowed < 1:
        days = len(values) * BLOCK_S / DAY_S
        least = 30 / budget
        raise ValueError(f"{days:.0f} quiet days are too few for {budget:g} false episodes in 30: take {least:.0f}")
    level = float(np.inf)
    for value in np.unique(values)[::-1].tolist():
        if episodes(values, value) > allowed:
            break
        level = value
    return level


def episodes(blocks: Floats, level: float) -> int:
    """Runs of blocks at or over the level."""
    over = blocks >= level
    return int(over[0]) + int(np.count_nonzero(over[1:] & ~over[:-1]))
