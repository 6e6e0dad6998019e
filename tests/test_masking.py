"""What a log may show: real records through real handlers, tracebacks included, and not one secret in them."""

import argparse
import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import httpx
import pytest

from service import doors
from service.demo import run as demo
from service.demo.rehearsal import Stage
from service.masking import MASK, Scrubber, host_of, mask, scrub, secrets_of
from service.settings import Settings, load

TOKEN = "123456789:AAhunter2_hunter2-hunter2_hunter2xx"
HOOK = "https://hooks.slack.com/services/T0HUNTER2/B0HUNTER2/XhunterXhunterXhunter2"


@pytest.fixture
def page() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(page: io.StringIO) -> Iterator[logging.Logger]:
    logger = logging.getLogger("test.masking")
    handler = logging.StreamHandler(page)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield logger
    logger.removeHandler(handler)


def settings(tmp_path, **variables: str) -> Settings:
    (tmp_path / "s.toml").write_text("")
    names = {f"CASCADE_SINKS__{name}": text for name, text in variables.items()}
    return load(tmp_path / "s.toml", names)


def refuse() -> None:
    try:
        raise ConnectionError(f"https://api.telegram.org/bot{TOKEN}/getMe")  # noqa: TRY301
    except ConnectionError as error:
        raise ValueError(f"the token `{TOKEN}` was rejected") from error


def test_a_traceback_that_quotes_the_token_is_written_without_it(page, logger, tmp_path):
    scrub(secrets_of(settings(tmp_path, TELEGRAM__TOKEN=TOKEN)), logger)
    try:
        refuse()
    except ValueError:
        logger.exception("no answer from %s", f"https://api.telegram.org/bot{TOKEN}/getMe", stack_info=True)

    text = page.getvalue()
    assert "hunter" not in text.replace("bot{TOKEN}", "")
    assert text.startswith("ERROR test.masking no answer from https://api.telegram.org/bot***/getMe\nTraceback")
    assert "ValueError: the token `***` was rejected" in text
    assert "ConnectionError: https://api.telegram.org/bot***/getMe" in text


async def test_the_clients_own_log_of_requests_is_written_without_the_address(page, logger, tmp_path):
    handler = logger.handlers[0]
    scrub(secrets_of(settings(tmp_path, SLACK__URL=HOOK)), logger)
    client_log = logging.getLogger("httpx")
    level = client_log.level
    client_log.addHandler(handler)
    client_log.setLevel(logging.INFO)
    try:
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
            await client.post(HOOK)
    finally:
        client_log.removeHandler(handler)
        client_log.setLevel(level)

    assert page.getvalue() == 'INFO httpx HTTP Request: POST https://hooks.slack.com/*** "HTTP/1.1 200 OK"\n'


def low(text: str) -> str:
    return re.sub("%..", lambda found: found[0].lower(), quote(text, safe=""))


@pytest.mark.parametrize(
    ("secret", "spellings"),
    [
        (TOKEN, (str, repr, quote, low)),
        ("pass word/+?&%", (str, repr, json.dumps, quote, quote_plus, low)),
        ('it\'s "quoted" \\ here', (str, repr, json.dumps, quote, quote_plus, low)),
        ("密码密码密码", (str, repr, quote, quote_plus, low)),
    ],
)
def test_every_spelling_of_a_secret_is_found(page, logger, secret, spellings):
    scrub([secret], logger)
    for spell in spellings:
        logger.info("a %s z", spell(secret))

    lines = page.getvalue().replace("'", "").replace('"', "").splitlines()
    assert lines == ["INFO test.masking a *** z"] * len(spellings)


def test_secrets_are_found_by_type_and_of_an_address_only_what_is_secret_in_it(tmp_path):
    full = settings(
        tmp_path, TELEGRAM__TOKEN=TOKEN, SLACK__URL=HOOK, WEBHOOK__URL="https://joe:hunter2@h/webhook?key=hunter3"
    )

    assert secrets_of(Settings()) == ()
    assert set(secrets_of(full)) == {
        TOKEN,
        HOOK.removeprefix("https://hooks.slack.com"),
        "XhunterXhunterXhunter2",
        "hunter2",
        "/webhook",
        "key=hunter3",
        "hunter3",
    }


