"""/top, /status, /last: what anybody may ask of the market. Counts nothing itself."""

from service.bot.market import status_of, top_of
from service.bot.visit import Answer, Visit

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
