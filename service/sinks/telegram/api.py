"""The Bot API through python-telegram-bot: requests out, outcomes in our words. Only this file knows its exceptions.

Owns what each refusal means. Waits for nothing and repeats nothing; no text of an error leaves here unmasked, since the
library quotes the token in one of them.
"""

import asyncio
import os
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from typing import Any

# lengths of time as such: without it the library warns at every 429 that it will do so one day
os.environ.setdefault("PTB_TIMEDELTA", "true")

from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LinkPreviewOptions,
    Message,
    ReplyParameters,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from service.masking import MASK
from service.sinks.telegram.outcome import Closed, Delivered, Gone, Later, Moved, Outcome, Refused, Shut

#: Rows of buttons: a label, and what is heard when it is pressed or the address it opens.
Buttons = Sequence[Sequence[tuple[str, str]]]

#: Real seconds one request may take; an answer that comes later is lost.
PATIENCE_S = 15.0
#: What says that a chat will never be reached again, beside everything "Forbidden".
_CLOSED = (
    "chat not found",
    "user is deactivated",
    "peer_id_invalid",
    "not enough rights to send",
    "have no rights to send",
    "chat_write_forbidden",
    "group is deactivated",
    "bot is not a member",
    "need administrator rights",
)
_GONE = ("message to edit not found", "message can't be edited", "message_id_invalid")
#: Another process listens with the same token.
_OTHER_S = 5.0
#: What the library adds when an answer was no answer of the Bot API.
_NOT_TELEGRAM = "parsing the server response"
_NO_PICTURES = "not enough rights to send photos"
_SAME = "message is not modified"
_HEARD = ["message", "channel_post", "callback_query", "my_chat_member"]
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class TelegramApi:
    """One bot. `api_url` is where the Bot API stands: Telegram's own, or a server of one's own."""

    def __init__(self, token: str, api_url: str, connections: int = 40) -> None:
        self._token = token
        self._bot = Bot(
            token,
            base_url=f"{api_url}/bot",
            base_file_url=f"{api_url}/file/bot",
            request=_requests(connections),
            get_updates_request=_requests(2),
        )
        self.name = ""

    async def open(self) -> Outcome | None:
        """First words with the messenger; None when it knows us."""
        found = await self._outcome(self._bot.initialize())
        if isinstance(found, Delivered):
            self.name = self._bot.username
            return None
        return found

    async def menu(self, commands: Mapping[str, str], language: str = "") -> Outcome:
        """What the messenger offers to type: command -> its sentence, for one language or for all others."""
        offered = [BotCommand(name, sentence) for name, sentence in commands.items()]
        return await self._outcome(self._bot.set_my_commands(offered, language_code=language or None))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._bot.shutdown()

    async def send(self, chat: int, text: str, *, buttons: Buttons = (), reply_to: int | None = None) -> Outcome:
        """A new message, in Telegram's HTML."""
        answer = ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to is not None else None
        return await self._outcome(
            self._bot.send_message(
                chat,
                text,
                parse_mode=ParseMode.HTML,
                reply_parameters=answer,
                reply_markup=_keyboard(buttons),
                link_preview_options=_NO_PREVIEW,
            )
        )

    async def edit(self, chat: int, message: int, text: str, *, buttons: Buttons = ()) -> Outcome:
        """Another text in an old message; the same text again is taken for done."""
        request = self._bot.edit_message_text(
            text,
            chat,
            message,
            parse_mode=ParseMode.HTML,
            reply_markup=_keyboard(buttons),
            link_preview_options=_NO_PREVIEW,
        )
        return await self._outcome(request, message)

    async def photo(self, chat: int, picture: bytes | str, caption: str, *, reply_to: int) -> Outcome:
        """A picture: its bytes, or what an earlier sending of it was called."""
        answer = ReplyParameters(reply_to, allow_sending_without_reply=True)
        request = self._bot.send_photo(
            chat, picture, caption=caption, parse_mode=ParseMode.HTML, reply_parameters=answer, filename="hour.png"
        )
        return await self._outcome(request)

    async def answer(self, callback: str, text: str = "") -> None:
        """A pressed button stops turning. That it was too late for that is no news."""
        await self._outcome(self._bot.answer_callback_query(callback, text or None))

    async def admins(self, chat: int) -> frozenset[int] | None:
        """Who may change a group's settings, by id; None when nobody can say just now."""
        found, failure = await self._ask(self._bot.get_chat_administrators(chat))
        return None if failure else frozenset(member.user.id for member in found)

    async def updates(self, offset: int | None, timeout_s: float) -> Sequence[Update] | Outcome:
        """What people said since, held open until there is something; or why nobody can say."""
        request = self._bot.get_updates(offset, timeout=int(timeout_s), allowed_updates=_HEARD)
        heard, failure = await self._ask(request, patience_s=timeout_s + PATIENCE_S)
        return failure or heard

    async def _outcome(self, request: Awaitable[Any], message: int = 0) -> Outcome:
        """What became of it. `message` is the one that was to be edited."""
        answer, failure = await self._ask(request, message)
        if failure is not None:
            return failure
        if isinstance(answer, Message):
            return Delivered(message=answer.message_id, file=answer.photo[-1].file_id if answer.photo else "")
        return Delivered(message=message)

    async def _ask(
        self, request: Awaitable[Any], message: int = 0, patience_s: float = PATIENCE_S
    ) -> tuple[Any, Outcome | None]:
        try:
            async with asyncio.timeout(patience_s):
                return await request, None
        except TimeoutError:
            return None, Later(seconds=0.0, reason="no answer in time; it may have arrived")
        except TelegramError as error:
            return None, _meaning(error, message, self._masked(_said(error)))
        except ValueError as error:  # the library's own check of a value, before anything was sent
            return None, Refused(reason=self._masked(f"{type(error).__name__}: {error}"))

    def _masked(self, text: str) -> str:
        return text.replace(self._token, MASK)


