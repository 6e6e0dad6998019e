"""Golden texts: each file holds an alert as JSON, then its words in English and Chinese, as a reader gets them.

    python -m tests.golden     write the words of every file anew (read the diff before committing it)

The alert of a file is its input and stays as it was typed; only what follows it is written. The dollars and shares of
2026-01-13/14, 2026-01-22 and 2026-01-24 are published ones; all else in the alerts is invented.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from service import text
from service.model import Alert

FOLDER = Path(__file__).resolve().parent
FILES = sorted(FOLDER.glob("*.txt"))
_EN, _ZH = "\n--- en\n", "\n--- zh\n"


def typed(path: Path) -> str:
    """The alert of a file, as somebody typed it."""
    return path.read_text(encoding="utf-8").partition(_EN)[0].rstrip()


def alert(path: Path) -> Alert:
    """The alert of a file; a key no alert has is a slip of the pen, and raises ValueError."""
    raw = typed(path)
    found = msgspec.json.decode(raw, type=Alert)
    lost = sorted(_lost(msgspec.json.decode(raw), msgspec.to_builtins(found)))
    if lost:
        raise ValueError(f"{path.name}: no alert has {', '.join(lost)}")
    return found


def page(path: Path) -> str:
    """What a file must hold: its alert, and the words as they are written today."""
    words = text.why(alert(path))
    return f"{typed(path)}\n{_EN}{words.en}\n{_ZH}{words.zh}\n"


def _lost(raw: object, read: object, at: str = "") -> list[str]:
    if not isinstance(raw, Mapping):
        return []
    known = read if isinstance(read, Mapping) else {}
    return [
        name
        for key, value in raw.items()
        for name in ([f"{at}{key}"] if key not in known else _lost(value, known[key], f"{at}{key}."))
    ]
