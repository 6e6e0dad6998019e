"""What a market's signals cost: per order in a storm, per second in between, beside a bare decode of the same orders.

Run by `make bench`. One process, one run; compare the ratios, not machines.
"""

import random
import time

import msgspec

from service.detector import LATE_MS, Gauge, Rules
from service.model import SECOND

START = 1_760_000_000
RULES = Rules()


def orders(rate: int, seconds: int, seed: int) -> list[list[tuple[float, bool]]]:
    """Orders of each second: dollars with a heavy tail, and whether a short was closed."""
    rng = random.Random(seed)
    return [[(300 * rng.paretovariate(1.1), rng.random() < 0.5) for _ in range(rate)] for _ in range(seconds)]


def warm() -> Gauge:
    """A gauge that has heard two hours."""
    gauge = Gauge(asset="ALL")
    run(gauge, orders(1, 7_200, 1), START)
    return gauge


def run(gauge: Gauge, stream: list[list[tuple[float, bool]]], start: int) -> float:
    """Seconds it took."""
    begun = time.perf_counter()
    for number, second in enumerate(stream):
        at = (start + number) * SECOND
        for usd, short in second:
            gauge.count(at, usd, short)
        gauge.advance(at + LATE_MS + SECOND, RULES)
    return time.perf_counter() - begun


def decoding(stream: list[list[tuple[float, bool]]]) -> float:
    """Seconds a bare decode of the same orders takes, one small array each."""
    decode = msgspec.json.Decoder(tuple[str, float, bool]).decode
    rows = [msgspec.json.encode(("BTCUSDT", usd, short)) for second in stream for usd, short in second]
    begun = time.perf_counter()
    for row in rows:
        decode(row)
    return time.perf_counter() - begun


def main() -> None:
    """One line for each pace."""
    for rate, seconds in ((1, 20_000), (10, 3_000), (100, 600), (1_000, 60)):
        stream = orders(rate, seconds, 2)
        took = min(run(warm(), stream, START + 7_200) for _ in range(3))
        bare = min(decoding(stream) for _ in range(3))
        count = rate * seconds
        print(
            f"{rate:5} orders/s: {1e6 * took / count:6.2f} us an order, {1e6 * took / seconds:8.1f} us a second, "
            f"{took / bare:5.1f} bare decodes"
        )
    state = msgspec.msgpack.encode(warm())
    print(f"state after two hours: {len(state) / 1000:.1f} kB")


if __name__ == "__main__":
    main()
