"""The rules of one chat, changed. Owns what may stand side by side and how ids count; stores nothing."""

from msgspec.structs import replace

from service.subscribers.chat import Chat, Rule


class FullError(ValueError):
    """The chat has as many rules as it may."""


class TwinError(ValueError):
    """The chat has this rule already: `rule`."""

    def __init__(self, rule: Rule) -> None:
        super().__init__(f"this is rule {rule.id} already")
        self.rule = rule


def find(chat: Chat, id: int) -> Rule | None:
    """The rule of an id; None when it is gone."""
    return next((rule for rule in chat.rules if rule.id == id), None)


def added(chat: Chat, rule: Rule, most: int) -> Chat:
    """The chat with one rule more, under the next id. Raises TwinError, and FullError when it has `most` already."""
    _alone(chat, rule)
    if len(chat.rules) >= most:
        raise FullError(f"{len(chat.rules)} rules; at most {most} are allowed")
    fresh = replace(rule, id=chat.next_rule)
    return replace(chat, rules=(*chat.rules, fresh), next_rule=chat.next_rule + 1)


def changed(chat: Chat, rule: Rule) -> Chat:
    """The chat with another rule under the same id. Raises TwinError when a second one says the same."""
    _alone(chat, rule)
    return replace(chat, rules=tuple(rule if one.id == rule.id else one for one in chat.rules))


def without(chat: Chat, id: int) -> Chat:
    """The chat without a rule; without one it does not have it stays as it is."""
    return replace(chat, rules=tuple(rule for rule in chat.rules if rule.id != id))


def _alone(chat: Chat, rule: Rule) -> None:
    for one in chat.rules:
        if one.id != rule.id and replace(one, id=0, paused=False) == replace(rule, id=0, paused=False):
            raise TwinError(one)
