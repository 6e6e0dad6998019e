"""/lang, /stop, /help, and /stats for the owners: matters of the chat itself. Sends no alert."""

from collections.abc import Sequence

from msgspec.structs import replace

from service.bot.buttons import OldButtonError, number_of, packed, word_of
from service.bot.visit import LANGUAGES, Answer, Visit
from service.model import HOUR, SECOND

#: An older question is asked again: a button far up in a chat must not delete everything.
_SURE_MS = HOUR


async def lang(visit: Visit, words: str) -> Answer:
    """Another language; without one of ours in words, a choice."""
    code = {"en": "en", "english": "en", "英文": "en", "zh": "zh", "chinese": "zh", "中文": "zh"}.get(words.lower())
    if code is not None:
        return await _spoken(visit, code)
    names = [(one.name, packed("lang", one.code)) for one in LANGUAGES.values()]
    return Answer(text=visit.say.choose_language, buttons=[names])


async def choose_lang(visit: Visit, parts: Sequence[str]) -> Answer:
    """By a tap."""
    code = word_of(parts)
    if code not in LANGUAGES:
        raise OldButtonError(f"{code!r} is not spoken here")
    return await _spoken(visit, code)


async def stop(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """Ask once whether everything should go."""
    say = visit.say
    if not visit.known:
        return Answer(text=say.nothing_kept)
    asked = visit.desk.now() // SECOND
    return Answer(
        text=say.stop(visit.chat),
        buttons=[[(say.label.stop, packed("stop", asked))], [(say.label.keep, packed("keep"))]],
    )


async def sure(visit: Visit, parts: Sequence[str]) -> Answer:
    """Delete everything that is kept of the chat."""
    if not visit.known or visit.desk.now() - number_of(parts) * SECOND > _SURE_MS:
        return await stop(visit, "")
    await visit.desk.outbox.erase(visit.chat.id, visit.desk.now())
    return Answer(text=visit.say.stopped(visit.chat))


async def keep(visit: Visit, parts: Sequence[str]) -> Answer:  # noqa: ARG001  # every tap is given its parts
    """Let everything stay."""
    return Answer(text=visit.say.kept)


async def help(visit: Visit, words: str) -> Answer:  # noqa: A001, ARG001  # the command's name; its words
    """Every command in a line."""
    return Answer(text=visit.say.help(visit.say.menu))


async def stats(visit: Visit, words: str) -> Answer:  # noqa: ARG001  # every command is given its words
    """How many there are, for the owners."""
    return Answer(text=visit.say.stats(await visit.desk.outbox.counts(), visit.desk.now()))


async def _spoken(visit: Visit, code: str) -> Answer:
    visit = await visit.keep(replace(visit.chat, language=code))
    return Answer(text=visit.say.language_set)
