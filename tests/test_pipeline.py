"""Right of the queue: settling, the gate, health, judging, and what survives a restart or an outage."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

import msgspec
import pytest

from service.detector import Rules
from service.ledger import Added, LeaseLostError, LedgerError
from service.ledger.buckets import SEEN_KEEP, SEEN_WIDTH
from service.ledger.memory import MemoryLedger
from service.model import (
    ALL,
    HOUR,
    MINUTE,
    RETIRED,
    BadFrame,
    Completeness,
    DecodeError,
    FeedState,
    Gap,
    Healed,
    Liquidation,
    Print,
    Side,
    SocketHealth,
)
from service.pipeline import Cover, Health, Heard, Judge, Knobs, Parts, Pipeline, Recent
from service.pipeline.gate import PAST_MS, refusal
from tests.court import judge_over
from tests.orders import T0, order

RULES = Rules(update_s=0)


class Frozen:
    """A clock the test moves by hand."""

    speed = 1.0

    def __init__(self, now: int = T0) -> None:
        self.at = now

    def now(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def grace(self, seconds: float) -> float:
        return seconds


def judge(ledger, **changes) -> Judge:
    return judge_over(ledger, RULES, **changes)


def complete(_at: int) -> Completeness:
    return Completeness.COMPLETE


async def feed(ledger, court: Judge, token: int, orders: Sequence[Liquidation]) -> list[str]:
    added = await ledger.add(orders, max(order.at for order in orders))
    return [f"{alert.asset} {alert.phase}" for alert in await court.observe(added.readings, token)]


async def test_an_alert_names_its_venues_contracts_and_largest_order():
    ledger = MemoryLedger()
    court, token = judge(ledger), await ledger.lease("me", 10_000)
    orders = [
        order(60e6),
        order(30e6, venue="okx", symbol="BTC-USDT-SWAP"),
        order(12e6, venue="okx", symbol="ETH-USDT-SWAP", asset="ETH"),
    ]

    await feed(ledger, court, token, orders)
    [(_, alert)] = [row for row in await ledger.alerts(None, 10) if row[1].asset == ALL]

    assert (alert.long_usd, alert.short_usd, alert.share) == (0, 102e6, 1.0)
    assert alert.venues == {"bybit": 60e6, "okx": 42e6}
    assert alert.symbols == {"BTCUSDT": 60e6, "BTC-USDT-SWAP": 30e6, "ETH-USDT-SWAP": 12e6}
    assert (alert.largest.venue, alert.largest.usd) == ("bybit", 60e6)
    assert alert.why.en.startswith(
        "22:00 UTC major short squeeze, all coins recorded: the hour crossed $100M, at least $102.0M liquidated, 100% shorts."
    )
    assert alert.id == f"{alert.episode}.1"
    assert (alert.estimated, alert.baseline, alert.lead, alert.price) == (None, None, None, None)


async def test_an_open_episode_goes_on_after_a_restart_without_a_second_opening():
    ledger = MemoryLedger()
    token = await ledger.lease("me", 10_000)
    assert await feed(ledger, judge(ledger), token, [order(101e6, asset="X")]) == ["ALL opened", "X opened"]

    reborn = judge(ledger)
    await reborn.load(T0)

    assert await feed(ledger, reborn, token, [order(10e6, T0 + 1000, asset="X")]) == []
    assert await feed(ledger, reborn, token, [order(60e6, T0 + 2000, asset="X")]) == ["ALL grew"]
    assert [episode.asset for episode in reborn.episodes()] == ["ALL", "X"]
    assert reborn.episodes()[1].parent == reborn.episodes()[0].id, "ALL speaks for it"
    assert reborn.episodes()[0].peak_usd == 171e6


async def test_who_lost_the_lease_says_nothing_and_changes_nothing():
    ledger = MemoryLedger()
    court, token = judge(ledger), await ledger.lease("me", 10_000)
    await ledger.release("me")
    other = await ledger.lease("you", 10_000)
    added = await ledger.add([order(101e6)], T0)

    with pytest.raises(LeaseLostError):
        await court.observe(added.readings, token)

    assert await ledger.alerts(None, 10) == []
    assert court.episodes() == []
    assert [alert.phase for alert in await court.observe(added.readings, other)] == ["opened", "opened"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"at": T0 + MINUTE + 1}, "future"),
        ({"at": T0 - 72 * HOUR - 1}, "past"),
        ({"usd": float("nan")}, "amount"),
        ({"usd": float("inf")}, "amount"),
        ({"usd": -5.0}, "amount"),
        ({"usd": 0.0}, "amount"),
    ],
)
def test_the_gate_refuses_what_no_window_may_hold(changed, reason):
    refused = refusal(msgspec.structs.replace(order(), **changed), T0)

    assert refused is not None
    assert refused[0] == reason


def test_the_gate_lets_a_backfill_and_a_slightly_fast_clock_pass():
    assert refusal(order(at=T0 - 71 * HOUR), T0) is None
    assert refusal(order(at=T0 + MINUTE), T0) is None


def test_the_ledger_remembers_longer_than_the_gate_waits():
    assert PAST_MS + SEEN_WIDTH < SEEN_KEEP


def told(health: Health, socket: str, state: FeedState, since: int, reason: str = "") -> None:
    health.told(SocketHealth(venue="bybit", socket=socket, state=state, since=since, reason=reason))


def awake(_venue: str, now: int) -> tuple[int, int]:
    """A feed that hears something all the time."""
    return 0, now


def listen(health: Health, since: int, until: int, step: int = 20_000) -> None:
    for now in range(since, until + 1, step):
        health.heard.beat(now)


async def test_a_venue_is_live_only_while_all_its_sockets_are_and_only_that_time_is_heard():
    ledger = MemoryLedger()
    health = Health({"bybit": complete}, Heard(awake))
    assert health.state("bybit") is FeedState.CONNECTING
    told(health, "linear", FeedState.LIVE, T0)
    told(health, "inverse", FeedState.CONNECTING, T0)
    assert health.state("bybit") is FeedState.CONNECTING
    listen(health, T0, T0 + 10 * MINUTE)
    told(health, "inverse", FeedState.LIVE, T0 + 10 * MINUTE)
    listen(health, T0 + 10 * MINUTE, T0 + 30 * MINUTE)
    await health.heard.write(ledger)
    listen(health, T0 + 30 * MINUTE, T0 + 40 * MINUTE)
    told(health, "linear", FeedState.DOWN, T0 + 40 * MINUTE)
    listen(health, T0 + 40 * MINUTE, T0 + 60 * MINUTE)

    await health.heard.write(ledger)
    cover = Cover(ledger, health, lambda _asset: ())
    await cover.refresh(T0 + 60 * MINUTE)
    coverage = cover.of(ALL, "1h", T0 + 60 * MINUTE)

    assert health.state("bybit") is FeedState.DOWN
    assert (coverage.venues_live, coverage.venues) == (0, 1)
    assert coverage.seconds_share == pytest.approx(0.5, abs=0.01)


async def test_writing_every_second_hears_as_much_as_writing_once():
    often, once = MemoryLedger(), MemoryLedger()
    for ledger in (often, once):
        health = Health({"bybit": complete}, Heard(awake))
        told(health, "linear", FeedState.LIVE, T0)
        for now in range(T0, T0 + HOUR + 1, 1_000):
            health.heard.beat(now)
            if ledger is often:
                await health.heard.write(ledger)
        await health.heard.write(ledger)

    # the last slot is not settled: what happened in its last seconds may be on its way
    shares = [await ledger.live_share(["bybit"], "1h", T0 + HOUR) for ledger in (often, once)]
    assert shares == [359 / 360] * 2


async def test_a_venue_is_heard_up_to_its_last_sign_of_life_not_to_the_notice_of_its_death():
    ledger = MemoryLedger()
    last = T0 + 30 * MINUTE
    health = Health({"bybit": complete}, Heard(lambda _venue, now: (0, min(now, last))))
    told(health, "linear", FeedState.LIVE, T0)
    listen(health, T0, T0 + 31 * MINUTE)
    await health.heard.write(ledger)
    told(health, "linear", FeedState.DOWN, T0 + 31 * MINUTE)
    await health.heard.write(ledger)

    assert await ledger.live_share(["bybit"], "1h", T0 + HOUR) == 179 / 360, "and the slot it died in is not whole"


async def test_a_stretch_nobody_listened_is_not_heard_though_the_venue_speaks_again():
    ledger = MemoryLedger()
    health = Health({"bybit": complete}, Heard(awake))
    told(health, "linear", FeedState.LIVE, T0)
    listen(health, T0, T0 + 20 * MINUTE)
    listen(health, T0 + 50 * MINUTE, T0 + 60 * MINUTE)  # the machine slept in between

    await health.heard.write(ledger)

    assert await ledger.live_share(["bybit"], "1h", T0 + HOUR) == (119 + 59) / 360


async def test_a_line_that_died_and_came_back_between_two_looks_was_not_heard_meanwhile():
    ledger, back = MemoryLedger(), T0 + 20 * MINUTE + 15_000
    line = [(T0, T0 + 20 * MINUTE)]
    health = Health({"bybit": complete}, Heard(lambda _venue, _now: line[-1]))
    told(health, "linear", FeedState.LIVE, T0)
    for now in range(T0, T0 + 20 * MINUTE + 1, 20_000):
        line.append((T0, now))
        health.heard.beat(now)
    for now in range(back + 5_000, T0 + HOUR + 1, 20_000):
        line.append((back, now))
        health.heard.beat(now)
    await health.heard.write(ledger)
    slots = await ledger.slots(["bybit"], T0 + HOUR)

    assert [(gap.since - T0, gap.until - T0) for gap in slots.gaps("bybit", T0, T0 + 50 * MINUTE)] == [
        (20 * MINUTE - 10_000, 20 * MINUTE + 20_000)
    ]


async def test_a_retired_socket_no_longer_speaks_for_its_venue():
    health = Health({"bybit": complete}, Heard(awake))
    told(health, "linear", FeedState.LIVE, T0)
    told(health, "old", FeedState.DOWN, T0)
    told(health, "old", FeedState.DOWN, T0 + 1, RETIRED)

    assert health.state("bybit") is FeedState.LIVE


class Street:
    """A pipeline on its own, with a settle that knows one contract."""

    def __init__(self, ledger, clock) -> None:
        self.rung = 0
        self.health = Health({"bybit": complete}, Heard(awake))
        cover = Cover(ledger, self.health, lambda _asset: ())
        recent = Recent(ledger)
        self.court = court = judge_over(ledger, RULES, cover.of, recent)
        parts = Parts(
            ledger=ledger,
            judge=court,
            recent=recent,
            health=self.health,
            cover=cover,
            clock=clock,
            settle={"bybit": self.settle},
            announce=self.ring,
        )
        self.pipeline = Pipeline(parts, Knobs(flush_ms=20), "me")

    def ring(self) -> None:
        self.rung += 1

    def settle(self, printed: Print) -> Liquidation | None:
        if printed.symbol == "MADUSDT":
            raise DecodeError("no sane sum")
        if printed.symbol != "BTCUSDT":
            return None
        usd = printed.price * printed.quantity
        return order(usd, printed.at, printed.side, id=printed.id)

    @contextlib.asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self.pipeline.run())
        try:
            yield self.pipeline
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def printed(symbol: str, quantity: float, id: str, at: int = T0) -> Print:
    return Print(venue="bybit", symbol=symbol, side=Side.SHORT, price=100.0, quantity=quantity, at=at, seen=at, id=id)


async def until(condition) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 5 s"
        await asyncio.sleep(0.01)


async def test_prints_become_windows_and_alerts_and_bad_ones_are_kept():
    ledger, clock = MemoryLedger(), Frozen()
    street = Street(ledger, clock)
    async with street.running() as pipeline:
        await pipeline.queue.put(printed("BTCUSDT", 1.1e6, "a"))
        await pipeline.queue.put(printed("BTCUSDT", 1.1e6, "a"))
        await pipeline.queue.put(printed("NEWUSDT", 1, "b"))
        await pipeline.queue.put(printed("BTCUSDT", 5, "c", at=T0 + HOUR))
        await pipeline.queue.put(printed("MADUSDT", 5, "d"))
        await pipeline.queue.put(BadFrame(venue="bybit", frame="{", reason="decode", detail="cut", seen=T0))
        await until(lambda: street.rung)

    [reading] = await ledger.read([ALL], T0)
    assert reading.spans["1h"].short_usd == 110e6
    assert reading.spans["1h"].short_count == 1
    assert {alert.asset for _, alert in await ledger.alerts(None, 10)} == {"ALL", "BTC"}
    assert {bad.reason for bad in await ledger.kept("bybit")} == {"future", "decode", "amount"}
    assert pipeline.leads


async def test_a_new_leader_says_what_was_counted_but_not_judged_and_nothing_old():
    ledger, clock = MemoryLedger(), Frozen()
    await ledger.add([order(6e6, asset="DOGE"), order(7e6, T0 - 3 * HOUR, asset="OLD")], T0)
    await ledger.lease("other", 300)
    street = Street(ledger, clock)
    async with street.running() as pipeline:
        await pipeline.queue.put(printed("BTCUSDT", 0.35e6, "a"))  # a follower hears it, an hour and a half too early
        await asyncio.sleep(0.15)
        clock.at = T0 + 50 * MINUTE
        await until(lambda: street.rung)

    assert [alert.asset for _, alert in await ledger.alerts(None, 10)] == ["BTC", "DOGE"]


async def test_what_a_stop_writes_is_judged(tmp_path):
    ledger = MemoryLedger()
    street = Street(ledger, Frozen())
    await street.pipeline.queue.put(printed("BTCUSDT", 0.35e6, "a"))

    await street.pipeline.drain()

    assert [alert.asset for _, alert in await ledger.alerts(None, 10)] == ["BTC"]


async def test_a_state_of_another_version_is_forgotten_not_fatal():
    ledger = MemoryLedger()
    token = await ledger.lease("me", 10_000)
    await ledger.commit(token, {"BTC": b'{"open":{"id":1}}'}, [])

    court = judge(ledger)
    await court.load(T0)

    assert court.open_markets == []


async def test_a_replica_that_does_not_judge_shows_the_episodes_of_the_one_that_does():
    ledger, clock = MemoryLedger(), Frozen()
    court, token = judge(ledger), await ledger.lease("other", 60_000)
    await feed(ledger, court, token, [order(101e6)])
    street = Street(ledger, clock)

    async with street.running():
        await until(street.court.episodes)

    assert [(episode.asset, episode.short_usd) for episode in street.court.episodes()] == [
        ("ALL", 101e6),
        ("BTC", 101e6),
    ]
    assert len(await ledger.alerts(None, 10)) == 2


class Flaky(MemoryLedger):
    """A real store behind a line that fails `faults` times, once even after the write was done."""

    def __init__(self, faults: int) -> None:
        super().__init__()
        self.faults = faults

    async def add(self, batch: Sequence[Liquidation], now: int) -> Added:
        if self.faults:
            self.faults -= 1
            if self.faults == 0:
                await super().add(batch, now)
            raise LedgerError("no answer")
        return await super().add(batch, now)


async def test_an_outage_of_the_store_loses_and_doubles_nothing():
    ledger = Flaky(faults=3)
    street = Street(ledger, Frozen())
    async with street.running() as pipeline:
        for number in range(700):
            await pipeline.queue.put(printed("BTCUSDT", 1, f"id{number}"))
        await until(lambda: pipeline.readings and pipeline.readings[ALL].spans["1h"].short_count == 700)

        assert pipeline.store_down_since is None
    assert pipeline.readings[ALL].spans["1h"].short_usd == 70_000


async def test_a_stop_between_queue_and_ledger_loses_nothing():
    ledger = Flaky(faults=10**9)
    street = Street(ledger, Frozen())
    async with street.running() as pipeline:
        await pipeline.queue.put(printed("BTCUSDT", 1, "x"))
        await until(lambda: pipeline.store_down_since)
        await pipeline.queue.put(printed("BTCUSDT", 1, "y"))

    ledger.faults = 0
    await pipeline.drain()

    [reading] = await ledger.read([ALL], T0)
    assert reading.spans["1h"].short_count == 2


async def test_an_episode_closes_by_time_alone():
    ledger, clock = MemoryLedger(), Frozen()
    street = Street(ledger, clock)
    async with street.running() as pipeline:
        await pipeline.queue.put(printed("BTCUSDT", 1.1e6, "a"))
        await until(lambda: street.rung)
        for minute in (70, 76):
            clock.at = T0 + minute * MINUTE
            await asyncio.sleep(1.1)
        await until(lambda: street.rung >= 2)

    phases = [(alert.asset, alert.phase.value) for _, alert in await ledger.alerts(None, 10)]
    assert sorted(phases) == [("ALL", "closed"), ("ALL", "opened"), ("BTC", "closed"), ("BTC", "opened")]


async def test_an_hour_told_after_it_was_over_opens_nothing_and_neither_does_a_restart():
    """A squeeze fell into an outage of a venue; its history tells it when it is over. It is counted, healed and quiet."""
    ledger, clock = MemoryLedger(), Frozen(T0 + 50 * MINUTE)
    past = [order(30e6, T0 + n * MINUTE, id=f"{n}", seen=T0 + 50 * MINUTE) for n in range(4)]
    for number in range(2):
        street = Street(ledger, clock)
        async with street.running() as pipeline:
            for item in (*past, Healed(venue="bybit", since=T0, until=T0 + 40 * MINUTE)):
                pipeline.queue.put_nowait(item)
            await until(
                lambda: pipeline.leads and ALL in pipeline.readings and pipeline.readings[ALL].spans["1h"].usd == 120e6
            )
            await asyncio.sleep(0.3)
        assert await ledger.alerts(None, 10) == [], number
        await ledger.release("me")
    assert (await ledger.slots(["bybit"], clock.at)).gaps("bybit", T0, T0 + 40 * MINUTE) == [
        Gap(since=T0, until=T0 + 40 * MINUTE, healed=True)
    ]


async def test_the_same_hour_told_in_time_opens_an_episode():
    ledger, clock = MemoryLedger(), Frozen(T0 + 50 * MINUTE)
    street = Street(ledger, clock)
    async with street.running() as pipeline:
        for number in range(4):
            pipeline.queue.put_nowait(order(30e6, T0 + 49 * MINUTE, id=f"{number}"))
        await until(lambda: street.rung > 0)
    assert [alert.phase for _, alert in await ledger.alerts(None, 10) if alert.asset == ALL] == ["opened"]
