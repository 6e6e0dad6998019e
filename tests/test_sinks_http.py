"""Sinks that speak HTTP: the exact request, what each status means, how long they wait, and that nothing tells the address."""

import asyncio
import contextlib
import hashlib
import hmac
import logging
import re
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client import generate_latest

from service import __version__, metrics, text
from service.bell import Bell
from service.ledger.memory import MemoryLedger
from service.model import Alert, Explained, Words, unexplained
from service.retry import WAIT_MOST_S
from service.settings import load, public, toml_text
from service.settings.sinks import Sinks
from service.sinks import SINKS, Courier, Sink, SinkError, Tools, discord, enabled, http, slack
from service.sinks.words import length, told
from tests.catcher import Catcher, Reply, catching
from tests.test_text import OPENED

NOW = 1_768_342_440_500
SECRET = "T0hunter2/B0hunter2/XhunterXhunterXhunter2"
KEY = "hunter2-key"
BOARD = "https://board.example.org/d/cascade?a=1&b=2"
ALERT = msgspec.structs.replace(OPENED, why=text.why(OPENED))
POSTING = sorted(set(SINKS) - {"log"})
HOUSE = {"Content-Type": "application/json", "User-Agent": f"cascade-monitor/{__version__}"}
README = Path(__file__).parent.parent / "config/README.md"


def sections(port: int, language: str = "en", board: str = "") -> Sinks:
    url = f"http://127.0.0.1:{port}/services/{SECRET}?q=hunter2"
    knobs = {"url": url, "language": language}
    return Sinks.model_validate(
        {"board_url": board, "webhook": {"url": url, "secret": KEY}, "slack": knobs, "discord": knobs}
    )


@pytest.fixture
async def catcher() -> AsyncIterator[Catcher]:
    async with catching() as one:
        yield one


@contextlib.asynccontextmanager
async def made(name: str, port: int, language: str = "en", board: str = "", now: int = NOW) -> AsyncIterator[Sink]:
    async with httpx.AsyncClient(trust_env=False) as client:
        tools = Tools(client=client, now=lambda: now, board_url=board)
        yield SINKS[name](getattr(sections(port, language, board), name), tools)


async def refusal(name: str, catcher: Catcher, alert: Alert = ALERT) -> SinkError:
    async with made(name, catcher.port) as sink:
        with pytest.raises(SinkError) as told:
            await sink.send(alert)
    return told.value


def words(en: str) -> Alert:
    return msgspec.structs.replace(ALERT, why=Words(en=en, zh=en))


# The exact request


def ours(headers: dict[str, str]) -> dict[str, str]:
    clients = {"Host", "Accept", "Accept-Encoding", "Connection", "Content-Length"}
    return {name: value for name, value in headers.items() if name not in clients}


async def test_the_webhook_posts_the_alert_as_the_door_shows_it_with_its_id_its_moment_and_a_signature(catcher):
    explained = msgspec.structs.replace(ALERT, explain=Explained(inputs={}, levels={}, rules=()))
    async with made("webhook", catcher.port) as sink:
        await sink.send(explained)

    [(line, headers, body)] = catcher.caught
    assert line == f"POST /services/{SECRET}?q=hunter2 HTTP/1.1"
    assert body == msgspec.json.encode(unexplained(ALERT))
    signed = hmac.new(KEY.encode(), b"1768342440." + body, hashlib.sha256).hexdigest()
    assert ours(headers) == {
        **HOUSE,
        "Idempotency-Key": "ALL-short_squeeze-1768342440.1",
        "X-Cascade-Timestamp": "1768342440",
        "X-Cascade-Signature": f"v1={signed}",
    }


async def test_slack_gets_one_text_with_three_signs_escaped_and_its_markup_switched_off(catcher):
    async with made("slack", catcher.port, board=BOARD) as sink:
        await sink.send(words("BTC <!channel> *_A&B_* `x`, $1.2M. More."))

    [(line, headers, body)] = catcher.caught
    assert line == f"POST /services/{SECRET}?q=hunter2 HTTP/1.1"
    assert ours(headers) == HOUSE
    assert body == (
        b'{"text":"BTC &lt;!channel&gt; *_A&amp;B_* `x`, $1.2M. More.'
        b'\\n<https://board.example.org/d/cascade?a=1&amp;b=2>","mrkdwn":false}'
    )


