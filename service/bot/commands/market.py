"""/top, /status, /last, /context: what anybody may ask of the market. Counts nothing itself."""

from collections.abc import Sequence

from service.bot.buttons import OldButtonError, word_of
from service.bot.heard import Place
from service.bot.market import status_of, top_of
from service.bot.pages import context_buttons
from service.bot.visit import Answer, Visit
from service.model import ALL
from service.subscribers import parse
from service.subscribers.misread import Misread

_LATEST = 5


async def top(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """The last hour by coin."""
    found = top_of(await visit.desk.house.readings(), visit.desk.now())
    return Answer(text=visit.say.top(found))


async def status(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """What runs, and who is heard."""
    house = visit.desk.house
    found = status_of(house.episodes(), await house.readings(), await house.venues(), visit.desk.now())
    return Answer(text=visit.say.status(found))


async def last(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """The newest alerts."""
    return Answer(text=visit.say.last(await visit.desk.house.last(_LATEST), visit.desk.now()))


async def context(visit: Visit, words: str) -> Answer:
    """What stands beside one market, or beside all of it. Raises Misread."""
    return _beside(visit, parse.market(words) if words else ALL)


async def beside(visit: Visit, parts: Sequence[str]) -> Answer:
    """The same by a tap. Raises OldButtonError."""
    try:
        return _beside(visit, parse.market(word_of(parts)))
    except Misread as error:
        raise OldButtonError(f"{parts!r} is no market") from error


def _beside(visit: Visit, asset: str) -> Answer:
    """In a group only admins may tap, so there are no buttons there."""
    private = visit.heard.place is Place.PRIVATE
    text = visit.say.context(asset, visit.desk.house.context(asset))
    return Answer(text=text, buttons=context_buttons(visit, asset) if private else ())
