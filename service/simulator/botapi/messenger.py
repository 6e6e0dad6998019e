"""The messenger's own state: the bot, its chats, photos, commands, pressed buttons, and what was counted. Asks no dice.

One place adds messages, so that counting, first arrivals and whoever looks on are right wherever a message comes from.
"""

import time
from collections import Counter
from collections.abc import Callable

from msgspec import structs

from service.model import Record
from service.simulator.botapi.answers import bad
from service.simulator.botapi.chats import Chat, Content, Edit, Message
from service.simulator.botapi.limits import Limits, Meter, Violation
from service.simulator.botapi.people import Member, Status, User
from service.simulator.botapi.pictures import Album
from service.simulator.botapi.updates import Updates

TOKEN = "100:rehearsal"  # noqa: S105  # opens nothing


class Counts:
    """What came, how fast, and what became of it. Unlisted chats had none."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.requests: Counter[str] = Counter()
        """By method."""
        self.answers: Counter[int] = Counter()
        """By status; what was not answered is not among them."""
        self.sent: Counter[int] = Counter()
        """Messages that arrived, by chat, the lost ones included."""
        self.edited: Counter[int] = Counter()
        """Edits that arrived, by chat, the lost ones included."""
        self.lost: Counter[int] = Counter()
        """Messages and edits that arrived, and whose answer was never sent, by chat."""
        self.dropped: Counter[int] = Counter()
        """Messages and edits that neither arrived nor were answered, by chat."""

    @property
    def delivered(self) -> int:
        """Messages that arrived, all chats together."""
        return self.sent.total()

    @property
    def violations(self) -> list[Violation]:
        """Limits that were not kept, oldest first."""
        return self.meter.violations

    @property
    def worst_second(self) -> int:
        """Most messages and edits in any window of a second."""
        return self.meter.worst_second

    @property
    def worst_gap(self) -> float | None:
        """Least seconds between two to one person; None when nobody got two."""
        return min(self.meter.worst_gap.values(), default=None)

    @property
    def worst_minute(self) -> int:
        """Most in any window of a minute to one group."""
        return max(self.meter.worst_minute.values(), default=0)


class Press(Record, frozen=True, kw_only=True):
    """A button that was pressed."""

    id: str
    chat: int
    message: int
    data: str
    answered: bool = False
    text: str = ""
    """What the bot answered the press with."""
    alert: bool = False
    """Shown as a box instead of a line."""


class Messenger:
    """Everything but the socket and the dice."""

    def __init__(self, token: str = TOKEN, limits: Limits | None = None) -> None:
        number = token.partition(":")[0]
        if not number.isdecimal():
            raise ValueError(f"a token begins with the bot's number and a colon, as 100:abc; got {token!r}")
        self.token = token
        self.bot = User(id=int(number), name="Cascade", username="cascade_bot", bot=True)
        self.chats: dict[int, Chat] = {}
        self.updates = Updates()
        self.album = Album()
        self.commands: dict[str, list[dict[str, object]]] = {}
        """What setMyCommands set, by language code, the empty one being everybody's."""
        self.presses: dict[str, Press] = {}
        self.counts = Counts(Meter(limits or Limits()))
        self.witness: Callable[[Chat, Message], None] | None = None
        """Called with every message of the bot that arrives or is edited."""

    def chat(self, id: int) -> Chat:
        """A chat. Raises KeyError for one nobody has named."""
        try:
            return self.chats[id]
        except KeyError:
            raise KeyError(f"no chat {id}; there are {sorted(self.chats) or 'none'}") from None

    def found(self, id: int | None, name: str) -> Chat:
        """The chat of a `chat_id`, by number or @name. Raises a 400."""
        if not name:
            raise bad("chat_id is empty")
        if id is not None and id in self.chats:
            return self.chats[id]
        if name.startswith("@"):
            for chat in self.chats.values():
                if chat.username and chat.username.lower() == name[1:].lower():
                    return chat
        raise bad("chat not found")

    def post(self, chat: Chat, at: float, content: Content, reply_to: int | None, silent: bool) -> Message:
        """A message of the bot arrives."""
        speaks = chat.kind == "channel"
        message = Message(
            id=chat.next_id(),
            at=at,
            date=int(time.time()),
            sender=None if speaks else self.bot,
            chat_speaks=speaks,
            ours=True,
            content=content,
            reply_to=reply_to,
            silent=silent,
        )
        self.counts.sent[chat.id] += 1
        return self._seen(chat, chat.put(message))

    def edit(self, chat: Chat, message: Message, at: float, content: Content) -> Message:
        """A message of the bot is changed."""
        edits = (*message.edits, Edit(at=at, before=message.content))
        self.counts.edited[chat.id] += 1
        return self._seen(chat, chat.put(structs.replace(message, content=content, edits=edits)))

    def become(self, chat: Chat, user: User, status: Status, *, by: User) -> None:
        """Somebody's place in a chat changes; where it is the bot's, the bot is told."""
        old = chat.member(user.id) or Member(user=user, status="left")
        new = chat.members[user.id] = structs.replace(old, status=status)
        channel = chat.kind == "channel"
        body = {
            "chat": chat.told(),
            "from": by.told(),
            "date": int(time.time()),
            "old_chat_member": old.told(channel=channel),
            "new_chat_member": new.told(channel=channel),
        }
        self.updates.add("my_chat_member" if user.id == self.bot.id else "chat_member", body)

    def _seen(self, chat: Chat, message: Message) -> Message:
        if self.witness is not None:
            self.witness(chat, message)
        return message

    def first_seen(self, chat: int, words: str = "") -> float | None:
        """When the first message with those words arrived there, monotonic seconds; None while none has."""
        there = self.chats.get(chat)
        found = (message.at for message in there.history if message.ours and words in message.words) if there else ()
        return next(iter(found), None)

    def arrivals(self, words: str = "") -> dict[int, float]:
        """`first_seen` of every chat that has one."""
        times = {chat: self.first_seen(chat, words) for chat in self.chats}
        return {chat: at for chat, at in times.items() if at is not None}