async def test_discord_gets_one_content_that_pings_nobody_and_waits_for_the_verdict(catcher):
    async with made("discord", catcher.port, board=BOARD) as sink:
        await sink.send(words("- <@1> @everyone *_A_* [x](https://x.example.org) #1, $1.2M. More."))

    [(line, headers, body)] = catcher.caught
    assert line == f"POST /services/{SECRET}?q=hunter2&wait=true HTTP/1.1"
    assert ours(headers) == HOUSE
    assert msgspec.json.decode(body) == {
        "content": r"\- \<\@1\> \@everyone \*\_A\_\* \[x\](https://x.example.org) \#1, $1.2M. More."
        "\n<https://board.example.org/d/cascade?a=1&b=2>",
        "allowed_mentions": {"parse": []},
    }


@pytest.mark.parametrize(("name", "field"), [("slack", "text"), ("discord", "content")])
async def test_messages_are_in_the_language_of_the_section(catcher, name, field):
    for language in ("en", "zh"):
        async with made(name, catcher.port, language) as sink:
            await sink.send(ALERT)

    english, chinese = (msgspec.json.decode(one.body)[field].replace("\\", "") for one in catcher.caught)
    assert (english, chinese) == (ALERT.why.en, ALERT.why.zh)


async def test_without_a_secret_there_is_no_signature(catcher):
    async with httpx.AsyncClient(trust_env=False) as client:
        section = sections(catcher.port).webhook.model_copy(update={"secret": Sinks().webhook.secret})
        await SINKS["webhook"](section, Tools(client=client, now=lambda: NOW)).send(ALERT)

    assert "X-Cascade-Signature" not in catcher.caught[0].headers


async def test_a_try_again_has_the_same_key_and_a_moment_and_signature_of_its_own(catcher):
    catcher.replies = [Reply(503), Reply()]
    for now in (NOW, NOW + 60_000):
        async with made("webhook", catcher.port, now=now) as sink:
            with contextlib.suppress(SinkError):
                await sink.send(ALERT)

    first, second = (one.headers for one in catcher.caught)
    assert first["Idempotency-Key"] == second["Idempotency-Key"]
    assert int(second["X-Cascade-Timestamp"]) - int(first["X-Cascade-Timestamp"]) == 60
    assert first["X-Cascade-Signature"] != second["X-Cascade-Signature"]


async def test_an_id_no_header_could_carry_is_percent_encoded(catcher):
    async with made("webhook", catcher.port) as sink:
        await sink.send(msgspec.structs.replace(ALERT, id="币安人生-long 1%\r\nX: y.1"))

    headers = catcher.caught[0].headers
    assert headers["Idempotency-Key"] == "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9F-long%201%25%0D%0AX:%20y.1"
    assert "X" not in headers


