"""What buttons carry: a verb and what was chosen so far, so that nothing of a talk is kept between two taps.

A rule being made travels whole, as `r|0|BTC|s|c|10M|binance`: page, id (0 for a new one), coin, kind, severity,
dollars, venue; `*` is any. The messenger allows 64 bytes; the longest coin, sum and venue stay below.
"""

from collections.abc import Sequence

from service.model import Kind, Severity
from service.subscribers import Rule
from service.subscribers.amounts import usd
from service.subscribers.parse import asset

MOST_BYTES = 64
_ANY = "*"
_KINDS = {None: _ANY, Kind.SHORT_SQUEEZE: "s", Kind.LONG_FLUSH: "f"}
_SEVERITIES = {Severity.WATCH: "n", Severity.WARNING: "w", Severity.CRITICAL: "c"}
_OF_KIND = {letter: kind for kind, letter in _KINDS.items()}
_OF_SEVERITY = {letter: severity for severity, letter in _SEVERITIES.items()}
_UNITS = ((1_000_000, "M"), (1_000, "k"))

BOARD, MARKETS, VENUES, SAVE = "r", "a", "v", "s"


class OldButtonError(ValueError):
    """The button is not of this version."""


def packed(verb: str, *parts: object) -> str:
    """A verb and its parts. Raises ValueError past what the messenger takes."""
    data = "|".join((verb, *(str(part) for part in parts)))
    if len(data.encode()) > MOST_BYTES:
        raise ValueError(f"{data!r} has {len(data.encode())} bytes; a button carries {MOST_BYTES}")
    return data


def with_rule(verb: str, rule: Rule) -> str:
    """A verb and a rule."""
    dollars = _ANY if rule.usd is None else _short(rule.usd)
    return packed(verb, rule.id, rule.asset, _KINDS[rule.kind], _SEVERITIES[rule.severity], dollars, rule.venue or _ANY)


def rule_of(parts: Sequence[str]) -> Rule:
    """The rule a button carries. Raises OldButtonError."""
    try:
        number, coin, kind, severity, dollars, venue = parts
        return Rule(
            id=int(number),
            asset=asset(coin),
            kind=_OF_KIND[kind],
            severity=_OF_SEVERITY[severity],
            usd=None if dollars == _ANY else usd(dollars),
            venue=None if venue == _ANY else venue,
        )
    except (KeyError, ValueError) as error:
        raise OldButtonError(f"{'|'.join(parts)!r} is no rule of this version") from error


def number_of(parts: Sequence[str]) -> int:
    """The one number a button carries. Raises OldButtonError."""
    try:
        (number,) = parts
        return int(number)
    except ValueError as error:
        raise OldButtonError(f"{'|'.join(parts)!r} is no number") from error


def word_of(parts: Sequence[str]) -> str:
    """The one word a button carries. Raises OldButtonError."""
    if len(parts) != 1:
        raise OldButtonError(f"{'|'.join(parts)!r} is not one word")
    return parts[0]


def _short(dollars: float) -> str:
    for size, unit in _UNITS:
        if not dollars % size:
            return f"{dollars / size:.0f}{unit}"
    return f"{dollars:.0f}"
