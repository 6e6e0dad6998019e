"""One thing said to the bot, with everything an answer to it needs. Owns what a chat is before it has said anything."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from service.bot.chinese import CHINESE
from service.bot.english import ENGLISH
from service.bot.heard import Heard, Place
from service.bot.knobs import Knobs
from service.bot.phrases import Phrases
from service.bot.seen import Buttons, House, Messenger, Outbox, Sample
from service.model import Record
from service.subscribers import Chat
from service.subscribers.parse import language

LANGUAGES: Mapping[str, Phrases] = {phrases.code: phrases for phrases in (ENGLISH, CHINESE)}


class Answer(Record, frozen=True, kw_only=True):
    """What is said in return. After a tap it takes the place of the tapped message, unless it is `fresh`."""

    text: str = ""
    """HTML; empty when a toast is all."""
    buttons: Buttons = ()
    toast: str = ""
    """Plain, shown for a moment over the chat; only a tap can have one."""
    fresh: bool = False


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What all answers are made of. `now` is the wall, ms UTC."""

    messenger: Messenger
    outbox: Outbox
    house: House
    knobs: Knobs
    sample: Sample
    now: Callable[[], int]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit at the desk."""

    desk: Desk
    heard: Heard
    chat: Chat
    """As it is kept, or as it would be."""
    known: bool
    """Something is kept of it."""

    @property
    def say(self) -> Phrases:
        """The language of the chat."""
        return LANGUAGES.get(self.chat.language, ENGLISH)

    async def keep(self, chat: Chat) -> "Visit":
        """Keep the chat; whoever changes something is there, so it is open again. Raises LedgerError."""
        open_chat = msgspec.structs.replace(chat, closed="")
        await self.desk.outbox.save(open_chat, self.desk.now())
        return replace(self, chat=open_chat, known=True)


#: Answers a command, given the words behind it. Raises Misread for words it cannot read.
Command = Callable[[Visit, str], Awaitable[Answer]]
#: Answers a tap, given what its button carried behind the verb. Raises OldButtonError.
Tap = Callable[[Visit, Sequence[str]], Awaitable[Answer]]


def fresh_chat(heard: Heard, knobs: Knobs) -> Chat:
    """A chat of which nothing is kept yet, in the language of whoever speaks."""
    spoken = language(heard.language, knobs.language)
    return Chat(id=heard.chat, language=spoken, group=heard.place is not Place.PRIVATE)