async def test_the_way_to_verify_that_the_readme_shows_accepts_ours_and_nothing_else(catcher, monkeypatch):
    async with made("webhook", catcher.port) as sink:
        await sink.send(ALERT)
    [(_, headers, body)] = catcher.caught
    room: dict = {}
    exec(re.search(r"```python\n(import hashlib.*?)```", README.read_text(), re.DOTALL)[1], room)

    for late, accepted in ((0, True), (299, True), (301, False), (-301, False)):
        monkeypatch.setattr(room["time"], "time", lambda late=late: NOW // 1_000 + late)
        assert room["genuine"](KEY, headers, body) is accepted
    monkeypatch.setattr(room["time"], "time", lambda: NOW / 1_000)
    assert not room["genuine"]("other", headers, body)
    assert not room["genuine"](KEY, headers, body + b" ")
    assert not room["genuine"](KEY, headers | {"X-Cascade-Timestamp": "1768342441"}, body)


# What fits


def bare(alert: Alert, most: int, language: str = "en", end: str = "") -> str:
    return told(alert, language, lambda one: one, most, end)


def test_words_are_cut_behind_a_whole_sentence_and_the_end_always_stays():
    alert = words("At least $1.2M. Most on okx. Sure.")

    assert bare(alert, 34) == "At least $1.2M. Most on okx. Sure."
    assert bare(alert, 33) == "At least $1.2M. Most on okx."
    assert bare(alert, 27) == "At least $1.2M."
    assert bare(alert, 18, end=" <x>") == "At least $1.2… <x>"
    assert bare(words("轧空：1.04亿美元。bybit最多。"), 12, "zh") == "轧空：1.04亿美元。"
    assert bare(words(""), 10, end="<x>") == "<x>"


def test_of_a_first_sentence_that_is_too_long_the_beginning_stays_and_no_escape_is_cut():
    assert told(words("&&&&"), "en", slack.escape, 11) == "&amp;&amp;…"
    assert told(words("____"), "en", discord.escape, 6) == "\\_\\_…"


@pytest.mark.parametrize(("name", "most"), [("slack", slack.MOST), ("discord", discord.MOST)])
async def test_the_longest_message_is_not_longer_than_the_channel_takes(catcher, name, most):
    for alert in (words("Much was liquidated_*<&. " * 400), words("x" * 9_000), words("😀" * 9_000)):
        async with made(name, catcher.port, board=BOARD) as sink:
            await sink.send(alert)

    texts = [next(iter(msgspec.json.decode(one.body).values())) for one in catcher.caught]
    assert all(most - 60 < length(one) <= most for one in texts)
    assert all(one.rstrip("<>").endswith(("b=2", "b=2>")) for one in texts)


def test_lines_and_signs_no_message_should_have_become_blanks():
    assert bare(words("A\n# b\u2028c\x00d."), 100) == "A # b c d."


# What each status means

STATUSES = [
    *((status, "taken") for status in (200, 201, 202, 204, 299)),
    *((status, "retry") for status in (408, 425, 429, 500, 501, 502, 503, 504, 529, 599)),
    *(
        (status, "permanent")
        for status in (300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 418, 422)
    ),
    (0, "retry"),
]


async def outcome(sink: Sink) -> tuple[str, str]:
    """The verdict of one try, and the error's text."""
    try:
        await sink.send(ALERT)
    except SinkError as error:
        return "permanent" if error.permanent else "retry", str(error)
    return "taken", ""


def expected(name: str, status: int, verdict: str, port: int) -> tuple[str, str]:
    if name == "log" or verdict == "taken":
        return "taken", ""
    answered = f"answered {status}" if status else "did not answer: RemoteProtocolError"
    return verdict, f"http://127.0.0.1:{port}/*** {answered}"


@pytest.mark.parametrize("name", SINKS)
async def test_every_sink_takes_tries_again_or_gives_up_by_the_same_table(catcher, name):
    """The log sink asks nobody, so it takes everything."""
    async with made(name, catcher.port) as sink:
        for status, verdict in STATUSES:
            body = b"" if status in (204, 304) else b"No."
            catcher.replies = [Reply(status, f"Location: http://127.0.0.1:{catcher.port}/elsewhere\r\n", body)]
            assert (status, *await outcome(sink)) == (status, *expected(name, status, verdict, catcher.port))

    assert len(catcher.caught) == (len(STATUSES) if name != "log" else 0), "a redirect was followed"


@pytest.mark.parametrize("name", POSTING)
async def test_nobody_at_home_is_a_reason_to_try_again(name, catcher):
    async with catching() as gone:
        pass
    error = await refusal(name, gone)

    assert (error.permanent, error.retry_after) == (False, None)
    assert str(error) == f"http://127.0.0.1:{gone.port}/*** did not answer: ConnectError"


@pytest.mark.parametrize("name", POSTING)
async def test_a_server_that_takes_its_time_is_left_after_the_patience(catcher, name, monkeypatch):
    monkeypatch.setattr(http, "PATIENCE_S", 0.2)
    catcher.replies = [Reply(0)]
    hanging = asyncio.Event()

    async def hang(reader, writer):
        await hanging.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    catcher.port = server.sockets[0].getsockname()[1]
    error = await refusal(name, catcher)
    hanging.set()
    server.close()
    await server.wait_closed()

    assert not error.permanent
    assert "did not answer: " in str(error)


@pytest.mark.parametrize("name", POSTING)
async def test_a_status_is_a_verdict_though_the_body_never_comes(catcher, name, monkeypatch):
    monkeypatch.setattr(http, "_READ_S", 0.1)
    async with made(name, catcher.port) as sink:
        catcher.replies = [Reply(200, slow_s=0.5)]
        await asyncio.wait_for(sink.send(ALERT), 0.4)
        catcher.replies = [Reply(404, slow_s=0.5)]
        with pytest.raises(SinkError, match="answered 404") as told:
            await asyncio.wait_for(sink.send(ALERT), 0.4)

    assert told.value.permanent
    await asyncio.sleep(0.6)  # the catcher's own answers have ended


# How long to wait


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize(
    ("asked", "wait"),
    [
        ("", None),
        ("Retry-After: 7\r\n", 7.0),
        ("Retry-After: 7200\r\n", 7200.0),
        ("Retry-After: 0\r\n", 0.0),
        ("Retry-After: soon\r\n", None),
        ("Retry-After: Tue, 13 Jan 2026 22:14:30 GMT\r\n", 29.5),
        ("Retry-After: 99999999\r\n", WAIT_MOST_S),
    ],
)
async def test_every_sink_waits_as_long_as_the_header_says(catcher, name, asked, wait):
    catcher.replies = [Reply(429, asked)]
    assert (await refusal(name, catcher)).retry_after == wait


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        (b'{"message": "You are being rate limited.", "retry_after": 0.643, "global": false}', 0.643),
        (b'{"retry_after": 3}', 3.0),
        (b'{"retry_after": 1e9}', WAIT_MOST_S),
        (b'{"retry_after": -1}', 65.0),
        (b'{"retry_after": "1"}', 65.0),
        (b'{"retry_after": null}', 65.0),
        (b"<html>error code: 1015</html>", 65.0),
        (b"\xff\xfe", 65.0),
        (b"", 65.0),
        (b"[" * 5_000, 65.0),
    ],
)
async def test_discord_waits_to_the_millisecond_of_its_body_and_else_as_its_header_says(catcher, body, wait):
    catcher.replies = [Reply(429, "Retry-After: 65\r\n", body)]
    assert (await refusal("discord", catcher)).retry_after == wait


