"""A run's trials as lines people read and as JSON. Owns the words, measures nothing."""

from collections.abc import Sequence
from typing import Any

import msgspec

from service.lab.bench import BENCH
from service.lab.run import Plan, Trial
from service.lab.score import Interval, Summary, summary

#: A level this high is one of dollars.
_DOLLARS = 1e5
_HEAD = (
    "detector",
    "level",
    "found of >= $100M",
    "found of all",
    "false/30 d",
    "delay s 50 (90 %)",
    "lead s",
    "gone 50 (90 %)",
    "one episode",
    "notices",
    "updates",
    "side",
    "onset off s 50 (90 %)",
)


def lines(plan: Plan, trials: Sequence[Trial]) -> list[str]:
    """One table for each feed, all seeds pooled, as Markdown."""
    said = []
    for feed in plan.feeds:
        rows: list[Sequence[str]] = [_HEAD]
        for name in plan.detectors:
            mine = [trial for trial in trials if (trial.feed, trial.detector) == (feed, name)]
            rows.append(_row(name, mine, summary([trial.judged for trial in mine])))
        counted = summary(
            [trial.judged for trial in trials if (trial.feed, trial.detector) == (feed, plan.detectors[0])]
        )
        said += ["", f"Feed {feed}: {counted.cascades} cascades, {counted.large} past $100M an hour", "", *_drawn(rows)]
    said += ["", *(f"{name}: {BENCH[name].about}" for name in plan.detectors)]
    return said


def document(plan: Plan, trials: Sequence[Trial]) -> bytes:
    """Everything as JSON: the plan, a pooled line for each feed and detector, every trial with every cascade."""
    pooled: list[dict[str, Any]] = []
    for feed in plan.feeds:
        for name in plan.detectors:
            mine = [trial.judged for trial in trials if (trial.feed, trial.detector) == (feed, name)]
            pooled.append({"feed": feed, "detector": name, "summary": summary(mine)})
    body = msgspec.json.encode({"plan": plan, "pooled": pooled, "trials": trials})
    return msgspec.json.format(body, indent=1)


def _row(name: str, trials: Sequence[Trial], found: Summary) -> tuple[str, ...]:
    levels = sorted(trial.level for trial in trials if trial.level is not None)
    return (
        name,
        "own" if not levels else " - ".join(dict.fromkeys(_number(level) for level in (levels[0], levels[-1]))),
        _interval(found.found_large),
        _interval(found.found),
        _interval(found.false_per_30d),
        "-" if found.delay_s is None else f"{found.delay_s[0]:.0f} ({found.delay_s[1]:.0f})",
        "-" if found.lead_s is None else f"{found.lead_s:.0f}",
        "-" if found.gone is None else f"{found.gone[0]:.3f} ({found.gone[1]:.3f})",
        "-" if found.single is None else f"{found.single:.2f}",
        "-" if found.notices_per_cascade is None else f"{found.notices_per_cascade:.2f}",
        f"{found.updates_per_cascade:.1f}" if found.updates_per_cascade else "-",
        "-" if found.side_right is None else f"{found.side_right:.2f}",
        "-" if found.onset_error_s is None else f"{found.onset_error_s[0]:.0f} ({found.onset_error_s[1]:.0f})",
    )


def _interval(value: Interval | None) -> str:
    return "-" if value is None else f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"


def _number(value: float) -> str:
    return f"${value / 1e6:.1f}M" if value >= _DOLLARS else f"{value:.3g}"


def _drawn(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return [drawn[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *drawn[1:]]