def test_the_password_of_the_store_is_found_and_its_address_is_not(tmp_path):
    (tmp_path / "s.toml").write_text("")
    plain = load(tmp_path / "s.toml", {"REDIS_URL": "redis://store.example.org:6379/0?ssl_cert_reqs=required"})
    closed = load(tmp_path / "s.toml", {"REDIS_URL": "redis://default:hunter%2F2@store.example.org:6379/0"})

    assert secrets_of(plain) == ()
    assert set(secrets_of(closed)) == {"hunter/2", "redis://default:hunter/2@store.example.org:6379/0"}


def test_a_second_call_adds_and_wraps_nothing_twice(page, logger):
    scrub(["secret-one"], logger)
    scrub(["secret-two"], logger)
    logger.info("secret-one, secret-two, secret-three")

    assert page.getvalue() == "INFO test.masking ***, ***, secret-three\n"
    assert not isinstance(logger.handlers[0].formatter.inner, Scrubber)


def test_without_secrets_a_line_stays_as_it_is(page, logger):
    scrub([], logger)
    logger.info("nothing to hide, %s", "not even here")

    assert page.getvalue() == "INFO test.masking nothing to hide, not even here\n"


def test_the_longer_of_two_secrets_goes_first(page, logger):
    scrub(["hunter", "hunter-and-more"], logger)
    logger.info("hunter-and-more hunter")

    assert page.getvalue() == "INFO test.masking *** ***\n"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (HOOK, "https://hooks.slack.com/***"),
        ("https://joe:hunter2@h.example.org:8443/x?y#z", "https://h.example.org:8443/***"),
        ("http://[::1]:80", "http://[::1]:80/***"),
        ("https://h?token=a/b@c", "https://h/***"),
    ],
)
def test_of_an_address_whose_path_is_the_secret_the_host_is_told(url, host):
    assert host_of(url) == host


def test_a_token_is_masked_wherever_somebody_has_put_it():
    assert mask(f"https://api.example.org/bot{TOKEN}/getMe") == f"https://api.example.org/bot{MASK}/getMe"
    assert mask(TOKEN) == MASK
    assert mask("2026-01-13T18:00:00Z") == "2026-01-13T18:00:00Z"


@pytest.fixture
def forms() -> Iterator[None]:
    """The formatters of the root handlers, which belong to the tests, put back."""
    kept = [(handler, handler.formatter) for handler in logging.getLogger().handlers]
    yield
    for handler, form in kept:
        handler.setFormatter(form)


async def test_what_the_running_service_logs_is_scrubbed(tmp_path, monkeypatch, caplog, forms):
    class Talkative:
        def __init__(self, *_parts: object) -> None:
            pass

        async def run(self, _stop: asyncio.Event, *_dress) -> None:
            logging.getLogger("elsewhere").error("asked %s", HOOK)

    (tmp_path / "s.toml").write_text('[ledger]\nstore = "memory"\n')
    monkeypatch.setenv("CASCADE_SINKS__SLACK__URL", HOOK)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr(doors, "App", Talkative)
    await doors.run(argparse.Namespace(config=tmp_path / "s.toml"), asyncio.Event())

    assert "asked https://hooks.slack.com/***\n" in caplog.text
    assert "hunter" not in caplog.text.lower()


def test_what_the_demo_logs_is_scrubbed(tmp_path, monkeypatch, caplog, forms):
    stage = Stage(endpoints={"okx": {}}, origin=0, wall_origin=None, speed=1.0, home=str(tmp_path))
    monkeypatch.setenv("CASCADE_SECOND_OPINION__COINGLASS_KEY", "hunter2-hunter2")
    demo._settings(demo.Plan(home=tmp_path, speed=1.0), stage)
    logging.getLogger("elsewhere").error("asked with %s", "hunter2-hunter2")

    assert "asked with ***\n" in caplog.text
