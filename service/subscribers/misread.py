"""What could not be read of what somebody typed. Owns the kinds of slips; each language of the bot words them."""

from enum import StrEnum


class Slip(StrEnum):
    """What the typed word should have been, or what is wrong with it."""

    USD = "usd"
    DURATION = "duration"
    QUIET = "quiet"
    ZONE = "zone"
    NO_ZONE = "no_zone"
    """Hours without a zone: there is nothing to guess it from."""
    ASSET = "asset"
    WORD = "word"
    """A word of a rule that is like another, or like none."""
    TWICE = "twice"
    """Two words say the same thing of a rule."""


#: What is allowed instead, for programs and logs.
ALLOWED = {
    Slip.USD: "dollars from $1,000 to $1T, as 10M, 250k, $10,000,000 or 1.04亿",
    Slip.DURATION: "a time from 1m to 7d, as 90m, 2h or 1d",
    Slip.QUIET: "hours and a zone, as 23:00-07:00 Asia/Shanghai",
    Slip.ZONE: "a zone of the tz database, as Asia/Shanghai, or UTC+8",
    Slip.NO_ZONE: "hours and a zone, as 23:00-07:00 Asia/Shanghai",
    Slip.ASSET: "ALL or a coin of up to 15 letters and digits, as BTC",
    Slip.WORD: "a coin, squeeze or flush, watch, warning or critical, dollars, a venue",
    Slip.TWICE: "each of coin, kind, severity, dollars and venue once",
}


class Misread(ValueError):  # noqa: N818  # a word for one typed text that means nothing
    """`given` is not what `slip` says it should be; `near` are names it may have meant, best first."""

    def __init__(self, slip: Slip, given: str, near: tuple[str, ...] = ()) -> None:
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"{given!r} is not {ALLOWED[slip]}{hint}")
        self.slip, self.given, self.near = slip, given, near
