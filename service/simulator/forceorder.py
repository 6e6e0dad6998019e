"""The dialect of forced orders as its pages describe it: requests, acks, refusals, pings, frames and marks.

Binance speaks it, and Aster repeats it. A venue's own file has its hosts, paths, contracts and limits.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from service.model import SECOND, Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, plain
from service.simulator.peer import Peer
from service.simulator.standing import premium

ALL_ORDERS = "!forceOrder@arr"
_ALL_MARKS = ("!markPrice@arr@1s", "!markPrice@arr")
_ONE_MARK = ("markPrice@1s", "markPrice")
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ORDER_WORDS = {Side.LONG: "SELL", Side.SHORT: "BUY"}
_BANKRUPT = {Side.LONG: Decimal("0.996"), Side.SHORT: Decimal("1.004")}


class ForceOrderServer(VenueServer):
    """`PATH` matches socket paths and names the streams in one as `names`; `MARKED` lines tell the marks of all."""

    PATH: ClassVar[re.Pattern[str]]
    MARKED: ClassVar[tuple[str, ...]]
    ping_every_s: float
    pong_within_s: float
    most_streams: int
    life_s: float = 86_400.0
    requests_per_s: int = 10

    def products(self, peer: Peer) -> list[Listing]:  # noqa: ARG002  # most hosts have one product
        """Contracts whose own streams are on the client's line."""
        return self.listings()

    def extras(self, listing: Listing) -> tuple[dict[str, object], dict[str, object]]:  # noqa: ARG002  # no more
        """What stands besides the documented fields behind the order's symbol, and on the envelope."""
        return {}, {}

    def opening(self, peer: Peer) -> list[str]:
        """Streams named in the URL."""
        url = urlsplit(peer.path)
        peer.combined = url.path.endswith("/stream")
        found = self.PATH.fullmatch(url.path)
        names = (found["names"] or "")[1:] if found else ""
        streams = parse_qs(url.query).get("streams", [""])[0] if peer.combined else unquote(names)
        return [name for name in streams.split("/") if name]

    async def attend(self, peer: Peer) -> None:
        """Ping frames, the pong of each in time, and the cut after 24 hours."""
        end = self.clock.now() + self.life_s * SECOND
        while (left := (end - self.clock.now()) / SECOND) > 0:
            await self.clock.sleep(min(self.ping_every_s, left))
            try:
                async with asyncio.timeout(self.clock.grace(self.pong_within_s)):
                    await (await peer.ws.ping())
            except TimeoutError:
                await peer.ws.close(1008, "Pong timeout")
                return
        await peer.ws.close(1001, "24 hours are over")

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """One JSON request; a client with more than 10 of them in a second is disconnected."""
        if peer.flooding(self.clock.now(), self.requests_per_s, SECOND):
            await peer.ws.close(1008, "Too many requests")
            return
        try:
            request = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            await self._error(peer, 3, "Invalid JSON: expected value at line 1 column 1")
            return
        fields = request if isinstance(request, dict) else {}
        await self._request(peer, fields, len(text))

    async def _request(self, peer: Peer, fields: Mapping[str, object], width: int) -> None:
        method, number, params = fields.get("method"), fields.get("id"), fields.get("params", [])
        if method is None:
            await self._error(peer, 2, f"Invalid request: missing field `method` at line 1 column {width}")
        elif method not in _METHODS:
            expected = ", ".join(f"`{known}`" for known in _METHODS)
            text = f"Invalid request: unknown variant `{method}`, expected one of {expected} at line 1 column {width}"
            await self._error(peer, 2, text)
        elif not isinstance(number, int) or isinstance(number, bool) or number < 0:
            await self._error(peer, 2, "Invalid request: request ID must be an unsigned integer")
        elif not isinstance(params, list):
            await self._error(peer, 2, "Invalid request: property name must be a string")
        elif method.endswith("_PROPERTY"):
            await self._property(peer, params, number)
        else:
            await self._streams(peer, str(method), params, number)

    async def _streams(self, peer: Peer, method: str, params: Sequence[object], number: int) -> None:
        names = [name for name in params if isinstance(name, str)]
        if method == "LIST_SUBSCRIPTIONS":
            await peer.say(_json({"result": list(peer.topics), "id": number}))
        elif len(names) < len(params):
            await self._error(peer, 2, "Invalid request: property name must be a string")
        elif self.faults.refuse or len(peer.topics) + len(names) > self.most_streams:
            await self._error(peer, 2, "Invalid request: too many parameters")
        else:
            await peer.say(_json({"result": None, "id": number}))
            if method == "SUBSCRIBE":
                self.subscribe(peer, {name: {} for name in names})
            for name in names if method == "UNSUBSCRIBE" else ():
                peer.topics.pop(name, None)

    async def _property(self, peer: Peer, params: Sequence[object], number: int) -> None:
        match list(params):
            case ["combined"]:
                await peer.say(_json({"result": peer.combined, "id": number}))
            case ["combined", bool(value)]:
                peer.combined = value
                await peer.say(_json({"result": None, "id": number}))
            case ["combined", _]:
                await self._error(peer, 1, "Invalid value type: expected Boolean")
            case _:
                await peer.say(_json({"code": 0, "msg": "Unknown property", "id": number}))

    async def _error(self, peer: Peer, code: int, text: str) -> None:
        await peer.say(_json({"code": code, "msg": text}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One order a frame."""
        return [[order] for order in orders]

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """All orders, and those of one symbol."""
        names = (ALL_ORDERS, f"{parcel[0].listing.symbol.lower()}@forceOrder")
        return [name for name in names if name in peer.topics]

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """The order's side; `ap` traded, `p` the limit near bankruptcy; `l` may be anything, as on the real stream."""
        (order,) = parcel
        inside, outside = self.extras(order.listing)
        told: dict[str, object] = {"s": order.listing.symbol} | inside
        told |= {"S": _ORDER_WORDS[order.side], "o": "LIMIT", "f": "IOC", "q": order.quantity}
        told |= {"p": plain(Decimal(order.price) * _BANKRUPT[order.side]), "ap": order.price, "X": "FILLED"}
        last = order.quantity if order.at % 3 else plain(Decimal(order.quantity) * Decimal("1.07"))
        told |= {"l": last, "z": order.quantity, "T": order.at}
        return self._wrapped(peer, topic, {"e": "forceOrder", "E": order.at + 2 + order.at % 5, "o": told} | outside)

    def mark(self, peer: Peer, topic: str) -> str | None:
        """Marks of all contracts, or of one."""
        listings = self.products(peer)
        if topic in _ALL_MARKS and peer.line in self.MARKED:
            return self._wrapped(peer, topic, [self.told_mark(listing) for listing in listings])
        symbol, _, stream = topic.partition("@")
        found = [listing for listing in listings if listing.symbol.lower() == symbol]
        return self._wrapped(peer, topic, self.told_mark(found[0])) if stream in _ONE_MARK and found else None

    def told_mark(self, listing: Listing) -> dict[str, object]:
        """One contract's mark."""
        now, price = self.clock.now(), self.price(listing)
        rate, due = premium.paid(self, listing)
        body: dict[str, object] = {"e": "markPriceUpdate", "E": now, "s": listing.symbol, "p": price, "P": price}
        return body | {"i": price, "r": rate, "T": due}

    def _wrapped(self, peer: Peer, topic: str, body: object) -> str:
        return _json({"stream": topic, "data": body} if peer.combined else body)


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
