"""Size of /metrics and time of a scrape with 800 coins liquidated on every venue and 801 episodes open.

Run `python -m tests.benchmarks.bench_metrics`. Goals: under 10,000 series, 2 MB and 100 ms; tests/test_meters.py holds the
first two.
"""

import asyncio
import statistics
import time

from tests.test_meters import crowded, size

ROUNDS = 20


def main() -> None:
    """Print the figures."""
    asyncio.run(crowded())
    series, bytes_ = size()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        size()
        took.append(1_000 * (time.perf_counter() - began))
    print(
        f"{series:,} series, {bytes_ / 1e6:.2f} MB, {statistics.median(took):.0f} ms a scrape, {max(took):.0f} ms at most"
    )


if __name__ == "__main__":
    main()
