"""How fast the street is from a frame to a window in the store, beside its own first half and the bare store.

    python -m tests.benchmarks.bench_street

Goal: at least 12,000 orders a second into the store, the rate of the fastest peer that keeps windows there.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from service.ledger.open import open_ledger
from service.model import Liquidation, Print
from service.venues import VENUES
from service.venues.base import settle

ORDERS = 40_000
NOW = 1_768_341_600_000
COINS = 300


def frames() -> Iterator[bytes]:
    """Binance frames of distinct orders over 300 coins and five minutes."""
    for number in range(ORDERS):
        at = NOW - 300_000 + number * 7
        order = {
            "s": f"COIN{number % COINS}USDT",
            "S": "BUY",
            "q": "2.5",
            "p": "10",
            "ap": "10.25",
            "X": "FILLED",
            "l": "2.5",
            "z": f"{number}.5",
            "T": at,
        }
        yield msgspec.json.encode({"stream": "!forceOrder@arr", "data": {"e": "forceOrder", "E": at, "o": order}})


def settled(raw: list[bytes]) -> list[Liquidation]:
    """The pure half: decode and dollars."""
    venue = VENUES["binance"]
    session, found = venue.session(), []
    for frame in raw:
        for event in session.decode(frame, NOW):
            if isinstance(event, Print):
                instrument = venue.implied(event.symbol)
                if instrument is not None:
                    found.append(settle(event, instrument))
    return found


async def stored(orders: list[Liquidation], batch: int) -> float:
    """Seconds to write the orders into a fresh embedded store, in batches, as the pipeline does."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = await open_ledger(None, Path(folder))
        started = time.perf_counter()
        for start in range(0, len(orders), batch):
            await ledger.add(orders[start : start + batch], NOW)
        took = time.perf_counter() - started
        await ledger.close()
    return took


def main() -> None:
    """Print the table."""
    raw = list(frames())
    started = time.perf_counter()
    orders = settled(raw)
    pure = time.perf_counter() - started
    assert len(orders) == ORDERS
    print(f"{'what':<44}{'orders/s':>12}{'share of the time':>20}")
    print(f"{'frame -> dollars':<44}{ORDERS / pure:>12,.0f}")
    for batch in (500, 50):
        took = asyncio.run(stored(orders, batch))
        print(
            f"{f'frame -> window in the store, batches of {batch}':<44}{ORDERS / (pure + took):>12,.0f}{took / (pure + took):>19.0%} store"
        )


if __name__ == "__main__":
    main()
