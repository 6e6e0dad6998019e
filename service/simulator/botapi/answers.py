"""Refusals in the messenger's own words, and answers in its envelope. Decides nothing."""

import msgspec

from service.model import Record
from service.simulator.botapi.wire import Reply

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
BLOCKED = "Forbidden: bot was blocked by the user"
DEACTIVATED = "Forbidden: user is deactivated"
KICKED = "Forbidden: bot was kicked from the {kind} chat"
NOT_A_MEMBER = "Forbidden: bot is not a member of the {kind} chat"
CANNOT_INITIATE = "Forbidden: bot can't initiate conversation with a user"
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"
_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)


class Refusal(Exception):  # noqa: N818  # it is an answer, not a mistake
    """A request is refused. `description` is what the client reads; `retry_after` seconds, `migrate_to` a chat's id."""

    def __init__(self, status: int, description: str, *, retry_after: int = 0, migrate_to: int = 0) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to

    def reply(self) -> Reply:
        """As it is answered."""
        body: dict[str, object] = {"ok": False, "error_code": self.status, "description": self.description}
        if self.retry_after:
            body["parameters"] = {"retry_after": self.retry_after}
        elif self.migrate_to:
            body["parameters"] = {"migrate_to_chat_id": self.migrate_to}
        return Reply(status=self.status, body=msgspec.json.encode(body), retry_after=self.retry_after)


def bad(what: str) -> Refusal:
    """400, with the reason."""
    return Refusal(400, f"Bad Request: {what}")


def too_many(seconds: int) -> Refusal:
    """429: not before so many seconds."""
    return Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def internal() -> Refusal:
    """500."""
    return Refusal(500, "Internal Server Error")


def gateway() -> Reply:
    """502 of the machine in front, which does not speak JSON."""
    return Reply(status=502, body=_GATEWAY, kind="text/html")


def result(value: object) -> Reply:
    """200."""
    return Reply(status=200, body=msgspec.json.encode({"ok": True, "result": value}))


class Said(Record, frozen=True, kw_only=True):
    """A scripted step: the request is not taken, and answered so."""

    status: int
    description: str = ""
    """As `Forbidden: user is deactivated`. Empty with 502: the page of the machine in front."""
    retry_after: int = 0
    """Seconds."""
    migrate_to: int = 0
    page: str = ""
    """HTML of a machine in between, in place of an answer of the API."""

    def reply(self) -> Reply:
        """As it is answered."""
        if self.page:
            return Reply(status=self.status, body=self.page.encode(), kind="text/html")
        if self.status == 502 and not self.description:  # noqa: PLR2004  # the one status without JSON
            return gateway()
        return Refusal(self.status, self.description, retry_after=self.retry_after, migrate_to=self.migrate_to).reply()

    @classmethod
    def too_many(cls, seconds: int) -> "Said":
        """429 for so many seconds."""
        return cls(status=429, description=f"Too Many Requests: retry after {seconds}", retry_after=seconds)

    @classmethod
    def forbidden(cls, description: str = BLOCKED) -> "Said":
        """403."""
        return cls(status=403, description=description)

    @classmethod
    def migrated(cls, chat: int) -> "Said":
        """400: the group has become that chat."""
        return cls(status=400, description=UPGRADED, migrate_to=chat)

    @classmethod
    def internal(cls) -> "Said":
        """500."""
        return cls(status=500, description="Internal Server Error")

    @classmethod
    def gateway(cls) -> "Said":
        """502 with a page of HTML."""
        return cls(status=502)


class Hang(Record, frozen=True, kw_only=True):
    """A scripted step: silence for `seconds` (real ones)."""

    seconds: float
    taken: bool = True
    """Whether the request is carried out."""
    answered: bool = False
    """Whether an answer follows the silence; else the connection is closed."""


class Through(Record, frozen=True, kw_only=True):
    """A scripted step: nothing special, so that a later request can be meant."""


Step = Said | Hang | Through