def _said(error: TelegramError) -> str:
    kind = type(error).__name__
    return error.message if error.message.startswith(kind) else f"{kind}: {error.message}"


def _meaning(error: TelegramError, message: int, reason: str) -> Outcome:
    """The library's exceptions follow the status; what a 400 means stands in its text only."""
    match error:
        case _ if _NOT_TELEGRAM in error.message.lower():
            pass  # a page of something in between, which knows no chat
        case RetryAfter():
            return Later(seconds=_seconds(error.retry_after), reason=reason, told=True)
        case ChatMigrated():
            return Moved(chat=error.new_chat_id)
        case InvalidToken():
            return Shut(reason=reason)
        case Forbidden():
            return Closed(reason=reason)
        case BadRequest():
            return _refusal(error.message.lower(), message, reason)
    return Later(seconds=_OTHER_S if isinstance(error, Conflict) else 0.0, reason=reason)


def _refusal(said: str, message: int, reason: str) -> Outcome:
    if _SAME in said:
        return Delivered(message=message)
    if _NO_PICTURES in said:
        return Refused(reason=reason)  # words may still be taken
    if any(text in said for text in _GONE):
        return Gone(reason=reason)
    return Closed(reason=reason) if any(text in said for text in _CLOSED) else Refused(reason=reason)


def _requests(connections: int) -> HTTPXRequest:
    return HTTPXRequest(
        connection_pool_size=connections,
        connect_timeout=5.0,
        read_timeout=PATIENCE_S,
        write_timeout=PATIENCE_S,
        pool_timeout=5.0,
    )


def _seconds(length: int | timedelta) -> float:
    return length.total_seconds() if isinstance(length, timedelta) else float(length)


def _keyboard(buttons: Buttons) -> InlineKeyboardMarkup | None:
    rows = [[_button(label, what) for label, what in row] for row in buttons]
    return InlineKeyboardMarkup(rows) if rows else None


def _button(label: str, what: str) -> InlineKeyboardButton:
    if what.startswith(("http://", "https://")):
        return InlineKeyboardButton(label, url=what)
    return InlineKeyboardButton(label, callback_data=what)
