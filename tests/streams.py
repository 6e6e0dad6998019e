"""Streams of liquidations for the detector, and the rounds in which the street judges them: a real ledger, a real judge."""

import copy
import math
import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import msgspec
from hypothesis import strategies as st

from service.detector import Rules
from service.ledger import LedgerError
from service.ledger.memory import MemoryLedger
from service.model import ALL, MINUTE, SECOND, SPANS, Alert, Coverage, Liquidation, Reading, Side
from service.pipeline import Judge
from service.pipeline import judge as judging
from tests.court import judge_over
from tests.orders import T0, order

#: Episodes that end soon: a stream of minutes then holds several.
RULES = Rules(fade_s=30, end_s=120, close_after_s=60)
#: A market is heard this long before anything in it can be unusual.
WARM_MS = 70 * MINUTE
BEGIN = T0 + WARM_MS
ROUND_MS = 5 * SECOND
COINS = ("BTC", "DOGE")
#: What may happen in a stretch: nothing; many orders that breed more; few large ones; some that are an hour by themselves.
KINDS = ("lull", "swell", "whales", "crash")
#: Venues in most tests: none of them is missing.
WHOLE = Coverage(venues_live=4, venues=4, seconds_share=1.0)

Cover = Callable[[int], float]


@dataclass(frozen=True)
class Stretch:
    kind: str
    coin: str = "BTC"
    side: Side = Side.SHORT
    minutes: int = 3
    seed: int = 0


stretches = st.builds(
    Stretch,
    kind=st.sampled_from(KINDS),
    coin=st.sampled_from(COINS),
    side=st.sampled_from(Side),
    minutes=st.integers(2, 4),
    seed=st.integers(0, 999),
)
#: At least one stretch in which something can happen.
streams = st.lists(stretches, min_size=1, max_size=3).map(lambda found: [*found, Stretch("lull", minutes=4)])
#: The same with one side only.
squeezes = streams.map(lambda found: [replace(one, side=Side.SHORT) for one in found])


def one(rng: random.Random, at: float, coin: str, side: Side, median: float) -> Liquidation:
    """An order of whole dollars, told within a second."""
    usd = float(max(1, round(median * math.exp(rng.gauss(0, 0.8)))))
    at = int(at)
    return order(
        usd,
        at,
        side,
        symbol=f"{coin}USDT",
        asset=coin,
        price=None,
        quantity=None,
        seen=at + rng.randrange(1000),
        id=f"{at}-{rng.getrandbits(40)}",
    )


def backdrop(since: int, until: int, seed: int) -> list[Liquidation]:
    """Quiet: an order every ten seconds, either coin, either side."""
    rng = random.Random(f"backdrop {seed} {since}")
    return [
        one(rng, at + rng.randrange(9_000), rng.choice(COINS), rng.choice(list(Side)), 10_000)
        for at in range(since, until, 10 * SECOND)
    ]


def orders_of(stream: Sequence[Stretch], begin: int = BEGIN) -> list[Liquidation]:
    """All orders of the stretches one after another."""
    found, at = [], begin
    for number, stretch in enumerate(stream):
        until = at + stretch.minutes * MINUTE
        found += backdrop(at, until, number)
        found += event(stretch, at, random.Random(f"{number} {stretch}"))
        at = until
    return sorted(found, key=lambda order: (order.seen, order.id))


