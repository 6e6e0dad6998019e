"""Who wants to be told what, and when not. Pure: no store, no clock, no messenger."""

from service.subscribers.chat import Chat, Quiet, Rule
from service.subscribers.hours import passes, silent_until
from service.subscribers.wants import about, wants

__all__ = ["Chat", "Quiet", "Rule", "about", "passes", "silent_until", "wants"]
