"""The methods that speak: sending and editing. What they refuse, and in which words."""

from msgspec import structs

from service.simulator.botapi import keyboard, telling
from service.simulator.botapi.answers import NOT_MODIFIED, bad
from service.simulator.botapi.call import Call
from service.simulator.botapi.chats import Chat, Content, Message
from service.simulator.botapi.formatted import CAPTION_UNITS, TEXT_UNITS, Formatted, units
from service.simulator.botapi.messenger import Messenger
from service.simulator.botapi.pictures import Picture


def send_message(messenger: Messenger, call: Call) -> object:
    """A text to a chat."""
    content = _written(call, "message is too long")
    return _sent(messenger, call, _writable(messenger, call), content)


def send_photo(messenger: Messenger, call: Call) -> object:
    """A photo to a chat, uploaded or by the id of one that was."""
    formatted, rows = _under(call)
    chat = _writable(messenger, call)
    content = Content.captioned(call.text("caption"), formatted, rows, _picture(messenger, call))
    return _sent(messenger, call, chat, content)


def edit_text(messenger: Messenger, call: Call) -> object:
    """Another text in an old message. Without a keyboard the old one goes."""
    content = _written(call, "MESSAGE_TOO_LONG")
    chat, message = _own(messenger, call)
    if message.picture is not None:
        raise bad("there is no text in the message to edit")
    return _changed(messenger, call, chat, message, content)


def edit_caption(messenger: Messenger, call: Call) -> object:
    """Another caption under an old photo."""
    formatted, rows = _under(call)
    chat, message = _own(messenger, call)
    if message.picture is None:
        raise bad("there is no caption in the message to edit")
    content = Content.captioned(call.text("caption"), formatted, rows, message.picture)
    return _changed(messenger, call, chat, message, content)


def edit_markup(messenger: Messenger, call: Call) -> object:
    """Other buttons under an old message."""
    rows = keyboard.read(call.text("reply_markup"))
    chat, message = _own(messenger, call)
    return _changed(messenger, call, chat, message, structs.replace(message.content, keyboard=rows))


def _written(call: Call, too_long: str) -> Content:
    if not call.text("text"):
        raise bad("message text is empty")
    formatted = call.formatted("text")
    if not formatted.text:
        raise bad("text must be non-empty")
    _bounded(formatted, TEXT_UNITS, too_long)
    return Content.written(call.text("text"), formatted, keyboard.read(call.text("reply_markup")))


def _under(call: Call) -> tuple[Formatted, keyboard.Keyboard]:
    """What stands under a photo."""
    formatted = call.formatted("caption")
    _bounded(formatted, CAPTION_UNITS, "message caption is too long")
    return formatted, keyboard.read(call.text("reply_markup"))


def _bounded(formatted: Formatted, most: int, too_long: str) -> None:
    if units(formatted.text) > most:
        raise bad(too_long)


def _writable(messenger: Messenger, call: Call) -> Chat:
    chat = messenger.found(call.chat, call.text("chat_id"))
    if refusal := chat.refusal():
        raise refusal
    return chat


def _own(messenger: Messenger, call: Call) -> tuple[Chat, Message]:
    if not call.text("message_id"):
        raise bad("message identifier is not specified")
    chat = _writable(messenger, call)
    message = chat.message(call.number("message_id"))
    if message is None:
        raise bad("message to edit not found")
    if not message.ours:
        raise bad("message can't be edited")
    return chat, message


def _sent(messenger: Messenger, call: Call, chat: Chat, content: Content) -> object:
    reply_to = _answered(chat, call)
    said = messenger.post(chat, call.at, content, reply_to, call.flag("disable_notification"))
    return telling.message(chat, said)


def _changed(messenger: Messenger, call: Call, chat: Chat, message: Message, content: Content) -> object:
    if content.same(message.content):
        raise bad(NOT_MODIFIED)
    return telling.message(chat, messenger.edit(chat, message, call.at, content))


def _answered(chat: Chat, call: Call) -> int | None:
    """The message it replies to."""
    asked = call.record("reply_parameters")
    number = asked.get("message_id", call.number("reply_to_message_id")) or 0
    if not isinstance(number, int):
        raise bad('field "message_id" must be a Number')
    if not number or chat.message(number) is not None:
        return number or None
    if asked.get("allow_sending_without_reply") or call.flag("allow_sending_without_reply"):
        return None
    raise bad("message to be replied not found")


def _picture(messenger: Messenger, call: Call) -> Picture:
    name = call.text("photo")
    upload = call.files.get(name.removeprefix("attach://") if name else "photo")
    if upload is not None:
        return messenger.album.upload(upload)
    if not name:
        raise bad("there is no photo in the request")
    return messenger.album.find(name)
