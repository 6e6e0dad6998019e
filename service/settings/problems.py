"""One line for one wrong setting: where it stands, what is wrong, what is allowed, what is near. Shows no secret."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import SecretStr

from service.masking import host_of, mask
from service.settings.keys import KEYS, PREFIX, Key, allowed, choices, kind_of, plain, siblings, variables
from service.settings.section import Wrong
from service.settings.tree import Origin, Tree

_WHAT = {
    "greater_than": "is not above {gt:.15g}",
    "greater_than_equal": "is below {ge:.15g}",
    "less_than": "is not below {lt:.15g}",
    "less_than_equal": "is above {le:.15g}",
    "literal_error": "is none of its words",
    "string_too_short": "is empty",
}
_LONGEST_SHOWN = 60


def line(tree: Tree, key: Key, wrong: Wrong, index: int | None = None) -> str:
    """A problem as people read it."""
    value = tree.value(key)
    if index is not None:
        value = value[index]
    named = wrong.what.startswith("unknown") and index is None
    shown = "" if named else f"{'' if index is None else f'[{index}]'}{_shown(key, value)}"
    parts = [f"{_place(tree.origin(key), key, value)}{shown}: {wrong.what}"]
    if wrong.allowed:
        parts.append(f"allowed: {wrong.allowed}")
    return "; ".join([*parts, *_nearest(key[-1] if named else str(value), wrong.names)])


def of_pydantic(tree: Tree, details: Mapping[str, Any]) -> str:
    """One error of pydantic, in our words."""
    key = tuple(part for part in details["loc"] if isinstance(part, str))
    index = details["loc"][-1] if isinstance(details["loc"][-1], int) else None
    return line(tree, key, _wrong(key, tree.value(key), details), index)


def unknown_variable(origin: Origin) -> str:
    """A variable with our prefix that sets nothing."""
    sections = ", ".join(dict.fromkeys(key[0] for key in KEYS))
    what = f"unknown variable; allowed: {PREFIX}<SECTION>__<KEY> with the sections {sections}"
    names = variables()
    near = _nearest(origin.variable, names, 0.75)
    if not near:
        last = origin.variable.removeprefix(PREFIX).rpartition("__")[2]
        near = [f"did you mean {name}?" for name in names if name.rpartition("__")[2] == last]
    return "; ".join([f"{_place(origin, (), None)}: {what}", *near])


def _wrong(key: Key, value: Any, details: Mapping[str, Any]) -> Wrong:
    match details["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return _unknown(key, value)
        case "value_error" if isinstance(details["ctx"]["error"], Wrong):
            wrong: Wrong = details["ctx"]["error"]
            return wrong
    what = _WHAT.get(details["type"], "is of the wrong type").format(**details.get("ctx", {}))
    return Wrong(what, allowed(kind_of(key)), choices(kind_of(key)))


def _unknown(key: Key, value: Any) -> Wrong:
    names = siblings(key)
    what = "unknown section" if isinstance(value, dict) else "unknown key"
    if not difflib.get_close_matches(key[-1], names):
        elsewhere = tuple(_spot(known) for known in KEYS if known[-1] == key[-1])
        return Wrong(f"{what} here" if elsewhere else what, ", ".join(names), elsewhere)
    return Wrong(what, ", ".join(names), names)


def _spot(key: Key) -> str:
    return f"[{'.'.join(key[:-1])}] {key[-1]}"


def _place(origin: Origin, key: Key, value: Any) -> str:
    if origin.variable:
        return f"{origin.file}: {origin.variable}" if origin.file else origin.variable
    if isinstance(value, dict):
        return f"{origin.file}: [{'.'.join(key)}]"
    return f"{origin.file}: {_spot(key) if key[:-1] else key[-1]}"


def _shown(key: Key, value: Any) -> str:
    if isinstance(value, dict) or any(plain(kind) is SecretStr for at, kind in KEYS.items() if at[: len(key)] == key):
        return ""  # a secret, or what somebody wrote in the place of a section that has one
    hide = _hide if key[0] == "sinks" else mask
    items = [hide(item) if isinstance(item, str) else item for item in (value if isinstance(value, list) else [value])]
    text = json.dumps(items if isinstance(value, list) else items[0], default=str, ensure_ascii=False)
    return f" = {text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + '...'}"


def _hide(text: str) -> str:
    """Of a sink's address the path is the secret, and people mistake one key for another."""
    return host_of(text) if "://" in text else mask(text)


def _nearest(word: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    by_last_word = {name.rpartition(" ")[2].lower(): name for name in names}
    found = difflib.get_close_matches(word.lower(), by_last_word, 1, cutoff)
    return [f"did you mean {by_last_word[found[0]]}?"] if found else []
