"""One contract for every store, and what a server adds to it: keys, scripts, errors."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.ledger import LeaseLostError, live
from service.ledger.buckets import TICK, WINDOWS, cover
from service.ledger.memory import MemoryLedger
from service.model import (
    ALL,
    HOUR,
    MINUTE,
    RETIRED,
    SECOND,
    SPANS,
    Alert,
    BadFrame,
    Edge,
    FeedState,
    Gap,
    Kind,
    Largest,
    Liquidation,
    Phase,
    Severity,
    Side,
    SocketHealth,
    Totals,
    to_units,
)
from tests.conftest import erase
from tests.orders import T0, order

NOW = T0 + 5 * SECOND
DAY = 24 * HOUR


async def spans(ledger, now: int, asset: str = ALL) -> dict[str, Totals]:
    [reading] = await ledger.read([asset], now)
    return dict(reading.spans)


def counts(spans: dict[str, Totals]) -> dict[str, int]:
    return {name: totals.long_count + totals.short_count for name, totals in spans.items()}


# Counting


async def test_a_batch_sent_again_changes_nothing(ledger):
    batch = [order(usd=1000 + number, at=T0 + number) for number in range(300)]

    first = await ledger.add(batch, NOW)
    again = await ledger.add(batch, NOW)

    assert first.fresh == tuple(range(300))
    assert first.duplicates == 0
    assert (again.fresh, again.duplicates) == ((), 300)
    assert again.readings == first.readings


async def test_of_a_mixed_batch_only_the_new_orders_count(ledger):
    old, new = [order(usd=100, at=T0 + n) for n in range(50)], [order(usd=200, at=T0 + n) for n in range(50)]
    await ledger.add(old, NOW)

    added = await ledger.add([part for pair in zip(old, new, strict=True) for part in pair], NOW)

    assert added.fresh == tuple(range(1, 100, 2))
    assert added.duplicates == 50
    assert (await spans(ledger, NOW))["1m"] == Totals(short_usd=15_000, short_count=100)


async def test_an_order_twice_in_one_batch_counts_once(ledger):
    added = await ledger.add([order(), order(usd=7), order()], NOW)

    assert added.fresh == (0, 1)
    assert added.duplicates == 1


async def test_the_same_id_on_another_venue_is_another_order(ledger):
    added = await ledger.add([order(id="1"), order(id="1", venue="okx"), order(id="1", venue="bybit")], NOW)

    assert added.fresh == (0, 1)


async def test_a_batch_brings_readings_of_all_and_of_every_asset_it_touches_even_when_nothing_is_new(ledger):
    batch = [order(asset="ETH", side=Side.LONG, usd=5), order(asset="BTC", usd=7), order(asset="ETH", usd=11)]
    await ledger.add(batch, NOW)

    added = await ledger.add(batch, NOW)

    assert [reading.asset for reading in added.readings] == [ALL, "ETH", "BTC"]
    assert [reading.now for reading in added.readings] == [NOW] * 3
    assert added.readings[1].spans["24h"] == Totals(long_usd=5, long_count=1, short_usd=11, short_count=1)
    assert added.readings[0].spans["1m"] == Totals(long_usd=5, long_count=1, short_usd=18, short_count=2)


async def test_an_empty_batch_is_a_reading_of_all(ledger):
    added = await ledger.add([], NOW)

    assert [reading.asset for reading in added.readings] == [ALL]
    assert (added.fresh, added.duplicates) == ((), 0)


async def test_sums_are_exact_to_the_ten_thousandth_and_up_to_nine_hundred_billion(ledger):
    batch = [order(usd=0.0001 * n + 1e5, at=T0 + n) for n in range(999)]
    batch += [order(usd=4.5e11 - 0.0003, at=T0, side=Side.LONG), order(usd=4.5e11 - 0.0004, at=T0, side=Side.LONG)]

    await ledger.add(batch, NOW)

    total = (await spans(ledger, NOW))["24h"]
    assert to_units(total.short_usd) == sum(to_units(one.usd) for one in batch if one.side is Side.SHORT)
    assert total.long_usd == (9 * 10**15 - 7) / 10_000


async def test_a_coin_called_all_counts_once_in_the_whole_market(ledger):
    await ledger.add([order(asset=ALL, usd=3), order(asset="BTC", usd=4)], NOW)

    assert (await spans(ledger, NOW))["1h"].short_usd == 7


# Windows


@pytest.mark.parametrize("span", SPANS)
async def test_a_span_never_holds_what_is_older_and_lacks_less_than_one_bucket(ledger, span):
    length, width = SPANS[span], WINDOWS[span].width
    now = T0 + length + 7_777
    for at in (now - length - 1, now - length, now - length + width, now):
        await ledger.add([order(usd=1, at=at)], now)

    # what came at most a bucket after the old edge may be left out, what came before it must
    assert counts(await spans(ledger, now))[span] == 2


async def test_windows_lose_what_leaves_them_as_time_goes_on(ledger):
    await ledger.add([order(at=T0)], NOW)

    for now, inside in [
        (T0 + 59 * SECOND, "1m 5m 15m 1h 4h 24h"),
        (T0 + 60 * SECOND, "5m 15m 1h 4h 24h"),
        (T0 + 16 * MINUTE, "1h 4h 24h"),
        (T0 + HOUR, "4h 24h"),
        (T0 + DAY - 1, "24h"),
        (T0 + DAY, ""),
    ]:
        assert {span for span, number in counts(await spans(ledger, now)).items() if number} == set(inside.split())


@pytest.mark.parametrize("step", [10, 20, 50, 60, 70, 590, 610, 3550, 3590, 3610])
async def test_windows_are_right_whatever_steps_the_clock_takes(ledger, step):
    ticks = range(T0, T0 + 2 * HOUR, 10 * SECOND)
    await ledger.add([order(usd=1, at=at) for at in ticks], T0)

    for now in range(T0, T0 + 4 * HOUR, step * SECOND):
        found = counts(await spans(ledger, now))
        for span, window in WINDOWS.items():
            inside = [at for at in ticks if now - SPANS[span] < at // window.width * window.width <= now + MINUTE]
            assert found[span] == len(inside)


async def test_a_late_order_counts_in_the_spans_that_reach_it_only(ledger):
    await ledger.add([order(usd=1, at=T0)], T0)

    added = await ledger.add([order(usd=2, at=T0 - 20 * MINUTE), order(usd=4, at=T0 - 25 * HOUR)], T0)

    assert added.fresh == (0, 1)
    sums = {span: totals.short_usd for span, totals in added.readings[0].spans.items()}
    assert sums == {"1m": 1, "5m": 1, "15m": 1, "1h": 3, "4h": 3, "24h": 3}


async def test_an_order_a_minute_ahead_counts_at_once_and_a_later_one_when_it_is_due(ledger):
    ahead, later = order(usd=1, at=NOW + MINUTE), order(usd=2, at=NOW + 10 * MINUTE)

    added = await ledger.add([ahead, later], NOW)

    assert {totals.short_usd for totals in added.readings[0].spans.values()} == {1}
    for now in range(NOW, NOW + 10 * MINUTE, 10 * SECOND):
        due = later.at // TICK * TICK <= now + MINUTE
        assert (await spans(ledger, now))["15m"].short_usd == (3 if due else 1)
    assert (await spans(ledger, NOW + 10 * MINUTE))["5m"].short_usd == 2


async def test_after_days_of_silence_every_span_is_empty_and_counting_goes_on(ledger):
    await ledger.add([order(usd=1, at=T0)], T0)

    added = await ledger.add([order(usd=2, at=T0 + 9 * DAY)], T0 + 9 * DAY)

    assert {totals.short_usd for totals in added.readings[0].spans.values()} == {2}


async def test_a_clock_that_goes_back_reads_the_windows_where_they_stand(ledger):
    await ledger.add([order(usd=1, at=T0), order(usd=2, at=T0 + 10 * MINUTE)], T0 + 10 * MINUTE)

    [reading] = await ledger.read([ALL], T0)

    assert reading.now == T0 + 10 * MINUTE
    assert reading.spans["5m"].short_usd == 2
    added = await ledger.add([order(usd=4, at=T0 + MINUTE)], T0 + MINUTE)
    assert added.readings[0].spans["5m"].short_usd == 2
    assert added.readings[0].spans["15m"].short_usd == 7


async def test_readings_come_in_the_order_asked_and_unknown_assets_are_empty(ledger):
    await ledger.add([order(asset="BTC", usd=1), order(asset="ETH", usd=2)], NOW)

    readings = await ledger.read(["ETH", "nobody", ALL, "BTC"], NOW)

    assert [reading.asset for reading in readings] == ["ETH", "nobody", ALL, "BTC"]
    assert [reading.spans["1h"].usd for reading in readings] == [2, 0, 3, 1]
    assert await ledger.read([], NOW) == []


async def test_assets_are_those_of_the_last_day_by_name(ledger):
    await ledger.add(
        [order(asset=name, at=at, symbol=name) for name, at in [("OLD", T0), ("SOL", T0 + HOUR), ("BTC", T0 + HOUR)]],
        T0,
    )
    await ledger.add([order(asset="SOL", at=T0 - HOUR, usd=1)], T0 + HOUR)

    assert await ledger.assets(T0 + HOUR) == ["BTC", "OLD", "SOL"]
    assert await ledger.assets(T0 + DAY) == ["BTC", "SOL"]
    assert await ledger.assets(T0 + DAY + HOUR) == []


# Breakdowns


async def test_a_breakdown_names_venues_symbols_assets_and_the_largest_order(ledger):
    big = order(usd=9e6, at=T0 + 1, side=Side.LONG, venue="okx", symbol="BTC-USDT-SWAP")
    batch = [big, order(usd=4e6), order(usd=1e6, at=T0 + 2), order(usd=2e6, asset="ETH", symbol="ETHUSDT")]
    await ledger.add(batch, NOW)

    whole = await ledger.detail(ALL, "1h", NOW)
    assert (whole.asset, whole.span, whole.now) == (ALL, "1h", NOW)
    assert list(whole.venues) == ["okx", "bybit"]
    assert whole.venues["bybit"] == Totals(short_usd=7e6, short_count=3)
    assert list(whole.symbols) == ["BTC-USDT-SWAP", "BTCUSDT", "ETHUSDT"]
    assert whole.assets == {
        "BTC": Totals(long_usd=9e6, long_count=1, short_usd=5e6, short_count=2),
        "ETH": Totals(short_usd=2e6, short_count=1),
    }
    assert whole.largest == Largest(venue="okx", symbol="BTC-USDT-SWAP", side=Side.LONG, usd=9e6, at=T0 + 1)

    ether = await ledger.detail("ETH", "24h", NOW)
    assert (list(ether.venues), list(ether.symbols), dict(ether.assets)) == (["bybit"], ["ETHUSDT"], {})
    assert ether.largest.usd == 2e6
    nobody = await ledger.detail("nobody", "1m", NOW)
    assert (dict(nobody.venues), dict(nobody.symbols), nobody.largest) == ({}, {}, None)


async def test_a_breakdown_keeps_the_fifty_largest_symbols_and_ties_go_by_name(ledger):
    await ledger.add([order(usd=1000 - n // 2, symbol=f"S{n:02}") for n in range(60)], NOW)

    symbols = list((await ledger.detail(ALL, "5m", NOW)).symbols)

    assert symbols == [f"S{n:02}" for n in range(50)]


async def test_of_equal_orders_the_earliest_is_the_largest_whatever_came_first(ledger):
    late, early = order(usd=5, at=T0 + 400, symbol="A"), order(usd=5, at=T0 + 300, symbol="B")
    twin = order(usd=5, at=T0 + 300, symbol="C")

    for one in (late, twin, early):
        await ledger.add([one], NOW)

    assert (await ledger.detail(ALL, "1h", NOW)).largest.symbol == "B"


async def test_names_may_be_of_any_kind(ledger):
    odd = order(asset="币安人生", symbol="币安|人生:{USDT}", usd=12.5)
    await ledger.add([odd], NOW)

    detail = await ledger.detail("币安人生", "1h", NOW)
    assert list(detail.symbols) == ["币安|人生:{USDT}"]
    assert detail.largest.symbol == odd.symbol
    assert await ledger.assets(NOW) == ["币安人生"]


def test_a_window_is_covered_by_few_buckets_without_gap_or_overlap():
    for now in range(T0, T0 + 2 * HOUR, 7 * MINUTE + 13 * SECOND):
        for window in WINDOWS.values():
            start, stop = window.reach(now // TICK)
            pieces = [(slot * width, (slot + 1) * width) for width, slot in cover(start, stop)]
            assert all(end == begin for (_, end), (begin, _) in pairwise(pieces))
            assert (pieces[0][0], pieces[-1][1]) == (start, stop)
            assert len(pieces) <= 5 + 59 + 24 + 59 + 5


# Against a brute force


@dataclass
class Brute:
    """Every order remembered, every answer added up from scratch."""

    orders: dict[tuple[str, str], Liquidation] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)

    def add(self, batch: list[Liquidation], now: int) -> tuple[int, ...]:
        fresh = []
        for position, one in enumerate(batch):
            if (one.venue, one.id) not in self.orders:
                self.orders[one.venue, one.id] = one
                fresh.append(position)
                for asset in (one.asset, ALL):
                    self.newest.setdefault(asset, now)
        self.look([ALL, *(one.asset for one in batch)], now)
        return tuple(fresh)

    def look(self, assets: list[str], now: int) -> None:
        for asset in assets:
            if asset in self.newest:
                self.newest[asset] = max(self.newest[asset], now)

    def inside(self, asset: str, span: str, now: int) -> list[Liquidation]:
        width = 10 * SECOND if SPANS[span] <= HOUR else MINUTE
        return [
            one
            for one in self.orders.values()
            if asset in (ALL, one.asset) and now - SPANS[span] < one.at // width * width <= now + MINUTE
        ]

    def totals(self, orders: list[Liquidation]) -> Totals:
        usd, number = Counter(), Counter()
        for one in orders:
            usd[one.side] += to_units(one.usd)
            number[one.side] += 1
        return Totals(
            long_usd=usd[Side.LONG] / 10_000,
            short_usd=usd[Side.SHORT] / 10_000,
            long_count=number[Side.LONG],
            short_count=number[Side.SHORT],
        )


ASSETS = ["BTC", "ETH", "SOL"]
steps = st.lists(
    st.tuples(
        st.sampled_from([-70, -11, 0, 0, 1, 9, 10, 50, 61, 300, 3599, 3600, 4000, 20_000, 86_401, 200_000]),
        st.lists(
            st.tuples(
                st.sampled_from(ASSETS),
                st.sampled_from(Side),
                st.sampled_from(
                    [
                        0,
                        0,
                        1,
                        9,
                        10,
                        59,
                        61,
                        300,
                        3599,
                        3601,
                        14_400,
                        86_399,
                        86_401,
                        110_000,
                        -30,
                        -60,
                        -65,
                        -75,
                        -100,
                        -600,
                    ]
                ),
                st.integers(1, 10**7),
                st.booleans(),
            ),
            max_size=6,
        ),
    ),
    min_size=1,
    max_size=12,
)


def batch_of(rows, now: int, known: list[Liquidation], numbers) -> list[Liquidation]:
    batch = []
    for asset, side, age, units, again in rows:
        recent = [one for one in known if one.at > now - DAY]
        if again and recent:
            batch.append(recent[units % len(recent)])
            continue
        at = now - age * SECOND + units % 999
        batch.append(
            order(usd=units / 10_000, at=at, side=side, asset=asset, symbol=f"{asset}X", id=str(next(numbers)))
        )
    return batch


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_whatever_comes_whenever_every_store_agrees_with_a_brute_force(redis_ledger, steps):
    brute, memory, now, numbers = Brute(), MemoryLedger(), T0 + 3_456, count()
    await erase(redis_ledger)
    for step, rows in steps:
        now += step * SECOND
        batch = batch_of(rows, now, list(brute.orders.values()), numbers)
        fresh = brute.add(batch, now)
        added = await redis_ledger.add(batch, now)
        assert added == await memory.add(batch, now)
        assert added.fresh == fresh
        assets = [*ASSETS[: step % 4], ALL]
        brute.look(assets, now)
        readings = await redis_ledger.read(assets, now)
        assert readings == await memory.read(assets, now)
        for reading in (*added.readings, *readings):
            seen = brute.newest.get(reading.asset, now)
            for span in SPANS:
                assert reading.spans[span] == brute.totals(brute.inside(reading.asset, span, max(now, seen)))
    for asset in (ALL, "BTC"):
        for span in ("1m", "1h", "24h"):
            detail = await redis_ledger.detail(asset, span, now)
            assert detail == await memory.detail(asset, span, now)
            inside = brute.inside(asset, span, now)
            assert detail.venues.get("bybit", Totals()) == brute.totals(inside)
            assert (detail.largest and to_units(detail.largest.usd)) == max(
                (to_units(one.usd) for one in inside), default=None
            )


# What the old edge leaves out


def truth(orders: list[Liquidation], span: str, now: int, asset: str = ALL) -> float:
    """Dollars that are really younger than the span."""
    width = WINDOWS[span].width
    inside = [
        one
        for one in orders
        if asset in (ALL, one.asset) and one.at > now - SPANS[span] and one.at // width * width <= now + MINUTE
    ]
    return sum(to_units(one.usd) for one in inside) / 10_000


@pytest.mark.parametrize("span", SPANS)
async def test_the_bucket_at_the_old_edge_is_told_with_the_part_that_is_inside(ledger, span):
    length, width = SPANS[span], WINDOWS[span].width
    now = T0 + length + width // 4
    ages = {1: width // 4 + 1, 2: 0, 4: -width // 2, 8: -width}  # dollars: how much older than the span
    await ledger.add([order(usd=usd, at=now - length - age) for usd, age in ages.items()], now)

    edges, counted = await ledger.edges("BTC", now), (await spans(ledger, now, "BTC"))[span]

    assert list(edges) == list(SPANS)
    assert edges[span] == Edge(totals=Totals(short_usd=6, short_count=2), inside=0.75)
    assert (counted.usd, edges[span].mid_usd(counted), edges[span].hi_usd(counted)) == (8, 12.5, 14)
    assert (await ledger.edges("ETH", now))[span].totals == Totals()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, off=st.integers(0, 59_999))
async def test_the_truth_always_lies_between_a_total_and_the_total_with_its_edge(redis_ledger, steps, off):
    memory, orders, now, numbers = MemoryLedger(), dict[str, Liquidation](), T0 + 3_456 + off, count()
    await erase(redis_ledger)
    for step, rows in steps:
        now = max(now, now + step * SECOND)
        batch = batch_of(rows, now, list(orders.values()), numbers)
        orders |= {one.id: one for one in batch}
        for store in (memory, redis_ledger):
            await store.add(batch, now)
        for asset in (ALL, "BTC"):
            edges, counted = await memory.edges(asset, now), await spans(memory, now, asset)
            assert await redis_ledger.edges(asset, now) == edges
            for span, totals in counted.items():
                held = truth(list(orders.values()), span, now, asset)
                edge = edges[span]
                assert totals.usd <= held <= edge.hi_usd(totals)
                assert totals.usd <= edge.mid_usd(totals) <= edge.hi_usd(totals)


async def test_the_middle_is_nearer_to_the_truth_than_the_floor():
    ledger, chance = MemoryLedger(), random.Random(1)
    orders = [
        order(usd=round(chance.expovariate(0.001), 4), at=T0 + chance.randrange(2 * HOUR), id=str(number))
        for number in range(8_000)
    ]
    await ledger.add(orders, T0 + HOUR)
    off = {span: [0.0, 0.0] for span in ("1m", "15m", "1h")}
    for now in range(T0 + HOUR + 1_234, T0 + 2 * HOUR, 77_777):
        edges, counted = await ledger.edges(ALL, now), await spans(ledger, now)
        for span, sums in off.items():
            held = truth(orders, span, now)
            sums[0] += held - counted[span].usd
            sums[1] += abs(held - edges[span].mid_usd(counted[span]))

    for low, middle in off.values():
        assert 0 < middle < low / 2


# History


async def test_history_is_the_hours_with_orders_by_their_start(ledger):
    orders = [order(usd=1, at=T0), order(usd=2, at=T0 + 59 * MINUTE, side=Side.LONG), order(usd=4, at=T0 - 5 * HOUR)]
    await ledger.add([*orders, order(usd=8, at=T0 + HOUR, asset="ETH")], T0)

    hour = T0 // HOUR * HOUR
    known = {
        hour - 5 * HOUR: Totals(short_usd=4, short_count=1),
        hour: Totals(long_usd=2, long_count=1, short_usd=1, short_count=1),
    }
    assert await ledger.history("BTC", T0 - DAY, T0 + DAY) == known
    assert list(await ledger.history(ALL, T0 - DAY, T0 + DAY)) == [*known, hour + HOUR]
    assert list(await ledger.history("BTC", hour - 5 * HOUR, hour)) == [hour - 5 * HOUR]
    assert await ledger.history("BTC", hour + 1, T0 + DAY) == await ledger.history("SOL", T0 - DAY, T0 + DAY) == {}


async def test_history_is_kept_when_no_window_reaches_it_any_more_and_late_orders_still_find_it(ledger):
    await ledger.add([order(usd=1, at=T0)], T0)
    for day in range(1, 6):
        await ledger.add([order(usd=1, at=T0 + day * DAY, id=str(day))], T0 + day * DAY)

    await ledger.add([order(usd=2, at=T0 + MINUTE)], T0 + 5 * DAY)

    found = await ledger.history("BTC", T0, T0 + 6 * DAY)
    assert [totals.short_usd for totals in found.values()] == [3, 1, 1, 1, 1, 1]
    assert (await ledger.detail(ALL, "24h", T0 + 5 * DAY)).largest.usd == 1


# Live time


async def test_live_share_counts_whole_slots_of_every_venue(ledger):
    now = T0 + HOUR
    assert await ledger.live_share(["bybit", "okx"], "1h", now) == 0
    await ledger.mark_live(["bybit"], T0, now)
    await ledger.mark_live(["bybit", "okx"], T0 + 30 * MINUTE, now)

    assert await ledger.live_share(["bybit", "okx"], "1h", now) == 0.75
    assert await ledger.live_share(["okx"], "1h", now) == 0.5
    assert await ledger.live_share(["okx"], "15m", now) == 1
    assert await ledger.live_share(["bybit"], "4h", now) == 0.25
    assert await ledger.live_share([], "1h", now) is None


async def test_a_slot_heard_in_part_is_not_live(ledger):
    await ledger.mark_live(["okx"], T0 + 1, T0 + 19_999)
    assert await ledger.live_share(["okx"], "1m", T0 + MINUTE) == 0

    await ledger.mark_live(["okx"], T0 + 9_999, T0 + 20_000)
    assert await ledger.live_share(["okx"], "1m", T0 + MINUTE) == 1 / 6


async def test_a_day_of_live_time_marked_twice_is_a_day(ledger):
    for _ in range(2):
        await ledger.mark_live(["okx", "bybit"], T0 - 3 * DAY, T0 + 5_000)

    assert await ledger.live_share(["okx", "bybit"], "24h", T0) == 1
    assert await ledger.live_share(["okx", "gate"], "24h", T0 + 5_000) == 0.5


async def test_what_history_filled_counts_as_heard_and_is_told_apart(ledger):
    now = T0 + HOUR
    await ledger.mark_live(["okx"], T0, T0 + 30 * MINUTE)
    await ledger.mark_healed("okx", T0 + 20 * MINUTE, T0 + 45 * MINUTE)
    slots = await ledger.slots(["okx"], now)

    assert await ledger.live_share(["okx"], "1h", now) == 0.75
    assert slots.shares(["okx"], live.window("1h", now)) == (0.75, 0.25)
    assert slots.shares([], live.window("1h", now)) is None
    assert slots.last_live("okx") == T0 + 30 * MINUTE
    assert slots.last_live("gate") is None
    assert slots.gaps("okx", T0 + 1, now) == [
        Gap(since=T0 + 30 * MINUTE, until=T0 + 45 * MINUTE, healed=True),
        Gap(since=T0 + 45 * MINUTE, until=now, healed=False),
    ]


async def test_what_was_heard_can_be_taken_back_whole_slots_outward(ledger):
    await ledger.mark_live(["okx", "bybit"], T0 - HOUR, T0 + HOUR)
    await ledger.mark_healed("okx", T0, T0 + HOUR)
    await ledger.mark_deaf("okx", T0 + 9_999, T0 + 20_001)
    slots = await ledger.slots(["okx", "bybit"], T0 + HOUR)

    assert slots.gaps("okx", T0 - HOUR, T0 + HOUR) == [Gap(since=T0, until=T0 + 30_000, healed=False)]
    assert slots.gaps("bybit", T0 - HOUR, T0 + HOUR) == []
    await ledger.mark_live(["okx"], T0, T0 + 30_000)
    assert (await ledger.slots(["okx"], T0 + HOUR)).gaps("okx", T0 - HOUR, T0 + HOUR) == []


async def test_orders_of_a_venue_are_recalled_by_their_own_time(ledger):
    orders = [order(at=T0 + n * MINUTE, id=f"{n}", venue="okx" if n % 2 else "gate") for n in range(600)]
    for start in range(0, 600, 2):
        await ledger.add(orders[start : start + 2], T0 + start * MINUTE)
    found = await ledger.recall(["okx"], T0 + 10 * MINUTE, T0 + 15 * MINUTE)

    assert sorted(one.id for one in found) == ["11", "13"]
    assert {one.venue for one in found} == {"okx"}
    assert await ledger.recall(["bybit"], T0, T0 + DAY) == []
    assert len(await ledger.recall(["okx", "gate"], T0, T0 + DAY)) == 600


async def test_whoever_follows_sees_each_order_once_in_the_order_it_was_counted(ledger):
    orders = [order(at=T0 + n * MINUTE, id=f"{n}") for n in range(500)]
    found, cursor = await ledger.follow(None, T0)
    assert found == []
    for one in orders:
        await ledger.add([one, orders[0]], one.at)
        if one.id == "100":
            found, middle = await ledger.follow(cursor, T0)
            assert [row.id for row in found] == [row.id for row in orders[:101]]
    rest = []
    while page := await ledger.follow(middle, T0):
        if not page[0]:
            break
        rest += page[0]
        middle = page[1]

    assert [row.id for row in rest] == [row.id for row in orders[101:]]
    late, end = await ledger.follow(None, T0 + 450 * MINUTE)
    assert {row.id for row in late} >= {row.id for row in orders[450:]}
    assert end == middle
    assert await ledger.follow(end, T0) == ([], end)


# Who may speak


async def test_only_one_holds_the_lease_and_the_token_grows_when_it_changes_hands(ledger):
    first = await ledger.lease("a", 60_000)
    assert await ledger.lease("a", 60_000) == first
    assert await ledger.lease("b", 60_000) is None

    await ledger.release("b")
    assert await ledger.lease("b", 60_000) is None
    await ledger.release("a")
    second = await ledger.lease("b", 60_000)
    assert second > first


async def test_a_lease_that_is_not_renewed_is_free_for_the_next(ledger):
    first = await ledger.lease("a", 60)
    await asyncio.sleep(0.1)

    assert await ledger.lease("b", 60_000) > first
    assert await ledger.lease("a", 60_000) is None


def alert(number: int, **changes) -> Alert:
    fields = {
        "id": f"e.{number}",
        "episode": "e",
        "kind": Kind.SHORT_SQUEEZE,
        "phase": Phase.OPENED,
        "severity": Severity.WATCH,
        "asset": ALL,
        "side": Side.SHORT,
        "span": "1h",
        "started_at": T0,
        "at": T0 + number,
        "long_usd": 2e6,
        "short_usd": 102e6,
        "share": 0.98,
        "at_least": True,
        "peak_usd": 104e6,
        "symbols": {"币安人生USDT": 1.5},
    }
    return Alert(**(fields | changes))


async def test_states_are_kept_until_they_are_dropped(ledger):
    token = await ledger.lease("a", 60_000)
    await ledger.commit(token, {ALL: b"\x00\xff", "BTC": b"{}"}, [])
    assert await ledger.states() == {ALL: b"\x00\xff", "BTC": b"{}"}

    await ledger.commit(token, {ALL: None, "ETH": b"1", "gone": None}, [])
    assert await ledger.states() == {"BTC": b"{}", "ETH": b"1"}


async def test_whoever_lost_the_lease_writes_nothing(ledger):
    token = await ledger.lease("a", 60_000)
    await ledger.release("a")
    await ledger.lease("b", 60_000)

    with pytest.raises(LeaseLostError, match=f"token {token} "):
        await ledger.commit(token, {ALL: b"1"}, [alert(1)])

    assert await ledger.states() == {}
    assert await ledger.alerts(None, 10) == []


async def test_nobody_speaks_before_the_first_lease(ledger):
    with pytest.raises(LeaseLostError):
        await ledger.commit(1, {}, [alert(1)])


# What was said


async def archived(ledger, *numbers: int) -> list[str]:
    token = await ledger.lease("a", 60_000)
    await ledger.commit(token, {}, [alert(number) for number in numbers])
    return [cursor for cursor, _ in await ledger.alerts(None, 1000)]


async def test_alerts_come_back_as_they_were_written_oldest_first(ledger):
    await archived(ledger, *range(7))

    found = await ledger.alerts(None, 3)
    assert [one for _, one in found] == [alert(4), alert(5), alert(6)]
    since = (await ledger.alerts(None, 7))[1][0]
    assert [one.id for _, one in await ledger.alerts(since, 3)] == ["e.2", "e.3", "e.4"]
    assert [one.id for _, one in await ledger.alerts("0-0", 1)] == ["e.0"]
    assert await ledger.alerts(found[-1][0], 10) == []


async def test_an_alert_is_said_once(ledger):
    await archived(ledger, 1, 2, 1)
    token = await ledger.lease("a", 60_000)
    await ledger.commit(token, {}, [alert(2, peak_usd=1), alert(3)])

    assert [one.id for _, one in await ledger.alerts(None, 10)] == ["e.1", "e.2", "e.3"]
    assert await ledger.alert("e.2") == alert(2)
    assert await ledger.alert("e.9") is None


@pytest.mark.parametrize("cursor", ["", "5", "x-1", "1-2-3", "-1-0", "1-0 ", "$", "18446744073709551616-0", "٣-٠"])
async def test_a_cursor_of_another_form_is_named(ledger, cursor):
    with pytest.raises(ValueError, match="cursor looks like") as told:
        await ledger.alerts(cursor, 10)
    assert repr(cursor) in str(told.value)
    for saying in (ledger.advance("log", cursor), ledger.refuse("log", cursor, "e.1", "gone")):
        with pytest.raises(ValueError, match="cursor looks like"):
            await saying


async def test_a_limit_below_one_is_refused(ledger):
    for asking in (ledger.alerts(None, 0), ledger.alerts("0-0", -1), ledger.kept("okx", 0), ledger.refused("log", 0)):
        with pytest.raises(ValueError, match="limit must be at least 1"):
            await asking


async def test_each_sink_has_its_own_place_and_never_goes_back(ledger):
    assert await ledger.cursor("log") is None
    await ledger.advance("log", "5-10")
    await ledger.advance("telegram", "4-0")
    for late in ("5-9", "4-99", "5-10"):
        await ledger.advance("log", late)

    assert await ledger.cursor("log") == "5-10"
    await ledger.advance("log", "10-0")
    assert await ledger.cursor("log") == "10-0"
    assert await ledger.cursor("telegram") == "4-0"


async def test_what_a_sink_refuses_moves_its_cursor_and_is_kept_with_its_reason(ledger):
    before = time.time_ns() // 1_000_000
    cursors = await archived(ledger, 1, 2)
    await ledger.refuse("slack", cursors[0], "e.1", "answered 404 ☃")
    await ledger.refuse("slack", cursors[1], "e.2", "answered 410")
    await ledger.refuse("币", cursors[1], "e.2", "gone")

    newest, oldest = await ledger.refused("slack")
    assert (oldest.sink, oldest.alert, oldest.cursor, oldest.reason) == ("slack", "e.1", cursors[0], "answered 404 ☃")
    assert before - 2_000 <= oldest.at <= newest.at <= before + 60_000
    assert await ledger.refused("slack", 1) == [newest]
    assert await ledger.cursor("slack") == cursors[1]
    assert [one.alert for one in await ledger.refused("币")] == ["e.2"]
    assert await ledger.refused("discord") == []


async def test_a_refusal_said_again_or_behind_the_cursor_is_not_kept_twice(ledger):
    await ledger.refuse("slack", "5-1", "e.1", "gone")
    for late in ("5-1", "5-0", "4-9"):
        await ledger.refuse("slack", late, "e.1", "gone")
    await ledger.advance("slack", "6-0")
    await ledger.refuse("slack", "6-0", "e.2", "was delivered by the next leader")

    assert [one.cursor for one in await ledger.refused("slack")] == ["5-1"]
    assert await ledger.cursor("slack") == "6-0"


async def test_the_newest_hundred_refusals_of_a_sink_stay(ledger):
    for number in range(103):
        await ledger.refuse("slack", f"{number}-1", f"e.{number}", "gone")

    assert [one.alert for one in await ledger.refused("slack", 1_000)] == [f"e.{n}" for n in range(102, 2, -1)]
    assert len(await ledger.refused("slack")) == 20


async def test_what_is_pending_is_counted_behind_the_cursor_up_to_a_limit(ledger):
    cursors = await archived(ledger, *range(7))
    assert await ledger.pending("slack", 10) is None

    await ledger.advance("slack", "0-0")
    assert [await ledger.pending("slack", most) for most in (3, 7, 10)] == [3, 7, 7]
    await ledger.advance("slack", cursors[4])
    assert await ledger.pending("slack", 10) == 2
    await ledger.advance("slack", cursors[6])
    assert await ledger.pending("slack", 10) == 0


async def test_health_is_the_latest_word_of_each_socket(ledger):
    live = SocketHealth(venue="okx", socket="a", state=FeedState.LIVE, since=1)
    down = SocketHealth(venue="bybit", socket="linear-0", state=FeedState.DOWN, since=2, reason="closed 1006")
    await ledger.save_health([])
    assert await ledger.health() == []

    await ledger.save_health([live, msgspec.structs.replace(down, state=FeedState.CONNECTING)])
    await ledger.save_health([down])

    assert await ledger.health() == [down, live]
    await ledger.save_health([msgspec.structs.replace(down, reason=RETIRED)])
    assert await ledger.health() == [live]


async def test_the_newest_two_hundred_bad_frames_of_a_venue_stay(ledger):
    frames = [
        BadFrame(venue="okx", frame=f"{{{n}", reason="json", detail="cut \N{SNOWMAN}", seen=n) for n in range(205)
    ]
    for one in frames:
        await ledger.keep(one)
    await ledger.keep(BadFrame(venue="bybit", frame="", reason="json", detail="", seen=1))

    assert await ledger.kept("okx", 3) == frames[:-4:-1]
    assert await ledger.kept("okx", 1000) == frames[:4:-1]
    assert len(await ledger.kept("okx")) == 20
    assert await ledger.kept("gate") == []


async def test_a_store_that_answers_pings(ledger):
    await ledger.ping()


async def test_reading_does_not_cost_more_when_there_are_more_orders(redis_ledger):
    """A coarse guard; tests/benchmarks/bench_ledger.py measures it up to a million orders."""
    few = [order(at=T0 + n, usd=n) for n in range(10)]
    many = [order(at=T0 + n % 5_000, usd=n, id=f"n{n}") for n in range(20_000)]

    async def cost() -> float:
        best = 1.0
        for _ in range(50):
            started = time.perf_counter()
            await redis_ledger.read([ALL], NOW)
            best = min(best, time.perf_counter() - started)
        return best

    await redis_ledger.add(few, NOW)
    alone = await cost()
    for start in range(0, len(many), 2_000):
        await redis_ledger.add(many[start : start + 2_000], NOW)
    assert await cost() < 3 * alone
