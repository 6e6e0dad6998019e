"""What a venue's feed shows of a second, as the estimate needs to know it. Words only."""

from collections.abc import Mapping

from service.model import SECOND, FeedRule, Record

#: One order of a slot is shown: a contract (or a contract's side) for one second.
SLOT_MS = SECOND


class Feed(Record, frozen=True, kw_only=True):
    """One venue's rule, documented or found in the data."""

    rule: FeedRule
    by_side: bool = False
    """Longs and shorts of a contract have slots of their own."""
    fills: bool = False
    """It shows fills, whose sizes are no sizes of orders."""
    batch_s: int = 0
    """The engine closes positions every so many seconds and leaves the ones between empty; 0: it does not."""


Feeds = Mapping[str, Feed]
#: A venue nobody has spoken of.
STRANGER = Feed(rule=FeedRule.UNKNOWN)
