"""The local Bot API answers as the messenger does: its words, its limits, its faults; and people can play on it."""

import ast
import asyncio
import contextlib
import html
import json
import re
import struct
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import telegram
import telegram.ext
import uvloop
from hypothesis import given
from hypothesis import strategies as st
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)
from telegram.request import HTTPXRequest

from service.simulator.botapi import BotServer, Faults, Hang, Limits, Member, Said, Through, User
from service.simulator.botapi.answers import NOT_MODIFIED, Refusal
from service.simulator.botapi.formatted import parse, units
from service.simulator.botapi.limits import Meter

HOUSE = Path(__file__).resolve().parent.parent / "service" / "simulator" / "botapi"
ANN, GROUP, CHANNEL = 5, -1001, -1002
PRESS = {
    "inline_keyboard": [
        [{"text": "🔕 Mute", "callback_data": "mute:1"}, {"text": "Chart", "url": "https://example.org"}]
    ]
}


def png(width=900, height=450, rest=b"\r\n\r\r\n\n--x\r\n" * 50) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIB", 13, b"IHDR", width, height, 8) + rest


@pytest.fixture
async def server():
    async with BotServer() as server:
        server.private(ANN, language="zh", name="Ann")
        yield server


class Client:
    """A client that sees status and body as they are."""

    def __init__(self, server: BotServer) -> None:
        self.server = server
        self.http = httpx.AsyncClient(timeout=5, trust_env=False)

    async def raw(self, method: str, *, token="", files=None, **fields) -> httpx.Response:
        data = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        url = f"{self.server.url}{token or self.server.token}/{method}"
        return await self.http.post(url, data=data, files=files)

    async def ok(self, method: str, **fields):
        answer = await self.raw(method, **fields)
        assert answer.status_code == 200, answer.text
        assert answer.json()["ok"] is True
        return answer.json()["result"]

    async def refused(self, method: str, **fields) -> str:
        answer = await self.raw(method, **fields)
        body = answer.json()
        assert (body["ok"], body["error_code"]) == (False, answer.status_code)
        return body["description"]

    async def updates(self, **fields) -> list[dict]:
        return await self.ok("getUpdates", **fields)


@pytest.fixture
async def client(server):
    client = Client(server)
    async with client.http:
        yield client


@contextlib.asynccontextmanager
async def library(server: BotServer, token="", read=5.0):
    """The real client library."""
    requests = [
        HTTPXRequest(connection_pool_size=4, read_timeout=read, httpx_kwargs={"trust_env": False}) for _ in range(2)
    ]
    bot = telegram.Bot(token or server.token, base_url=server.url, request=requests[0], get_updates_request=requests[1])
    for request in requests:
        await request.initialize()
    try:
        yield bot
    finally:
        for request in requests:
            await request.shutdown()


# what it says


async def test_a_message_arrives_as_people_see_it_and_is_told_as_the_api_tells_it(server, client):
    told = await client.ok(
        "sendMessage",
        chat_id=ANN,
        text=" <b>BTC 🔥</b> &lt;$1M&gt; <a href='https://example.org/a?b=1&amp;c=2'>chart</a>\n",
        parse_mode="HTML",
        reply_markup=PRESS,
    )
    [message] = server.chat(ANN).messages
    assert (message.id, message.text, message.photo, message.edits) == (1, "BTC 🔥 <$1M> chart", False, ())
    assert message.html.startswith(" <b>BTC")
    assert message.labels == ["🔕 Mute", "Chart"]
    assert told["text"] == message.text
    assert told["chat"] == {"id": ANN, "type": "private", "first_name": "Ann"}
    assert told["from"]["is_bot"] is True
    assert told["entities"] == [
        {"type": "bold", "offset": 0, "length": 6},
        {"type": "text_link", "offset": 13, "length": 5, "url": "https://example.org/a?b=1&c=2"},
    ]
    assert told["reply_markup"] == PRESS


