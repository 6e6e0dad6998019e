"""Whether open interest went the way of the liquidations: what vanished beside what was forced. Pure.

Like with like: the same contracts at both times, in coins, and liquidations of exactly those venues. Positions that
were closed by force are gone; where they are not, others were opened, or a feed is wrong (detection study, C.5).
"""

from collections.abc import Collection, Mapping, Sequence

from service.context.leverage import Pair, change_pct
from service.model import USD_DIGITS, OiMove, Situation

#: Vanished over liquidated: as much as was forced.
LOW, HIGH = 0.5, 2.0
#: Below this part of open interest liquidations are lost in what is traded anyway.
LEAST_SHARE = 0.001
_DIGITS = 4


def confirm(asset: str, held: Sequence[Pair], told: Situation, silent: Collection[str] = ()) -> OiMove | None:
    """Open interest before the onset and now; None where no contract is known at both times.

    `asset`: whose leverage it is. `held`: its contracts known at both times. `silent`: venues that list it and tell
    nothing fresh. Where some of the venues have no liquidations by venue they are left out on both sides, too.
    """
    shared = common(held, told.venues)
    used = [pair for pair in held if not shared or pair.venue in shared]
    change, usd = change_pct(used), sum(pair.before * pair.price for pair in used)
    if change is None:
        return None
    liquidated = round(sum((told.venues or {})[name] for name in shared), USD_DIGITS) if shared else None
    ratio = _ratio(used, told)
    names = sorted({pair.venue for pair in used})
    share = None if liquidated is None else round(liquidated / usd, 6)
    return OiMove(
        asset=asset,
        venues=tuple(names),
        usd=round(usd, 2),
        change_pct=change,
        since=told.onset,
        at=min(pair.at for pair in used),
        liquidated_usd=liquidated,
        share=share,
        at_least=told.at_least,
        ratio=ratio,
        word=_word(ratio) if share is not None and share >= LEAST_SHARE else None,
        missing=tuple(sorted(({pair.venue for pair in held} | set(silent)) - set(names))),
    )


def common(held: Sequence[Pair], venues: Mapping[str, float] | None) -> frozenset[str]:
    """Venues of which both open interest and liquidations are known."""
    return frozenset(pair.venue for pair in held) & frozenset(venues or ())


def _ratio(held: Sequence[Pair], told: Situation) -> float | None:
    """What vanished over what was liquidated since the onset, on the same venues."""
    if told.since_onset is None:
        return None
    since = sum(told.since_onset.get(name, 0.0) for name in {pair.venue for pair in held})
    return round(sum((pair.before - pair.now) * pair.price for pair in held) / since, _DIGITS) if since else None


def _word(ratio: float | None) -> str | None:
    if ratio is None:
        return None
    return "none" if ratio < LOW else "confirms" if ratio <= HIGH else "more"
