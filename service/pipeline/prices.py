"""What each coin's price usually does, and what it does now, from the orders' own prices; for showing also from marks.

Judges no episode.
"""

from collections.abc import Collection

import msgspec

from service.detector.price import Swing, learn, move, of_marks
from service.model import ALL, MINUTE, PriceMove, Side, coin_of
from service.pipeline.recent import Recent
from service.pipeline.sources import Moves


class Prices:
    """Usual swings by coin, read on minute by minute."""

    def __init__(self, recent: Recent, moves: Moves | None = None) -> None:
        self._recent, self._moves = recent, moves
        self.swings: dict[str, Swing] = {}

    def learn(self, touched: Collection[str], now: int) -> None:
        """Once a minute: take in what the coins' orders cost since they were last read."""
        for asset in touched:
            swing = self.swings.get(asset, Swing())
            if asset != ALL and now - swing.upto > MINUTE:
                self.swings[asset] = learn(swing, self._recent.of(asset, swing.upto - 1, now), now)

    def move(self, asset: str, side: Side, since: int, now: int) -> PriceMove | None:
        """How the price went from `since` to `now` (ms UTC), and whether with the forced orders of this side."""
        coin = coin_of(asset)
        orders = self._recent.of(coin, since - 1, now)
        return move(orders, asset, side, since, now, self._usual(coin, now - since))

    def of_marks(self, asset: str, side: Side, since: int, now: int) -> PriceMove | None:
        """The same by the venues' marks, for showing where orders tell none: what is judged rests on orders alone."""
        coin = coin_of(asset)
        found = self._moves(coin, since, now) if self._moves else None
        return of_marks(coin, side, *found, self._usual(coin, now - since)) if found else None

    def _usual(self, coin: str, span: int) -> float | None:
        swing = self.swings.get(coin)
        return swing.sigma(span) if swing else None

    def stored(self, asset: str) -> bytes | None:
        """A coin's state as it is kept; None when nothing is known."""
        swing = self.swings.get(asset)
        return msgspec.json.encode(swing) if swing else None

    def load(self, asset: str, state: bytes) -> None:
        """Take up what `stored` gave. Raises MsgspecError for another version's."""
        self.swings[asset] = msgspec.json.decode(state, type=Swing)
