"""Every key there is, read off the shape: its path, its type, its default and what it allows, in words."""

import dataclasses
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr

from service.settings.shape import Settings
from service.venues import VENUES

PREFIX = "CASCADE_"
#: Variables with a name of their own.
SPECIAL: Mapping[str, tuple[str, ...]] = {"REDIS_URL": ("ledger", "url")}
FLOORS = ("detector", "floors")
ZONE = ("detector", "zone")

Key = tuple[str, ...]
_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "text", SecretStr: "text"}
_MANY = {int: "whole numbers", str: "texts"}
_BOUNDS = {Ge: ("ge", "at least"), Gt: ("gt", "above"), Le: ("le", "at most"), Lt: ("lt", "below")}


def _leaves(shape: Any, path: Key = ()) -> Iterator[tuple[Key, Any]]:
    hints = get_type_hints(shape, include_extras=True)
    names = shape.model_fields if issubclass(shape, BaseModel) else (f.name for f in dataclasses.fields(shape))
    for name in names:
        kind = hints[name]
        if isinstance(kind, type) and (issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind)):
            yield from _leaves(kind, (*path, name))
        else:
            yield (*path, name), kind


#: Annotated type of every key with a fixed name; the endpoints of each venue are among them.
KEYS: Mapping[Key, Any] = types.MappingProxyType(
    dict(_leaves(Settings))
    | {("venues", name, "endpoints", key): str for name, venue in VENUES.items() for key in venue.endpoints}
)
_VARIABLES = {PREFIX + "__".join(key).upper().replace("-", "_"): key for key in KEYS if key != FLOORS}
_FLOOR_VARIABLE = PREFIX + "__".join(FLOORS).upper() + "__"


def variables() -> list[str]:
    """Every variable of the environment that has a fixed name."""
    return [*_VARIABLES, *SPECIAL]


def of_variable(name: str) -> Key | None:
    """The key a variable of the environment sets, or None when it sets none."""
    if name.startswith(_FLOOR_VARIABLE) and name != _FLOOR_VARIABLE:
        asset = name.removeprefix(_FLOOR_VARIABLE)
        return (*FLOORS, "default" if asset == "DEFAULT" else asset)
    return SPECIAL.get(name) or _VARIABLES.get(name)


def kind_of(key: Key) -> Any:
    """The annotated type of a key, items of lists and tables included; None when there is no such key."""
    kind = KEYS.get(key)
    if kind is None and len(key) > 1 and key[:-1] in KEYS:
        items = get_args(plain(KEYS[key[:-1]]))
        return items[0] if get_origin(plain(KEYS[key[:-1]])) is tuple else items[-1]
    return kind


def plain(kind: Any) -> Any:
    """A type without its annotations."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind


def allowed(kind: Any) -> str:
    """What a type allows, in words."""
    base, origin = plain(kind), get_origin(plain(kind))
    if origin is Literal:
        return f"one of {', '.join(get_args(base))}"
    if origin is tuple:
        item = get_args(base)[0]
        return f"a list of {_MANY.get(plain(item), 'values')} {_bounds(item)}".strip()
    return f"{_WORDS.get(base, 'a table')} {_bounds(kind)}".strip()


def _bounds(kind: Any) -> str:
    return " and ".join(
        f"{text} {getattr(item, field):,g}".replace(",", "")
        for item in (get_args(kind)[1:] if get_origin(kind) is Annotated else ())
        for type_, (field, text) in _BOUNDS.items()
        if isinstance(item, type_)
    )


def choices(kind: Any) -> tuple[str, ...]:
    """The words a type allows, where it is a choice of words."""
    return get_args(plain(kind)) if get_origin(plain(kind)) is Literal else ()


def siblings(key: Key) -> tuple[str, ...]:
    """Names that could stand in the place of a key's last part."""
    depth = len(key) - 1
    return tuple(dict.fromkeys(known[depth] for known in KEYS if known[:depth] == key[:depth] and len(known) > depth))
