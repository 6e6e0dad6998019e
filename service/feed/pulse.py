"""The signs of life of one connection. Owns what proves it fit and what makes it silent; touches no socket."""

import time
from dataclasses import dataclass, field

from service.feed.ear import Ear
from service.feed.kit import Kit
from service.venues.base import Plan


@dataclass
class Pulse:
    """Times are `time.monotonic()` seconds, None until it happened."""

    plan: Plan
    kit: Kit
    subscribed_at: float | None = None
    pong_at: float | None = None
    frame_at: float | None = None
    control_at: float | None = None
    order_at: float | None = None
    first_at: float | None = field(default=None, init=False)
    """When the control stream or an order first spoke."""
    replace_at: float | None = None
    ended_at: float | None = None
    leaving: str = ""
    ear: Ear = field(default_factory=Ear, init=False)
    silent: bool = False
    settled: bool = field(default=False, init=False)

    @property
    def proven(self) -> bool:
        """Fit to take over from a connection that works: accepted, and heard on its control stream if it has one."""
        wanted = self.plan.control_max_age_s is not None
        return self.subscribed_at is not None and not (wanted and self.control_at is None)

    @property
    def heard_at(self) -> float | None:
        """The last sign that orders would have come.

        With a control stream that or an order, for a pong proves a wire and no data path; else any frame or pong.
        """
        controlled = self.plan.control_max_age_s is not None
        signs = (self.control_at, self.order_at) if controlled else (self.frame_at, self.pong_at)
        return max((at for at in signs if at is not None), default=None)

    @property
    def heard_since(self) -> float | None:
        """From when on orders would have come: not from an acceptance alone where a control stream can prove it."""
        return self.subscribed_at if self.plan.control_max_age_s is None else self.first_at

    def ordered(self) -> None:
        """An order came."""
        self.order_at = time.monotonic()
        self.first_at = self.first_at or self.order_at

    def spoke(self) -> bool:
        """The control stream spoke; whether that is news."""
        news = self.silent or self.control_at is None
        self.control_at = time.monotonic()
        self.first_at = self.first_at or self.control_at
        self.silent = False
        return news

    def settles(self, now: float) -> bool:
        """True once: when the accepted subscription has lived long enough for the back-off to start afresh."""
        if self.settled or self.subscribed_at is None:
            return False
        lived = (min(now, self.ended_at or now) - self.subscribed_at) * self.kit.clock.speed
        self.settled = lived >= self.kit.knobs.settled_after_s
        return self.settled

    def check(self, now: float) -> None:
        """Notice a control stream that has been quiet for too long; its first word has as long from the acceptance."""
        limit = self.plan.control_max_age_s
        if limit is not None and self.subscribed_at is not None:
            heard = max(self.control_at or self.subscribed_at, self.subscribed_at, self.ear.deaf_at())
            self.silent = self.silent or now - heard > self.kit.clock.grace(limit)

    def due(self, plan: Plan, now: float) -> str:
        """Why the connection should be replaced while it still works; empty when it should not."""
        if self.plan != plan:
            return "its plan changed"
        if self.leaving:
            return f"the venue is leaving: {self.leaving}"
        if self.replace_at is not None and now >= self.replace_at:
            return "its time is over"
        return "it is silent" if self._long_silent(now) else ""

    def _long_silent(self, now: float) -> bool:
        heard = self.control_at or self.subscribed_at
        if not self.silent or heard is None:
            return False
        return (now - heard) * self.kit.clock.speed >= self.kit.knobs.silent_redial_s
