"""How one planned socket is doing, as records and gauges. Owns when a change is a change; judges nothing."""

import logging
from contextlib import suppress

from prometheus_client import Gauge

from service import metrics
from service.clock import Clock
from service.feed.pulse import Pulse
from service.model import RETIRED, FeedState, SocketHealth
from service.venues.base import Plan

log = logging.getLogger("cascade.feed")


_AGES = (metrics.PONG_AGE, metrics.FRAME_AGE, metrics.CONTROL_AGE)
_FINE = (FeedState.CONNECTING, FeedState.LIVE)


class Vitals:
    """State, since when, and why, of one socket."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._names = (plan.venue, plan.key)
        self._clock = clock
        self._shown: SocketHealth | None = None

    def turn(self, state: FeedState, reason: str) -> SocketHealth | None:
        """The record to send when state or reason is news, else None. A new reason alone keeps `since`."""
        before = self._shown
        if before and (before.state, before.reason) == (state, reason):
            return None
        turned = before is None or before.state is not state
        since = self._clock.now() if before is None or turned else before.since
        self._shown = SocketHealth(venue=self._names[0], socket=self._names[1], state=state, since=since, reason=reason)
        if turned:
            metrics.FEED_CHANGES.labels(*self._names, state.value).inc()
        for each in FeedState:
            metrics.FEED_STATE.labels(*self._names, each.value).set(each is state)
        level = logging.INFO if state in _FINE else logging.WARNING
        log.log(level, "%s %s is %s%s", *self._names, state.value, f": {reason}" if reason else "")
        return self._shown

    def ages(self, pulse: Pulse, now: float) -> None:
        """Ages of the last pong, frame and control message; one that never came is not published."""
        for gauge, at in zip(_AGES, (pulse.pong_at, pulse.frame_at, pulse.control_at), strict=True):
            if at is not None:
                gauge.labels(*self._names).set((now - at) * self._clock.speed)

    def retire(self) -> SocketHealth:
        """The last record of a socket that is no longer planned; its gauges are taken down."""
        for gauge in _AGES:
            _take_down(gauge, *self._names)
        for state in FeedState:
            _take_down(metrics.FEED_STATE, *self._names, state.value)
        log.info("%s %s is retired", *self._names)
        now = self._clock.now()
        return SocketHealth(
            venue=self._names[0], socket=self._names[1], state=FeedState.DOWN, since=now, reason=RETIRED
        )


def _take_down(gauge: Gauge, *labels: str) -> None:
    with suppress(KeyError):  # older clients raise for a series that was never set
        gauge.remove(*labels)
