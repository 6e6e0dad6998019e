"""What a control stream costs: a frame between two sips, and the one frame in ten seconds that is read.

Run `python -m tests.benchmarks.bench_tickers`. Binance's marks of 744 contracts come each second, Bybit's ticker ten
times a second; whatever is read once in ten seconds may cost some milliseconds, the rest must cost next to nothing.
"""

import json
import sys
from collections.abc import Callable

from service.venues import VENUES
from tests.benchmarks.bench_decode import FIXTURES, SEEN, microseconds

CONTRACTS = 744


def frames() -> dict[str, bytes]:
    """A control frame of each venue that tells something; Binance's filled up to all its contracts."""
    found: dict[str, bytes] = {}
    for name, venue in VENUES.items():
        lines = (FIXTURES / "venues" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        shown = [line["frame"] for line in map(json.loads, lines[1:]) if line.get("yields") == ["Control"]]
        if venue.tickers is None or not shown:
            continue
        frame = shown[0]
        if name in ("binance", "aster"):
            frame["data"] = [frame["data"][0] | {"s": f"C{number}USDT"} for number in range(CONTRACTS)]
        found[name] = frame.encode() if isinstance(frame, str) else json.dumps(frame, separators=(",", ":")).encode()
    return found


def main() -> int:
    """Print the table."""
    print(f"{'venue':<12}{'bytes':>9}{'us between':>12}{'us read':>10}")
    for name, frame in frames().items():
        session, now = VENUES[name].session(), SEEN
        session.decode(frame, now)

        def read(name: str = name, frame: bytes = frame) -> object:
            return VENUES[name].session().decode(frame, SEEN)

        works: list[Callable[[], object]] = [lambda s=session, f=frame: s.decode(f, SEEN + 1), read]
        between, whole = (microseconds(work) for work in works)
        print(f"{name:<12}{len(frame):>9}{between:>12.2f}{whole:>10.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
