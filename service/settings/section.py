"""What every section of the settings is made of: its base, the word for a wrong value, addresses. Owns no key."""

import re
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

WEB_SCHEMES = ("http://", "https://")
_WEB = "http://... or https://..."


class Wrong(ValueError):  # noqa: N818  # a word for one rejected value, gathered into a SettingsError
    """Why a value is refused: `what` is wrong, what is `allowed`, and the names the nearest one is looked for in."""

    def __init__(self, what: str, allowed: str, names: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what, self.allowed, self.names = what, allowed, names


class Section(BaseModel):
    """Base of every section: frozen, and a key it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def web_url(text: str) -> str:
    """An address of the web without its last slashes. Raises Wrong."""
    if not text.startswith(WEB_SCHEMES):
        raise Wrong("is not an address of the web", _WEB)
    if not _has_port(text):
        raise Wrong("is not an address of the web", f"{_WEB}, a port up to 65535")
    return text.rstrip("/")


def is_web_url(text: str) -> bool:
    """Whether a client can use an address and a message show it: it has a host, no blank, and no sign of markup."""
    try:
        found = text.startswith(WEB_SCHEMES) and not re.search(r"[\s<>|\"]", text) and bool(httpx.URL(text).host)
    except httpx.InvalidURL:
        return False
    return found and _has_port(text)


def _has_port(text: str) -> bool:
    """Whether an address has a port that can be, or names none: nobody can connect to port 65536."""
    try:
        return urlsplit(text).port != 0
    except ValueError:
        return False


def header_key(key: SecretStr) -> SecretStr:
    """A key that can be sent in a header, or an empty one. Raises Wrong."""
    text = key.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise Wrong("cannot be sent in a header", "letters, digits and signs without a blank, or empty")
    return key