ERRORS = {
    "too_many": (
        Said.too_many(7),
        429,
        '{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}',
    ),
    "blocked": (
        Said.forbidden(),
        403,
        '{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}',
    ),
    "migrated": (
        Said.migrated(-1009),
        400,
        '{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009}}',
    ),
    "internal": (Said.internal(), 500, '{"ok":false,"error_code":500,"description":"Internal Server Error"}'),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_has_the_messengers_body(server, client, name):
    step, status, body = ERRORS[name]
    server.script(ANN, [step])
    answer = await client.raw("sendMessage", chat_id=ANN, text="x")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (status, body, "application/json")
    assert answer.headers.get("retry-after") == ("7" if status == 429 else None)
    assert server.chat(ANN).messages == []
    assert await client.ok("sendMessage", chat_id=ANN, text="x"), "a step is played once"


async def test_a_bad_gateway_is_a_page_of_html(server, client):
    server.script(ANN, [Said.gateway()])
    answer = await client.raw("sendMessage", chat_id=ANN, text="x")
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html")
    assert "<h1>502 Bad Gateway</h1>" in answer.text


async def test_tokens_methods_and_chats_nobody_knows_are_refused(client):
    assert await client.refused("getMe", token="100:other") == "Unauthorized"
    assert await client.refused("sendVoice", chat_id=ANN) == "Not Found"
    assert (await client.http.get(client.server.url.removesuffix("/bot") + "/x")).status_code == 404
    assert await client.refused("sendMessage", chat_id=77, text="x") == "Bad Request: chat not found"
    assert await client.refused("sendMessage", text="x") == "Bad Request: chat_id is empty"


REFUSED = {
    "<b>x": 'Can\'t find end tag corresponding to start tag "b"',
    "x</b>": "Unexpected end tag at byte offset 1",
    "é<b><i>x</b></i>": 'Unmatched end tag at byte offset 9, expected "</i>", found "</b>"',
    "a <p>x</p>": 'Unsupported start tag "p" at byte offset 2',
    "a < b": "Unclosed start tag at byte offset 2",
    "Tom & Ann": "Unescaped & or unsupported HTML entity at byte offset 4",
    "&nbsp;": "Unescaped & or unsupported HTML entity at byte offset 0",
}


@pytest.mark.parametrize("source", REFUSED)
async def test_wrong_html_is_refused_with_the_place(client, source):
    refused = await client.refused("sendMessage", chat_id=ANN, text=source, parse_mode="HTML")
    assert refused == f"Bad Request: can't parse entities: {REFUSED[source]}"


def test_every_allowed_tag_becomes_its_entity():
    tags = {
        "b": "bold",
        "i": "italic",
        "u": "underline",
        "s": "strikethrough",
        "code": "code",
        "pre": "pre",
        "blockquote": "blockquote",
        "tg-spoiler": "spoiler",
    }
    for tag, kind in tags.items():
        found = parse(f"<{tag}>x</{tag}>")
        assert (found.text, [entity.type for entity in found.entities]) == ("x", [kind])
    assert parse('<span class="tg-spoiler">x</span>').entities[0].type == "spoiler"
    assert parse('<pre><code class="language-py">x</code></pre>').entities[0].language == "py"
    assert parse("<blockquote expandable>x</blockquote>").entities[0].type == "blockquote"
    assert parse("<a href='http://localhost:8000/x'>x</a>").entities == (), "such a link is dropped, its words stay"


@given(st.text())
def test_escaped_text_comes_out_as_it_went_in(text):
    assert parse(html.escape(text, quote=False)).text == text.strip()
    assert parse(f"<b>{html.escape(text, quote=False)}</b>").text == text.strip()


@given(st.text(alphabet="<>&/ab\"'= x;"))
def test_no_html_breaks_the_parser(source):
    with contextlib.suppress(Refusal):
        assert "<b>" not in parse(source).text


async def test_lengths_are_counted_in_utf16_after_parsing(client):
    flames = "🔥" * 2048
    assert units(flames) == 4096
    await client.ok("sendMessage", chat_id=ANN, text=f"<b>{flames}</b>", parse_mode="HTML")
    assert await client.refused("sendMessage", chat_id=ANN, text=flames + "x") == "Bad Request: message is too long"
    photo = {"photo": ("a.png", png())}
    await client.ok("sendPhoto", chat_id=ANN, caption=f"<i>{'x' * 1024}</i>", parse_mode="HTML", files=photo)
    assert (
        await client.refused("sendPhoto", chat_id=ANN, caption="x" * 1025, files=photo)
        == "Bad Request: message caption is too long"
    )
    assert (
        await client.refused("editMessageText", chat_id=ANN, message_id=1, text=flames + "x")
        == "Bad Request: MESSAGE_TOO_LONG"
    )
    assert await client.refused("sendMessage", chat_id=ANN, text="") == "Bad Request: message text is empty"
    assert (
        await client.refused("sendMessage", chat_id=ANN, text="<b> </b>", parse_mode="HTML")
        == "Bad Request: text must be non-empty"
    )
    assert (
        await client.refused("sendMessage", chat_id=ANN, text="x", parse_mode="TeX")
        == "Bad Request: unsupported parse_mode"
    )


BUTTONS = [
    ({"text": "x", "callback_data": "é" * 32}, None),
    ({"text": "x", "callback_data": "é" * 32 + "x"}, "BUTTON_DATA_INVALID"),
    ({"text": "x", "url": "tg://user?id=1"}, None),
    ({"text": "x", "url": "http://127.0.0.1:8000/a"}, None),
    (
        {"text": "x", "url": "http://localhost:8000/a"},
        "inline keyboard button URL 'http://localhost:8000/a' is invalid: Wrong HTTP URL",
    ),
    (
        {"text": "x", "url": "ftp://example.org"},
        "inline keyboard button URL 'ftp://example.org' is invalid: Unsupported URL protocol",
    ),
    ({"text": "x"}, "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    ({"callback_data": "x"}, "can't parse inline keyboard button: can't find field \"text\""),
]


@pytest.mark.parametrize(("button", "wrong"), BUTTONS)
async def test_buttons_are_checked(client, button, wrong):
    asked = {"chat_id": ANN, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}}
    if wrong is None:
        assert (await client.ok("sendMessage", **asked))["reply_markup"]["inline_keyboard"] == [[button]]
    else:
        assert await client.refused("sendMessage", **asked) == f"Bad Request: {wrong}"


