"""Binance's public past as a local venue tells it: open interest, funding and candles, invented but always the same.

https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api: Open-Interest-Statistics
(the latest month, at most 500 rows), Get-Funding-Rate-History (at most 1,000), Kline-Candlestick-Data (at most 1,500);
oldest row first.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import NamedTuple

from service.model import HOUR
from service.simulator.contracts import Listing
from service.simulator.interest import Interest

OPEN_INTEREST, FUNDING, KLINES = "/futures/data/openInterestHist", "/fapi/v1/fundingRate", "/fapi/v1/klines"
PATHS = (OPEN_INTEREST, FUNDING, KLINES)
_PERIODS = {"1h": HOUR, "4h": 4 * HOUR, "1d": 24 * HOUR}
_MOST = {OPEN_INTEREST: 500, FUNDING: 1_000, KLINES: 1_500}
_USUAL = {OPEN_INTEREST: 30, FUNDING: 100, KLINES: 500}
_PAYS = 8 * HOUR
#: A level wanders by some per cent over days and hours.
_WAVES = ((9 * 24 * HOUR, 0.05), (53 * HOUR, 0.025), (17 * HOUR, 0.012))


class Scene(NamedTuple):
    """What stands now: the contract, its price in dollars, what is held of it, and the time, ms UTC."""

    listing: Listing
    price: float
    interest: Interest
    now: int


def rows(path: str, query: Mapping[str, str], scene: Scene) -> list[object]:
    """The rows of one path that came before now, at most `limit` of them."""
    width = _PAYS if path == FUNDING else _PERIODS.get(query.get("period", query.get("interval", "")), HOUR)
    limit = min(int(query.get("limit", _USUAL[path])), _MOST[path])
    last = scene.now // width
    first = -(-int(query["startTime"]) // width) if "startTime" in query else last - limit + 1
    times = [step * width for step in range(first, last + 1)][:limit]
    make = {OPEN_INTEREST: _held, FUNDING: _paid, KLINES: _candle}[path]
    return [make(scene, at, width) for at in times]


def _held(scene: Scene, at: int, _width: int) -> object:
    coins = scene.interest.coins(scene.listing, scene.price) * _level(scene, "held", at)
    usd = coins * _price(scene, at)
    told = {"sumOpenInterest": f"{coins:.8f}", "sumOpenInterestValue": f"{usd:.8f}", "CMCCirculatingSupply": "0"}
    return {"symbol": scene.listing.symbol, **told, "timestamp": at}


def _paid(scene: Scene, at: int, _width: int) -> object:
    rate = scene.interest.default_funding + 0.0008 * (_level(scene, "paid", at) - 1)
    told = {"fundingTime": at, "fundingRate": f"{rate:.8f}", "markPrice": f"{_price(scene, at):.8f}"}
    return {"symbol": scene.listing.symbol, **told}


def _candle(scene: Scene, at: int, width: int) -> object:
    first, last = _price(scene, at), _price(scene, min(at + width, scene.now))
    usd = (
        scene.interest.volume_usd(scene.listing) * width / (24 * HOUR) * (0.4 + 0.6 * _level(scene, "traded", at) ** 8)
    )
    high, low = max(first, last) * 1.004, min(first, last) * 0.996
    prices = [f"{value:.8f}" for value in (first, high, low, last)]
    traded = [f"{usd / last:.8f}", at + width - 1, f"{usd:.8f}", 1_000, "0", "0", "0"]
    return [at, *prices, *traded]


def _price(scene: Scene, at: int) -> float:
    return scene.price * _level(scene, "price", at)


def _level(scene: Scene, what: str, at: int) -> float:
    """Around 1, the same for every asker, and 1 where the present begins."""
    return _wave(scene.listing.base, what, at) / _wave(scene.listing.base, what, scene.now)


def _wave(base: str, what: str, at: int) -> float:
    found = 1.0
    for period, height in _WAVES:
        digest = hashlib.blake2b(f"{base} {what} {period}".encode(), digest_size=4).digest()
        phase = int.from_bytes(digest) / 2**32
        found += height * math.sin(2 * math.pi * (at / period + phase))
    return found
