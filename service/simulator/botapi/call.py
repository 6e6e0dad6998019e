"""One call of a method: who asks for what, its parameters read as what they must be. Carries nothing out."""

import msgspec

from service.simulator.botapi.answers import Refusal, bad
from service.simulator.botapi.formatted import Formatted, parse, plain
from service.simulator.botapi.wire import Fields, Files, Request

_MODES = {"": plain, "html": parse}


class Call:
    """A request with a right token."""

    def __init__(self, method: str, fields: Fields, files: Files, at: float) -> None:
        self.method = method
        """As it was written; the messenger does not mind its case."""
        self.files = files
        self.at = at
        """When it came, seconds of the monotonic clock."""
        self._fields = fields

    @classmethod
    def read(cls, request: Request, token: str) -> "Call":
        """A request taken apart. Raises 404 for a path without a method, 401 for another token, 400 for its body."""
        head, _, method = request.path.removeprefix("/bot").partition("/")
        if not request.path.startswith("/bot") or not method:
            raise Refusal(404, "Not Found")
        if head != token:
            raise Refusal(401, "Unauthorized")
        try:
            fields, files = request.fields()
        except (ValueError, msgspec.DecodeError) as wrong:
            raise bad(f"can't parse the request: {wrong}") from None
        return cls(method, fields, files, request.at)

    @property
    def chat(self) -> int | None:
        """The chat it is about, None without a number."""
        try:
            return int(self._fields.get("chat_id", ""))
        except ValueError:
            return None

    def text(self, name: str) -> str:
        """A parameter as sent, empty when it was not."""
        return self._fields.get(name, "")

    def number(self, name: str, default: int = 0) -> int:
        """A whole number. Raises a 400 for anything else."""
        text = self._fields.get(name, "")
        if not text:
            return default
        try:
            return int(text)
        except ValueError:
            raise bad(f"parameter {name} must be a whole number, got {text!r}") from None

    def seconds(self, name: str) -> float:
        """Seconds, 0 when not sent. Raises a 400 for anything else."""
        try:
            return float(self._fields.get(name) or 0)
        except ValueError:
            raise bad(f"parameter {name} must be a number of seconds, got {self.text(name)!r}") from None

    def flag(self, name: str) -> bool:
        """A switch, off when not sent."""
        return self._fields.get(name, "").lower() in ("true", "1", "yes")

    def names(self, name: str) -> list[str] | None:
        """A list of words. None when it was not sent; raises a 400 for anything else."""
        if not (text := self._fields.get(name, "")):
            return None
        try:
            return msgspec.json.decode(text, type=list[str])
        except msgspec.DecodeError:
            raise bad(f"can't parse {name} JSON array") from None

    def record(self, name: str) -> dict[str, object]:
        """An object, empty when it was not sent. Raises a 400 for anything else."""
        if not (text := self._fields.get(name, "")):
            return {}
        try:
            return msgspec.json.decode(text, type=dict[str, object])
        except msgspec.DecodeError:
            raise bad(f"can't parse {name} JSON object") from None

    def records(self, name: str) -> list[dict[str, object]]:
        """A list of objects. Raises a 400 for anything else."""
        try:
            return msgspec.json.decode(self._fields.get(name) or "[]", type=list[dict[str, object]])
        except msgspec.DecodeError:
            raise bad(f"can't parse {name} JSON array") from None

    def formatted(self, name: str) -> Formatted:
        """A text read by its parse mode. Raises a 400 for an unknown mode and for what the mode does not allow."""
        mode = self.text("parse_mode").lower()
        if mode not in _MODES:
            raise bad("unsupported parse_mode")
        return _MODES[mode](self.text(name))