async def test_an_edit_keeps_what_stood_there_and_takes_the_old_buttons_away(server, client):
    await client.ok("sendMessage", chat_id=ANN, text="one", reply_markup=PRESS)
    told = await client.ok("editMessageText", chat_id=ANN, message_id=1, text="<i>two</i>", parse_mode="HTML")
    assert "reply_markup" not in told
    assert told["edit_date"] >= told["date"]
    assert (
        await client.refused("editMessageText", chat_id=ANN, message_id=1, text="<em>two</em>", parse_mode="HTML")
        == f"Bad Request: {NOT_MODIFIED}"
    )
    await client.ok("editMessageReplyMarkup", chat_id=ANN, message_id=1, reply_markup=PRESS)
    [message] = server.chat(ANN).messages
    assert (message.text, message.html, message.labels) == ("two", "<i>two</i>", ["🔕 Mute", "Chart"])
    assert [(edit.before.text, bool(edit.before.keyboard)) for edit in message.edits] == [("one", True), ("two", False)]


async def test_only_the_bots_own_messages_can_be_edited_and_as_what_they_are(server, client):
    theirs = server.say(ANN, "hello").id
    await client.ok("sendMessage", chat_id=ANN, text="text")
    await client.ok("sendPhoto", chat_id=ANN, files={"photo": ("a.png", png())})
    asked = {"chat_id": ANN, "text": "new", "caption": "new"}
    assert await client.refused("editMessageText", message_id=9, **asked) == "Bad Request: message to edit not found"
    assert await client.refused("editMessageText", message_id=theirs, **asked) == "Bad Request: message can't be edited"
    assert (
        await client.refused("editMessageCaption", message_id=2, **asked)
        == "Bad Request: there is no caption in the message to edit"
    )
    assert (
        await client.refused("editMessageText", message_id=3, **asked)
        == "Bad Request: there is no text in the message to edit"
    )
    assert (await client.ok("editMessageCaption", message_id=3, **asked))["caption"] == "new"
    server.erase(ANN, 2)
    assert await client.refused("editMessageText", message_id=2, **asked) == "Bad Request: message to edit not found"


async def test_a_reply_names_what_it_answers_or_goes_without(server, client):
    theirs = server.say(ANN, "/status").id
    told = await client.ok("sendMessage", chat_id=ANN, text="fine", reply_parameters={"message_id": theirs})
    assert told["reply_to_message"]["text"] == "/status"
    lonely = {"chat_id": ANN, "text": "x", "reply_parameters": {"message_id": 99}}
    assert await client.refused("sendMessage", **lonely) == "Bad Request: message to be replied not found"
    lonely["reply_parameters"]["allow_sending_without_reply"] = True
    assert "reply_to_message" not in await client.ok("sendMessage", **lonely)
    assert [message.reply_to for message in server.chat(ANN).messages] == [theirs, None]


async def test_a_photo_goes_again_by_its_id(server, client):
    first = await client.ok(
        "sendPhoto", chat_id=ANN, caption="<b>now</b>", parse_mode="HTML", files={"photo": ("a.png", png())}
    )
    assert [(size["width"], size["height"]) for size in first["photo"]] == [
        (90, 45),
        (320, 160),
        (800, 400),
        (900, 450),
    ]
    again = await client.ok("sendPhoto", chat_id=ANN, photo=first["photo"][-1]["file_id"])
    assert again["photo"] == first["photo"]
    other = await client.ok("sendPhoto", chat_id=ANN, files={"photo": ("b.png", png(rest=b"x"))})
    same = await client.ok("sendPhoto", chat_id=ANN, files={"photo": ("b.png", png())})
    assert same["photo"] == first["photo"] != other["photo"]
    message = server.chat(ANN).messages[0]
    assert (message.photo, message.caption, message.text) == (True, "now", "")
    assert message.picture.content == png(), "byte for byte, line ends and all"


async def test_what_is_no_photo_is_refused(client):
    async def refused(content):
        return await client.refused("sendPhoto", chat_id=ANN, files={"photo": ("a.png", content)})

    assert await refused(b"GIF89a") == "Bad Request: IMAGE_PROCESS_FAILED"
    assert await refused(png(9_000, 2_000)) == "Bad Request: PHOTO_INVALID_DIMENSIONS"
    assert await refused(png(2_100, 100)) == "Bad Request: PHOTO_INVALID_DIMENSIONS"
    assert (
        await client.refused("sendPhoto", chat_id=ANN, photo="AgACnone")
        == "Bad Request: wrong file identifier/HTTP URL specified"
    )
    assert await client.refused("sendPhoto", chat_id=ANN) == "Bad Request: there is no photo in the request"


