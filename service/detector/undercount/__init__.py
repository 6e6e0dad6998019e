"""How much liquidation feeds leave out: which rule each follows, the dollars behind it, and a check of both.

    identify(orders, documented)                    which rule the data shows
    estimate(orders, feeds, now, span, spread)      shown <= low <= usd <= high, or None where nobody can say
    thin(orders, feed)                              what a feed of that rule would have shown
    check(orders, feeds)                            thin, estimate, compare with what is known

Pure: no clock, no I/O. What it knows of a venue is handed in as a `Feed`. Formulas stand in `stories` (rates), `hidden`
(dollars and bounds), `sizes` (laws of sizes) and `reference` (what a complete venue tells of one that is not).
"""

from service.detector.undercount.check import BAND, Checked, check, spread_of
from service.detector.undercount.estimate import SPREAD, estimate
from service.detector.undercount.feeds import Feed, Feeds
from service.detector.undercount.identify import Identified, identify, period_s
from service.detector.undercount.thin import thin

__all__ = [
    "BAND",
    "SPREAD",
    "Checked",
    "Feed",
    "Feeds",
    "Identified",
    "check",
    "estimate",
    "identify",
    "period_s",
    "spread_of",
    "thin",
]
