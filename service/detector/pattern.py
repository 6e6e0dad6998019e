"""What an event looks like: where its dollars fell and when. Owns the facts and one word for them; names no cause.

Source: detection study, sections D.1 and D.4.

    HHI    = sum of squared shares of dollars: 1 for one venue, 1/n for n equal ones
    n_eff  = (sum of dollars)^2 / sum of squares: orders of equal size that would say as much
    p10_at = when a tenth of the dollars since the onset had fallen; p50_at, p90_at alike

One word, the first that holds:

    whale         the largest order is at least 35 % of the dollars, or n_eff is below 5
    single_venue  one venue has at least 80 %
    single_asset  one coin has at least 80 %
    market_wide   HHI of venues below 0.4, and at least five coins above their own usual level
    mixed         anything else

Of a single coin's own market the third and the fourth say nothing and are not asked.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate

from service.detector.certainty import is_whale
from service.model import ALL, Liquidation, Record

SINGLE_SHARE = 0.80
WIDE_HHI, WIDE_ASSETS = 0.4, 5


class Facts(Record, frozen=True, kw_only=True):
    """The dollars of an event from its onset to now, by where and when they fell. Shares 0 to 1, times ms UTC."""

    usd: float
    hhi_venue: float
    hhi_asset: float
    top_venue: str
    top_venue_share: float
    top_asset: str
    top_asset_share: float
    largest_share: float
    n_eff: float
    p10_at: int
    p50_at: int
    p90_at: int


def facts(orders: Iterable[Liquidation], onset: int, until: int) -> Facts | None:
    """Facts of those orders from `onset` to `until` (ms UTC, both included); None when there are no dollars."""
    rows = sorted((order for order in orders if onset <= order.at <= until), key=lambda order: order.at)
    usd = math.fsum(order.usd for order in rows)
    if not usd:
        return None
    venues, assets = (
        _shares(((row.venue, row.usd) for row in rows), usd),
        _shares(((row.asset, row.usd) for row in rows), usd),
    )
    top_venue, top_asset = max(venues, key=venues.__getitem__), max(assets, key=assets.__getitem__)
    sums = list(accumulate(row.usd for row in rows))
    p10, p50, p90 = (rows[bisect_left(sums, part * sums[-1])].at for part in (0.1, 0.5, 0.9))
    return Facts(
        usd=usd,
        hhi_venue=_hhi(venues),
        hhi_asset=_hhi(assets),
        top_venue=top_venue,
        top_venue_share=venues[top_venue],
        top_asset=top_asset,
        top_asset_share=assets[top_asset],
        largest_share=max(row.usd for row in rows) / usd,
        n_eff=usd * usd / math.fsum(row.usd * row.usd for row in rows),
        p10_at=p10,
        p50_at=p50,
        p90_at=p90,
    )


def pattern(found: Facts, asset: str = ALL, above: Collection[str] = ()) -> str:
    """One word for the facts of the market `asset`; `above` are the coins above their own usual level."""
    if is_whale(found.largest_share, found.n_eff):
        return "whale"
    if found.top_venue_share >= SINGLE_SHARE:
        return "single_venue"
    if asset == ALL and found.top_asset_share >= SINGLE_SHARE:
        return "single_asset"
    if asset == ALL and found.hhi_venue < WIDE_HHI and len(set(above) - {ALL}) >= WIDE_ASSETS:
        return "market_wide"
    return "mixed"


def _shares(rows: Iterable[tuple[str, float]], usd: float) -> Mapping[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for name, dollars in rows:
        sums[name] += dollars
    return {name: dollars / usd for name, dollars in sums.items()}


def _hhi(shares: Mapping[str, float]) -> float:
    return math.fsum(share * share for share in shares.values())