# what it hears


async def test_updates_stay_until_they_are_confirmed(server, client):
    for text in ("one", "two", "three"):
        server.say(ANN, text)
    got = await client.updates(limit=2)
    assert [update["message"]["text"] for update in got] == ["one", "two"]
    assert got == await client.updates(limit=2), "nothing was confirmed"
    rest = await client.updates(offset=got[-1]["update_id"] + 1)
    assert [update["message"]["text"] for update in rest] == ["three"]
    assert await client.updates(offset=-1) == rest
    assert await client.ok("deleteWebhook", drop_pending_updates=True)
    assert await client.updates() == []


async def test_a_person_is_told_with_language_and_commands(server, client):
    server.say(ANN, "🔥 /start@cascade_bot en")
    [update] = await client.updates()
    message = update["message"]
    assert message["from"] == {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "zh"}
    assert message["entities"] == [{"type": "bot_command", "offset": 3, "length": 18}]


async def test_a_long_poll_ends_with_news_or_empty_in_time(server, client):
    poll = asyncio.create_task(client.updates(timeout=5))
    await asyncio.sleep(0.05)
    server.say(ANN, "news")
    [update] = await asyncio.wait_for(poll, 1)
    began = time.monotonic()
    assert await client.updates(offset=update["update_id"] + 1, timeout=0.2) == []
    assert time.monotonic() - began >= 0.19


