"""Hyperliquid as its websocket pages describe it: the public socket and the streams of an account's fills.

https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api (websocket subscriptions, timeouts and heartbeats,
rate limits, the info endpoint); wordings of errors and the echo of a subscription as captured by third parties.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from service.clock import Clock
from service.model import Side
from service.simulator.base import VenueServer
from service.simulator.contracts import Listing, Order, name_of
from service.simulator.faults import Faults
from service.simulator.interest import Interest
from service.simulator.listener import Answer
from service.simulator.peer import Peer
from service.simulator.standing import hyperliquid as standing

#: Accounts that trade here: every order meets one of them, and nobody tells the others about it.
ACCOUNTS = tuple(f"0x{number:040x}" for number in (0xA1, 0xA2, 0xA3))
_LOTS = "1000"
_REPLAYED = 200
_MOST_ACCOUNTS = 10
_FILLS, _MARKS = "userFills", "activeAssetCtx"

Topic = Mapping[str, object]


class Hyperliquid(VenueServer):
    """Every `suffering`th order liquidates one of the accounts: both parties' streams tell it, as the real ones do."""

    name = "hyperliquid"
    ENDPOINTS = {"public": "ws://{at}/ws", "rest": "http://{at}", "sentinels": ",".join(ACCOUNTS)}  # noqa: RUF012
    slot_ms = 200
    idle_s: float = 60.0
    suffering: int = 5

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, symbols, faults)
        self.recent: deque[Order] = deque(maxlen=_REPLAYED)
        self.interest = Interest(funding=0.0000125, interval_h=1)

    def describe(self, symbol: str) -> Listing:
        """BTC; lots of a thousand are kPEPE; everything is counted in coins and paid in USDC."""
        base = f"{_LOTS}{symbol[1:]}" if symbol[:1] == "k" and symbol[1:].isupper() else name_of(symbol).base
        coin = f"k{base.removeprefix(_LOTS)}" if base.startswith(_LOTS) else base
        return Listing(symbol=coin, base=base, quote="USDC", expiry="", inverse=False, size=Decimal(1))

    def line(self, path: str) -> str | None:
        """The public socket is the only one."""
        return "public" if path == "/ws" else None

    async def attend(self, peer: Peer) -> None:
        """Closed when the venue has not said anything for a minute: a ping makes it speak."""
        await peer.idle(self.clock.grace(self.idle_s), lambda: peer.told_at)
        await peer.ws.close(1000, "Inactive")

    async def hear(self, peer: Peer, text: str | bytes) -> None:
        """A ping, or one subscription a request."""
        try:
            request = msgspec.json.decode(text, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            request = {}
        match request:
            case {"method": "ping"}:
                if not self.faults.mute_pongs:
                    await peer.say(_json({"channel": "pong"}))
            case {"method": "subscribe" | "unsubscribe" as method, "subscription": dict(topic)}:
                await self._topic(peer, str(method), topic)
            case _:
                await self._error(peer, f"Error parsing JSON into valid websocket request: {str(text)[:500]}")

    async def _topic(self, peer: Peer, method: str, topic: Topic) -> None:
        match topic:
            case {"type": "userFills", "user": str(user)} if len(user) == len(ACCOUNTS[0]):
                name = f"{_FILLS}:{user.lower()}"
                topic = {"type": _FILLS, "user": user.lower(), "aggregateByTime": False}
            case {"type": "activeAssetCtx", "coin": str(coin)} if any(coin == own.symbol for own in self.listings()):
                name, topic = f"{_MARKS}:{coin}", {"type": _MARKS, "coin": coin}
            case _:
                name = ""
        problem = "" if method == "unsubscribe" and name else self._problem(peer, name, topic)
        if problem:
            await self._error(peer, problem)
            return
        await peer.say(_json({"channel": "subscriptionResponse", "data": {"method": method, "subscription": topic}}))
        if method == "unsubscribe":
            peer.topics.pop(name, None)
            return
        self.subscribe(peer, {name: {}})
        if name.startswith(_FILLS) and not self.faults.silence:
            user = name.partition(":")[2]
            await peer.say(self._told(user, [order for order in self.recent if user in self._parties(order)], old=True))

    def _problem(self, peer: Peer, name: str, topic: Topic) -> str | None:
        echo = _json(topic)
        if not name or self.faults.refuse:
            return f"Invalid subscription {echo}"
        if name in peer.topics:
            return f"Already subscribed: {echo}"
        watched = {topic for peer in self.live for topic in peer.topics if topic.startswith(_FILLS)}
        if name.startswith(_FILLS) and len(watched | {name}) > _MOST_ACCOUNTS:
            return f"Cannot track more than {_MOST_ACCOUNTS} total users."
        return None

    async def _error(self, peer: Peer, text: str) -> None:
        await peer.say(_json({"channel": "error", "data": text}))

    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """One frame for what the same accounts met."""
        found: dict[tuple[str, ...], list[Order]] = {}
        for order in orders:
            found.setdefault(self._watched(order), []).append(order)
        return list(found.values())

    def _parties(self, order: Order) -> tuple[str, str]:
        """Who met the order, and who was liquidated: mostly a stranger."""
        number = _number(order)
        met = number % len(ACCOUNTS)
        stranger = f"0x{number:040x}"
        return ACCOUNTS[met], stranger if number % self.suffering else ACCOUNTS[met - 1]

    def _watched(self, order: Order) -> tuple[str, ...]:
        return tuple(party for party in self._parties(order) if party in ACCOUNTS)

    def remember(self, parcel: Sequence[Order]) -> None:
        """The last fills are told once more to whoever subscribes."""
        super().remember(parcel)
        self.recent.extend(parcel)

    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The streams of the accounts that traded."""
        names = (f"{_FILLS}:{user}" for user in self._watched(parcel[0]))
        return [name for name in names if name in peer.topics]

    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:  # noqa: ARG002  # the same for everybody
        """An account's own view."""
        return self._told(topic.partition(":")[2], parcel, old=False)

    def _told(self, user: str, orders: Sequence[Order], *, old: bool) -> str:
        fills = [self._fill(order, user) for order in orders]
        return _json({"channel": _FILLS, "data": {"isSnapshot": old, "user": user, "fills": fills}})

    def _fill(self, order: Order, user: str) -> Mapping[str, object]:
        """`side` is the account's own: who met a forced sale bought. One trade has one `tid` for both."""
        _, liquidated = self._parties(order)
        buys = (order.side is Side.SHORT) == (user == liquidated)
        number = _number(order)
        body: dict[str, object] = {"coin": order.listing.symbol, "px": order.price, "sz": order.quantity}
        body |= {"side": "B" if buys else "A", "time": order.at, "startPosition": "0.0"}
        body |= {"dir": "Open Long" if buys else "Open Short", "closedPnl": "0.0", "hash": f"0x{number:064x}"}
        body |= {"oid": number % 10**11, "crossed": user == liquidated, "fee": "0.0", "tid": number}
        told = {"liquidatedUser": liquidated, "markPx": order.price, "method": "market"}
        return body | {"liquidation": told, "feeToken": "USDC", "twapId": None}

    def mark(self, peer: Peer, topic: str) -> str | None:  # noqa: ARG002  # the same for everybody
        """One contract's context."""
        channel, _, coin = topic.partition(":")
        if channel != _MARKS:
            return None
        context = standing.context(self, self.describe(coin))
        return _json({"channel": _MARKS, "data": {"coin": coin, "ctx": context}})

    def rest(self, path: str, query: Mapping[str, str]) -> Answer:  # noqa: ARG002  # nothing is told to a GET
        """The venue's one REST path wants a POST."""
        return (405, "Method Not Allowed") if path == "/info" else (404, "Not Found")

    def post(self, path: str, body: bytes) -> Answer:
        """Names and contexts of all perpetuals."""
        return standing.info(self, body) if path == "/info" else (404, "Not Found")


def _number(order: Order) -> int:
    """50 bits over what identifies an order, the same in every run."""
    key = f"{order.listing.symbol} {order.at} {order.side} {order.price} {order.quantity}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest()) >> 14


def _json(body: object) -> str:
    return msgspec.json.encode(body).decode()
