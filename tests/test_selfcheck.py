"""The estimate tried where the truth is known: its table, the nightly task, the command."""

import argparse
import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from service import metrics
from service.cli import main
from service.clock import ScaledClock
from service.detector.undercount import SPREAD, Checked, Feed, check, spread_of, thin
from service.ledger import LedgerError
from service.ledger.embedded import server_binary
from service.ledger.memory import MemoryLedger
from service.ledger.open import open_ledger
from service.model import HOUR, MINUTE, SECOND, FeedRule, Liquidation
from service.selfcheck import SelfCheck, documented, is_fine, table
from service.selfcheck.door import selfcheck
from service.selfcheck.nightly import DAY_MS, EVERY_MS, LATE_MS
from service.venues import VENUES
from tests.flows import clustered, flow, steady
from tests.orders import T0
from tests.test_reconcile import Stepped

COMPLETE = {"bybit": Feed(rule=FeedRule.COMPLETE), "gate": Feed(rule=FeedRule.COMPLETE)}
#: After both venues became complete.
MIDNIGHT = 1_790_208_000_000


def market(
    seed: int = 1, *, gate: Callable[[float], float] = lambda _at: 100.0, hours: float = 1.0
) -> list[Liquidation]:
    """Four coins of very different pace on two venues that show everything."""
    draw = random.Random(seed)
    orders = []
    for coin, rate in (("BTC", 3.0), ("ETH", 1.0), ("SOL", 0.3), ("PEPE", 0.1)):
        orders += flow(draw, clustered(draw, rate, hours * 3600), "bybit", asset=coin)
        orders += flow(draw, clustered(draw, rate / 2, hours * 3600), "gate", asset=coin, scale=gate)
    return orders


def moved(orders: list[Liquidation], to: int) -> list[Liquidation]:
    """The same orders as if T0 had been then."""
    return [msgspec.structs.replace(one, at=one.at - T0 + to, seen=one.at - T0 + to) for one in orders]


def trial(found: list[Checked], venue: str, rule: FeedRule, beat: int = 0) -> Checked:
    return next(one for one in found if (one.venue, one.feed) == (venue, Feed(rule=rule, batch_s=beat)))


# --- the check --------------------------------------------------------------------------------------------------------


def test_what_was_thinned_away_is_found_at_every_pace() -> None:
    found = check(market(), COMPLETE)
    assert len(found) == 2 * 4
    for venue in COMPLETE:
        one = trial(found, venue, FeedRule.LARGEST)
        assert one.fine
        assert one.ratio == pytest.approx(1, abs=0.1)
        assert one.held is not None
        assert one.held >= 0.85
        assert one.silent == 0
    fast = trial(check(market(hours=2), COMPLETE), "bybit", FeedRule.LARGEST).lines
    assert len(fast) == 10
    assert [line.per_s for line in fast] == sorted(line.per_s for line in fast)
    assert fast[-1].shown < 0.8 < fast[0].shown
    assert all(0.85 <= line.ratio <= 1.15 for line in fast)


def test_a_law_of_sizes_that_is_not_the_venue_s_own_leaves_the_band() -> None:
    """Orders of the only reference are a tenth: what is shown then looks like the largest of very many."""
    found = check(market(gate=lambda _at: 10.0), COMPLETE)
    one = trial(found, "bybit", FeedRule.LARGEST)
    assert one.fine is False
    assert not is_fine(found)
    assert one.spread is not None
    assert one.spread > SPREAD
    assert spread_of(found) >= one.spread
    assert "OUTSIDE 0.8 to 1.25" in table(found)


def test_a_spread_is_measured_and_otherwise_assumed() -> None:
    assert spread_of([]) == SPREAD
    assert 0.05 <= spread_of(check(market(), COMPLETE)) <= SPREAD


def test_a_latest_feed_is_shown_and_not_judged() -> None:
    found = check(market(), COMPLETE)
    for beat in (0, 6):
        assert trial(found, "bybit", FeedRule.LATEST, beat).fine is None
    assert "undone from the other complete venues" in table(found)
    assert "not judged" in table(found)


def test_few_orders_are_not_judged() -> None:
    draw = random.Random(0)
    (one, *_) = check(flow(draw, steady(draw, 0.1, 600), "bybit"), COMPLETE)
    assert one.stretches == 2
    assert one.fine is None


def test_only_venues_that_show_whole_orders_are_a_truth() -> None:
    draw = random.Random(0)
    feeds = {"binance": Feed(rule=FeedRule.LARGEST), "dydx": Feed(rule=FeedRule.COMPLETE, fills=True)}
    orders = flow(draw, steady(draw, 1, 600), "binance") + flow(draw, steady(draw, 1, 600), "dydx")
    assert check(orders, feeds) == []


def test_a_check_that_is_told_to_stop_looks_at_nothing_more() -> None:
    assert all(one.stretches == 0 for one in check(market(), COMPLETE, go_on=lambda: False))


def test_feeds_are_what_the_venues_say() -> None:
    feeds = documented(VENUES.values(), MIDNIGHT)
    assert feeds["binance"] == Feed(rule=FeedRule.LARGEST)
    assert feeds["bitget"] == Feed(rule=FeedRule.LARGEST, by_side=True)
    assert feeds["deribit"] == Feed(rule=FeedRule.COMPLETE, fills=True)
    assert feeds["okx"] == Feed(rule=FeedRule.UNKNOWN)
    assert set(feeds) == set(VENUES)


# --- the task ---------------------------------------------------------------------------------------------------------


async def night(clock: Stepped, orders: list[Liquidation]) -> SelfCheck:
    ledger = MemoryLedger()
    await ledger.add(orders, clock.now())
    return SelfCheck(ledger, clock, list(VENUES.values()))


