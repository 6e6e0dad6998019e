"""/start and the way from it to a first rule: one message, one tap. Owns the first page; what a rule is, others say."""

from collections.abc import Sequence

from msgspec.structs import replace

from service.bot.buttons import BOARD, MARKETS, SAVE, packed, with_rule, word_of
from service.bot.commands.rules import new_rule
from service.bot.pages import MARKET_NAMES, PAGE
from service.bot.seen import Buttons
from service.bot.visit import LANGUAGES, Answer, Visit
from service.subscribers import Rule, parse


async def start(visit: Visit, words: str) -> Answer:
    """The first page; with the words of a deep link the rule they ask for. Opens a closed chat again."""
    if visit.chat.closed:
        visit = await visit.keep(visit.chat)
    house, say = visit.desk.house, visit.say
    offered = parse.link(words, house.venue_names, await house.assets()) if words else None
    if offered is None:
        return first_page(visit)
    taken = [(say.label.subscribe, with_rule(SAVE, offered)), (say.label.adjust, with_rule(BOARD, offered))]
    return Answer(text=say.offered(offered), buttons=(taken, *_pages(visit)))


async def preset(visit: Visit, parts: Sequence[str]) -> Answer:
    """A tap on a market of the first page: subscribed at once, to every cascade of it."""
    return await new_rule(visit, Rule(id=0, asset=parse.asset(word_of(parts))))


def first_page(visit: Visit) -> Answer:
    """What there is to choose, and for somebody who is here already, what was chosen."""
    say = visit.say
    rules = visit.chat.rules
    text = say.welcome_back(rules[:PAGE], len(rules[PAGE:])) if rules else say.welcome
    return Answer(text=text, buttons=(*_presets(visit), *_pages(visit)))


async def language(visit: Visit, parts: Sequence[str]) -> Answer:
    """The other language, tapped on the first page, which is turned over into it."""
    code = word_of(parts)
    spoken = LANGUAGES.get(code, visit.say).code
    return first_page(await visit.keep(replace(visit.chat, language=spoken)))


def _presets(visit: Visit) -> Buttons:
    rows = (MARKET_NAMES[:2], MARKET_NAMES[2:])
    return [[(visit.say.asset(name), packed("preset", name)) for name in row] for row in rows]


def _pages(visit: Visit) -> Buttons:
    label = visit.say.label
    rules = [(label.rules, packed("rules"))] if visit.chat.rules else []
    others = [(one.name, packed("first", one.code)) for one in LANGUAGES.values() if one is not visit.say]
    return [[(label.choose, packed(MARKETS)), *rules], others]
