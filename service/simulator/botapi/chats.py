"""A chat and what stands in it: messages with their edits, members, whether the bot may write. Serves nobody.

A message is an immutable record; an edit puts another one in its place and keeps what stood there.
"""

from typing import Literal

from msgspec import field, structs

from service.model import Record
from service.simulator.botapi.answers import CANNOT_INITIATE, KICKED, NOT_A_MEMBER, UPGRADED, Refusal
from service.simulator.botapi.formatted import Entity, Formatted
from service.simulator.botapi.keyboard import Keyboard
from service.simulator.botapi.people import ADMINS, PRESENT, Member, User
from service.simulator.botapi.pictures import Picture

ChatKind = Literal["private", "group", "supergroup", "channel"]


class Content(Record, frozen=True, kw_only=True):
    """What a message says."""

    text: str = ""
    """As people see it; empty for a photo."""
    html: str = ""
    """Text or caption as it was sent."""
    caption: str = ""
    """As people see it."""
    entities: tuple[Entity, ...] = ()
    """Of the text or the caption."""
    keyboard: Keyboard = field(default_factory=list)
    picture: Picture | None = None
    """Its photo."""

    @classmethod
    def written(cls, html: str, formatted: Formatted, keyboard: Keyboard) -> "Content":
        """A text."""
        return cls(text=formatted.text, html=html, entities=formatted.entities, keyboard=keyboard)

    @classmethod
    def captioned(cls, html: str, formatted: Formatted, keyboard: Keyboard, picture: Picture) -> "Content":
        """A photo and what stands under it."""
        return cls(caption=formatted.text, html=html, entities=formatted.entities, keyboard=keyboard, picture=picture)

    def same(self, other: "Content") -> bool:
        """Whether nobody could tell the two apart."""
        return structs.replace(self, html="") == structs.replace(other, html="")


class Edit(Record, frozen=True, kw_only=True):
    """One edit of a message."""

    at: float
    """Seconds of the monotonic clock."""
    before: Content
    """What stood there until then."""


class Message(Record, frozen=True, kw_only=True):
    """One message. `text`, `html`, `caption`, `entities` and `keyboard` are those of now."""

    id: int
    at: float
    """When it came, seconds of the server's monotonic clock."""
    date: int
    """Seconds UTC."""
    sender: User | None
    """None where the chat itself speaks, in a channel."""
    ours: bool
    """Sent by the bot."""
    content: Content = Content()
    reply_to: int | None = None
    silent: bool = False
    """Sent without a sound."""
    edits: tuple[Edit, ...] = ()
    """Oldest first."""
    chat_speaks: bool = False
    """Said in the chat's name: a channel's post, an anonymous admin."""
    service: dict[str, object] | None = None
    """What a service message tells."""

    @property
    def text(self) -> str:
        """As people see it; empty for a photo."""
        return self.content.text

    @property
    def html(self) -> str:
        """Text or caption as it was sent."""
        return self.content.html

    @property
    def caption(self) -> str:
        """As people see it."""
        return self.content.caption

    @property
    def entities(self) -> tuple[Entity, ...]:
        """Looks and meanings of the text or the caption."""
        return self.content.entities

    @property
    def keyboard(self) -> Keyboard:
        """Rows of buttons under it."""
        return self.content.keyboard

    @property
    def picture(self) -> Picture | None:
        """The photo, None for a text."""
        return self.content.picture

    @property
    def photo(self) -> bool:
        """Whether it is a photo."""
        return self.picture is not None

    @property
    def words(self) -> str:
        """Text or caption."""
        return self.text or self.caption

    @property
    def labels(self) -> list[str]:
        """What stands on its buttons, row by row."""
        return [str(button["text"]) for row in self.keyboard for button in row]


class Chat:
    """A conversation: of one person with the bot, a group, a channel."""

    def __init__(self, id: int, kind: ChatKind, title: str, *, bot: User, username: str = "") -> None:
        self.id = id
        self.kind = kind
        self.title = title
        """A person's name for a private chat."""
        self.username = username
        self.bot = bot
        self.members: dict[int, Member] = {bot.id: Member(user=bot, status="member")}
        self.started = True
        """A private chat: whether the person has ever written to the bot."""
        self.closed = ""
        """A private chat: why the bot cannot write, in the API's words; empty while it can."""
        self.moved_to: int | None = None
        self.history: list[Message] = []
        """Every message, people's too, by id; numbers of erased ones are missing."""
        self._places: dict[int, int] = {}
        self._last = 0

    @property
    def messages(self) -> list[Message]:
        """What the bot has said, as it stands now."""
        return [message for message in self.history if message.ours]

    @property
    def open(self) -> bool:
        """Whether what the bot says arrives."""
        return self.refusal() is None

    def refusal(self) -> Refusal | None:
        """Why the bot cannot write."""
        if self.moved_to is not None:
            return Refusal(400, UPGRADED, migrate_to=self.moved_to)
        if self.kind == "private":
            reason = self.closed or ("" if self.started else CANNOT_INITIATE)
            return Refusal(403, reason) if reason else None
        status = self.members[self.bot.id].status
        if status in PRESENT and (self.kind != "channel" or status in ADMINS):
            return None
        if status in PRESENT:
            return Refusal(400, "Bad Request: need administrator rights in the channel chat")
        return Refusal(403, (KICKED if status == "kicked" else NOT_A_MEMBER).format(kind=self.kind))

    def member(self, user: int) -> Member | None:
        """What a user is here."""
        return self.members.get(user)

    def next_id(self) -> int:
        """Number of the next message."""
        self._last += 1
        return self._last

    def put(self, message: Message) -> Message:
        """Add a message, or put an edited one in its place."""
        place = self._places.get(message.id)
        if place is None:
            self._places[message.id] = len(self.history)
            self.history.append(message)
        else:
            self.history[place] = message
        return message

    def message(self, id: int) -> Message | None:
        """The message of that number."""
        place = self._places.get(id)
        return None if place is None else self.history[place]

    def erase(self, id: int) -> None:
        """Take a message away. Raises KeyError when there is none."""
        del self.history[self._places[id]]
        self._places = {message.id: place for place, message in enumerate(self.history)}

    def told(self) -> dict[str, object]:
        """As a Chat of the API."""
        name = "first_name" if self.kind == "private" else "title"
        body: dict[str, object] = {"id": self.id, "type": self.kind, name: self.title}
        if self.username:
            body["username"] = self.username
        return body
