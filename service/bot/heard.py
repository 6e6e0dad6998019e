"""One update of Telegram in our own words. Owns what counts as said to us; answers nothing.

The only file of this room that knows the client library, and only by the shape of its updates.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace as _replaced

from service.model import Record

if TYPE_CHECKING:
    from telegram import CallbackQuery, ChatMemberUpdated, Message
    from telegram import Update as Update  # noqa: PLC0414  # named for `seen`, so that it need not know the library

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+|$)")
_AWAY = frozenset({"left", "kicked"})


class Place(StrEnum):
    """Where something was said."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"


class Heard(Record, frozen=True, kw_only=True):
    """One thing said, tapped or done to the bot. At most one of `command`, `text`, `data`, `migrated_to` tells what.

    Of a picture, a sticker, a voice none of them does.
    """

    update: int
    chat: int
    place: Place
    user: int | None = None
    """Who it was; None where Telegram does not say."""
    language: str = ""
    """Their own, as Telegram names it (`zh-hans`); empty when unknown."""
    admin: bool = False
    """It speaks for the chat itself: an anonymous admin, a post of the channel."""
    command: str = ""
    """Without slash and name, in small letters."""
    named: bool = False
    """The command carried our name."""
    text: str = ""
    """What was said; behind a command, its words."""
    album: str = ""
    """The album it is a part of; its pictures are said one by one."""
    message: int | None = None
    """Id of what was said, or of our message whose button was tapped."""
    data: str | None = None
    """What the tapped button carries."""
    callback: str | None = None
    """Id by which a tap is let go of."""
    migrated_to: int | None = None
    """The group has become this chat."""
    left: str = ""
    """Why the bot can say nothing there any more: `blocked`, `left`."""
    joined: bool = False
    """The bot was brought into the group."""


def hear(update: Update, name: str) -> Heard | None:
    """What an update says to the bot called `name` (without @); None for what is not said to it.

    Not said to us is: what is no command in a group or channel, a command with another bot's name, an edit.
    """
    if update.callback_query is not None:
        return _tap(update.update_id, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(update.update_id, update.my_chat_member)
    message = update.message or update.channel_post
    return None if message is None else _message(update.update_id, message, name)


def _place(of: str) -> Place:
    if of == "private":
        return Place.PRIVATE
    return Place.CHANNEL if of == "channel" else Place.GROUP


def _tap(id: int, tap: CallbackQuery) -> Heard | None:
    if tap.message is None or tap.data is None:  # a button of somebody else's message
        return None
    return Heard(
        update=id,
        chat=tap.message.chat.id,
        place=_place(tap.message.chat.type),
        user=tap.from_user.id,
        language=tap.from_user.language_code or "",
        message=tap.message.message_id,
        data=tap.data,
        callback=tap.id,
    )


def _membership(id: int, change: ChatMemberUpdated) -> Heard | None:
    place = _place(change.chat.type)
    was, now = (_away(member.status, member) for member in (change.old_chat_member, change.new_chat_member))
    if was == now:
        return None
    left = ("blocked" if place is Place.PRIVATE else "left") if now else ""
    joined = place is Place.GROUP and not now
    if not left and not joined:  # a person who comes back says so by /start, a channel's admin too
        return None
    user = change.from_user
    return Heard(
        update=id,
        chat=change.chat.id,
        place=place,
        user=user.id,
        language=user.language_code or "",
        left=left,
        joined=joined,
    )


def _away(status: str, member: object) -> bool:
    return status in _AWAY or (status == "restricted" and not getattr(member, "is_member", True))


def _message(id: int, message: Message, name: str) -> Heard | None:
    place, user, chat = _place(message.chat.type), message.from_user, message.chat.id
    said = Heard(
        update=id,
        chat=chat,
        place=place,
        user=user.id if user else None,
        language=(user.language_code or "") if user else "",
        admin=place is Place.CHANNEL or (message.sender_chat is not None and message.sender_chat.id == chat),
        message=message.message_id,
    )
    if message.migrate_to_chat_id is not None:
        return _replaced(said, migrated_to=message.migrate_to_chat_id)
    if message.migrate_from_chat_id is not None:
        return _replaced(said, chat=message.migrate_from_chat_id, migrated_to=chat)
    if not message.text:  # of what is no content (a pinned message, a new title) nobody expects an answer
        shown = place is Place.PRIVATE and message.effective_attachment
        return _replaced(said, album=message.media_group_id or "") if shown else None
    return _words(said, message.text, name)


def _words(said: Heard, text: str, name: str) -> Heard | None:
    found = _COMMAND.match(text)
    if found is None:
        return _replaced(said, text=text.strip()) if said.place is Place.PRIVATE and text.strip() else None
    if found[2] is not None and found[2].lower() != name.lower():
        return None
    return _replaced(said, command=found[1].lower(), named=found[2] is not None, text=text[found.end() :].strip())
