"""How a connection ended, in words fit for a log. Owns no socket and decides nothing."""

from service.model import FeedState, Record

_LONGEST = 200


class End(Record, frozen=True, kw_only=True):
    """Why a connection is over, or never was one; `wait_s` (clock) is what the venue asked us to wait."""

    reason: str
    state: FeedState = FeedState.DOWN
    slow: bool = False
    """Asking again soon would not help, or would hurt."""
    wait_s: float = 0.0
    everywhere: bool = False
    """`wait_s` is meant for our address, not for one socket."""


def plain(text: str) -> str:
    """A peer's words in one printable line of bounded length, so that they cannot forge a line of our log."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST])
