"""What each coin's price usually does, and what it does now: from the orders' own prices, else from marks.

Judges no episode.
"""

from collections.abc import Collection

import msgspec

from service.detector.price import STANDS_FOR_ALL, Swing, learn, move, of_marks
from service.model import ALL, MINUTE, PriceMove, Side
from service.pipeline.recent import Recent
from service.pipeline.sources import Marks


class Prices:
    """Usual swings by coin, read on minute by minute."""

    def __init__(self, recent: Recent, marks: Marks | None = None) -> None:
        self._recent, self._marks = recent, marks
        self.swings: dict[str, Swing] = {}

    def learn(self, touched: Collection[str], now: int) -> None:
        """Once a minute: take in what the coins' orders cost since they were last read."""
        for asset in touched:
            swing = self.swings.get(asset, Swing())
            if asset != ALL and now - swing.upto > MINUTE:
                self.swings[asset] = learn(swing, self._recent.of(asset, swing.upto - 1, now), now)

    def move(self, asset: str, side: Side, since: int, now: int) -> PriceMove | None:
        """How the price went from `since` to `now` (ms UTC), and whether with the forced orders of this side."""
        coin = STANDS_FOR_ALL if asset == ALL else asset
        orders = self._recent.of(coin, since - 1, now)
        swing = self.swings.get(coin)
        usual = swing.sigma(now - since) if swing else None
        found = move(orders, asset, side, since, now, usual)
        if found is not None or self._marks is None:
            return found
        start, last = self._marks(coin, since), self._marks(coin, now)
        return of_marks(coin, side, start, last, usual) if start and last else None

    def stored(self, asset: str) -> bytes | None:
        """A coin's state as it is kept; None when nothing is known."""
        swing = self.swings.get(asset)
        return msgspec.json.encode(swing) if swing else None

    def load(self, asset: str, state: bytes) -> None:
        """Take up what `stored` gave. Raises MsgspecError for another version's."""
        self.swings[asset] = msgspec.json.decode(state, type=Swing)
