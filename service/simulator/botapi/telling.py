"""Messages in the words of the API. Only forms; what may be told to whom is decided elsewhere."""

import msgspec

from service.simulator.botapi.chats import Chat, Message


def message(chat: Chat, said: Message, *, shallow: bool = False) -> dict[str, object]:
    """A Message object; a `shallow` one does not tell what it answers, as the one inside a reply does not."""
    body: dict[str, object] = {"message_id": said.id, "date": said.date, "chat": chat.told()}
    if said.sender is not None:
        body["from"] = said.sender.told()
    if said.chat_speaks:
        body["sender_chat"] = chat.told()
    if said.edits:
        body["edit_date"] = said.date + round(said.edits[-1].at - said.at)
    body |= _content(said)
    before = None if shallow or said.reply_to is None else chat.message(said.reply_to)
    if before is not None:
        body["reply_to_message"] = message(chat, before, shallow=True)
    return body


def _content(said: Message) -> dict[str, object]:
    body: dict[str, object] = dict(said.service or {})
    kind = "caption" if said.picture is not None else "text"
    if said.picture is not None:
        body["photo"] = said.picture.sizes()
    if said.words:
        body[kind] = said.words
    if said.entities:
        body["caption_entities" if kind == "caption" else "entities"] = msgspec.to_builtins(said.entities)
    if said.keyboard:
        body["reply_markup"] = {"inline_keyboard": said.keyboard}
    return body
