"""What venues told is kept field by field; what is old, missing or absurd is never used, and changes compare like with like."""

from typing import Any

import msgspec
import pytest

from service.context.contract import Fresh
from service.context.leverage import change_pct
from service.context.memory import Memory
from service.context.points import KEEP_MS, Points
from service.context.risk import STEP, Point
from service.context.source import SourceError
from service.context.track import Track
from service.model import HOUR, MINUTE, Contract, Instrument, Ticker

NOW = 1_768_341_600_000  # 2026-01-13 22:00 UTC
DAY = 24 * HOUR


def told(at: int = NOW, venue: str = "binance", symbol: str = "BTCUSDT", **fields: Any) -> Ticker:
    return Ticker(venue=venue, symbol=symbol, asset="BTC", at=at, seen=at, **fields)


def hourly(memory: Memory, coins: dict[int, float], venue: str = "binance", mark: float = 100.0) -> None:
    for minute in range(61):
        past = [value for since, value in sorted(coins.items()) if since <= minute]
        if past:
            memory.hear([told(NOW - HOUR + minute * MINUTE, venue, oi_coins=past[-1], mark=mark)])


def test_parts_of_a_contract_come_together_and_each_keeps_its_age() -> None:
    memory = Memory()
    memory.hear([told(NOW - MINUTE, oi_coins=50.0)])
    memory.hear([told(NOW - 30_000, mark=90_000.0)])
    memory.hear([told(NOW, funding=-0.0001, interval_h=4), told(NOW, oi_coins=50.0)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert (found.oi_usd, found.mark, found.mark_at) == (50 * 90_000.0, 90_000.0, NOW - 30_000)
    assert found.funding_8h == pytest.approx(-0.0002)


def test_a_funding_rate_and_its_interval_may_come_apart() -> None:
    memory = Memory()
    memory.hear([told(NOW - 2 * MINUTE, funding=0.0001, oi_coins=1.0, mark=1.0), told(NOW - MINUTE, interval_h=4)])
    assert memory.leverage("BTC", NOW).venues[0].funding_8h == 0.0002
    assert memory.leverage("BTC", NOW).venues[0].funding_at == NOW - 2 * MINUTE
    memory.hear([told(NOW, funding=-0.0003)])
    assert memory.leverage("BTC", NOW).funding_8h == -0.0006


def test_a_funding_rate_without_its_interval_is_not_used() -> None:
    memory = Memory()
    memory.hear([told(funding=0.01, oi_coins=1.0, mark=1.0)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert found.funding_8h is None


def test_dollars_of_an_inverse_contract_become_coins_by_the_mark() -> None:
    memory = Memory()
    memory.hear([told(mark=50_000.0, oi_usd=1_000_000.0)])
    (contract,) = memory.contracts("BTC")
    assert contract.coins.value == 20.0


def test_the_price_alone_moves_no_open_interest_of_inverse_contracts() -> None:
    """A billion dollars of contracts of a dollar each, and Bitcoin rises by 5 %: nobody has closed anything."""
    memory = Memory()
    for minute in range(61):
        mark = 100_000.0 * (1 + 0.05 * minute / 60)
        memory.hear(
            [told(NOW - HOUR + minute * MINUTE, "deribit", "BTC-PERPETUAL", oi_usd=1e9, mark=mark, inverse=True)]
        )
    assert memory.leverage("BTC", NOW).oi_change_1h_pct == 0.0
    (pair,) = memory.pairs("BTC", NOW - HOUR, NOW)
    assert (pair.before, pair.now, pair.price) == (1e9, 1e9, 1.0)


def test_what_was_not_told_again_since_a_moment_has_not_been_measured_since() -> None:
    memory = Memory()
    memory.hear([told(NOW - MINUTE, oi_coins=10.0, mark=100.0)])
    assert memory.pairs("BTC", NOW - 50_000, NOW) == [], "one figure is no change of 0"
    memory.hear([told(NOW, oi_coins=9.0)])
    (pair,) = memory.pairs("BTC", NOW - 50_000, NOW)
    assert (pair.before, pair.now, pair.at) == (10.0, 9.0, NOW)


def test_yesterdays_answer_is_as_old_as_it_says() -> None:
    memory = Memory(listing=lambda _asset: ("binance",))
    memory.hear(
        [Ticker(venue="binance", symbol="BTCUSDT", asset="BTC", at=NOW - DAY, seen=NOW, oi_coins=1.0, mark=9e4)]
    )
    found = memory.leverage("BTC", NOW)
    assert (found.oi_usd, found.mark, found.missing) == (None, None, {"binance": "told nothing lately"})
    assert memory.price("BTC", NOW) is None


def test_a_mark_that_jumps_waits_to_be_told_again() -> None:
    memory = Memory()
    memory.hear([told(NOW - 2, mark=90_000.0), told(NOW - 1, mark=9e9)])
    assert memory.price("BTC", NOW) == 90_000.0
    memory.hear([told(NOW, mark=9e9)])
    assert memory.price("BTC", NOW) == 9e9


def test_no_figure_is_endless_and_an_old_mark_makes_no_dollars() -> None:
    memory = Memory()
    memory.hear([told(NOW, mark=1e-310), told(NOW, oi_usd=1e9, inverse=True)])
    found = memory.leverage("BTC", NOW)
    assert found.oi_usd == 1e9
    assert memory.contracts("BTC")[0].coins is None
    memory = Memory()
    memory.hear([told(NOW - 6 * HOUR, mark=90_000.0), told(NOW, oi_coins=10.0)])
    assert memory.leverage("BTC", NOW).oi_usd is None
    memory.hear([told(NOW, mark=90_000.0), told(NOW, oi_coins=1e9)])
    assert memory.leverage("BTC", NOW).oi_usd is None, "90 trillion dollars"


def test_the_onset_is_not_half_an_hour_before_itself() -> None:
    memory = Memory()
    memory.hear([told(NOW - 28 * MINUTE, oi_coins=10.0, mark=100.0), told(NOW, oi_coins=9.0, mark=100.0)])
    assert memory.pairs("BTC", NOW - MINUTE, NOW) == []


def test_a_move_is_of_one_contract_that_was_told_again() -> None:
    memory = Memory()
    perpetual = {"funding": 0.0, "interval_h": 8.0}
    memory.hear([told(NOW - HOUR, "okx", "BTC-260327", oi_coins=9e9, mark=97_900.0)])
    memory.hear([told(NOW, "binance", oi_coins=9e3, mark=95_000.0, **perpetual)])
    assert memory.move("BTC", NOW - HOUR, NOW) is None, "a dated future's basis is no move"
    memory.hear([told(NOW - HOUR, "bybit", oi_coins=1.0, mark=94_000.0, **perpetual)])
    assert memory.move("BTC", NOW - HOUR, NOW - HOUR + MINUTE) is None
    memory.hear([told(NOW, "bybit", oi_coins=1.0, mark=94_500.0)])
    assert memory.move("BTC", NOW - HOUR, NOW) == (94_000.0, 94_500.0)


def test_a_new_venue_makes_no_week_out_of_months() -> None:
    memory = Memory()
    memory.recall(told(), [Point(at=NOW - step * STEP, funding_8h=step / 1e5) for step in range(1, 540)])
    memory.recall(told(venue="gate"), [Point(at=NOW - step * STEP, funding_8h=-step / 1e5) for step in range(1, 50)])
    for venue in ("binance", "gate"):
        memory.hear([told(NOW, venue, oi_coins=1.0, mark=100.0, funding=0.0, interval_h=8)])
    found = memory.leverage("BTC", NOW)
    assert (found.funding_pct, found.funding_days) == (0.0, pytest.approx(89.83, abs=0.01))
    assert memory.contracts("BTC")[1].rank("funding_8h", None, 90 * DAY, NOW + MINUTE)[1] == pytest.approx(8.2, abs=0.2)


def test_an_old_open_interest_weighs_nothing() -> None:
    memory = Memory()
    memory.hear([told(NOW - 5 * DAY, symbol="OLD", oi_coins=1e4, mark=100.0)])
    memory.hear([told(NOW, symbol="OLD", funding=0.001, interval_h=8)])
    memory.hear([told(NOW, oi_coins=1e2, mark=100.0, funding=-0.0001, interval_h=8)])
    assert memory.leverage("BTC", NOW).funding_8h == -0.0001


def test_a_venue_that_tells_no_dollars_is_said_to() -> None:
    memory = Memory(listing=lambda _asset: ("lighter",))
    memory.hear([told(NOW, "lighter", oi_coins=5.0, funding=0.0001, interval_h=1)])
    assert memory.leverage("BTC", NOW).missing == {"lighter": "tells no open interest in dollars"}


def test_points_that_another_clock_has_dated_ahead_push_nothing_out() -> None:
    memory = Memory()
    memory.recall(told(), [Point(at=NOW - step * STEP, price=1.0) for step in range(500)])
    memory.hear([told(NOW + 200 * DAY, mark=1.0)])
    memory.remember(["BTC"], NOW)
    assert len(memory.contracts("BTC")[0].points) == 500
    late = Memory()
    late.recall(told(), [Point(at=NOW + DAY, price=1.0), Point(at=NOW - DAY, price=1.0)])
    late.forget_after(NOW)
    assert [point.at // DAY for point in late.contracts("BTC")[0].points.all()] == [(NOW - DAY) // DAY]


def test_contracts_that_are_gone_are_forgotten_and_those_with_a_past_later() -> None:
    memory = Memory()
    memory.recall(told(symbol="PAST"), [Point(at=NOW - DAY, price=1.0)])
    memory.hear([told(NOW, symbol="GONE", mark=1.0)])
    memory.remember(["BTC"], NOW + DAY)
    memory._by_asset["BTC"]["binance", "GONE"].points.forget_after(0)
    memory.forget(NOW + 3 * DAY)
    assert [one.symbol for one in memory.contracts("BTC")] == ["PAST"]
    memory.forget(NOW + 95 * DAY)
    assert memory.contracts("BTC") == []


def test_what_is_too_old_is_in_no_sum_and_its_venue_is_missing_with_the_reason() -> None:
    memory = Memory(listing=lambda _asset: ("binance", "okx", "gate"))
    memory.why = lambda venue: "answered 403" if venue == "okx" else ""
    memory.hear([told(NOW - 6 * MINUTE, "okx", oi_coins=10.0, mark=100.0), told(oi_coins=5.0, mark=100.0)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert found.oi_usd == 500.0
    assert found.missing == {"okx": "answered 403", "gate": "told nothing lately"}
    assert [one.venue for one in found.venues] == ["binance"]


def test_nothing_known_is_none_and_never_zero() -> None:
    memory = Memory()
    assert memory.leverage("BTC", NOW) is None
    memory.hear([told(NOW - HOUR, oi_coins=1.0, mark=1.0, funding=0.1, interval_h=8)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert (found.oi_usd, found.funding_8h, found.mark, found.volume_usd) == (None, None, None, None)
    assert (found.oi_change_1h_pct, found.oi_pct, found.funding_pct, found.venues) == (None, None, None, ())


def test_a_venue_that_stops_answering_is_no_fall_of_open_interest() -> None:
    memory = Memory()
    hourly(memory, {0: 1_000.0, 30: 950.0})
    for minute in range(20):
        memory.hear([told(NOW - HOUR + minute * MINUTE, "okx", oi_coins=5_000.0, mark=100.0)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert found.oi_change_1h_pct == pytest.approx(-5.0)


def test_a_change_is_in_coins_so_that_a_falling_price_alone_is_none() -> None:
    memory = Memory()
    for minute in range(61):
        memory.hear([told(NOW - HOUR + minute * MINUTE, oi_coins=1_000.0, mark=100.0 - minute)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert found.oi_change_1h_pct == 0.0


def test_a_figure_that_collapses_in_one_answer_is_believed_only_when_told_again() -> None:
    memory = Memory()
    memory.hear([told(NOW - 2 * MINUTE, oi_coins=1_000.0, mark=100.0), told(NOW - MINUTE, oi_coins=0.0)])
    assert memory.leverage("BTC", NOW).oi_usd == 100_000.0
    memory.hear([told(NOW - MINUTE + 1, oi_coins=990.0), told(NOW - 30_000, oi_coins=10.0)])
    assert memory.leverage("BTC", NOW).oi_usd == 99_000.0
    memory.hear([told(NOW, oi_coins=11.0)])
    assert memory.leverage("BTC", NOW).oi_usd == 1_100.0


def test_funding_is_weighted_by_open_interest() -> None:
    memory = Memory()
    memory.hear([told(oi_coins=30.0, mark=100.0, funding=0.0001, interval_h=8)])
    memory.hear([told(venue="hyperliquid", oi_coins=10.0, mark=100.0, funding=-0.00005, interval_h=1)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert found.funding_8h == pytest.approx((3 * 0.0001 - 8 * 0.00005) / 4)


def test_ranks_need_a_week_and_come_from_each_contracts_own_past() -> None:
    memory = Memory()
    held = [Point(at=NOW - step * STEP, oi_coins=float(step), funding_8h=step / 1e4) for step in range(1, 181)]
    memory.recall(told(), held[:30])
    memory.hear([told(oi_coins=20.5, mark=100.0, funding=0.00205, interval_h=8)])
    found = memory.leverage("BTC", NOW)
    assert found is not None
    assert (found.oi_pct, found.oi_days) == (None, 0.0)
    memory.recall(told(), held)
    found = memory.leverage("BTC", NOW + MINUTE)
    assert found is not None
    assert found.oi_pct == pytest.approx(20 / 179, abs=0.01)
    assert found.oi_days == pytest.approx(29.67, abs=0.4)
    assert found.funding_pct == pytest.approx(20 / 180, abs=0.01)


def test_a_recalled_past_does_not_replace_what_was_seen() -> None:
    memory = Memory()
    memory.hear([told(oi_coins=7.0, mark=100.0)])
    memory.remember(["BTC"], NOW)
    memory.recall(told(), [Point(at=NOW, oi_coins=9.0, funding_8h=0.1), Point(at=NOW - STEP, oi_coins=8.0)])
    (contract,) = memory.contracts("BTC")
    assert [(one.oi_coins, one.funding_8h, one.price) for one in contract.points.all()] == [
        (8.0, None, None),
        (7.0, 0.1, 100.0),
    ]


def test_points_survive_a_restart() -> None:
    memory = Memory()
    memory.hear([told(oi_coins=7.0, mark=100.0, funding=0.1, interval_h=8, volume_usd=5.0)])
    memory.remember(["BTC", "ETH"], NOW)
    again = Memory()
    again.load(memory.stored())
    assert again.contracts("BTC")[0].points.all() == memory.contracts("BTC")[0].points.all()
    assert again.leverage("BTC", NOW).oi_usd is None, "a past is no present"
    for broken in (b"\x81\x00", memory.stored()[:-3], memory.stored().replace(b"price", b"pricy"), b""):
        with pytest.raises(SourceError, match="no points"):
            Memory().load(broken)


def test_the_reference_is_the_contract_with_the_longest_past_that_is_alive() -> None:
    memory = Memory()
    memory.recall(told(venue="okx", symbol="A"), [Point(at=NOW - step * STEP, price=1.0) for step in range(5)])
    memory.hear(
        [told(oi_coins=1.0, mark=1.0, funding=0.0, interval_h=8), told(symbol="DATED", oi_coins=900.0, mark=1.0)]
    )
    assert memory.reference("BTC", NOW).symbol == "BTCUSDT"
    memory.hear([told(venue="okx", symbol="A", oi_coins=1.0, mark=1.0, funding=0.0, interval_h=8)])
    assert memory.reference("BTC", NOW).symbol == "A"
    assert memory.reference("BTC", NOW + HOUR) is None


def test_a_mark_values_an_order_only_while_it_is_fresh() -> None:
    memory = Memory(fresh=Fresh(mark_ms=MINUTE))
    memory.hear([told(mark=91_000.0)])
    known = Instrument(venue="binance", symbol="BTCUSDT", asset="BTC", contract=Contract.LINEAR, size=1.0)
    assert memory.mark(known, NOW + MINUTE) == 91_000.0
    assert memory.mark(known, NOW + MINUTE + 1) is None
    assert memory.mark(msgspec.structs.replace(known, symbol="ETHUSDT", asset="ETH"), NOW) is None


def test_a_price_is_the_largest_contracts_mark_of_then_and_never_that_of_a_lot() -> None:
    memory = Memory()
    for minute in range(10):
        memory.hear([told(NOW + minute * MINUTE, oi_coins=9.0, mark=100.0 + minute), told(NOW, "okx", mark=50.0)])
    memory.hear([told(NOW + 9 * MINUTE, symbol="1000BTCUSDT", oi_coins=1e6, mark=100_000.0)])
    assert memory.price("BTC", NOW + 9 * MINUTE) == 109.0
    assert memory.price("BTC", NOW + 5 * MINUTE) == 104.0
    assert memory.price("BTC", NOW - MINUTE) is None
    assert memory.leverage("BTC", NOW + 9 * MINUTE).mark == 109.0


def test_points_keep_ninety_days_and_one_value_a_step() -> None:
    points = Points()
    for step in range(700):
        points.add(NOW - (700 - step) * STEP, price=float(step))
    assert len(points) == KEEP_MS // STEP
    last = points.all()[-1]
    points.add(NOW - STEP + 5, price=-1.0, oi_coins=3.0)
    assert points.all()[-1] == msgspec.structs.replace(last, oi_coins=3.0), "what a step knows already stands"


def test_a_track_gives_the_last_value_before_a_moment_within_reach() -> None:
    track = Track(MINUTE, HOUR)
    for second in range(0, 7_200, 20):
        track.add(NOW + second * 1_000, float(second))
    assert track.before(NOW + 7_000_000, 5 * MINUTE) == 6_960.0
    assert track.before(NOW - 1, HOUR) is None
    assert track.before(NOW + 2 * HOUR + HOUR, MINUTE) is None


def test_no_contract_in_common_is_no_change() -> None:
    assert change_pct([]) is None