async def test_a_second_poll_ends_the_first_with_a_conflict(server, client):
    first = asyncio.create_task(client.raw("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(client.updates(timeout=5))
    answer = await asyncio.wait_for(first, 1)
    assert (answer.status_code, answer.json()["description"]) == (
        409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    )
    server.say(ANN, "for the second")
    assert len(await asyncio.wait_for(second, 1)) == 1


async def test_a_poll_whose_client_went_away_disturbs_nobody(server, client):
    with pytest.raises(httpx.ReadTimeout):
        await client.http.post(f"{server.url}{server.token}/getUpdates", data={"timeout": "5"}, timeout=0.05)
    await asyncio.sleep(0.02)
    assert server._peers == set()
    server.say(ANN, "news")
    assert len(await client.updates(timeout=1)) == 1


async def test_only_allowed_updates_are_kept(server, client):
    await client.updates(allowed_updates=["message"])
    server.block(ANN)
    server.unblock(ANN)
    server.say(ANN, "hi")
    assert [set(update) - {"update_id"} for update in await client.updates()] == [{"message"}]


async def test_a_tap_presses_the_newest_button_of_that_name_and_is_answered_once(server, client):
    for text in ("old", "new"):
        await client.ok("sendMessage", chat_id=ANN, text=text, reply_markup=PRESS)
    await client.ok("sendMessage", chat_id=ANN, text="without")
    ids = [server.tap(ANN, "Mute"), server.tap(ANN, "mute:1", message=1)]
    queries = [update["callback_query"] for update in await client.updates()]
    assert [(query["data"], query["message"]["text"], query["from"]["id"]) for query in queries] == [
        ("mute:1", "new", ANN),
        ("mute:1", "old", ANN),
    ]
    assert await client.ok("answerCallbackQuery", callback_query_id=ids[0], text="Muted")
    assert (server.presses[ids[0]].text, server.presses[ids[1]].answered) == ("Muted", False)
    stale = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert await client.refused("answerCallbackQuery", callback_query_id=ids[0]) == stale
    with pytest.raises(LookupError, match=r"no button 'Chart' in chat 5; there are \['🔕 Mute', 'Chart'"):
        server.tap(ANN, "Chart")


# who is there


async def test_a_bot_cannot_write_to_who_never_started_blocked_it_or_is_gone(server, client):
    server.private(6, started=False)
    assert (
        await client.refused("sendMessage", chat_id=6, text="x")
        == "Forbidden: bot can't initiate conversation with a user"
    )
    server.say(6, "/start")
    await client.ok("sendMessage", chat_id=6, text="x")
    server.block(6)
    assert await client.refused("sendMessage", chat_id=6, text="x") == "Forbidden: bot was blocked by the user"
    server.unblock(6)
    await client.ok("sendMessage", chat_id=6, text="y")
    server.delete_user(6)
    assert (
        await client.refused("editMessageText", chat_id=6, message_id=2, text="x") == "Forbidden: user is deactivated"
    )
    changes = [update["my_chat_member"] for update in await client.updates() if "my_chat_member" in update]
    assert [change["new_chat_member"]["status"] for change in changes] == ["kicked", "member"]


def people() -> list[Member]:
    return [
        Member(user=User(id=10, name="Olga"), status="creator", anonymous=True),
        Member(user=User(id=11, name="Per"), status="administrator"),
        Member(user=User(id=12, name="Mia", language=""), status="member"),
    ]


async def test_in_a_group_the_bot_hears_what_is_meant_for_it(server, client):
    server.group(GROUP, people=people())
    await client.ok("sendMessage", chat_id=GROUP, text="hello")
    server.say(GROUP, "small talk", user=12)
    server.say(GROUP, "/status", user=12)
    server.say(GROUP, "thanks", user=11, reply_to=1)
    server.say(GROUP, "/mute", user=10)
    server.join(GROUP, User(id=13, name="New"))
    told = [update["message"] for update in await client.updates()]
    assert [message.get("text") for message in told] == ["/status", "thanks", "/mute", None]
    assert "language_code" not in told[0]["from"]
    assert told[1]["reply_to_message"]["text"] == "hello"
    assert (told[2]["from"]["username"], told[2]["sender_chat"]["id"]) == ("GroupAnonymousBot", GROUP)
    assert told[3]["new_chat_members"][0]["id"] == 13
    with pytest.raises(KeyError, match=r"no user 99 in chat -1001; there are \[10, 11, 12, 13\]"):
        server.say(GROUP, "x", user=99)


async def test_admins_are_told_and_private_chats_have_none(server, client):
    server.group(GROUP, people=people())
    admins = await client.ok("getChatAdministrators", chat_id=GROUP)
    assert [(admin["user"]["id"], admin["status"]) for admin in admins] == [(10, "creator"), (11, "administrator")]
    assert (await client.ok("getChatMember", chat_id=GROUP, user_id=12))["status"] == "member"
    assert await client.refused("getChatMember", chat_id=GROUP, user_id=99) == "Bad Request: member not found"
    assert (
        await client.refused("getChatAdministrators", chat_id=ANN)
        == "Bad Request: there are no administrators in the private chat"
    )


async def test_a_bot_is_added_thrown_out_and_leaves(server, client):
    server.group(GROUP, people=people(), bot="left")
    by = people()[1].user
    assert (
        await client.refused("sendMessage", chat_id=GROUP, text="x")
        == "Forbidden: bot is not a member of the supergroup chat"
    )
    server.invite(GROUP, by)
    await client.ok("sendMessage", chat_id=GROUP, text="x")
    server.kick(GROUP, by)
    assert (
        await client.refused("sendMessage", chat_id=GROUP, text="x")
        == "Forbidden: bot was kicked from the supergroup chat"
    )
    server.invite(GROUP, by)
    assert await client.ok("leaveChat", chat_id=GROUP) is True
    assert not server.chat(GROUP).open
    changes = [update["my_chat_member"] for update in await client.updates()]
    assert [change["new_chat_member"]["status"] for change in changes] == ["member", "kicked", "member", "left"]


async def test_a_channel_posts_in_its_own_name(server, client):
    server.group(CHANNEL, "channel", title="Liquidations", username="liqs")
    told = await client.ok("sendMessage", chat_id="@liqs", text="x")
    assert told["sender_chat"]["type"] == "channel"
    assert "from" not in told
    server.say(CHANNEL, "/status")
    [update] = await client.updates()
    assert update["channel_post"]["text"] == "/status"
    server.invite(CHANNEL, people()[0].user, "member")
    assert (
        await client.refused("sendMessage", chat_id=CHANNEL, text="x")
        == "Bad Request: need administrator rights in the channel chat"
    )


async def test_a_group_that_moved_says_where_to(server, client):
    server.group(-7, "group", people=people())
    server.migrate(-7, GROUP)
    answer = await client.raw("sendMessage", chat_id=-7, text="x")
    assert answer.json()["parameters"] == {"migrate_to_chat_id": GROUP}
    await client.ok("sendMessage", chat_id=GROUP, text="x")
    told = [update["message"] for update in await client.updates()]
    assert [(message.get("migrate_to_chat_id"), message.get("migrate_from_chat_id")) for message in told] == [
        (GROUP, None),
        (None, -7),
    ]
    assert len(await client.ok("getChatAdministrators", chat_id=GROUP)) == 2


async def test_commands_are_set_by_language(server, client):
    commands = [{"command": "start", "description": "Begin"}]
    assert await client.ok("setMyCommands", commands=commands, language_code="zh")
    assert server.commands == {"zh": commands}
    assert (
        await client.refused("setMyCommands", commands=[{"command": "Start", "description": "x"}])
        == "Bad Request: BOT_COMMAND_INVALID"
    )


# how fast


def test_windows_slide_and_their_worst_is_kept():
    meter = Meter(Limits())
    for at in [0.0] * 15 + [0.9] * 15 + [1.0] * 15:
        meter.take(at, 1, None)
    assert (meter.worst_second, meter.violations) == (30, []), "a second later the first are out"
    meter.take(1.5, 1, None)
    assert [(violation.rule, violation.number) for violation in meter.violations] == [("overall", 31)]


def test_a_person_may_get_one_a_second_and_a_group_twenty_a_minute():
    meter = Meter(Limits())
    for at in (0.0, 1.0, 1.9):
        meter.take(at, ANN, "private")
    for n in range(21):
        meter.take(10.0 + n * 2, GROUP, "group")
    rules = [(violation.rule, violation.chat) for violation in meter.violations]
    assert rules == [("chat", ANN), ("group", GROUP)]
    assert meter.worst_gap[ANN] == pytest.approx(0.9)
    assert meter.worst_minute[GROUP] == 21
    assert meter.wait(51.0, GROUP, "group") == pytest.approx(21.0), "until the second of the last twenty is out"
    assert meter.wait(72.0, GROUP, "group") == 0


@given(st.lists(st.floats(0, 0.3), max_size=80), st.sampled_from(["private", "group"]))
def test_whoever_waits_as_told_never_breaks_a_limit(pauses, kind):
    meter, at = Meter(Limits(group_per_minute=5, overall=3)), 0.0
    for pause in pauses:
        at += pause
        at += meter.wait(at, 1, kind)
        # the sum of two floats may fall a hair short of what was meant
        at += meter.wait(at, 1, kind) + 1e-9
        meter.take(at, 1, kind)
    assert meter.violations == []


async def test_limits_are_counted_and_break_nothing_unless_strict(server, client):
    server.limits = Limits(per_chat_s=5, overall=2)
    for _ in range(3):
        await client.ok("sendMessage", chat_id=ANN, text="x")
    assert [violation.rule for violation in server.counts.violations] == ["chat", "overall", "chat"]
    assert (server.counts.delivered, server.counts.worst_second) == (3, 3)
    assert server.counts.worst_gap < 1


async def test_a_strict_server_says_how_long_to_wait_and_means_it(server, client):
    server.strict, server.limits = True, Limits(per_chat_s=10, speed=10)
    await client.ok("sendMessage", chat_id=ANN, text="x")
    answer = await client.raw("editMessageText", chat_id=ANN, message_id=1, text="y")
    assert answer.json()["parameters"] == {"retry_after": 1}, "edits count"
    await asyncio.sleep(1)
    await client.ok("sendMessage", chat_id=ANN, text="x")
    assert (server.counts.violations, server.counts.answers[429]) == ([], 1)


async def test_a_strict_server_asks_a_group_to_wait_for_its_minute(server, client):
    server.strict, server.limits = True, Limits(group_per_minute=2)
    server.group(GROUP)
    for _ in range(2):
        await client.ok("sendMessage", chat_id=GROUP, text="x")
    answer = await client.raw("sendMessage", chat_id=GROUP, text="x")
    assert 59 <= answer.json()["parameters"]["retry_after"] <= 60
    assert server.counts.worst_minute == 2


def test_bad_limits_and_faults_are_named():
    with pytest.raises(ValueError, match="limit overall must be above 0, got 0"):
        Limits(overall=0)
    with pytest.raises(ValueError, match=r"fault lost is a share from 0 to 1, got 2"):
        Faults(lost=2)
    with pytest.raises(ValueError, match=r"at most every request, got shares of 1.2 together"):
        Faults(lost=0.6, dropped=0.6)
    with pytest.raises(ValueError, match="a token begins with the bot's number and a colon, as 100:abc; got 'abc'"):
        BotServer("abc")


# what goes wrong


async def test_a_lost_answer_is_of_a_message_that_arrived_and_a_dropped_one_of_none(server, client):
    server.faults = Faults(lost=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.raw("sendMessage", chat_id=ANN, text="lost")
    server.faults = Faults(dropped=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await client.raw("sendMessage", chat_id=ANN, text="dropped")
    server.faults = Faults()
    assert [message.text for message in server.chat(ANN).messages] == ["lost"]
    assert (server.counts.lost, server.counts.dropped) == ({ANN: 1}, {ANN: 1})


async def test_faults_strike_their_share_the_same_way_each_time():
    async def run() -> list[int]:
        async with BotServer(faults=Faults(too_many=0.2, internal=0.2, gateway=0.1, seed=3)) as server:
            client = Client(server)
            for n in range(1, 101):
                server.private(n)
            async with client.http:
                return [(await client.raw("sendMessage", chat_id=n, text="x")).status_code for n in range(1, 101)]

    first, second = await run(), await run()
    assert first == second
    assert (10 <= first.count(429) <= 30, 10 <= first.count(500) <= 30, 3 <= first.count(502) <= 20) == (
        True,
        True,
        True,
    )


async def test_faults_leave_questions_alone_unless_they_are_meant(server, client):
    server.faults = Faults(internal=1)
    assert await client.updates() == []
    server.faults = Faults(internal=1, everywhere=True)
    assert await client.refused("getUpdates") == "Internal Server Error"


async def test_a_script_belongs_to_its_chat_and_is_played_in_order(server, client):
    server.private(6)
    server.script(ANN, [Through(), Said.too_many(10_000), Hang(seconds=0.2, answered=True)])
    await client.ok("sendMessage", chat_id=ANN, text="one")
    await client.ok("sendMessage", chat_id=6, text="other")
    assert await client.refused("sendMessage", chat_id=ANN, text="two") == "Too Many Requests: retry after 10000"
    began = time.monotonic()
    await client.ok("sendMessage", chat_id=ANN, text="three")
    assert time.monotonic() - began >= 0.19
    assert [message.text for message in server.chat(ANN).messages] == ["one", "three"]


async def test_arrivals_tell_when_words_first_reached_each_chat(server, client):
    server.private(6)
    began = time.monotonic()
    for text in ("hello", "BTC longs", "BTC longs again"):
        await client.ok("sendMessage", chat_id=ANN, text=text)
    second = server.chat(ANN).messages[1].at
    assert began < second < time.monotonic()
    assert server.first_seen(ANN, "BTC") == second
    assert (server.arrivals("BTC"), server.first_seen(6)) == ({ANN: second}, None)


async def test_waiting_for_what_never_comes_ends(server, client):
    waiting = asyncio.create_task(server.until(lambda: server.chat(ANN).messages))
    await asyncio.sleep(0)
    await client.ok("sendMessage", chat_id=ANN, text="x")
    assert [message.text for message in await waiting] == ["x"]
    with pytest.raises(TimeoutError):
        await server.until(lambda: server.chat(ANN).messages[1:], seconds=0.05)


# how it is spoken to


async def test_json_bodies_queries_and_any_case_are_understood(server, client):
    address = f"{server.url}{server.token}"
    assert (await client.http.get(f"{address}/getme")).json()["result"]["username"] == "cascade_bot"
    assert (
        await client.http.get(f"{address}/sendMessage?" + urlencode({"chat_id": ANN, "text": "a+b & ü"}))
    ).status_code == 200
    assert (
        await client.http.post(f"{address}/SENDMESSAGE", json={"chat_id": ANN, "text": "c", "reply_markup": PRESS})
    ).status_code == 200
    assert [message.text for message in server.chat(ANN).messages] == ["a+b & ü", "c"]
    assert server.counts.requests["sendMessage"] == 2
    wrong = await client.http.post(f"{address}/sendMessage", content=b"{", headers={"content-type": "application/json"})
    assert wrong.json()["description"].startswith("Bad Request: can't parse the request")


async def test_a_body_in_pieces_is_put_together_and_nonsense_is_hung_up_on(server, client):
    async def pieces():
        yield b"chat_id=5&te"
        yield b"xt=whole"

    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.http.post(f"{server.url}{server.token}/sendMessage", content=pieces(), headers=form)
    assert answer.json()["result"]["text"] == "whole"
    port = int(re.search(r":(\d+)/", server.url)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 1) == b""
    writer.close()
    with contextlib.suppress(ConnectionResetError):
        await writer.wait_closed()
    assert await client.ok("getMe")


async def test_it_stops_while_somebody_waits_and_what_was_sent_can_be_read(server, client):
    await client.ok("sendMessage", chat_id=ANN, text="x")
    poll = asyncio.create_task(client.raw("getUpdates", timeout=30))
    await asyncio.sleep(0.05)
    await asyncio.wait_for(server.close(), 1)
    with pytest.raises(httpx.HTTPError):
        await poll
    assert len(server.chat(ANN).messages) == 1


def test_it_serves_on_uvloop_as_well():
    async def run() -> list[str]:
        async with BotServer() as server:
            server.private(ANN)
            client = Client(server)
            async with client.http:
                await client.ok("sendMessage", chat_id=ANN, text="x")
            return [message.text for message in server.chat(ANN).messages]

    assert uvloop.run(run()) == ["x"]


# the real client library


async def test_the_library_raises_what_it_should(server, monkeypatch):
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # else the library warns of itself
    server.group(-7, "group")
    async with library(server) as bot:
        server.script(ANN, [Said.too_many(7), Said.forbidden(), Said.internal(), Said.gateway()])
        with pytest.raises(RetryAfter) as later:
            await bot.send_message(ANN, "x")
        assert later.value.retry_after.total_seconds() == 7
        for error in (Forbidden, NetworkError, NetworkError):
            with pytest.raises(error):
                await bot.send_message(ANN, "x")
        server.migrate(-7, GROUP)
        with pytest.raises(ChatMigrated) as moved:
            await bot.send_message(-7, "x")
        assert moved.value.new_chat_id == GROUP
        with pytest.raises(BadRequest, match="Message text is empty"):
            await bot.send_message(ANN, "")
    async with library(server, token="100:wrong") as bot:
        with pytest.raises(InvalidToken):
            await bot.get_me()


async def test_the_library_times_out_on_a_silent_server_and_the_message_is_there(server):
    async with library(server, read=0.1) as bot:
        server.script(ANN, [Hang(seconds=5)])
        with pytest.raises(TimedOut):
            await bot.send_message(ANN, "x")
    assert [message.text for message in server.chat(ANN).messages] == ["x"]
    assert server.counts.lost == {ANN: 1}


async def test_the_library_meets_its_twin(server):
    async with library(server) as bot, library(server) as twin:
        first = asyncio.create_task(bot.get_updates(timeout=5))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(twin.get_updates(timeout=5))
        with pytest.raises(Conflict):
            await first
        server.say(ANN, "/start")
        [update] = await second
        assert update.message.parse_entities() == {update.message.entities[0]: "/start"}


async def test_the_library_reads_every_kind_of_answer(server):
    server.group(GROUP, people=people())
    async with library(server) as bot:
        sent = await bot.send_photo(
            ANN, png(), caption="<b>x</b>", parse_mode="HTML", reply_markup=telegram.InlineKeyboardMarkup.de_json(PRESS)
        )
        again = await bot.send_photo(
            GROUP,
            sent.photo[-1].file_id,
            reply_parameters=telegram.ReplyParameters(9, allow_sending_without_reply=True),
        )
        assert again.photo == sent.photo
        assert sent.parse_caption_entities() == {sent.caption_entities[0]: "x"}
        edited = await sent.edit_caption("y")
        assert edited.edit_date is not None
        assert [admin.user.id for admin in await bot.get_chat_administrators(GROUP)] == [10, 11]
        assert (await bot.get_chat_member(GROUP, server.bot.id)).status == "member"
        server.block(ANN)
        server.kick(GROUP, people()[1].user)
        changes = await bot.get_updates()
        assert [change.my_chat_member.new_chat_member.status for change in changes] == ["kicked", "kicked"]


async def test_an_application_of_the_library_runs_on_it(server):
    async def greet(update, _):
        await update.message.reply_html("<b>Welcome</b>", reply_markup=telegram.InlineKeyboardMarkup.de_json(PRESS))

    async def mute(update, _):
        await update.callback_query.answer("Muted")
        await update.callback_query.edit_message_text("quiet")

    chat = server.chat(ANN)
    app = telegram.ext.Application.builder().token(server.token).base_url(server.url).build()
    app.add_handlers([telegram.ext.CommandHandler("start", greet), telegram.ext.CallbackQueryHandler(mute)])
    async with app:
        await app.start()
        await app.updater.start_polling()
        server.say(ANN, "/start")
        await server.until(lambda: chat.messages)
        press = server.tap(ANN, "Mute")
        await server.until(lambda: chat.messages[0].edits)
        await app.updater.stop()
        await app.stop()
    assert (chat.messages[0].text, chat.messages[0].labels, server.presses[press].text) == ("quiet", [], "Muted")
    assert await asyncio.wait_for(server.updates.poll(0, 10, 0), 1) == [], "all it heard is confirmed"


# the other side


def test_it_knows_nothing_of_the_service_it_plays_for():
    for path in HOUSE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            strangers = [
                name
                for name in names
                if name.startswith("telegram")
                or (name.startswith("service") and not name.startswith(("service.simulator.botapi", "service.model")))
            ]
            assert not strangers, f"{path.name} imports {strangers}"


async def test_a_person_talks_to_a_bot_in_a_terminal():
    command = [sys.executable, "-u", "-m", "service.simulator.botapi", "--port", "0", "--token", "100:try"]
    terminal = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        first = (await asyncio.wait_for(terminal.stdout.readline(), 10)).decode()
        address = re.search(r"http://\S+/bot100:try/", first)[0]
        terminal.stdin.write(b"/start\n")
        async with httpx.AsyncClient(trust_env=False) as http:
            [update] = (await http.get(f"{address}getUpdates?timeout=5")).json()["result"]
            assert update["message"]["text"] == "/start"
            asked = {"chat_id": "1", "text": "<b>Welcome</b>", "parse_mode": "HTML", "reply_markup": json.dumps(PRESS)}
            await http.post(f"{address}sendMessage", data=asked)
            shown = [(await asyncio.wait_for(terminal.stdout.readline(), 5)).decode().rstrip() for _ in range(4)]
            assert shown[-2:] == ["Welcome", "[🔕 Mute] [Chart]"]
            terminal.stdin.write(b"tap Mute\n")
            [press] = (await http.get(f"{address}getUpdates?timeout=5&offset={update['update_id'] + 1}")).json()[
                "result"
            ]
            assert press["callback_query"]["data"] == "mute:1"
    finally:
        terminal.terminate()
        await terminal.wait()
