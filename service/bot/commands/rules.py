"""Rules: /subscribe, the pages on which one is put together, /rules and what to do with each. Matches no alert."""

from collections.abc import Sequence

from msgspec.structs import replace

from service.bot.buttons import SAVE, OldButtonError, number_of, packed, rule_of, with_rule
from service.bot.pages import board_page, list_page, market_page, page_with, test_buttons, venue_page
from service.bot.visit import Answer, Visit
from service.model import ALL
from service.subscribers import Rule, book, parse


async def subscribe(visit: Visit, words: str) -> Answer:
    """A rule from one line; without words the page of markets. Raises Misread."""
    if not words:
        return market_page(visit, None)
    house = visit.desk.house
    return await new_rule(visit, parse.rule(words, house.venue_names, await house.assets()))


async def rules(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """The rules of the chat."""
    return list_page(visit)


async def markets(visit: Visit, parts: Sequence[str]) -> Answer:
    """Choose the market of the rule that is being made."""
    return market_page(visit, rule_of(parts) if parts else None)


async def board(visit: Visit, parts: Sequence[str]) -> Answer:
    """Choose everything else of it."""
    return board_page(visit, rule_of(parts))


async def venues(visit: Visit, parts: Sequence[str]) -> Answer:
    """Choose its venue."""
    return venue_page(visit, rule_of(parts))


async def save(visit: Visit, parts: Sequence[str]) -> Answer:
    """Keep the rule that was being made, or changed."""
    rule = rule_of(parts)
    if rule.venue is not None and rule.venue not in visit.desk.house.venue_names:
        raise OldButtonError(f"{rule.venue!r} is no enabled venue")
    if rule.id == 0:
        return await new_rule(visit, rule)
    kept = book.find(visit.chat, rule.id)
    if kept is None:
        return _gone(visit)
    rule = replace(rule, paused=kept.paused)
    try:
        chat = book.changed(visit.chat, rule)
    except book.TwinError as error:
        return Answer(text=visit.say.twin(error.rule), buttons=test_buttons(visit, error.rule.id))
    visit = await visit.keep(chat)
    return Answer(text=visit.say.changed(rule, await _unseen(visit, rule)), buttons=test_buttons(visit, rule.id))


async def new_rule(visit: Visit, draft: Rule) -> Answer:
    """One rule more, kept; the same again is named, not kept twice."""
    most = visit.desk.knobs.most_rules
    try:
        chat = book.added(visit.chat, draft, most)
    except book.TwinError as error:
        return Answer(text=visit.say.twin(error.rule), buttons=test_buttons(visit, error.rule.id))
    except book.FullError:
        return Answer(text=visit.say.full(most), buttons=[[(visit.say.label.rules, packed("rules"))]])
    visit = await visit.keep(chat)
    rule = chat.rules[-1]
    text = visit.say.subscribed(rule, await _unseen(visit, rule), _running(visit, rule))
    return Answer(text=text, buttons=test_buttons(visit, rule.id))


async def listed(visit: Visit, parts: Sequence[str]) -> Answer:
    """The list, by a tap: the first page, or the one that is named."""
    return list_page(visit, number_of(parts) if parts else 0)


async def pause(visit: Visit, parts: Sequence[str]) -> Answer:
    """Let a rule rest."""
    return await _paused(visit, number_of(parts), paused=True)


async def resume(visit: Visit, parts: Sequence[str]) -> Answer:
    """Let it work again."""
    return await _paused(visit, number_of(parts), paused=False)


async def edit(visit: Visit, parts: Sequence[str]) -> Answer:
    """Put a rule back on the board."""
    rule = book.find(visit.chat, number_of(parts))
    return board_page(visit, rule) if rule else _gone(visit)


async def delete(visit: Visit, parts: Sequence[str]) -> Answer:
    """Take a rule out; a button puts it back, as a new one."""
    rule = book.find(visit.chat, number_of(parts))
    if rule is None:
        return _gone(visit)
    page = page_with(visit, rule.id)
    visit = await visit.keep(book.without(visit.chat, rule.id))
    rest = list_page(visit, page)
    back = [(visit.say.label.put_back, with_rule(SAVE, replace(rule, id=0)))]
    return Answer(text=f"{visit.say.deleted(rule)}\n\n{rest.text}", buttons=(*rest.buttons, back))


async def test(visit: Visit, parts: Sequence[str]) -> Answer:
    """What a rule would bring, with an invented cascade."""
    rule = book.find(visit.chat, number_of(parts))
    if rule is None:
        return _gone(visit)
    return Answer(text=visit.desk.sample(visit.say.code, rule), toast=visit.say.tested, fresh=True)


async def _paused(visit: Visit, id: int, *, paused: bool) -> Answer:
    rule = book.find(visit.chat, id)
    if rule is None:
        return _gone(visit)
    visit = await visit.keep(book.changed(visit.chat, replace(rule, paused=paused)))
    return list_page(visit, page_with(visit, id))


async def _unseen(visit: Visit, rule: Rule) -> bool:
    return rule.asset != ALL and rule.asset not in await visit.desk.house.assets()


def _gone(visit: Visit) -> Answer:
    return Answer(toast=visit.say.gone)


def _running(visit: Visit, rule: Rule) -> bool:
    """Whether what was subscribed to is going on already: its beginning will not be told any more."""
    episodes = visit.desk.house.episodes()
    return any(one.asset == rule.asset and rule.kind in (None, one.kind) for one in episodes)
