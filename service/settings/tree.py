"""Where values come from: the environment, config/.env and TOML, merged into one tree that remembers each origin."""

import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any, get_args, get_origin

from dotenv.parser import parse_stream
from pydantic import TypeAdapter, ValidationError

from service.model import Record
from service.settings.keys import PREFIX, SPECIAL, Key, kind_of, of_variable, plain


class Origin(Record, frozen=True, kw_only=True):
    """The file and, for the environment, the variable a value came from."""

    file: str = ""
    variable: str = ""


class SourceError(ValueError):
    """A source could not be read at all."""


class Tree:
    """Values by section and key, later sources over earlier ones; variables nobody knows are set aside."""

    def __init__(self, file: str) -> None:
        self.values: dict[str, Any] = {}
        self.unknown: list[Origin] = []
        self._file = Origin(file=file)
        self._origins: dict[Key, Origin] = {}

    def origin(self, key: Key) -> Origin:
        """Where the value of a key, or of the nearest table around it, came from."""
        for length in range(len(key), 0, -1):
            if key[:length] in self._origins:
                return self._origins[key[:length]]
        return self._file

    def value(self, key: Key) -> Any:
        """The value of a key, None when it has none."""
        values: Any = self.values
        for part in key:
            values = values.get(part) if isinstance(values, dict) else None
        return values

    def add_toml(self, path: Path) -> None:
        """Read a TOML file. Raises SourceError."""
        try:
            self._put_table((), tomllib.loads(_text(path)), Origin(file=str(path)))
        except tomllib.TOMLDecodeError as error:
            raise SourceError(f"{path}: is not TOML: {error}") from None

    def add_dotenv(self, path: Path) -> None:
        """Read a file of NAME=value lines; names that are not ours belong to somebody else. Raises SourceError."""
        found = {}
        for binding in parse_stream(StringIO(_text(path))):
            if binding.error:
                line = binding.original.string.strip().split("=")[0][:40]
                raise SourceError(f"{path} line {binding.original.line}: {line!r} is not NAME=value")
            if binding.key is not None:
                found[binding.key] = binding.value or ""
        self.add_variables(found, file=str(path))

    def add_variables(self, found: Mapping[str, str], file: str = "") -> None:
        """Take what is ours out of an environment. An empty value is the same as none."""
        for name in sorted(found, key=lambda name: (name not in SPECIAL, name)):
            if not found[name] or not (name in SPECIAL or name.startswith(PREFIX)):
                continue
            origin, key = Origin(file=file, variable=name), of_variable(name)
            if key is None:
                self.unknown.append(origin)
            else:
                self._put(key, _typed(found[name], kind_of(key)), origin)

    def _put_table(self, key: Key, table: Mapping[str, Any], origin: Origin) -> None:
        for name, value in table.items():
            if isinstance(value, dict) and value:
                self._put_table((*key, name), value, origin)
            else:
                self._put((*key, name), value, origin)

    def _put(self, key: Key, value: Any, origin: Origin) -> None:
        values = self.values
        for part in key[:-1]:
            values = values.setdefault(part, {})
            if not isinstance(values, dict):
                return  # a file wrote a value where a section belongs: that is what will be reported
        values[key[-1]] = value
        self._origins[key] = origin


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def _typed(text: str, kind: Any) -> Any:
    """A variable's text as its key's type; text that does not fit stays text and is refused with all the rest."""
    base = plain(kind)
    if get_origin(base) is tuple:
        item = get_args(base)[0]
        with suppress(ValueError):
            return (
                json.loads(text) if text.startswith("[") else [_typed(part.strip(), item) for part in text.split(",")]
            )
    if base in (int, float, bool):
        with suppress(ValidationError):
            return TypeAdapter(base).validate_strings(text.strip())
    return text
