"""What a memory of records costs beside the step of the hour rule, and a question beside looking through every block.

    python -m tests.benchmarks.bench_records

Goal: a question within 10 us. Compare the ratios: all figures of a run come from the same machine.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence

import msgspec

from service.detector import Board, Claim, Rules, State, seed, seen, since, step
from service.detector.records import DAY, MEASURES, Peak
from service.model import HOUR, SECOND, SPANS, Reading, Totals

YEARS = 5
BEGIN = 1_600_000_000_000 // DAY * DAY
END = BEGIN + YEARS * 365 * DAY
GOAL_US = 10.0
ROUNDS = 2_000


def history() -> dict[int, Totals]:
    """Five years of hours with heavy tails."""
    chance = random.Random(1)
    return {
        start: Totals(long_usd=round(chance.paretovariate(1.1), 2), short_usd=round(chance.paretovariate(1.1), 2))
        for start in range(BEGIN, END, HOUR)
    }


def micros(call: Callable[[int], object], rounds: int = ROUNDS) -> float:
    """Best of five, for one call."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for number in range(rounds):
            call(number)
        best = min(best, time.perf_counter() - started)
    return 1e6 * best / rounds


def quiet(number: int) -> Reading:
    """A reading that is no peak of anything."""
    return Reading(asset="ALL", now=END + number * SECOND, spans=dict.fromkeys(SPANS, Totals(short_usd=0.01)))


def scan(peaks: Sequence[Peak], usd: float, edge: int) -> Peak | None:
    """The plain way: from the latest block back."""
    return next((peak for peak in reversed(peaks) if peak.at <= edge and peak.usd >= usd), None)


def rising(board: Board, readings: Sequence[Reading]) -> float:
    """Microseconds a reading when every one is a new peak."""
    best = float("inf")
    for _ in range(5):
        known, started = board, time.perf_counter()
        for reading in readings:
            known = seen(known, reading, "a")
        best = min(best, time.perf_counter() - started)
    return 1e6 * best / len(readings)


def main() -> int:
    """Print the table; 1 when a question takes longer than the goal."""
    hours, started = history(), time.perf_counter()
    board = seed(hours, END, "a")
    took = time.perf_counter() - started
    lengths = [len(stack.settled) + len(stack.recent) for stack in board.stacks.values()]
    print(
        f"a memory of {YEARS} years from {len(hours):,} hours: {took:.2f} s, stacks of {min(lengths)} to {max(lengths)},"
    )
    print(f"{len(msgspec.json.encode(board)):,} bytes of JSON\n")

    spread = [10 ** (4 * number / ROUNDS) for number in range(ROUNDS)]
    claims = [Claim(measure="hour", side="short", usd=usd, onset=END + HOUR) for usd in spread]
    peaks = [Peak(start + HOUR - 1, totals.short_usd) for start, totals in hours.items()]
    edge = END + HOUR - MEASURES["hour"].span
    readings = [quiet(number) for number in range(ROUNDS)]
    grow = [
        Reading(asset="ALL", now=END + n * SECOND, spans=dict.fromkeys(SPANS, Totals(short_usd=1e6 + n, long_usd=1e6)))
        for n in range(ROUNDS)
    ]
    rule, rules = State(), Rules()
    ours, plain = micros(lambda n: since(board, claims[n])), micros(lambda n: scan(peaks, spread[n], edge), ROUNDS)
    beside = micros(lambda n: step(rule, readings[n], rules))
    calm, steep = micros(lambda n: seen(board, readings[n], "a")), rising(board, grow)
    print(f"{'what':<48}{'us':>10}{'ratio':>10}")
    print(f"{'a question':<48}{ours:>10.2f}{ours / plain:>10.4f} of looking through {len(peaks):,} blocks")
    print(f"{'a step of the hour rule on a quiet market':<48}{beside:>10.2f}{1:>10.2f}")
    print(f"{'a reading that is no peak':<48}{calm:>10.2f}{calm / beside:>10.2f} of that step")
    print(f"{'a reading that is a peak of four kinds':<48}{steep:>10.2f}{steep / beside:>10.2f}")
    return int(ours > GOAL_US)


if __name__ == "__main__":
    sys.exit(main())
