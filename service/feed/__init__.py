"""The only opener of venue sockets: dial, hello, acks, heartbeat, watch, redial. Knows no meaning of a frame.

`Feeds` keeps the planned sockets of one venue, a `Line` one of them over many connections, a `Connection` lives for one
dial and is thrown away: there is nothing to reset. Durations in knobs and plans are seconds on the clock; the feed
measures them by the monotonic clock times `clock.speed`, so that a stepped wall clock is no outage.
"""

from service.feed.backoff import backoff
from service.feed.feeds import Feeds
from service.feed.knobs import Knobs
from service.feed.outlet import Item
from service.model import RETIRED

__all__ = ["RETIRED", "Feeds", "Item", "Knobs", "backoff"]
