"""The self-check as people read it."""

from collections.abc import Iterable, Sequence

from service.detector.undercount import BAND, Checked
from service.model import FeedRule

_HEAD = f"{'orders/s':>10}{'stretches':>11}{'shown':>8}{'estimated':>11}{'held':>7}"


def table(found: Iterable[Checked]) -> str:
    """Every trial with its lines; ratios are dollars over the true ones, medians of a line's five-minute stretches."""
    return "\n\n".join(_trial(one) for one in found)


def is_fine(found: Sequence[Checked]) -> bool:
    """Whether no median that can be judged leaves the band."""
    return not any(one.fine is False for one in found)


def _trial(one: Checked) -> str:
    rounds = f" in rounds of {one.feed.batch_s} s" if one.feed.batch_s else ""
    how = "by order sizes" if one.feed.rule is FeedRule.LARGEST else "from the other complete venues"
    rows = [
        f"{line.per_s:>10.2f}{line.stretches:>11}{line.shown:>8.2f}{line.ratio:>11.2f}{line.held:>7.2f}"
        for line in one.lines
    ]
    lines = [_HEAD, *rows] if rows else []
    return "\n".join([f"{one.venue}: {one.feed.rule}{rounds}, undone {how}", *lines, _verdict(one)])


def _verdict(one: Checked) -> str:
    if not one.stretches and not one.silent:
        return "too few orders in every five minutes: not judged"
    if one.ratio is None or one.held is None:
        return f"no number for any of {one.silent} stretches"
    spread = "" if one.spread is None else f", spread {one.spread:.2f}"
    silent = f", {one.silent} without a number" if one.silent else ""
    told = f"median {one.ratio:.2f}, bounds held {one.held:.0%}{spread} ({one.stretches} stretches{silent})"
    if one.fine is None:
        return f"{told}: not judged"
    return f"{told}: {'fine' if one.fine else 'OUTSIDE'} {BAND[0]} to {BAND[1]}"