def event(stretch: Stretch, at: int, rng: random.Random) -> list[Liquidation]:
    coin, side, length = stretch.coin, stretch.side, stretch.minutes * MINUTE
    if stretch.kind == "swell":
        seconds = [second for second in range(length // SECOND) for _ in range(int(swelling(second) + rng.random()))]
        return [one(rng, at + second * SECOND + rng.randrange(1000), coin, side, 15_000) for second in seconds]
    if stretch.kind == "whales":
        return [one(rng, at + step + rng.randrange(2900), coin, side, 500_000) for step in range(0, length, 3 * SECOND)]
    if stretch.kind == "crash":
        return [one(rng, at + rng.randrange(length), coin, side, 60e6) for _ in range(4)]
    return []


def swelling(second: int) -> float:
    """Orders a second, growing by e each half minute up to four a second."""
    return min(4.0, 0.3 * math.exp(second / 30))


@dataclass
class Told:
    """What came of a stream."""

    alerts: list[Alert] = field(default_factory=list)
    states: dict[str, bytes] = field(default_factory=dict)

    def lines(self, *names: str) -> list[tuple[object, ...]]:
        return [tuple(getattr(alert, name) for name in names) for alert in self.alerts]

    def rules(self, phase: str = "opened") -> set[str]:
        return {alert.rule for alert in self.alerts if alert.phase.value == phase}


class Street:
    """Rounds of judging over one ledger. Each judge is one replica; `judge` is the one that leads."""

    def __init__(self, ledger: "Balky", rules: Rules = RULES, heard: Cover | None = None) -> None:
        self.ledger, self.rules, self.heard = ledger, rules, heard
        self.told = Told()
        self.judge = self.replica()
        self.token = 0

    def replica(self) -> Judge:
        cover = (lambda _asset, _span, now: self.coverage(now)) if self.heard else None
        return judge_over(self.ledger, self.rules, cover)

    def coverage(self, now: int) -> Coverage:
        assert self.heard
        return msgspec.structs.replace(WHOLE, seconds_share=self.heard(now))

    async def lead(self, judge: Judge, now: int) -> None:
        """This replica judges from now on, and knows only what was written."""
        self.judge = judge
        self.token = await self.ledger.lease("street", 86_400_000) or 0
        await judge.load(now)

    async def round(self, arrived: Sequence[Liquidation], now: int) -> None:
        readings = list((await self.ledger.add(arrived, now)).readings) if arrived else []
        rest = {ALL, *await self.judge.listen(now)} - {reading.asset for reading in readings}
        readings += await self.ledger.read(sorted(rest), now)
        seen = [self.sized(reading) for reading in readings]
        try:
            alerts = await self.judge.observe(seen, self.token)
        except LedgerError:
            alerts = await self.judge.observe(seen, self.token)
        self.told.alerts += alerts

    def sized(self, reading: Reading) -> Reading:
        if self.heard is None:
            return reading
        return msgspec.structs.replace(reading, coverage=dict.fromkeys(SPANS, self.coverage(reading.now)))

    async def play(self, orders: Iterable[Liquidation], since: int, until: int, every: int = ROUND_MS) -> Told:
        """A round at every step of (since, until] with what has arrived by then; `change` is called before each."""
        waiting = deque(sorted(orders, key=lambda order: order.seen))
        for number, now in enumerate(range(since + every, until + 1, every)):
            arrived = []
            while waiting and waiting[0].seen <= now:
                arrived.append(waiting.popleft())
            await self.change(number, now - every)
            await self.round(self.mixed(arrived), now)
        self.told.states = await self.ledger.states()
        return self.told

    async def change(self, number: int, now: int) -> None:
        """What happens between two rounds: nothing."""

    def mixed(self, arrived: list[Liquidation]) -> list[Liquidation]:
        """The batch of a round as it is told."""
        return arrived


def raised(rules: Rules, factor: float) -> Rules:
    """The same rules with all floors times `factor`."""
    return replace(rules, floors={name: factor * floor for name, floor in rules.floors.items()})


class Balky(MemoryLedger):
    """A real ledger whose next write can be made to fail."""

    fails = False

    async def commit(self, token: int, states: Mapping[str, bytes | None], alerts: Sequence[Alert]) -> None:
        if self.fails:
            self.fails = False
            raise LedgerError("no answer")
        await super().commit(token, states, alerts)


async def warmed(factor: int = 1) -> Balky:
    """A ledger that has heard more than an hour of quiet, and whose judge has learnt it; all dollars times `factor`."""
    if factor not in _WARM:
        street = Street(Balky(), raised(RULES, factor))
        await street.lead(street.judge, T0)
        with patch.object(judging, "SNAPSHOT_ROUNDS", 1):
            await street.play(scaled(backdrop(T0, BEGIN, 0), factor), T0, BEGIN, 20 * SECOND)
        assert street.told.alerts == []
        _WARM[factor] = street.ledger
    return copy.deepcopy(_WARM[factor])


_WARM: dict[int, Balky] = {}


async def played(
    orders: Iterable[Liquidation], until: int, rules: Rules = RULES, *, factor: int = 1, heard: Cover | None = None
) -> Told:
    """What one replica tells of the orders up to `until`, all dollars times `factor`."""
    street = Street(await warmed(factor), rules, heard)
    await street.lead(street.judge, BEGIN)
    return await street.play(scaled(orders, factor), BEGIN, until)


def end_of(stream: Sequence[Stretch]) -> int:
    """When every order of the stream has been told and its second closed."""
    return BEGIN + sum(stretch.minutes for stretch in stream) * MINUTE + 2 * ROUND_MS


def scaled(orders: Iterable[Liquidation], factor: float) -> list[Liquidation]:
    return [msgspec.structs.replace(one, usd=one.usd * factor) for one in orders]
