"""Settings as people may see them: effective values, every secret masked. The only way a setting gets on a screen."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from service.masking import MASK, mask
from service.settings.shape import Settings

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def public(settings: Settings) -> dict[str, Any]:
    """Effective settings in the shape of the TOML file, ready for JSON; the endpoints in force are spelt out."""
    values: dict[str, Any] = _masked(settings.model_dump(), settings.model_dump(mode="json"))
    values["ledger"]["url"] = mask(settings.ledger.url.get_secret_value())  # people need to see which store it is
    names = dict.fromkeys([*settings.venues.names, *(settings.venues.model_extra or {})])
    values["venues"] = {"enabled": list(settings.venues.enabled)} | {
        name: {"endpoints": {key: mask(url) for key, url in settings.venues.endpoints(name).items()}} for name in names
    }
    return values


def _masked(value: Any, shown: Any) -> Any:
    """`shown` with every secret hidden, by its type, and every address masked; `value` is the same before JSON."""
    match value:
        case SecretStr():
            return MASK if value else ""
        case str():
            return mask(shown)
        case dict():
            return {name: _masked(item, shown[name]) for name, item in value.items()}
        case list() | tuple():
            return [_masked(*pair) for pair in zip(value, shown, strict=True)]
    return shown


def toml_text(settings: Settings) -> str:
    """`public` as a TOML document."""
    return "\n".join(_table((), public(settings))).lstrip("\n") + "\n"


def _table(path: tuple[str, ...], values: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
    if plain and path:
        yield f"\n[{'.'.join(map(_name, path))}]"
    for key, value in plain.items():
        yield f"{_name(key)} = {json.dumps(value, ensure_ascii=False)}"
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _table((*path, key), value)


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False)
