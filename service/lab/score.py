"""What was found, when, at what price in false alarms. Owns the matching and the intervals; knows no detector.

An opening matches a cascade if it lies in [onset - 120 s, end]; the first wins, later ones inside are fragments, every
other is false. Nothing is point-adjusted. Wilson's interval for shares (1927), Garwood's for counts (1936), both 95 %.
Lead and dollars gone are told of the cascades whose true hour passed $100M; the rest of the dollars are those fallen
by the end of the second of the notice.
"""

import math
from collections.abc import Callable, Sequence

from service.lab.cascades import Truth
from service.lab.detectors import Notice
from service.model import SECOND, Record

EARLY_MS = 120 * SECOND
DAY_MS = 86_400 * SECOND
_Z = 1.959964


class Outcome(Record, frozen=True, kw_only=True):
    """What became of one cascade. Seconds; None where it was not found, or had no $100M hour."""

    number: int
    usd: float
    large: bool
    """Its true hour passed $100M."""
    delay_s: float | None = None
    lead_s: float | None = None
    gone: float | None = None
    """The part of its dollars that had fallen at the opening."""
    side_right: bool | None = None
    onset_error_s: float | None = None
    """Onset told less the true one: positive is too late."""
    rule: str = ""
    fragments: int = 0

    @property
    def found(self) -> bool:
        """Whether anything opened on it."""
        return self.delay_s is not None


class Judged(Record, frozen=True, kw_only=True):
    """One detector on one stretch: every cascade's outcome, and what was said besides."""

    days: float
    outcomes: tuple[Outcome, ...]
    false: int
    notices: int
    """Everything said but planned updates, false or not."""
    updates: int
    """The planned ones."""


class Interval(Record, frozen=True):
    """An estimate between its 95 % limits."""

    value: float
    low: float
    high: float


class Summary(Record, frozen=True, kw_only=True):
    """One line of the table. None where nothing was found to measure it on."""

    cascades: int
    large: int
    found_large: Interval | None
    found: Interval | None
    false_per_30d: Interval
    delay_s: tuple[float, float] | None
    """Median and 90 %, from the onset, large cascades (as lead and gone)."""
    lead_s: float | None
    """Median, before the true hour passed $100M; negative: after."""
    gone: tuple[float, float] | None
    openings_per_cascade: float | None
    single: float | None
    """Part of the found cascades that were one episode."""
    notices_per_cascade: float | None
    updates_per_cascade: float | None
    side_right: float | None
    """Part of the openings on found cascades that named the right side, of those that named one."""
    onset_error_s: tuple[float, float] | None
    """Median and 90 % of its absolute value, of all found cascades."""


def judge(truths: Sequence[Truth], notices: Sequence[Notice], since: int, until: int) -> Judged:
    """Match what was said in [since, until), ms UTC, to the cascades; those that began before are not counted."""
    judged = [truth for truth in truths if since <= truth.onset and truth.end < until]
    heard = [notice for notice in notices if since <= notice.at < until]
    openings: dict[int, list[Notice]] = {}
    false = 0
    for notice in heard:
        if not notice.opens:
            continue
        of = next((t for t in truths if t.onset - EARLY_MS <= notice.at <= t.end + SECOND), None)
        if of is None:
            false += 1
        else:
            openings.setdefault(of.number, []).append(notice)
    return Judged(
        days=(until - since) / DAY_MS,
        outcomes=tuple(_outcome(truth, openings.get(truth.number, [])) for truth in judged),
        false=false,
        notices=sum(not notice.planned for notice in heard),
        updates=sum(notice.planned for notice in heard),
    )


def _outcome(truth: Truth, openings: Sequence[Notice]) -> Outcome:
    large = truth.hour_at is not None
    if not openings:
        return Outcome(number=truth.number, usd=truth.usd, large=large)
    first = min(openings, key=lambda notice: notice.at)
    at = first.at
    return Outcome(
        number=truth.number,
        usd=truth.usd,
        large=large,
        delay_s=(at - truth.onset) / SECOND,
        lead_s=None if truth.hour_at is None else (truth.hour_at - at) / SECOND,
        gone=truth.gone(at),
        side_right=None if first.short is None else first.short == truth.short,
        onset_error_s=None if first.onset is None else (first.onset - truth.onset) / SECOND,
        rule=first.rule,
        fragments=len(openings) - 1,
    )


def summary(parts: Sequence[Judged]) -> Summary:
    """All parts (seeds) taken as one long stretch."""
    outcomes = [outcome for part in parts for outcome in part.outcomes]
    large = [outcome for outcome in outcomes if outcome.large]
    found = [outcome for outcome in outcomes if outcome.found]
    found_large = [outcome for outcome in large if outcome.found]
    sided = [outcome for outcome in found if outcome.side_right is not None]
    months = sum(part.days for part in parts) / 30
    low, high = poisson(sum(part.false for part in parts))
    false = sum(part.false for part in parts) / months
    return Summary(
        cascades=len(outcomes),
        large=len(large),
        found_large=wilson(len(found_large), len(large)),
        found=wilson(len(found), len(outcomes)),
        false_per_30d=Interval(false, low / months, high / months),
        delay_s=_pair(found_large, lambda one: one.delay_s),
        lead_s=quantile([one.lead_s for one in found_large if one.lead_s is not None], 0.5),
        gone=_pair(found_large, lambda one: one.gone),
        openings_per_cascade=_per(sum(1 + one.fragments for one in found), found),
        single=_per(sum(not one.fragments for one in found), found),
        notices_per_cascade=_per(sum(part.notices for part in parts), found),
        updates_per_cascade=_per(sum(part.updates for part in parts), found),
        side_right=_per(sum(one.side_right is True for one in sided), sided),
        onset_error_s=_pair(found, lambda one: None if one.onset_error_s is None else abs(one.onset_error_s)),
    )


def _pair(outcomes: Sequence[Outcome], of: Callable[[Outcome], float | None]) -> tuple[float, float] | None:
    values = [value for value in map(of, outcomes) if value is not None]
    half, most = quantile(values, 0.5), quantile(values, 0.9)
    return None if half is None or most is None else (half, most)


def _per(count: int, found: Sequence[Outcome]) -> float | None:
    return count / len(found) if found else None


def quantile(values: Sequence[float], part: float) -> float | None:
    """Linear between the two nearest; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def wilson(hits: int, of: int) -> Interval | None:
    """A share with its limits; None of nothing."""
    if not of:
        return None
    p, z2 = hits / of, _Z * _Z
    middle = (p + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of))
    return Interval(p, max(0.0, middle - half), min(1.0, middle + half))


def poisson(count: int) -> tuple[float, float]:
    """The means at which `count` or more, and `count` or fewer, would each come in 2.5 % of cases."""
    most = count + 6 * math.sqrt(count + 1) + 10
    low = 0.0 if count == 0 else _root(lambda mean: 1 - _below(count - 1, mean) - 0.025, 0.0, float(count))
    return low, _root(lambda mean: 0.025 - _below(count, mean), float(count), most)


def _below(count: int, mean: float) -> float:
    """P(N <= count) of a Poisson number."""
    if mean <= 0:
        return 1.0
    return math.fsum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))


def _root(rising: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
