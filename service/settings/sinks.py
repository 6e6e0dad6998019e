"""[sinks] and its tables: where alerts go. Owns their names, defaults and bounds; sends nothing and reads no file.

A section says by `enabled` whether its sink is wanted: with an address or a token it is.
"""

import re
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, SecretStr, ValidationInfo, field_validator

from service.settings.section import Section, Wrong, is_web_url, web_url

HOOKS = "https://... (http://... can be read on the way), or empty"
TOKENS = "digits, a colon and 30 or more of A-Z, a-z, 0-9, _ and -, as BotFather gave it"
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{30,}", re.ASCII)
_USER_INFO = re.compile(r"\w+://[^/?#]*@")

Language = Literal["en", "zh"]


def _hook(url: SecretStr) -> SecretStr:
    if url and not is_web_url(url.get_secret_value()):
        raise Wrong("is not the address of a webhook", HOOKS)
    return url


def _board(url: str) -> str:
    # it stands in every message, so whoever is told would read the password
    if url and (not is_web_url(url) or _USER_INFO.match(url)):
        raise Wrong("is not an address for readers", "http://... or https://... without a password, or empty")
    return url


def _api(url: str) -> str:
    plain = web_url(url)
    if _USER_INFO.match(plain):
        raise Wrong("holds a user or a password, which would stand in errors", "http://... or https://... without one")
    return plain


def is_token(text: str) -> bool:
    """Whether a text has the form of a bot's token."""
    return _TOKEN.fullmatch(text) is not None


def _token(token: SecretStr) -> SecretStr:
    if token and not is_token(token.get_secret_value()):
        raise Wrong("is not the token of a bot", f"{TOKENS}, or empty")
    return token


Hook = Annotated[SecretStr, AfterValidator(_hook)]


class LogSink(Section):
    """[sinks.log]: alerts as lines of the log."""

    enabled: bool = True
    """Write every alert to the log."""


class WebhookSink(Section):
    """[sinks.webhook]: alerts as JSON to an address of your own."""

    url: Hook = SecretStr("")
    """Where each alert is posted to; empty is off. A secret: better set as CASCADE_SINKS__WEBHOOK__URL."""
    secret: SecretStr = SecretStr("")
    """Key of the signature; empty sends none."""

    @property
    def enabled(self) -> bool:
        """Whether there is an address."""
        return bool(self.url)


class SlackSink(Section):
    """[sinks.slack]: alerts as messages to a channel of Slack."""

    url: Hook = SecretStr("")
    """The incoming webhook; empty is off. A secret: better set as CASCADE_SINKS__SLACK__URL."""
    language: Language = "en"
    """Of the messages."""

    @property
    def enabled(self) -> bool:
        """Whether there is an address."""
        return bool(self.url)


class DiscordSink(Section):
    """[sinks.discord]: alerts as messages to a channel of Discord."""

    url: Hook = SecretStr("")
    """The channel's webhook; empty is off. A secret: better set as CASCADE_SINKS__DISCORD__URL."""
    language: Language = "en"
    """Of the messages."""

    @property
    def enabled(self) -> bool:
        """Whether there is an address."""
        return bool(self.url)


class TelegramSink(Section):
    """[sinks.telegram]: a bot that people subscribe to."""

    token: Annotated[SecretStr, AfterValidator(_token)] = SecretStr("")
    """The bot's token; empty is off. A secret: better set as CASCADE_SINKS__TELEGRAM__TOKEN."""
    token_file: str = ""
    """Path of a file that holds the token instead; read once, when the settings are loaded."""
    api_url: Annotated[str, AfterValidator(_api)] = "https://api.telegram.org"
    """Where the Bot API stands."""
    owners: tuple[Annotated[int, Ge(1)], ...] = ()
    """Ids of the users who may ask the bot how the service is."""
    most_rules: Annotated[int, Ge(1), Le(100)] = 20
    """Rules a chat may have."""
    per_second: Annotated[float, Gt(0), Le(30)] = 25.0
    """Messages a second to all chats together; Telegram takes 30."""
    language: Language = "en"
    """For chats whose own language is neither of the two."""

    @field_validator("token_file")
    @classmethod
    def _alone(cls, path: str, info: ValidationInfo) -> str:
        if path and info.data.get("token"):
            raise Wrong("stands beside token", "token or token_file, not both")
        return path

    @property
    def enabled(self) -> bool:
        """Whether there is a token."""
        return bool(self.token) or bool(self.token_file)


class Sinks(Section):
    """[sinks]: one table a sink."""

    board_url: Annotated[str, AfterValidator(_board)] = ""
    """Shown at the end of messages; empty shows none."""
    log: LogSink = LogSink()
    webhook: WebhookSink = WebhookSink()
    slack: SlackSink = SlackSink()
    discord: DiscordSink = DiscordSink()
    telegram: TelegramSink = TelegramSink()
