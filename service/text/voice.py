"""What a language must be able to say in a message of its own: the shape of `english/message` and `chinese/message`.

Holds no word. A language that lacks one does not pass the type check.
"""

from collections.abc import Callable

from service.model import Alert, Record


class Voice(Record, frozen=True, kw_only=True):
    """The words of one language for messages; every text is plain, the door marks it up."""

    simulation: str
    """In front of everything that no market did."""
    trial: str
    """In front of a message that was asked for to see one."""
    invented: str
    """The line of such a message that says so."""
    headline: Callable[[Alert], str]
    """What, where, how much, which side; half a line that does alone."""
    body: Callable[[Alert], tuple[str, ...]]
    """The lines after it, the most important first; what is not known is empty."""
    share: Callable[[Alert], str]
    """The part of the side."""
    sure: Callable[[Alert], str]
    """How sure it is."""
    late: Callable[[int], str]
    """That it comes so many ms late."""
    foot: Callable[[Alert], str]
    """Severity and time."""
    board: str
    """The link to the dashboard."""
    episode: Callable[[Alert, str, int], str]
    """One line of a digest: the latest alert, the share at the peak in words (or empty), the time of the digest."""
    heading: Callable[[str, str, int, int], str]
    """The first line of one: reason, span in words, episodes, how many still run."""
    span: Callable[[str, str], str]
    """What two clocks show, with the name of their zone, given its tz name."""
    more: Callable[[int], str]
    """That so many lines are left out."""
