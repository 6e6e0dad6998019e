"""What became of one request to the messenger, in our words. Records only."""

from service.model import Record


class Delivered(Record, frozen=True, kw_only=True):
    """It was taken. `message` is its id; `file` what the same picture can be sent by again."""

    message: int
    file: str = ""


class Later(Record, frozen=True, kw_only=True):
    """Not now: not before `seconds` from now. `told` when the messenger itself said how long."""

    seconds: float
    reason: str
    told: bool = False


class Closed(Record, frozen=True, kw_only=True):
    """Nothing can be sent to this chat any more: blocked, left, deleted."""

    reason: str


class Moved(Record, frozen=True, kw_only=True):
    """The group has become another chat."""

    chat: int


class Gone(Record, frozen=True, kw_only=True):
    """The message that should be edited is not there any more."""

    reason: str


class Refused(Record, frozen=True, kw_only=True):
    """The message as it is will never be taken."""

    reason: str


class Shut(Record, frozen=True, kw_only=True):
    """The messenger does not know the bot: its token is wrong or withdrawn."""

    reason: str


Outcome = Delivered | Later | Closed | Moved | Gone | Refused | Shut
