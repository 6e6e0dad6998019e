"""Everything the venues told of open interest, funding and marks, and what can be said of it at a moment. Pure.

Whatever compares two moments compares the same contracts at both: a venue that stops answering must not read as
positions that were closed. What is older than it may be is not used, and said to be missing.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable

import msgspec

from service.context.contract import Contract, Fresh, fresh_value
from service.context.leverage import Pair, leverage, pairs
from service.context.points import Points
from service.context.risk import Point
from service.context.source import SourceError
from service.model import Instrument, Leverage, Record, Ticker


class _Kept(Record, frozen=True, kw_only=True):
    venue: str
    symbol: str
    asset: str
    points: dict[str, bytes]


class Memory:
    """`listing` names the venues that list an asset, so that a silent one is called missing."""

    def __init__(self, listing: Callable[[str], Iterable[str]] = lambda _asset: (), fresh: Fresh | None = None) -> None:
        self._listing, self._fresh = listing, fresh or Fresh()
        self._by_asset: defaultdict[str, dict[tuple[str, str], Contract]] = defaultdict(dict)
        self.why: Callable[[str], str] = lambda _venue: ""
        """Why a venue tells nothing, in words; empty while unknown."""

    def hear(self, tickers: Iterable[Ticker]) -> None:
        """Take in what venues told, in any order."""
        for ticker in tickers:
            self._contract(ticker).hear(ticker)

    def remember(self, assets: Iterable[str], now: int) -> None:
        """Note what stands at `now` ms UTC among these assets' points."""
        for asset in assets:
            for contract in self.contracts(asset):
                contract.remember(now)

    def forget(self, now: int) -> None:
        """Forget contracts that are gone at `now` ms UTC."""
        for contracts in self._by_asset.values():
            for key in [key for key, one in contracts.items() if one.gone(now)]:
                del contracts[key]

    def forget_after(self, now: int) -> None:
        """Drop points that another clock has dated ahead of `now` ms UTC."""
        for contracts in self._by_asset.values():
            for contract in contracts.values():
                contract.points.forget_after(now)

    def recall(self, ticker: Ticker, points: Iterable[Point]) -> None:
        """Take in the past of a ticker's contract, asked for or kept; what was seen with our own eyes stands."""
        own = self._contract(ticker).points
        for point in points:
            own.take(point)

    def contracts(self, asset: str) -> list[Contract]:
        """Every contract of an asset that was ever told of."""
        return list(self._by_asset[asset].values()) if asset in self._by_asset else []

    def mark(self, instrument: Instrument, now: int) -> float | None:
        """A contract's mark price; None while none is fresh."""
        found = self._by_asset.get(instrument.asset, {}).get((instrument.venue, instrument.symbol))
        return fresh_value(found.mark, now, self._fresh.mark_ms) if found else None

    def price(self, asset: str, at: int) -> float | None:
        """Dollars of a coin at `at` ms UTC by its largest contract's mark; None where none was told lately."""
        found = max(self._marked(asset, at), key=lambda pair: pair[0], default=None)
        return found[1] if found else None

    def move(self, asset: str, since: int, now: int) -> tuple[float, float] | None:
        """The marks of one contract, the largest that has both, at `since` and, told again behind it, at `now`."""
        known = [(one, one.mark_at(since, self._fresh.mark_ms)) for one in self._perpetuals(asset)]
        found = [
            (_size(one), first, one.mark.value)
            for one, first in known
            if first is not None
            and one.mark is not None
            and since < one.mark.at
            and now - one.mark.at <= self._fresh.mark_ms
        ]
        return max(found)[1:] if found else None

    def _marked(self, asset: str, at: int) -> list[tuple[float, float]]:
        marks = ((_size(one), one.mark_at(at, self._fresh.mark_ms)) for one in self._perpetuals(asset))
        return [(size, mark) for size, mark in marks if mark is not None]

    def _perpetuals(self, asset: str) -> list[Contract]:
        """Contracts whose mark is a coin's: none of lots, and a dated one only where there is no other."""
        known = [one for one in self.contracts(asset) if not one.lots]
        return [one for one in known if one.funding_8h is not None] or known

    def pairs(self, asset: str, since: int, now: int) -> list[Pair]:
        """Contracts whose open interest is known at `since` and fresh `now`, with a price."""
        return pairs(self.contracts(asset), since, self._fresh, now)

    def reference(self, asset: str, now: int) -> Contract | None:
        """The contract that tells what is usual: of those fresh now the one with the longest past, then the largest."""
        fresh = [one for one in self.contracts(asset) if fresh_value(one.held, now, self._fresh.oi_ms) is not None]
        known = [one for one in fresh if one.funding_8h is not None and not one.inverse]
        return max(known or fresh, key=lambda one: (len(one.points), one.usd.value if one.usd else 0.0), default=None)

    def leverage(self, asset: str, now: int) -> Leverage | None:
        """How much leverage there is; None for an asset no venue told of."""
        contracts = self.contracts(asset)
        if not contracts:
            return None
        found = leverage(asset, contracts, self._fresh, now)
        told = {one.venue: one.oi_usd is not None for one in found.venues}
        missing = {name: self._silent(name, told) for name in self._listing(asset) if not told.get(name)}
        return msgspec.structs.replace(found, missing=missing)

    def _silent(self, venue: str, told: Container[str]) -> str:
        """Why nothing is known of a venue's open interest."""
        return self.why(venue) or ("tells no open interest in dollars" if venue in told else "told nothing lately")

    def stored(self) -> bytes:
        """All points, for a file."""
        kept = [
            _Kept(venue=one.venue, symbol=one.symbol, asset=one.asset, points=one.points.packed())
            for contracts in self._by_asset.values()
            for one in contracts.values()
            if len(one.points)
        ]
        return msgspec.msgpack.encode(kept)

    def load(self, stored: bytes) -> None:
        """Take up what `stored` gave. Raises SourceError for anything else, and then nothing is taken up."""
        try:
            found = [
                (_named(kept), list(Points.unpack(kept.points)))
                for kept in msgspec.msgpack.decode(stored, type=list[_Kept])
            ]
        except (msgspec.MsgspecError, ValueError) as error:
            raise SourceError(f"what was stored are no points: {error}") from None
        for ticker, points in found:
            self.recall(ticker, points)

    def _contract(self, ticker: Ticker) -> Contract:
        contracts, key = self._by_asset[ticker.asset], (ticker.venue, ticker.symbol)
        if key not in contracts:
            contracts[key] = Contract(ticker)
        return contracts[key]


def _named(kept: _Kept) -> Ticker:
    return Ticker(venue=kept.venue, symbol=kept.symbol, asset=kept.asset, at=0, seen=0)


def _size(one: Contract) -> float:
    return one.usd.value if one.usd else 0.0
