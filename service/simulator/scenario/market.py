"""The market of the demo: its coins, the contracts three venues list on them, and their prices.

Owns names, tick sizes and price paths. Draws nothing and knows no liquidation.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from service.model import USD_UNIT

#: (ms UTC, price of BTC) in order of time; straight lines between.
Path = Sequence[tuple[int, float]]

#: BTC when the demo's clock starts; the prices of `COINS` belong to it.
BTC_AT_START = 94_050.0
#: Part of a coin's orders each venue gets.
VENUES: Mapping[str, float] = MappingProxyType({"binance": 0.36, "bybit": 0.39, "okx": 0.25})
_COIN_MARGINED = 0.07


class Listing(NamedTuple):
    """One contract. `face` is the dollars of one coin-margined contract, 0 for a linear one."""

    venue: str
    symbol: str
    decimals: int
    coins: int
    face: int

    def lot_units(self, ticks: int) -> int:
        """1/10,000 dollars of one lot: lots are 10^(decimals - 4) coins, so that every order is whole units."""
        return self.face * USD_UNIT or ticks

    def quantity(self, ticks: int, lots: int) -> float:
        """Base units of so many lots, as the venue counts them (1000PEPEUSDT in thousands)."""
        if self.face:
            return self.face * lots / self.price(ticks)
        power = self.decimals - 4
        return float(lots * 10**power) if power >= 0 else lots / 10**-power

    def price(self, ticks: int) -> float:
        """Ticks as a price in dollars."""
        return float(ticks / 10**self.decimals)


class Coin:
    """One asset: its percent of a cascade's dollars, its price with so many decimals, its run beside BTC's gains."""

    def __init__(self, asset: str, share: float, price: float, decimals: int, run: float = 1.4) -> None:
        self.asset = asset
        self.share = share
        self.price = price
        self.decimals = decimals
        self.run = run

    @cached_property
    def listings(self) -> list[tuple[Listing, float]]:
        """The coin's contracts, each with its part of the orders."""
        faces = _FACES.get(self.asset, {})
        found: list[tuple[Listing, float]] = []
        for venue, part in VENUES.items():
            if venue in _NOT_ON.get(self.asset, ()):
                continue
            margined = _COIN_MARGINED if venue in faces else 0.0
            found.append((self._linear(venue), part * (1 - margined)))
            if venue in faces:
                symbol, face = faces[venue]
                found.append((Listing(venue, symbol, self.decimals, 1, face), part * margined))
        return found

    def _linear(self, venue: str) -> Listing:
        if venue == "okx":
            return Listing(venue, f"{self.asset}-USDT-SWAP", self.decimals + 3 * (self.asset in _THOUSANDS), 1, 0)
        coins = 1000 if self.asset in _THOUSANDS else 1
        return Listing(venue, f"{coins if coins > 1 else ''}{self.asset}USDT", self.decimals, coins, 0)

    def ticks(self, listing: Listing, btc: float, drift: float) -> int:
        """The contract's price in ticks while BTC costs `btc`, `drift` (a part of 1) beside it.

        Coins ran ahead of BTC in the squeeze and with it before, hence two slopes.
        """
        move = btc / BTC_AT_START - 1
        price = self.price * (1 + (move * self.run if move > 0 else move)) * (1 + drift)
        if self.asset in _THOUSANDS and listing.coins == 1:
            price /= 1000
        return max(1, round(price * float(10**listing.decimals)))


#: Binance and Bybit count these by the thousand; price and decimals in `COINS` are those of a thousand.
_THOUSANDS = frozenset({"PEPE", "BONK", "FLOKI"})
_NOT_ON: Mapping[str, Sequence[str]] = {"XMR": ("okx",), "DASH": ("okx",), "FET": ("okx",), "FLOKI": ("okx",)}
#: Coin-margined contracts and their value in dollars, after the venues' metadata pages (Bybit counts dollars).
_FACES: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "BTC": {"binance": ("BTCUSD_PERP", 100), "bybit": ("BTCUSD", 1), "okx": ("BTC-USD-SWAP", 100)},
    "ETH": {"binance": ("ETHUSD_PERP", 10), "bybit": ("ETHUSD", 1), "okx": ("ETH-USD-SWAP", 10)},
}

