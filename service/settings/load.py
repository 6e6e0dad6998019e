"""From files and environment to checked Settings, or to one error that lists every problem. Holds no value itself."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from pydantic import ValidationError

from service.detector.rules import Rules, is_zone
from service.settings.calendar import CalendarError, read_calendar
from service.settings.keys import FLOORS, ZONE, Key
from service.settings.problems import line, of_pydantic, unknown_variable
from service.settings.section import Wrong
from service.settings.shape import Settings
from service.settings.token import KEY as TOKEN_FILE
from service.settings.token import with_token
from service.settings.tree import SourceError, Tree
from service.venues import VENUES

#: Pairs of one section of which the first may not exceed the second.
ORDERED = (
    ("detector", "warning", "critical"),
    ("detector", "close_share", "share"),
    ("feed", "backoff_first_s", "backoff_most_s"),
    ("feed", "refused_first_s", "refused_most_s"),
)
DEFAULT_PATH = Path("config/cascade.toml")
#: Hyperliquid lets one IP watch this many.
MOST_ACCOUNTS = 10
_ACCOUNT = re.compile("0x[0-9a-fA-F]{40}")


class SettingsError(ValueError):
    """The settings are wrong; the text has one line a problem, naming file or variable, key, and what is allowed."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load(path: Path | None, env: Mapping[str, str]) -> Settings:
    """Settings from `env` over the .env beside the TOML file over the TOML file over the defaults.

    Without `path` config/cascade.toml is read when it is there. Raises SettingsError.
    """
    file = path or DEFAULT_PATH
    tree = Tree(str(file))
    try:
        if path or file.exists():
            tree.add_toml(file)
        if (dotenv := file.with_name(".env")).exists():
            tree.add_dotenv(dotenv)
    except SourceError as error:
        raise SettingsError([str(error)]) from None
    tree.add_variables(env)
    _add_default_floors(tree)
    return _checked(tree)


def _add_default_floors(tree: Tree) -> None:
    floors = tree.value(FLOORS)
    if isinstance(floors, dict):
        tree.values["detector"]["floors"] = {**Rules().floors, **floors}


def _checked(tree: Tree) -> Settings:
    ours = list(chain(_not_finite((), tree.values), _floor_problems(tree), _zone_problems(tree), _venue_problems(tree)))
    lines = [unknown_variable(origin) for origin in tree.unknown] + [line(tree, key, wrong) for key, wrong in ours]
    settings = None
    try:
        settings = Settings.model_validate_json(json.dumps(tree.values, default=str), strict=True)
    except ValidationError as error:
        reported = [key for key, _ in ours]
        lines += [of_pydantic(tree, details) for details in error.errors() if details["loc"] not in reported]
    if settings is not None:
        later = chain(_order_problems(tree, settings), _calendar_problems(settings))
        lines += [line(tree, key, wrong) for key, wrong in later]
        try:
            settings = with_token(settings)
        except Wrong as wrong:
            lines.append(line(tree, TOKEN_FILE, wrong))
    if settings is None or lines:
        raise SettingsError(lines)
    return settings


def _order_problems(tree: Tree, settings: Settings) -> Iterator[tuple[Key, Wrong]]:
    for section, less, more in ORDERED:
        room = getattr(settings, section)
        low, high = getattr(room, less), getattr(room, more)
        if low > high and tree.value((section, less)) is not None:
            yield (section, less), Wrong(f"is above {more}, which is {high:g}", f"up to {more}")
        elif low > high:
            yield (section, more), Wrong(f"is below {less}, which is {low:g}", f"from {less}")


def _calendar_problems(settings: Settings) -> Iterator[tuple[Key, Wrong]]:
    try:
        read_calendar(settings.detector.calendar)
    except CalendarError as wrong:
        yield ("detector", "calendar"), wrong


def _not_finite(key: Key, values: Any) -> Iterator[tuple[Key, Wrong]]:
    if isinstance(values, dict):
        for name, value in values.items():
            yield from _not_finite((*key, name), value)
    elif isinstance(values, float) and not math.isfinite(values):
        yield key, Wrong("is not finite", "finite numbers")


def _floor_problems(tree: Tree) -> Iterator[tuple[Key, Wrong]]:
    floors = tree.value(FLOORS)
    for asset in floors if isinstance(floors, dict) else ():
        if asset not in ("default", asset.upper()):
            yield (
                (*FLOORS, asset),
                Wrong("unknown asset", "assets in capitals, ALL, default", (asset.upper(), "default")),
            )


def _zone_problems(tree: Tree) -> Iterator[tuple[Key, Wrong]]:
    name = tree.value(ZONE)
    if isinstance(name, str) and not is_zone(name):
        names = tuple(sorted(available_timezones()))
        yield ZONE, Wrong("is no zone", "names of the tz database, as Asia/Shanghai, or UTC", names)


def _venue_problems(tree: Tree) -> Iterator[tuple[Key, Wrong]]:
    tables = tree.value(("venues",))
    for name in tables if isinstance(tables, dict) else ():
        if name == "enabled":
            continue
        if name not in VENUES:
            yield ("venues", name), Wrong("unknown venue", ", ".join(VENUES), tuple(VENUES))
        elif isinstance(urls := tree.value(("venues", name, "endpoints")), dict):
            yield from _url_problems(("venues", name, "endpoints"), urls, VENUES[name].endpoints)


def _url_problems(key: Key, urls: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[tuple[Key, Wrong]]:
    for name, url in urls.items():
        if name not in known:
            yield (*key, name), Wrong("unknown endpoint", ", ".join(known), tuple(known))
        elif isinstance(url, str) and (wrong := _not_of_kind(url, known[name])):
            yield (*key, name), wrong


def _not_of_kind(text: str, default: str) -> Wrong | None:
    """An endpoint is of the kind of its default: a socket, a REST server, or accounts to watch."""
    if default.startswith("0x"):
        return _not_accounts([name.strip() for name in text.split(",")])
    schemes = ("ws://", "wss://") if default.startswith("ws") else ("http://", "https://")
    if text.startswith(schemes):
        return None
    return Wrong("is not the URL of this endpoint", f"{schemes[0]}... or {schemes[1]}...")


def _not_accounts(names: Sequence[str]) -> Wrong | None:
    allowed = f"1 to {MOST_ACCOUNTS} accounts, each once, of 0x and 40 hexadecimal digits, with commas between them"
    low = [name.lower() for name in names]
    for place, name in enumerate(names):
        if not _ACCOUNT.fullmatch(name):
            return Wrong(f"names {name[:60]!r}, which is no account", allowed)
        if low.index(low[place]) < place:
            return Wrong(f"names {name} more than once", allowed)
    return Wrong(f"names {len(names)} accounts", allowed) if len(names) > MOST_ACCOUNTS else None
