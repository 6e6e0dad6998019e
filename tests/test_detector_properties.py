"""What must hold on any stream, through the real judge over a real ledger: statistics have their own place."""

import random
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.detector import LATE_MS, Gauge, Rules
from service.model import HOUR, MINUTE, SECOND, Liquidation
from service.pipeline import judge
from service.pipeline.stored import CURSOR, Stored
from tests.streams import (
    BEGIN,
    COINS,
    ROUND_MS,
    RULES,
    WARM_MS,
    Balky,
    Street,
    Stretch,
    Told,
    backdrop,
    end_of,
    event,
    orders_of,
    played,
    raised,
    squeezes,
    streams,
    warmed,
)

END = BEGIN + 15 * MINUTE
SIGNALS = {"early", "level"}
LINE = ("asset", "phase", "rule", "side", "severity", "at")
#: No hour crosses its floor: what opens are the signals alone.
DEEP = Rules(
    floors={"ALL": 1e10, "default": 3e9}, early_floor=1e-4, breadth_floor=1e-3, fade_s=30, end_s=120, close_after_s=60
)

some = settings(
    max_examples=6,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
rounds = st.sets(st.integers(0, 150), min_size=1, max_size=12)


@pytest.fixture(autouse=True)
def every_round_is_written(monkeypatch) -> None:
    monkeypatch.setattr(judge, "SNAPSHOT_ROUNDS", 1)


async def told(stream: Sequence[Stretch], rules: Rules = RULES, factor: int = 1) -> Told:
    return await played(orders_of(stream), end_of(stream), rules, factor=factor)


async def through(street: Street, stream: Sequence[Stretch]) -> Told:
    await street.lead(street.judge, BEGIN)
    return await street.play(orders_of(stream), BEGIN, end_of(stream))


def gauges(told: Told) -> dict[str, Gauge]:
    """The stored signals of every market, moved to the same second: how far they had been moved is no part of what they know."""
    stored = {m: msgspec.msgpack.decode(one, type=Stored) for m, one in told.states.items() if m != CURSOR}
    found = {market: one.gauge for market, one in stored.items() if one.gauge}
    for gauge in found.values():
        gauge.advance(BEGIN + HOUR, RULES, gauge.heard)
        gauge.burst.move((BEGIN + HOUR) // SECOND)
    return found


@pytest.mark.parametrize(("kind", "rule"), [("lull", None), ("swell", "early"), ("whales", "level"), ("crash", "hour")])
@pytest.mark.parametrize("coin", COINS)
async def test_the_streams_hold_episodes_of_every_rule(kind, rule, coin):
    stream = [Stretch(kind, coin=coin), Stretch("lull", minutes=10)]

    found = await told(stream)

    of_all = [(alert.rule, alert.phase.value) for alert in found.alerts if alert.asset == "ALL"]
    assert of_all[:1] == ([(rule, "opened")] if rule else [])
    if rule in SIGNALS:
        assert of_all[-1] == ("calm", "closed")


@some
@given(streams, st.floats(0.1, 0.9))
async def test_what_comes_later_changes_nothing_that_was_said(stream, part):
    whole = await told(stream)
    until = BEGIN + int((end_of(stream) - BEGIN) * part) // ROUND_MS * ROUND_MS

    prefix = await played([one for one in orders_of(stream) if one.seen <= until], until)

    assert prefix.alerts == [alert for alert in whole.alerts if alert.at <= until]


class Shuffled(Street):
    """Batches come in another order than they were told."""

    def mixed(self, arrived: list[Liquidation]) -> list[Liquidation]:
        return random.Random(len(arrived)).sample(arrived, len(arrived))


@some
@given(streams)
async def test_the_order_inside_a_batch_changes_nothing(stream):
    assert await through(Shuffled(await warmed()), stream) == await told(stream)


@some
@given(streams, st.integers(0, 99))
async def test_the_order_of_arrival_inside_the_lateness_bound_changes_no_signal(stream, seed):
    rng = random.Random(seed)
    orders = [msgspec.structs.replace(one, seen=one.at + rng.randrange(LATE_MS)) for one in orders_of(stream)]

    early, late = await told(stream, DEEP), await played(orders, end_of(stream), DEEP)

    assert [one for one in late.lines(*LINE) if one[1] != "grew"] == [
        one for one in early.lines(*LINE) if one[1] != "grew"
    ]
    assert gauges(late) == gauges(early)


@some
@given(streams)
async def test_all_dollars_and_floors_times_a_thousand_gives_the_same_phases(stream):
    big = raised(RULES, 1024)

    assert (await told(stream, big, factor=1024)).lines(*LINE) == (await told(stream)).lines(*LINE)


@some
@given(squeezes, st.integers(0, 99))
async def test_orders_told_twice_change_nothing(stream, seed):
    """Of one side: where a flush ends while the hour of a squeeze already stands, that waits for the coin's next order,
    and an order told again is one: it is looked at a few seconds earlier then."""
    rng = random.Random(seed)
    orders = orders_of(stream)
    again = [msgspec.structs.replace(one, seen=one.seen + rng.randrange(3 * MINUTE)) for one in orders]

    twice, once = await played([*orders, *again], end_of(stream)), await told(stream)

    assert twice.alerts == once.alerts
    assert gauges(twice) == gauges(once)


class Restarted(Street):
    """Before some rounds the replica is lost and another takes over from what was written."""

    def __init__(self, ledger: Balky, at: set[int]) -> None:
        super().__init__(ledger, RULES, wavering)
        self.at = at

    async def change(self, number: int, now: int) -> None:
        if number in self.at:
            await self.lead(self.replica(), now)


def wavering(now: int) -> float:
    """A venue is lost every third minute, another every seventh."""
    return 1 - 0.3 * (now // MINUTE % 3 == 0) - 0.4 * (now // MINUTE % 7 == 0)


@some
@given(streams, rounds)
async def test_a_restart_at_any_moment_changes_nothing(stream, at):
    whole = await through(Restarted(await warmed(), set()), stream)

    assert await through(Restarted(await warmed(), at), stream) == whole


async def test_after_a_stop_only_the_stop_is_unheard_even_for_a_coin_at_rest():
    street, stop = Street(await warmed()), BEGIN + 30 * MINUTE
    await street.lead(street.judge, BEGIN)
    await street.play([one for one in backdrop(BEGIN, stop, 1) if one.asset == "BTC"], BEGIN, stop)
    back = stop + 10 * MINUTE

    await street.lead(street.replica(), back)
    await street.round([], back)

    known = {market: gauge.scale.known for market, gauge in street.judge.markets.gauges.items()}
    assert known["DOGE"] == known["BTC"] == known["ALL"] == (WARM_MS + 30 * MINUTE) // MINUTE + 1, "8 of 10 are lost"


class TakingTurns(Street):
    """Two replicas, each of which forgets nothing of what it knew, and leads now and then."""

    def __init__(self, ledger: Balky, at: set[int]) -> None:
        super().__init__(ledger)
        self.at, self.other = at, self.replica()

    async def change(self, number: int, now: int) -> None:
        if number in self.at:
            other, self.other = self.other, self.judge
            await self.lead(other, now)


@some
@given(streams, rounds)
async def test_two_replicas_taking_turns_are_one(stream, at):
    assert await through(TakingTurns(await warmed(), at), stream) == await told(stream)


class Failing(Street):
    """The first write of some rounds fails."""

    def __init__(self, ledger: Balky, at: set[int]) -> None:
        super().__init__(ledger)
        self.at = at

    async def change(self, number: int, _now: int) -> None:
        self.ledger.fails = number in self.at


@some
@given(streams, rounds)
async def test_a_write_that_fails_changes_nothing(stream, at):
    assert await through(Failing(await warmed(), at), stream) == await told(stream)


def lost(stretch: Stretch, told_at: int | None = None) -> list[Liquidation]:
    """What happens on the one venue that shows the stretch's coin, told at once or all together; another goes on."""
    orders = event(stretch, BEGIN, random.Random(1))
    if told_at:
        orders = [msgspec.structs.replace(one, seen=told_at) for one in orders]
    return orders + [one for one in backdrop(BEGIN, END, 1) if one.asset != stretch.coin]


storms = st.builds(
    Stretch, kind=st.sampled_from(["swell", "whales"]), coin=st.sampled_from(COINS), minutes=st.integers(2, 4)
)


@some
@given(storms, st.integers(5, 300))
async def test_a_backlog_told_after_a_reconnect_never_alarms_by_signals(stretch, later_s):
    back = BEGIN + stretch.minutes * MINUTE + later_s * SECOND

    assert (await played(lost(stretch, back), END, DEEP)).alerts == []


@pytest.mark.parametrize(("kind", "rule"), [("swell", "early"), ("whales", "level")])
@pytest.mark.parametrize("coin", COINS)
async def test_the_same_orders_told_in_time_do_alarm(kind, rule, coin):
    found = await played(lost(Stretch(kind, coin=coin)), END, DEEP)

    assert {alert.asset for alert in found.alerts} == {"ALL", coin}
    assert rule in found.rules()


#: A silence of ours so long that, taken for a silence of the market, it would be the usual thing.
GAP = 14 * HOUR
#: Everything is large enough to be spoken of, and unusual at six times the usual.
SHALLOW = replace(DEEP, breadth=6, early_floor=1e-9, breadth_floor=1e-9)


async def after_a_gap(heard: float) -> Told:
    """The market as it was for half an hour, then a gap of which `heard` is thought to be heard, then as it was."""
    first, back = BEGIN + 30 * MINUTE, BEGIN + 30 * MINUTE + GAP
    orders = backdrop(BEGIN, first, 1) + backdrop(back, back + 30 * MINUTE, 2)
    street = Street(await warmed(), SHALLOW, lambda now: heard if first < now <= back else 1.0)
    await street.lead(street.judge, BEGIN)
    await street.play([one for one in orders if one.at < first], BEGIN, first)
    await street.play([], first, back, MINUTE)
    return await street.play([one for one in orders if one.at >= back], back, back + 30 * MINUTE)


async def test_a_feed_gap_raises_no_alarm_when_the_feeds_are_back():
    assert (await after_a_gap(0.0)).alerts == []
    assert {alert.asset for alert in (await after_a_gap(1.0)).alerts} >= {"ALL", "BTC"}, "a real silence does teach"


@some
@given(storms)
async def test_half_a_market_raises_no_alarm_by_signals(stretch):
    assert (await played(lost(stretch), END, DEEP, heard=lambda _: 0.4)).alerts == []
    assert (await played(lost(stretch), END, DEEP, heard=lambda _: 0.6)).alerts != []