async def test_a_night_s_check_becomes_a_metric_and_a_spread() -> None:
    clock = Stepped(MIDNIGHT)
    one = await night(clock, moved(market(), MIDNIGHT - 2 * HOUR))
    assert one.spread == SPREAD
    await one.look(MIDNIGHT)
    assert {found.venue for found in one.checked} == {"bybit", "gate"}
    assert one.spread == spread_of(one.checked)
    for venue in ("bybit", "gate"):
        ratio = metrics.REGISTRY.get_sample_value("cascade_undercount_ratio", {"venue": venue})
        assert ratio == pytest.approx(1, abs=0.1)


async def test_a_bad_night_is_said_with_its_table(caplog: pytest.LogCaptureFixture) -> None:
    one = await night(Stepped(MIDNIGHT), moved(market(gate=lambda _at: 10.0), MIDNIGHT - 2 * HOUR))
    await one.look(MIDNIGHT)
    (said,) = [record.message for record in caplog.records if "estimated badly" in record.message]
    assert "bybit: largest, undone by order sizes" in said


async def test_a_rule_the_data_contradicts_is_believed_the_second_time_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """OKX says nothing of its rule; here it shows the first of a second."""
    draw = random.Random(3)
    start = MIDNIGHT + HOUR
    orders = thin(moved(flow(draw, steady(draw, 2, 3 * 1800), "okx"), start), Feed(rule=FeedRule.FIRST))
    one = await night(Stepped(start), orders)
    rules = []
    for half in (1, 2, 3):
        await one.look(start + half * EVERY_MS)
        rules.append(one.feeds()["okx"].rule)
    assert rules == [FeedRule.UNKNOWN, FeedRule.FIRST, FeedRule.FIRST]
    assert (
        sum(
            "okx: its feed is documented as unknown and looks like first" in record.message for record in caplog.records
        )
        == 1
    )
    assert one.feeds()["binance"] == Feed(rule=FeedRule.LARGEST)


async def test_half_hours_and_nights_come_in_time() -> None:
    clock = Stepped(MIDNIGHT - 10 * MINUTE)
    one = await night(clock, [])
    ends: list[int] = []

    async def look(end: int) -> None:
        ends.append(end)
        assert clock.now() >= end + LATE_MS

    one.look = look  # type: ignore[method-assign]
    task = asyncio.create_task(one.run())
    clock.until = MIDNIGHT + HOUR + LATE_MS
    await asyncio.sleep(0.05)
    task.cancel()
    assert ends == [MIDNIGHT, MIDNIGHT + EVERY_MS, MIDNIGHT + 2 * EVERY_MS]
    assert MIDNIGHT % DAY_MS == 0


async def test_a_rehearsal_is_not_looked_at() -> None:
    one = SelfCheck(MemoryLedger(), ScaledClock(MIDNIGHT, 60), [])
    await asyncio.wait_for(one.run(), 1)


async def test_a_store_that_is_away_is_said_and_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    one = await night(Stepped(MIDNIGHT), [])

    async def recall(*_: object) -> list[Liquidation]:
        raise LedgerError("gone")

    one._ledger.recall = recall  # type: ignore[method-assign]
    await one.look(MIDNIGHT)
    assert "feeds were not looked at: gone" in caplog.text


# --- the command ------------------------------------------------------------------------------------------------------


def tape(path: Path, orders: list[Liquidation]) -> str:
    rows = [f"{one.at},{one.venue},{one.symbol},{one.side},,,{one.usd:.4f}" for one in orders]
    path.write_text("\n".join(["ts_ms,venue,symbol,side,price,qty,notional_usd", *rows]))
    return str(path)


def test_the_command_prints_the_table_of_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tape(tmp_path / "good.csv", moved(market(), MIDNIGHT))
    assert main(["selfcheck", file]) == 0
    out = capsys.readouterr().out
    assert "bybit: largest, undone by order sizes" in out
    assert "bybit: largest in rounds of 6 s, undone by order sizes" in out
    assert ": fine 0.8 to 1.25" in out


def test_the_command_fails_when_the_estimate_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tape(tmp_path / "bad.csv", moved(market(gate=lambda _at: 10.0), MIDNIGHT))
    assert main(["selfcheck", file]) == 1
    assert "OUTSIDE" in capsys.readouterr().out


def test_without_a_complete_venue_there_is_no_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw = random.Random(1)
    file = tape(tmp_path / "sampled.csv", moved(flow(draw, steady(draw, 1, 600)), MIDNIGHT))
    assert main(["selfcheck", file]) == 1
    assert "no truth to check against" in capsys.readouterr().out
    assert main(["selfcheck", str(tmp_path / "nowhere.csv")]) == 2


@pytest.mark.skipif(server_binary() is None, reason="no server to embed on this machine")
async def test_a_running_service_s_own_orders_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)  # the server that other tests may use is not that service's
    from service.clock import WallClock  # noqa: PLC0415  # only here does the real time matter

    now = WallClock().now()
    ledger = await open_ledger(None, tmp_path, store="embedded")
    try:
        orders = moved(market(hours=0.5), now - 40 * MINUTE)
        for start in range(0, len(orders), 1_000):
            await ledger.add(orders[start : start + 1_000], now)
        config = tmp_path / "config.toml"
        config.write_text(f'[service]\ndata_dir = "{tmp_path}"\n')
        args = argparse.Namespace(files=[], hours=None, config=config)
        code = await selfcheck(args, asyncio.Event())
        assert "bybit: largest, undone by order sizes" in capsys.readouterr().out
        assert code == 0
        args.hours = 1 * SECOND / HOUR
        assert await selfcheck(args, asyncio.Event()) == 1
        assert "no single orders" in capsys.readouterr().out
    finally:
        await ledger.close()
