"""What every local venue does with orders: list contracts, tell orders and marks to whoever subscribed, make faults.

A venue's words (paths, requests, acks, frames, metadata) are in its own file; the sockets are the listener's.
"""

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence

import msgspec

from service.clock import Clock
from service.simulator.contracts import Listing, Order, coins, order_of, plain, price_of
from service.simulator.faults import FUTURE_MS, NESTED, NOISE, Dice, Faults, Roll
from service.simulator.interest import Interest
from service.simulator.listener import Listener
from service.simulator.peer import Peer
from service.tape import Row

#: Control streams speak at most this often in real time, however fast the clock runs.
TICK_REAL_S = 0.5
SHUFFLE_MS = 1_000
_COIN_MARGINED = 12
_REMEMBERED = 200_000


class VenueServer(Listener):
    """One venue. Plain attributes may be set at any time."""

    slot_ms: int = 0
    """Orders are told at the end of slots this long (clock); 0 tells each at its time."""
    tick_s: float = 1.0
    """Pace of the control stream on the clock."""
    standing: int = 60
    """Coins listed besides the tape's; the first dozen have coin-margined contracts as well."""
    rest_only: bool = False
    """No socket at all: an order is told as soon as the REST history has it, and waits for nobody."""

    def __init__(self, clock: Clock, symbols: Iterable[str], faults: Faults) -> None:
        super().__init__(clock, faults)
        self.told = 0
        self.happened: deque[Order] = deque(maxlen=_REMEMBERED)
        """What the venue's REST history tells, in the order it happened; heard on a socket or not."""
        self.prices: dict[str, str] = {}
        self.interest = Interest()
        """What the venue shows beside its orders."""
        self._dice = Dice(f"{faults.seed} {self.name}")
        self._listed: dict[str, Listing] = {}
        self._all: list[Listing] = []
        self._all_of = 0
        self._owed: set[tuple[str, str]] = set()
        for symbol in symbols:
            self.list_symbol(symbol)

    @abstractmethod
    def describe(self, symbol: str) -> Listing:
        """A tape's symbol as this venue's contract."""

    @abstractmethod
    def parcels(self, orders: Sequence[Order]) -> list[list[Order]]:
        """Orders grouped into the frames they travel in."""

    @abstractmethod
    def topics(self, peer: Peer, parcel: Sequence[Order]) -> list[str]:
        """The client's topics that carry this parcel."""

    @abstractmethod
    def frame(self, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        """The parcel as this client gets it. Equal orders make equal identifying fields, in every run."""

    @abstractmethod
    def mark(self, peer: Peer, topic: str) -> str | None:
        """The control stream's next frame on a topic, None for a topic that carries liquidations."""

    def carried(self, line: str, topic: str) -> bool:
        """Whether some client gets what that topic of that line carries."""
        return any(peer.line == line and topic in peer.topics for peer in self.live)

    def list_symbol(self, symbol: str) -> Listing:
        """Show a contract in the metadata from now on; `symbol` may be a tape's or the venue's own name."""
        listing = self.describe(symbol)
        self._listed[listing.symbol] = listing
        self._all = []
        return listing

    def listings(self) -> list[Listing]:
        """Every contract in the metadata, by symbol: those of the tape and the standing list."""
        if not self._all or self._all_of != self.standing:
            named = {listing.symbol: listing for listing in map(self.describe, self.standing_symbols())}
            self._all_of = self.standing
            self._all = sorted((named | self._listed).values(), key=lambda listing: listing.symbol)
        return self._all

    def standing_symbols(self) -> list[str]:
        """The standing list, in the forms of a tape."""
        bases = list(coins(self.standing))
        return [f"{base}USDT" for base in bases] + [f"{base}USD" for base in bases[:_COIN_MARGINED]]

    def price(self, listing: Listing) -> str:
        """The mark: the last price told, else a plausible one."""
        return self.prices.get(listing.symbol) or plain(price_of(listing.base))

    def order(self, row: Row) -> Order:
        """A row as this venue's order. Twins of one file come a millisecond apart, since orders here have no id."""
        return order_of(row, self.describe(row.symbol), row.at + row.ordinal)

    def due(self, at: int) -> int:
        """When an order of that time is told, ms on the clock."""
        slot = max(self.slot_ms, SHUFFLE_MS if self.faults.shuffle else 0)
        return (at // slot + 1) * slot if slot else at

    async def start(self, host: str, port: int = 0) -> dict[str, str]:
        """Listen, and let the control stream run; the venue's endpoints by key."""
        endpoints = await super().start(host, port)
        self.spawn(self._tick())
        return endpoints

    async def push(self, orders: Sequence[Order], *, wait: bool) -> list[Order]:
        """Tell orders; returns those a client got, or the history shows. With `wait` each finds somebody first."""
        shuffle = self._dice.shuffle if self.faults.shuffle else list
        got: list[Order] = []
        for parcel in shuffle(self.parcels(shuffle(orders))):
            heard = self.rest_only or await self._tell(parcel, wait)
            self.remember(parcel)
            if heard:
                got += parcel
                self.told += len(parcel)
        return got

    def remember(self, parcel: Sequence[Order]) -> None:
        """Orders that have happened, heard or not."""
        self.happened.extend(parcel)
        for order in parcel:
            self.prices[order.listing.symbol] = order.price
            self.interest.liquidated(order)

    async def _tell(self, parcel: Sequence[Order], wait: bool) -> bool:
        roll = self._dice.roll(self.faults)
        if self.faults.slow:
            await self.clock.sleep(self.faults.slow)
        while not self._mute:
            await self._audience(parcel, wait)
            if await self._send(parcel, roll):
                await self._spoil(parcel, roll)
                return True
            if not wait:
                break
        return False

    def _listeners(self, parcel: Sequence[Order]) -> list[tuple[Peer, str]]:
        return [(peer, topic) for peer in self.live for topic in self.topics(peer, parcel)]

    async def _audience(self, parcel: Sequence[Order], wait: bool) -> None:
        while not self._mute and (self._owing() or (wait and not self._listeners(parcel))):
            self._changed.clear()
            await self._changed.wait()

    @property
    def _mute(self) -> bool:
        return self.faults.silence or self.faults.hollow

    def _owing(self) -> bool:
        self._owed = {route for route in self._owed if not self.carried(*route)}
        return bool(self._owed)

    async def _send(self, parcel: Sequence[Order], roll: Roll) -> bool:
        if self.faults.silence:
            return False
        texts = [(peer, self.frame(peer, topic, parcel)) for peer, topic in self._listeners(parcel)]
        times = range(2 if roll.twice else 1)
        return any(await asyncio.gather(*(peer.say(text) for peer, text in texts for _ in times)))

    async def _spoil(self, parcel: Sequence[Order], roll: Roll) -> None:
        listeners = self._listeners(parcel)
        if roll.spoil:
            for peer, topic in listeners:
                await peer.say(self._spoilt(roll.spoil, peer, topic, parcel))
        if roll.cut and listeners:
            await self._cut(self._dice.shuffle(listeners)[0][0])

    async def _cut(self, victim: Peer) -> None:
        if not self.faults.lossy:
            if not await victim.proved():
                return
            self._owed |= {(victim.line, topic) for topic in victim.topics if self.mark(victim, topic) is None}
        victim.abort()

    def _spoilt(self, kind: str, peer: Peer, topic: str, parcel: Sequence[Order]) -> str:
        match kind:
            case "noise":
                return NOISE
            case "nested":
                return NESTED
            case "truncated":
                text = self.frame(peer, topic, parcel)
                return text[: len(text) // 2]
            case _:
                return self.frame(peer, topic, [_bent(kind, order) for order in parcel])

    async def _tick(self) -> None:
        while True:
            await self.clock.sleep(max(self.tick_s, TICK_REAL_S * self.clock.speed))
            if not self.faults.silence:
                await asyncio.gather(*(self._mark(peer) for peer in self.live))

    async def _mark(self, peer: Peer) -> None:
        for topic in () if peer.clogged else list(peer.topics):
            text = self.mark(peer, topic)
            if text is not None:
                await peer.say(text)


def _bent(kind: str, order: Order) -> Order:
    if kind == "nan":
        return msgspec.structs.replace(order, price="NaN", quantity="NaN")
    if kind == "negative":
        return msgspec.structs.replace(order, quantity=f"-{order.quantity}")
    return msgspec.structs.replace(order, at=order.at + FUTURE_MS)
