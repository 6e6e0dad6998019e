"""The table of methods, and those that do not speak: who the bot is, updates, commands, members. Counts nothing."""

from collections.abc import Callable

from msgspec import structs

from service.simulator.botapi import posting
from service.simulator.botapi.answers import Refusal, bad
from service.simulator.botapi.call import Call
from service.simulator.botapi.chats import Chat
from service.simulator.botapi.messenger import Messenger
from service.simulator.botapi.people import ADMINS

Method = Callable[[Messenger, Call], object]
_COMMANDS = 100


def get_me(messenger: Messenger, call: Call) -> object:  # noqa: ARG001  # every method takes both
    """Who the bot is."""
    return messenger.bot.told() | {
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


def get_updates(messenger: Messenger, call: Call) -> object:
    """What has happened; may be waited for."""
    messenger.updates.allow(call.names("allowed_updates"))
    return messenger.updates.poll(call.number("offset"), call.number("limit", 100), call.seconds("timeout"))


def delete_webhook(messenger: Messenger, call: Call) -> object:
    """There is none; pending updates may be dropped."""
    if call.flag("drop_pending_updates"):
        messenger.updates.drop()
    return True


def set_commands(messenger: Messenger, call: Call) -> object:
    """The list under the button beside the line one types in."""
    commands = call.records("commands")
    if len(commands) > _COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        name, told = command.get("command"), command.get("description")
        if not (isinstance(name, str) and name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()):
            raise bad("BOT_COMMAND_INVALID")
        if len(name) > 32 or not (isinstance(told, str) and 1 <= len(told) <= 256):  # noqa: PLR2004  # the API's numbers
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID" if len(name) <= 32 else "BOT_COMMAND_INVALID")  # noqa: PLR2004
    messenger.commands[call.text("language_code")] = commands
    return True


def answer_press(messenger: Messenger, call: Call) -> object:
    """The answer to a pressed button: once, and only to one that was pressed."""
    press = messenger.presses.get(call.text("callback_query_id"))
    if press is None or press.answered:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    text = call.text("text")
    if len(text) > 200:  # noqa: PLR2004  # the API's number
        raise bad("MESSAGE_TOO_LONG")
    messenger.presses[press.id] = structs.replace(press, answered=True, text=text, alert=call.flag("show_alert"))
    return True


def get_member(messenger: Messenger, call: Call) -> object:
    """What a user is in a chat."""
    chat = _entered(messenger, call)
    member = chat.member(call.number("user_id"))
    if member is None:
        raise bad("member not found")
    return member.told(channel=chat.kind == "channel")


def get_admins(messenger: Messenger, call: Call) -> object:
    """Who may change a group; bots other than this one are not told."""
    chat = _entered(messenger, call)
    if chat.kind == "private":
        raise bad("there are no administrators in the private chat")
    admins = [member for member in chat.members.values() if member.status in ADMINS]
    return [member.told(channel=chat.kind == "channel") for member in admins]


def leave(messenger: Messenger, call: Call) -> object:
    """The bot goes."""
    chat = _entered(messenger, call)
    if chat.kind == "private":
        raise bad("chat member status can't be changed in private chats")
    messenger.become(chat, messenger.bot, "left", by=messenger.bot)
    return True


def _entered(messenger: Messenger, call: Call) -> Chat:
    """A chat the bot can look into."""
    chat = messenger.found(call.chat, call.text("chat_id"))
    refusal = chat.refusal()
    if refusal is not None and (chat.moved_to is not None or refusal.status == 403):  # noqa: PLR2004
        raise refusal
    return chat


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getUpdates": get_updates,
    "deleteWebhook": delete_webhook,
    "setMyCommands": set_commands,
    "sendMessage": posting.send_message,
    "sendPhoto": posting.send_photo,
    "editMessageText": posting.edit_text,
    "editMessageCaption": posting.edit_caption,
    "editMessageReplyMarkup": posting.edit_markup,
    "answerCallbackQuery": answer_press,
    "getChatMember": get_member,
    "getChatAdministrators": get_admins,
    "leaveChat": leave,
}
SPEAKING = {name for name in METHODS if name.startswith(("send", "edit"))}
_NAMES = {name.lower(): name for name in METHODS}


def named(method: str) -> str:
    """The method's name as it is written in the manual; its case does not matter. Raises a 404."""
    name = _NAMES.get(method.lower())
    if name is None:
        raise Refusal(404, "Not Found")
    return name