#: Shares: BTC after its recorded hour (118.9 of 458), the rest invented. Prices: levels of that evening, rounded.
COINS: Sequence[Coin] = (
    Coin("BTC", 26.0, BTC_AT_START, 1, 1.0),
    Coin("ETH", 25.0, 3_208.0, 2, 2.1),
    Coin("SOL", 8.0, 143.4, 2, 1.35),
    Coin("XRP", 5.8, 2.13, 4),
    Coin("DOGE", 4.4, 0.1445, 5),
    Coin("PEPE", 2.7, 0.00621, 6, 1.9),
    Coin("SUI", 2.2, 1.83, 4),
    Coin("BNB", 1.9, 921.0, 2, 1.0),
    Coin("ZEC", 1.6, 405.0, 2, 0.8),
    Coin("HYPE", 1.4, 24.8, 3),
    Coin("ADA", 1.3, 0.401, 4),
    Coin("LINK", 1.25, 13.4, 3),
    Coin("AVAX", 0.95, 14.1, 3),
    Coin("LTC", 0.9, 77.8, 2),
    Coin("BCH", 0.9, 622.0, 2, 0.9),
    Coin("DASH", 0.9, 58.3, 2),
    Coin("XMR", 0.85, 672.0, 2, 0.7),
    Coin("FARTCOIN", 0.85, 0.395, 4, 2.2),
    Coin("PUMP", 0.8, 0.00262, 6, 2.0),
    Coin("TAO", 0.8, 283.0, 2),
    Coin("UNI", 0.75, 5.48, 3),
    Coin("AAVE", 0.75, 171.0, 2),
    Coin("ENA", 0.7, 0.232, 4, 1.8),
    Coin("BONK", 0.7, 0.0108, 6, 1.8),
    Coin("WIF", 0.65, 0.384, 4, 1.9),
    Coin("NEAR", 0.65, 1.74, 4),
    Coin("DOT", 0.6, 2.14, 3),
    Coin("APT", 0.55, 1.86, 4),
    Coin("ARB", 0.55, 0.209, 5),
    Coin("OP", 0.5, 0.324, 4),
    Coin("WLD", 0.5, 0.588, 4),
    Coin("FIL", 0.5, 1.49, 4),
    Coin("ONDO", 0.45, 0.398, 4),
    Coin("ICP", 0.45, 3.94, 3),
    Coin("ETC", 0.45, 12.7, 3),
    Coin("TRUMP", 0.45, 5.42, 3),
    Coin("SEI", 0.4, 0.122, 5),
    Coin("TIA", 0.4, 0.568, 4),
    Coin("INJ", 0.4, 5.11, 3),
    Coin("FET", 0.4, 0.283, 4, 1.8),
    Coin("PENGU", 0.35, 0.0126, 6, 1.9),
    Coin("FLOKI", 0.3, 0.0507, 5, 1.8),
)
BY_ASSET: Mapping[str, Coin] = MappingProxyType({coin.asset: coin for coin in COINS})

#: Every contract of the scenario by venue, largest coins first.
SYMBOLS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        venue: tuple(listing.symbol for coin in COINS for listing, _ in coin.listings if listing.venue == venue)
        for venue in VENUES
    }
)


def level(path: Path, at: int) -> float:
    """BTC on a path at a time; flat before its first point and after its last."""
    behind = bisect_right(path, at, key=lambda point: point[0])
    if behind in (0, len(path)):
        return path[min(behind, len(path) - 1)][1]
    (since, low), (until, high) = path[behind - 1], path[behind]
    return low + (high - low) * (at - since) / (until - since)
