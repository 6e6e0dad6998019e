"""What people do: they write, press, join, block; groups grow and move. Answers nothing.

The bot learns of it by its updates, or not at all.
"""

import time
from collections.abc import Sequence

from service.simulator.botapi import telling
from service.simulator.botapi.answers import BLOCKED, DEACTIVATED
from service.simulator.botapi.chats import Chat, ChatKind, Content, Message
from service.simulator.botapi.formatted import plain
from service.simulator.botapi.keyboard import pressed
from service.simulator.botapi.messenger import Messenger, Press
from service.simulator.botapi.people import ADMINS, ANONYMOUS, PRESENT, Member, Status, User


class Stage(Messenger):
    """The messenger, and people to play with. Chats and users are named by their ids; unknown ones raise KeyError."""

    def private(self, id: int, *, language: str = "en", name: str = "Ann", started: bool = True) -> Chat:
        """A person with the bot. Before they have `started` it the bot may not write."""
        if id <= 0:
            raise ValueError(f"a person's id is above 0, got {id}")
        person = User(id=id, name=name, language=language)
        chat = self.chats[id] = Chat(id, "private", name, bot=self.bot)
        chat.started = started
        chat.members[id] = Member(user=person, status="member")
        return chat

    def group(
        self,
        id: int,
        kind: ChatKind = "supergroup",
        *,
        title: str = "Traders",
        people: Sequence[Member] = (),
        bot: Status | None = None,
        username: str = "",
    ) -> Chat:
        """A group or channel. The bot is a member of a group and an admin of a channel unless `bot` says otherwise."""
        if id >= 0 or kind == "private":
            raise ValueError(f"a group's or channel's id is below 0, got {id} for a {kind}")
        chat = self.chats[id] = Chat(id, kind, title, bot=self.bot, username=username)
        status = bot or ("administrator" if kind == "channel" else "member")
        chat.members[self.bot.id] = Member(user=self.bot, status=status)
        chat.members |= {member.user.id: member for member in people}
        return chat

    def say(self, chat: int, text: str, *, user: int | None = None, reply_to: int | None = None) -> Message:
        """A person writes: in private the chat's own, in a group a member, in a channel nobody in particular.

        Raises ValueError for a person who has blocked the bot, KeyError for one who is not in the group.
        """
        there = self.chat(chat)
        if there.closed:
            raise ValueError(f"chat {chat} is closed: {there.closed}")
        there.started = True
        formatted = plain(text)
        content = Content.written(text, formatted, [])
        return self._put(there, self._author(there, user), content=content, reply_to=reply_to)

    def tap(self, chat: int, words: str, *, user: int | None = None, message: int | None = None) -> str:
        """A person presses the button with that label or data; returns the press's id, see `presses`.

        The newest message of the bot that has such a button, or the named one. Raises LookupError without one.
        """
        there = self.chat(chat)
        named = [there.message(message)] if message is not None else reversed(there.history)
        for said in named:
            data = pressed(said.keyboard, words) if said is not None and said.ours else None
            if said is not None and data is not None:
                return self._press(there, self._author(there, user), said, data)
        labels = [label for said in there.messages for label in said.labels]
        raise LookupError(f"no button {words!r} in chat {chat}; there are {labels or 'none'}")

    def join(self, chat: int, user: User, status: Status = "member") -> None:
        """A person joins a group, or is made something else there."""
        there = self.chat(chat)
        before = there.member(user.id)
        self.become(there, user, status, by=user)
        if status in PRESENT and (before is None or before.status not in PRESENT):
            self._serve(there, user, {"new_chat_members": [user.told()]})

    def invite(self, chat: int, by: User, status: Status = "member") -> None:
        """Somebody adds the bot to a group, or makes it something else there."""
        self.become(self.chat(chat), self.bot, status, by=by)

    def kick(self, chat: int, by: User) -> None:
        """Somebody throws the bot out."""
        self.become(self.chat(chat), self.bot, "kicked", by=by)

    def block(self, chat: int) -> None:
        """A person blocks the bot."""
        there = self.chat(chat)
        self.become(there, self.bot, "kicked", by=_person(there))
        there.closed = BLOCKED

    def unblock(self, chat: int) -> None:
        """And thinks better of it."""
        there = self.chat(chat)
        there.closed = ""
        self.become(there, self.bot, "member", by=_person(there))

    def delete_user(self, chat: int) -> None:
        """A person's account is gone; the bot is not told."""
        _person(self.chat(chat))
        self.chat(chat).closed = DEACTIVATED

    def erase(self, chat: int, message: int) -> None:
        """A person deletes a message for both sides; the bot is not told. Raises KeyError when there is none."""
        self.chat(chat).erase(message)

    def migrate(self, old: int, new: int) -> Chat:
        """A group becomes a supergroup with another id; both tell the bot."""
        there = self.chat(old)
        chat = self.group(new, "supergroup", title=there.title)
        chat.members = dict(there.members)
        self._serve(there, ANONYMOUS, {"migrate_to_chat_id": new})
        there.moved_to = new
        self._serve(chat, ANONYMOUS, {"migrate_from_chat_id": old})
        return chat

    def _author(self, chat: Chat, user: int | None) -> Member | None:
        if chat.kind == "channel":
            return None
        member = chat.member(chat.id if chat.kind == "private" else user or 0)
        if member is None:
            there = sorted(set(chat.members) - {self.bot.id})
            raise KeyError(f"no user {user} in chat {chat.id}; there are {there or 'none'}")
        return member

    def _serve(self, chat: Chat, by: User, told: dict[str, object]) -> None:
        self._put(chat, Member(user=by, status="member"), service=told)

    def _put(
        self,
        chat: Chat,
        by: Member | None,
        *,
        content: Content = Content(),  # noqa: B008  # immutable
        reply_to: int | None = None,
        service: dict[str, object] | None = None,
    ) -> Message:
        chat_speaks = by is None or by.anonymous
        message = Message(
            id=chat.next_id(),
            at=time.monotonic(),
            date=int(time.time()),
            sender=None if by is None else ANONYMOUS if by.anonymous else by.user,
            ours=False,
            content=content,
            reply_to=reply_to,
            chat_speaks=chat_speaks,
            service=service,
        )
        chat.put(message)
        if self._hears(chat, message):
            kind = "channel_post" if chat.kind == "channel" else "message"
            self.updates.add(kind, telling.message(chat, message))
        return message

    def _hears(self, chat: Chat, message: Message) -> bool:
        """Whether the bot is told: in groups only commands, replies to it and its name, unless it is an admin."""
        status = chat.members[self.bot.id].status
        if chat.kind in ("private", "channel") or status not in PRESENT:
            return status in PRESENT
        before = chat.message(message.reply_to) if message.reply_to is not None else None
        named = f"@{self.bot.username}" in message.text or message.text.startswith("/")
        return status in ADMINS or message.service is not None or named or (before is not None and before.ours)

    def _press(self, chat: Chat, by: Member | None, said: Message, data: str) -> str:
        if by is None:
            raise ValueError(f"chat {chat.id} is a channel: say which user presses")
        press = Press(id=str(4_000_000 + len(self.presses)), chat=chat.id, message=said.id, data=data)
        self.presses[press.id] = press
        body = {
            "id": press.id,
            "from": by.user.told(),
            "message": telling.message(chat, said),
            "chat_instance": str(-chat.id),
            "data": data,
        }
        self.updates.add("callback_query", body)
        return press.id


def _person(chat: Chat) -> User:
    """Whose private chat it is. Raises ValueError for a group."""
    if chat.kind != "private":
        raise ValueError(f"chat {chat.id} is a {chat.kind}, not a person's")
    return chat.members[chat.id].user
