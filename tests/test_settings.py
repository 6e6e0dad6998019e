"""Settings: where a value comes from, what is refused and in which words, what is never shown."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.detector.rules import Rules
from service.feed import Knobs as FeedKnobs
from service.masking import mask, secrets_of
from service.pipeline import Knobs as StreetKnobs
from service.settings import Settings, SettingsError, load, public, toml_text
from service.settings.keys import KEYS, PREFIX, Key, of_variable, plain, variables
from service.settings.sinks import LogSink, Sinks
from service.venues import VENUES

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config"
BAD = ROOT / "tests/fixtures/config"
SECRET = "hunter2"
BOT = "123456:hunter2_hunter2_hunter2_hunter2"
SECTIONS = "service, clock, ledger, feed, backfill, pipeline, detector, venues, api, second_opinion, context, sinks"
NAMES = ", ".join(VENUES)
TOKENS = "digits, a colon and 30 or more of A-Z, a-z, 0-9, _ and -, as BotFather gave it"
TIME = "ISO 8601 with its zone, as 2026-01-13T18:00:00Z, or empty"
RULES = (
    "floors, share, grow, close_total, close_share, close_after_s, warning, critical, budget, child_budget, early, watch, "
    "breadth, early_floor, breadth_floor, lean, fade_s, end_s, update_s, remind_s, zone, calendar"
)

MESSAGES = {
    "unknown-section": f": [detctor]: unknown section; allowed: {SECTIONS}; did you mean detector?",
    "unknown-key": f": [detector] shaer: unknown key; allowed: {RULES}; did you mean share?",
    "key-outside-section": f": share: unknown key here; allowed: {SECTIONS}; did you mean [detector] share?",
    "key-in-wrong-section": (
        ": [api] log_level: unknown key here; allowed: host, port; did you mean [service] log_level?"
    ),
    "wrong-type": (': [detector] share = "high": is of the wrong type; allowed: a number above 0.5 and at most 1'),
    "section-is-a-value": ": detector = 5: is of the wrong type; allowed: a table",
    "share-out-of-range": ": [detector] share = 1.7: is above 1; allowed: a number above 0.5 and at most 1",
    "negative-floor": ": [detector.floors] BTC = -30000000: is not above 0; allowed: a number above 0",
    "endless-floor": ": [detector.floors] ETH = Infinity: is not finite; allowed: finite numbers",
    "small-asset": (
        ": [detector.floors] btc: unknown asset; allowed: assets in capitals, ALL, default; did you mean BTC?"
    ),
    "unknown-zone": (
        ': [detector] zone = "Asia/Shanghia": is no zone; '
        "allowed: names of the tz database, as Asia/Shanghai, or UTC; did you mean Asia/Shanghai?"
    ),
    "severities-crossed": ": [detector] critical = 1.5: is below warning, which is 2; allowed: from warning",
    "unknown-venue": (
        f': [venues] enabled[1] = "binanse": unknown venue; allowed: all, or the venues {NAMES}; did you mean binance?'
    ),
    "unknown-venue-table": f": [venues.okex]: unknown venue; allowed: {NAMES}; did you mean okx?",
    "no-venue": f": [venues] enabled = []: names no venue; allowed: one or more of {NAMES}",
    "venue-twice": (
        f': [venues] enabled = ["okx", "bybit", "okx"]: names okx more than once; allowed: each of {NAMES} once'
    ),
    "unknown-endpoint": (
        ": [venues.binance.endpoints] umm: unknown endpoint; allowed: um, cm, um_rest, cm_rest; did you mean um?"
    ),
    "socket-not-ws": (
        ': [venues.binance.endpoints] um = "https://ws.example.org": is not the URL of this endpoint; '
        "allowed: ws://... or wss://..."
    ),
    "rest-not-http": (
        ': [venues.binance.endpoints] um_rest = "fapi.example.org": is not the URL of this endpoint; '
        "allowed: http://... or https://..."
    ),
    "sentinels": (
        ': [venues.hyperliquid.endpoints] sentinels = "0x010461c14e146ac35fe42271bdc1134ee31c703a,0x2e3d94f0": '
        "names '0x2e3d94f0', which is no account; allowed: 1 to 10 accounts, each once, of 0x and 40 hexadecimal "
        "digits, with commas between them"
    ),
    "clock-stands": ": [clock] speed = 0: is not above 0; allowed: a number above 0 and at most 10000",
    "time": f': [clock] origin = "yesterday": is not a time; allowed: {TIME}',
    "time-without-zone": f': [clock] origin = "2026-01-13T18:00:00": is not a time; allowed: {TIME}',
    "wall-origin-alone": (
        ': [clock] wall_origin = "2026-01-13T18:00:00Z": has no meaning without origin; '
        "allowed: empty, or together with origin"
    ),
    "port": ": [api] port = 70000: is above 65535; allowed: a whole number at least 0 and at most 65535",
    "port-as-text": (
        ': [api] port = "8000": is of the wrong type; allowed: a whole number at least 0 and at most 65535'
    ),
    "log-level": (
        ': [service] log_level = "INFO": is none of its words; allowed: one of debug, info, warning, error; '
        "did you mean info?"
    ),
    "store-without-url": (
        ': [ledger] store = "redis": needs an address; '
        "allowed: redis together with url (or REDIS_URL), auto, embedded, memory"
    ),
    "store-url": ": [ledger] url: is not the address of a store; allowed: redis://, rediss://, unix://..., or empty",
    "opinion-key": (
        ": [second_opinion] coinglass_key: cannot be sent in a header; "
        "allowed: letters, digits and signs without a blank, or empty"
    ),
    "opinion-url": (
        ': [second_opinion] coinglass_url = "coinglass.example.org": is not an address of the web; '
        "allowed: http://... or https://..."
    ),
    "tag": ': [ledger] tag = "{cascade}": has the wrong form; allowed: 1 to 40 letters, digits, - and _',
    "unknown-sink": ": [sinks.carrier_pigeon]: unknown section; allowed: board_url, log, webhook, slack, discord, telegram",
    "hook-url": (
        ": [sinks.slack] url: is not the address of a webhook; "
        "allowed: https://... (http://... can be read on the way), or empty"
    ),
    "board-with-password": (
        ': [sinks] board_url = "https://board.example.org/***": is not an address for readers; '
        "allowed: http://... or https://... without a password, or empty"
    ),
    "token": f": [sinks.telegram] token: is not the token of a bot; allowed: {TOKENS}, or empty",
    "token-twice": (
        ': [sinks.telegram] token_file = "token.txt": stands beside token; allowed: token or token_file, not both'
    ),
    "token-file": (
        ': [sinks.telegram] token_file = "nowhere.txt": cannot be read: No such file or directory; '
        "allowed: a file that holds the token and nothing else"
    ),
    "token-in-file-key": (
        ': [sinks.telegram] token_file = "***": cannot be read: No such file or directory; '
        "allowed: a file that holds the token and nothing else"
    ),
    "owner": ": [sinks.telegram] owners[1] = -1001: is below 1; allowed: a list of whole numbers at least 1",
    "pace": ": [sinks.telegram] per_second = 31: is above 30; allowed: a number above 0 and at most 30",
    "sink-is-a-value": ": [sinks] discord: is of the wrong type; allowed: a table",
    "syntax": ": is not TOML: Invalid value (at line 3, column 8)",
    "calendar": (
        ': [detector] calendar = "nowhere.csv": nowhere.csv cannot be read: No such file or directory; '
        "allowed: shipped, a CSV file with the columns at, name, source, or empty for none"
    ),
    "three-things": (
        ": [detector] share = 1.7: is above 1; allowed: a number above 0.5 and at most 1\n"
        f"FILE: [detector] shaer: unknown key; allowed: {RULES}; did you mean share?\n"
        "FILE: [api] port = -1: is below 0; allowed: a whole number at least 0 and at most 65535"
    ),
}

ACCOUNTS = [f"0x{number:040x}" for number in range(11)]
ALLOWED_ACCOUNTS = "allowed: 1 to 10 accounts, each once, of 0x and 40 hexadecimal digits, with commas between them"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (",".join(ACCOUNTS), "names 11 accounts"),
        (f"{ACCOUNTS[0]},", "names '', which is no account"),
        (f"{ACCOUNTS[0]};{ACCOUNTS[1]}", "which is no account"),
        (f"{ACCOUNTS[10]}, {ACCOUNTS[10].upper().replace('0X', '0x')}", "more than once"),
        ("wss://h", "names 'wss://h', which is no account"),
        ("0x" + "g" * 40, "which is no account"),
    ],
)
def test_accounts_to_watch_are_checked_by_name(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path), {"CASCADE_VENUES__HYPERLIQUID__ENDPOINTS__SENTINELS": text})
    (problem,) = refusal.value.problems
    assert problem.startswith("CASCADE_VENUES__HYPERLIQUID__ENDPOINTS__SENTINELS = ")
    assert wrong in problem
    assert problem.endswith(ALLOWED_ACCOUNTS)


@pytest.mark.parametrize("text", [ACCOUNTS[1], ", ".join(ACCOUNTS[:10]), ACCOUNTS[10].upper().replace("0X", "0x")])
def test_accounts_to_watch_may_be_named(tmp_path: Path, text: str) -> None:
    settings = load(written(tmp_path, f'[venues.hyperliquid.endpoints]\nsentinels = "{text}"'), {})
    assert settings.venues.endpoints("hyperliquid")["sentinels"] == text
    assert public(settings)["venues"]["hyperliquid"]["endpoints"]["sentinels"] == text


@pytest.mark.parametrize("venue", VENUES)
def test_an_endpoint_of_another_kind_is_refused_for_every_venue(tmp_path: Path, venue: str) -> None:
    for name, default in VENUES[venue].endpoints.items():
        other = "http://h" if default.startswith("ws") else "ws://h"
        for text in (other, ACCOUNTS[1], "h") if not default.startswith("0x") else (other, "h"):
            with pytest.raises(SettingsError):
                load(written(tmp_path, f'[venues.{venue}.endpoints]\n{name} = "{text}"'), {})
        load(written(tmp_path, f'[venues.{venue}.endpoints]\n{name} = "{default}"'), {})


BAD_VARIABLES = {
    ("CASCADE_DETECTOR__SHAER", "0.8"): (
        f"CASCADE_DETECTOR__SHAER: unknown variable; allowed: CASCADE_<SECTION>__<KEY> with the sections {SECTIONS}; "
        "did you mean CASCADE_DETECTOR__SHARE?"
    ),
    ("CASCADE_SHARE", "0.8"): (
        f"CASCADE_SHARE: unknown variable; allowed: CASCADE_<SECTION>__<KEY> with the sections {SECTIONS}; "
        "did you mean CASCADE_DETECTOR__SHARE?"
    ),
    ("CASCADE_DETECTOR__SHARE", "1.7"): (
        "CASCADE_DETECTOR__SHARE = 1.7: is above 1; allowed: a number above 0.5 and at most 1"
    ),
    ("CASCADE_API__PORT", "http"): (
        'CASCADE_API__PORT = "http": is of the wrong type; allowed: a whole number at least 0 and at most 65535'
    ),
    ("CASCADE_DETECTOR__FLOORS__BTC", "-1"): (
        "CASCADE_DETECTOR__FLOORS__BTC = -1.0: is not above 0; allowed: a number above 0"
    ),
    ("CASCADE_VENUES__ENABLED", "okx,bibit"): (
        f'CASCADE_VENUES__ENABLED[1] = "bibit": unknown venue; allowed: all, or the venues {NAMES}; did you mean bybit?'
    ),
    ("CASCADE_VENUES__OKX__ENDPOINTS__PUBLIC", "https://h"): (
        'CASCADE_VENUES__OKX__ENDPOINTS__PUBLIC = "https://h": is not the URL of this endpoint; '
        "allowed: ws://... or wss://..."
    ),
    ("REDIS_URL", f"tcp://:{SECRET}@h"): (
        "REDIS_URL: is not the address of a store; allowed: redis://, rediss://, unix://..., or empty"
    ),
}


def written(folder: Path, toml: str = "", dotenv: str = "") -> Path:
    """A settings file, with an .env beside it."""
    file = folder / "mine.toml"
    file.write_text(toml)
    if dotenv:
        (folder / ".env").write_text(dotenv)
    return file


def test_every_bad_file_has_its_message() -> None:
    assert {f"bad-{name}.toml" for name in MESSAGES} == {path.name for path in BAD.iterdir()}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_bad_file_is_refused_in_exactly_these_words(name: str) -> None:
    path = BAD / f"bad-{name}.toml"

    with pytest.raises(SettingsError) as refusal:
        load(path, {})

    assert str(refusal.value) == f"{path}{MESSAGES[name]}".replace("FILE", str(path))


@pytest.mark.parametrize(("variable", "text"), BAD_VARIABLES)
def test_a_bad_variable_is_refused_in_exactly_these_words(variable: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path), {variable: text})

    assert str(refusal.value) == BAD_VARIABLES[variable, text]


def test_a_bad_variable_in_a_dotenv_file_names_the_file_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path, dotenv="CASCADE_API__PORT=0\nCASCADE_CLOCK__SPEED=-1\n"), {})

    bounds = "allowed: a number above 0 and at most 10000"
    assert str(refusal.value) == f"{tmp_path / '.env'}: CASCADE_CLOCK__SPEED = -1.0: is not above 0; {bounds}"


def test_a_broken_dotenv_line_is_refused_without_showing_its_value(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path, dotenv=f"CASCADE_API__PORT=0\nREDIS_URL='redis://:{SECRET}@h\n"), {})

    assert str(refusal.value) == f"{tmp_path / '.env'} line 2: 'REDIS_URL' is not NAME=value"


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{tmp_path / 'no.toml'}: no such file")):
        load(tmp_path / "no.toml", {})


def test_a_folder_and_a_binary_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path, {})
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        load(tmp_path / "b.toml", {})


def test_without_any_source_there_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert load(None, {}) == Settings()


def test_the_file_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/cascade.toml").write_text("[api]\nport = 9000")
    (tmp_path / "config/.env").write_text("CASCADE_API__HOST=127.0.0.2")

    settings = load(None, {})

    assert (settings.api.port, settings.api.host) == (9000, "127.0.0.2")


def test_environment_beats_dotenv_beats_toml_beats_default(tmp_path: Path) -> None:
    toml = "[detector]\nshare = 0.7\ngrow = 2\nclose_total = 0.4"
    dotenv = "CASCADE_DETECTOR__SHARE=0.75\nexport CASCADE_DETECTOR__GROW=3 # more\nGF_SECURITY_ADMIN_USER=somebody\n"

    rules = load(written(tmp_path, toml, dotenv), {"CASCADE_DETECTOR__SHARE": "0.9"}).detector

    assert (rules.share, rules.grow, rules.close_total, rules.warning) == (0.9, 3.0, 0.4, 2.0)


def test_the_longer_name_of_the_store_address_beats_the_special_one(tmp_path: Path) -> None:
    file = written(tmp_path, dotenv="REDIS_URL=redis://c")
    both = {"REDIS_URL": "redis://a", "CASCADE_LEDGER__URL": "redis://b"}

    urls = [load(file, env).ledger.url.get_secret_value() for env in (both, {"REDIS_URL": "redis://a"}, {})]

    assert urls == ["redis://b", "redis://a", "redis://c"]


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path), {"REDIS_URL": "", "CASCADE_API__PORT": ""}) == Settings()


def test_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    assert load(written(tmp_path), {"PATH": "/bin", "cascade_api__port": "1", "XCASCADE_A": "b"}) == Settings()


@pytest.mark.parametrize(
    ("text", "names"), [("okx, bybit", ("okx", "bybit")), ('["bybit"]', ("bybit",)), ("okx", ("okx",))]
)
def test_a_list_comes_from_commas_or_json(text: str, names: tuple[str, ...], tmp_path: Path) -> None:
    assert load(written(tmp_path), {"CASCADE_VENUES__ENABLED": text}).venues.enabled == names


@pytest.mark.parametrize(("text", "value"), [("false", False), ("0", False), ("true", True), ("1", True)])
def test_a_switch_comes_from_words_or_digits(text: str, value: bool, tmp_path: Path) -> None:
    assert load(written(tmp_path), {"CASCADE_SINKS__LOG__ENABLED": text}).sinks.log.enabled is value


def test_a_shorter_table_of_floors_keeps_the_other_defaults(tmp_path: Path) -> None:
    file = written(tmp_path, "[detector.floors]\nBTC = 40_000_000\nSOL = 8e6")

    floors = load(file, {"CASCADE_DETECTOR__FLOORS__DEFAULT": "4e6", "CASCADE_DETECTOR__FLOORS__1INCH": "1"}).detector

    assert floors.floors == {"ALL": 100e6, "BTC": 40e6, "ETH": 20e6, "default": 4e6, "SOL": 8e6, "1INCH": 1.0}
    assert floors.floor("DOGE") == 4e6


def test_an_endpoint_is_laid_over_the_defaults_of_its_venue(tmp_path: Path) -> None:
    file = written(
        tmp_path, '[venues.binance]\nendpoints = {um = "ws://127.0.0.1:1/a", um_rest = "http://127.0.0.1:2"}'
    )

    venues = load(file, {"CASCADE_VENUES__OKX__ENDPOINTS__PUBLIC": "ws://127.0.0.1:3"}).venues

    binance = VENUES["binance"].endpoints
    assert venues.endpoints("binance") == {**binance, "um": "ws://127.0.0.1:1/a", "um_rest": "http://127.0.0.1:2"}
    assert venues.endpoints("okx")["public"] == "ws://127.0.0.1:3"
    assert venues.endpoints("bybit") == VENUES["bybit"].endpoints


def test_rooms_get_their_own_knobs(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "[feed]\nack_within_s = 3\n[pipeline]\nflush_ms = 50"), {})

    assert settings.feed == FeedKnobs(ack_within_s=3)
    assert settings.pipeline == StreetKnobs(flush_ms=50)
    assert isinstance(settings.detector, Rules)


@pytest.mark.parametrize(
    ("clock", "simulated"),
    [("", False), ("speed = 1.0", False), ("speed = 60", True), ('origin = "2026-01-13T18:00:00Z"', True)],
)
def test_any_clock_but_the_wall_is_a_simulation(clock: str, simulated: bool, tmp_path: Path) -> None:
    assert load(written(tmp_path, f"[clock]\n{clock}"), {}).simulated is simulated


def test_times_are_milliseconds_whatever_their_zone(tmp_path: Path) -> None:
    toml = '[clock]\norigin = 2026-01-13T18:00:00Z\nwall_origin = "2026-01-13T20:00:00.5+02:00"'

    clock = load(written(tmp_path, toml), {}).clock

    assert (clock.origin_ms, clock.wall_origin_ms) == (1_768_327_200_000, 1_768_327_200_500)
    assert Settings().clock.origin_ms is None


def test_settings_cannot_be_changed() -> None:
    settings = Settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.api.port = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        settings.detector.share = 0.6  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        (f"redis://:{SECRET}@h:6379/0", "redis://***@h:6379/0"),
        (f"rediss://joe:{SECRET}@h/0?ssl_cert_reqs=none", "rediss://***@h/0?***"),
        (f"redis://h/0?password={SECRET}", "redis://h/0?***"),
        (f"unix://:{SECRET}@/run/redis.sock?db=1", "unix://***@/run/redis.sock?***"),
        (f"redis://:a?{SECRET}@h", "redis://***"),
        (f"redis://:{SECRET}/pass@h/0", "redis://***@h/0"),
        (f"redis://:a#{SECRET}#@h/0", "redis://***"),
        (f"redis://h/0#{SECRET}", "redis://h/0?***"),
        (f"redis://:a@{SECRET}@h", "redis://***@h"),
        (f"redis://{SECRET}@h", "redis://***@h"),
        ("", ""),
    ],
)
def test_a_secret_is_shown_nowhere(url: str, shown: str, tmp_path: Path) -> None:
    settings = load(written(tmp_path), {"REDIS_URL": url})
    everywhere = f"{settings!r} {settings} {settings.ledger!r} {public(settings)} {toml_text(settings)}"

    assert public(settings)["ledger"]["url"] == shown == mask(url)
    assert SECRET not in everywhere
    assert settings.ledger.url.get_secret_value() == url


@pytest.mark.parametrize(
    "toml",
    [
        '[ledger]\nurl = "http://:hunter2@h"',
        '[ledger]\nurls = "redis://:hunter2@h"',
        '[ledger]\nstore = "redis://:hunter2@h"',
        '[ledger]\nurl = ["redis://:hunter2@h"]',
        '[ledger.url]\na = "redis://:hunter2@h"',
        '[venues]\nenabled = ["redis://:hunter2@h"]',
        '[venues.okx.endpoints]\npublic = "https://joe:hunter2@h"',
        '[service]\nlog_level = {a = "hunter2"}',
        'ledger = "redis://:hunter2@h"',
        '[ledger]\nurl = "redis://:hunter2@h',
        '[sinks.slack]\nlanguage = "https://hooks.slack.com/services/T0/B0/hunter2"',
        '[sinks.slack]\nurls = "https://hooks.slack.com/services/T0/B0/hunter2"',
        '[sinks.slack]\nurl = ["https://hooks.slack.com/services/T0/B0/hunter2"]',
        '[sinks]\nslack = "https://hooks.slack.com/services/T0/B0/hunter2"',
        '[sinks.telegram]\ntoken = 5\ntoken_file = "123456:hunter2_hunter2_hunter2_hunter2"',
        '[sinks.telegram]\napi_url = "api.example.org/bot123456:hunter2_hunter2_hunter2_hunter2"',
        '[sinks.telegram]\nowners = ["123456:hunter2_hunter2_hunter2_hunter2"]',
    ],
)
def test_no_error_shows_a_secret(toml: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path, toml), {})

    assert SECRET not in f"{refusal.value} {refusal.value!r} {refusal.value.problems}"


def of_kind(kind: object) -> Iterator[Key]:
    return (key for key, found in KEYS.items() if plain(found) is kind)


def test_every_secret_is_hidden_by_its_type_whatever_its_name(tmp_path: Path) -> None:
    texts = dict.fromkeys(of_kind(SecretStr), f"https://h.example.org/{SECRET}")
    texts |= {("ledger", "url"): f"redis://:{SECRET}@h/0", ("sinks", "telegram", "token"): BOT}
    assert len(texts) >= 7

    settings = load(written(tmp_path), {PREFIX + "__".join(key).upper(): text for key, text in texts.items()})

    shown = dict(leaves(public(settings)))
    assert {shown[key] for key in texts} == {"***", "redis://***@h/0"}
    assert SECRET not in f"{settings!r} {settings} {public(settings)} {toml_text(settings)}"
    assert {dict(leaves(public(Settings())))[key] for key in texts} == {""}


def test_a_secret_in_a_section_nobody_has_thought_of_is_hidden_too() -> None:
    class Pigeon(LogSink):
        ring: SecretStr = SecretStr(SECRET)
        legs: tuple[SecretStr, ...] = (SecretStr(SECRET), SecretStr(""))

    class Loft(Sinks):
        log: LogSink
        pigeon: Pigeon = Pigeon()

    class Wider(Settings):
        sinks: Loft = Loft(log=LogSink())

    wider = Wider()

    assert public(wider)["sinks"]["pigeon"] == {"enabled": True, "ring": "***", "legs": ["***", ""]}
    assert SECRET in secrets_of(wider)


def test_a_token_comes_out_of_its_file_and_is_shown_as_a_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{BOT}\n")
    settings = load(written(tmp_path), {"CASCADE_SINKS__TELEGRAM__TOKEN_FILE": str(tmp_path / "token")})

    assert settings.sinks.telegram.token.get_secret_value() == BOT
    assert settings.sinks.telegram.enabled
    assert public(settings)["sinks"]["telegram"]["token"] == "***"
    assert BOT not in f"{settings!r} {toml_text(settings)}"


@pytest.mark.parametrize("content", [b"", b"hunter2", f"{BOT} {BOT}".encode(), b"\xff\xfe", b"1:a" * 5_000])
def test_a_file_without_a_token_is_named_and_its_content_is_not(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path), {"CASCADE_SINKS__TELEGRAM__TOKEN_FILE": str(tmp_path / "t")})

    (problem,) = refusal.value.problems
    assert ": holds no token; allowed: a file that holds the token and nothing else: digits, a colon" in problem
    assert problem.startswith("CASCADE_SINKS__TELEGRAM__TOKEN_FILE = ")
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("text", "owners"), [("1,2", (1, 2)), ("[1, 2]", (1, 2)), ("7", (7,)), (" 5 , 6 ", (5, 6)), ("[]", ())]
)
def test_a_list_of_numbers_comes_from_commas_or_json(text: str, owners: tuple[int, ...], tmp_path: Path) -> None:
    assert load(written(tmp_path), {"CASCADE_SINKS__TELEGRAM__OWNERS": text}).sinks.telegram.owners == owners


@pytest.mark.parametrize("text", ["1,joe", "1;2", "1,,2", "[1", "0", "1.5", "true"])
def test_what_is_no_list_of_ids_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"allowed: a list of whole numbers at least 1$"):
        load(written(tmp_path), {"CASCADE_SINKS__TELEGRAM__OWNERS": text})


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("WEBHOOK__URL", "http://127.0.0.1/x"),
        ("SLACK__URL", "https://h/x"),
        ("DISCORD__URL", "https://h/x"),
        ("TELEGRAM__TOKEN", BOT),
    ],
)
def test_a_sink_is_wanted_when_it_has_an_address_or_a_token(variable: str, text: str, tmp_path: Path) -> None:
    sinks = load(written(tmp_path), {f"CASCADE_SINKS__{variable}": text}).sinks

    wanted = {name for name in ("log", "webhook", "slack", "discord", "telegram") if getattr(sinks, name).enabled}
    assert wanted == {"log", variable.partition("__")[0].lower()}


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/x",
        "https://",
        "https:///x",
        "https://h h/x",
        "https://h/a b",
        "https://[::1/x",
        "https://h:port/x",
        "h/x",
    ],
)
def test_an_address_nobody_could_post_to_is_refused_without_showing_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(written(tmp_path), {"CASCADE_SINKS__WEBHOOK__URL": url})

    assert str(refusal.value).startswith(
        "CASCADE_SINKS__WEBHOOK__URL: is not the address of a webhook; allowed: https://"
    )


def test_what_is_shown_as_toml_is_what_is_shown_as_json_and_loads_again(tmp_path: Path) -> None:
    toml = '[detector.floors]\n"币安人生" = 1e6\n[venues]\nenabled = ["okx"]\n[clock]\nspeed = 60\n[service]\ndata_dir = "a\\"b"'
    settings = load(written(tmp_path, toml), {})

    shown = toml_text(settings)

    assert tomllib.loads(shown) == public(settings)
    assert public(load(written(tmp_path, shown), {})) == public(settings)


def test_the_shipped_file_is_exactly_the_defaults_and_names_every_key() -> None:
    shipped = tomllib.loads((CONFIG / "cascade.toml").read_text())
    floors = {("detector", "floors", asset) for asset in Rules().floors}
    endpoints = {key for key in KEYS if key[0] == "venues" and len(key) > 2}

    assert load(CONFIG / "cascade.toml", {}) == Settings()
    assert set(dict(leaves(shipped))) == set(KEYS) - {("detector", "floors")} - endpoints | floors


def test_every_line_of_the_shipped_file_says_what_its_key_means() -> None:
    lines = (CONFIG / "cascade.toml").read_text().splitlines()
    silent = [line for line in lines if "=" in line and "#" not in line]

    assert silent == ["BTC = 30_000_000", "ETH = 20_000_000"]


def test_the_readme_has_every_key_with_its_default() -> None:
    rows: dict[tuple[str, ...], object] = {}
    section: tuple[str, ...] = ()
    for line in (CONFIG / "README.md").read_text().splitlines():
        if heading := re.fullmatch(r"### \[(.+)\]", line):
            section = tuple(heading[1].split("."))
        elif row := re.fullmatch(r"\| `(\w+)` \| `(.+?)` \| .{4,} \| .{4,} \|", line):
            rows[*section, row[1]] = tomllib.loads(f"v = {row[2]}")["v"]

    defaults = dict(leaves(public(Settings())))
    expected = {key: value for key, value in defaults.items() if key[0] != "venues" or key == ("venues", "enabled")}
    assert rows == {**expected, ("venues", "NAME", "endpoints"): {}}


def test_the_example_environment_is_accepted(tmp_path: Path) -> None:
    example = (CONFIG / ".env.example").read_text()
    spelt_out = re.sub(r"^# (?=[A-Z_]+=)", "", example, flags=re.MULTILINE)

    assert load(written(tmp_path, dotenv=example), {}) == Settings()
    assert load(written(tmp_path, dotenv=spelt_out), {}).service.log_level == "debug"


def test_every_variable_sets_its_own_key() -> None:
    keys = [of_variable(name) for name in variables() if name != "REDIS_URL"]

    assert len(set(keys)) == len(keys) == len(KEYS) - 1
    assert None not in keys


def leaves(values: dict[str, object], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    """Key and value of everything that is no table."""
    return [
        pair
        for name, value in values.items()
        for pair in (leaves(value, (*path, name)) if isinstance(value, dict) else [((*path, name), value)])
    ]