@pytest.mark.parametrize(
    ("name", "body", "end"),
    [
        ("slack", b"no_service", "answered 404: no_service"),
        ("slack", b"<html>Cannot POST /services/T0hunter2</html>", "answered 404"),
        ("slack", b"x" * 100, "answered 404"),
        ("discord", b'{"message": "Unknown Webhook hunter2", "code": 10015}', "answered 404: code 10015"),
        ("discord", b'{"code": 0}', "answered 404"),
        ("webhook", b"hunter2", "answered 404"),
    ],
)
async def test_of_an_answer_only_words_that_are_known_to_be_harmless_are_quoted(catcher, name, body, end):
    catcher.replies = [Reply(404, body=body)]
    error = await refusal(name, catcher)

    assert str(error).endswith(end)


# Nothing tells the address


def everything(error: BaseException) -> Iterator[str]:
    """An exception as any logger might write it, with all it hangs on."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), repr(one.__dict__), repr(one.args), *traceback.format_exception(one))
        waiting += [other for other in (one.__cause__, one.__context__) if other is not None]


FAILURES = [
    Reply(0),
    Reply(404, body=f"Cannot POST /services/{SECRET}".encode()),
    Reply(429, body=f'"{SECRET}"'.encode()),
    Reply(302, f"Location: /services/{SECRET}\r\n"),
    Reply(500, f"X-{SECRET}".replace("/", "-") + f": {KEY}\r\n"),
    Reply(99, SECRET),
]


@pytest.mark.parametrize("name", POSTING)
async def test_no_failure_and_no_log_line_tells_the_address_or_the_key(catcher, name, caplog):
    caplog.set_level(logging.DEBUG, "cascade")
    caplog.set_level(logging.WARNING, "httpx")
    ledger, bell = MemoryLedger(), Bell()
    token = await ledger.lease("me", 60_000)
    errors = []
    async with made(name, catcher.port) as sink:
        for reply in FAILURES:
            catcher.replies = [reply]
            with pytest.raises(SinkError) as told:
                await sink.send(ALERT)
            errors.append(told.value)
        courier = Courier(sink, ledger, bell.wait)
        await courier.begin()
        await ledger.commit(token, {}, [ALERT])
        catcher.replies = [FAILURES[1]]
        await courier.errand(await courier.begin())
        report = await courier.report()

    texts = [*(text for error in errors for text in everything(error)), caplog.text, repr(sink), repr(report)]
    texts.append(generate_latest(metrics.REGISTRY).decode())
    assert report.refused[0].reason == f"http://127.0.0.1:{catcher.port}/*** answered 404"
    assert "hunter" not in "\n".join(texts)


async def test_no_setting_that_is_shown_tells_an_address_a_key_or_a_token(tmp_path):
    url = f"https://hooks.example.org/services/{SECRET}"
    names = {f"CASCADE_SINKS__{name.upper()}__URL": url for name in POSTING}
    settings = load(None, names | {"CASCADE_SINKS__WEBHOOK__SECRET": KEY})

    shown = public(settings)["sinks"]
    assert {name: shown[name]["url"] for name in POSTING} == dict.fromkeys(POSTING, "***")
    assert shown["webhook"]["secret"] == "***"
    assert "hunter" not in f"{toml_text(settings)} {public(settings)} {settings!r}"


async def test_the_sinks_that_are_made_are_those_whose_sections_want_them():
    async with httpx.AsyncClient() as client:
        tools = Tools(client=client, now=lambda: NOW)

        assert [sink.name for sink in enabled(Sinks(), tools)] == ["log"]
        assert {sink.name for sink in enabled(sections(1), tools)} == {"log", *POSTING}
        assert all(not sink.lines for sink in enabled(sections(1), tools))
