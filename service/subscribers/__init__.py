"""Who wants to be told what, and when not. Pure: no store, no clock, no messenger."""

from service.subscribers.chat import Chat, Quiet, Rule

__all__ = ["Chat", "Quiet", "Rule"]
