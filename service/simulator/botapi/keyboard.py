"""Reply markups: what may stand under a message, and what a press of it says. Checks and finds; sends nothing."""

from collections.abc import Iterator

import msgspec

from service.simulator.botapi.answers import bad
from service.simulator.botapi.formatted import link

DATA_BYTES = 64
_BUTTONS = 100
_OTHERS = {"keyboard", "remove_keyboard", "force_reply"}
_ACTIONS = ("callback_data", "url", "web_app", "login_url", "switch_inline_query", "copy_text")

Button = dict[str, object]
Keyboard = list[list[Button]]


def read(text: str) -> Keyboard:
    """The inline keyboard of a `reply_markup`, empty for none and for markups that do not stay with the message."""
    if not text:
        return []
    try:
        markup = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise bad("can't parse reply keyboard markup JSON object") from None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        if markup and not _OTHERS & markup.keys():
            raise bad("can't parse reply keyboard markup JSON object")
        return []
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad('field "inline_keyboard" must be of type Array of Array')
    if sum(map(len, rows)) > _BUTTONS:
        raise bad("reply markup is too long")
    return [[_button(button) for button in row] for row in rows if row]


def buttons(keyboard: Keyboard) -> Iterator[Button]:
    """Every button, row by row."""
    return (button for row in keyboard for button in row)


def pressed(keyboard: Keyboard, words: str) -> str | None:
    """Callback data of the button with that label or data, or else with those words in its label; None without one."""
    able = [button for button in buttons(keyboard) if "callback_data" in button]
    for button in able:
        if words in (button["text"], button["callback_data"]):
            return str(button["callback_data"])
    return next((str(button["callback_data"]) for button in able if words in str(button["text"])), None)


def _button(button: object) -> Button:
    if not isinstance(button, dict):
        raise bad("can't parse inline keyboard button: expected an Object")
    text = button.get("text")
    if not isinstance(text, str):
        raise bad("can't parse inline keyboard button: can't find field \"text\"")
    if not text.strip():
        raise bad("inline keyboard button text must be non-empty")
    if not any(button.get(action) not in (None, "") for action in _ACTIONS):
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    data, url = button.get("callback_data"), button.get("url")
    if data is not None and not (isinstance(data, str) and len(data.encode()) <= DATA_BYTES):
        raise bad("BUTTON_DATA_INVALID")
    if url is not None and (wrong := link(str(url))):
        raise bad(f"inline keyboard button URL '{url}' is invalid: {wrong}")
    return button
