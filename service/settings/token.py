"""The file that holds the bot's token: read here, once, and put where the token stands. Shows nothing of it."""

from pathlib import Path

from pydantic import SecretStr

from service.settings.section import Wrong
from service.settings.shape import Settings
from service.settings.sinks import TOKENS, is_token

KEY = ("sinks", "telegram", "token_file")
ALLOWED = "a file that holds the token and nothing else"
#: A token has some 46; a path that leads to something huge is not read to its end.
_MOST = 1_000


def with_token(settings: Settings) -> Settings:
    """The settings with the token out of its file, where one is named. Raises Wrong naming the file."""
    telegram = settings.sinks.telegram
    if not telegram.token_file:
        return settings
    filled = telegram.model_copy(update={"token": SecretStr(_read(Path(telegram.token_file)))})
    return settings.model_copy(update={"sinks": settings.sinks.model_copy(update={"telegram": filled})})


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MOST).strip()
    except OSError as error:
        raise Wrong(f"cannot be read: {error.strerror}", ALLOWED) from None
    except ValueError:  # not UTF-8, or a path with a zero in it
        text = ""
    if not is_token(text):
        raise Wrong("holds no token", f"{ALLOWED}: {TOKENS}")
    return text
