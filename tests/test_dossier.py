"""What an alert that signals opened carries, through the real judge over a real ledger."""

import time

import msgspec
import pytest

from service.detector import State
from service.detector.calendar import Event
from service.detector.undercount import Feed
from service.model import ALL, MINUTE, FeedRule, Liquidation, Phase, Side
from service.pipeline import Recent
from service.pipeline.stored import CURSOR, decode_cursor
from tests.court import judge_over
from tests.streams import BEGIN, COINS, RULES, Street, Stretch, orders_of, warmed

EVENT = Event(at=BEGIN + MINUTE, name="an announcement", source="invented")
FEEDS = {"bybit": Feed(rule=FeedRule.LARGEST)}


class Whole(Street):
    """A street whose judge hears of the recent orders, as the live one does."""

    def replica(self):
        self.recent = Recent(self.ledger)
        return judge_over(self.ledger, self.rules, None, self.recent, calendar=(EVENT,), feeds=lambda: FEEDS)

    async def round(self, arrived, now):
        await self.recent.refresh(now)
        await super().round(arrived, now)


def priced(orders: list[Liquidation], rising: bool) -> list[Liquidation]:
    """The same with prices that rise, or fall, two percent over the stream."""
    slope = (0.02 if rising else -0.02) / (15 * MINUTE)
    return [msgspec.structs.replace(one, price=100 * (1 + slope * (one.at - BEGIN))) for one in orders]


async def squeeze(rising: bool = True):
    stream = [Stretch("swell", minutes=4, side=Side.SHORT), Stretch("lull", minutes=8)]
    street = Whole(await warmed(), RULES)
    await street.lead(street.judge, BEGIN)
    await street.play(priced(orders_of(stream), rising), BEGIN, BEGIN + 12 * MINUTE)
    return street


async def test_an_early_alert_tells_what_was_found_and_how():
    street = await squeeze()
    first = next(alert for alert in street.told.alerts if alert.asset == ALL)

    assert (first.phase, first.kind.value, first.rule) == (Phase.OPENED, "short_squeeze", "early")
    assert first.long_usd + first.short_usd < 0.1 * RULES.floor(ALL), "long before the hour's floor"
    assert first.baseline
    assert first.baseline.multiple > 2
    assert first.baseline.learning
    assert first.excitation
    assert first.excitation.word in ("growing", "exploding")
    assert first.certainty
    assert first.certainty.low <= first.share <= first.certainty.high
    assert first.burst_usd
    assert first.course
    assert BEGIN - MINUTE <= first.course.onset <= first.at
    assert first.course.p10_at <= first.course.p50_at <= first.course.p90_at <= first.at
    assert first.coincides == ("an announcement",)
    assert first.estimated
    assert first.long_usd + first.short_usd <= first.estimated.low <= first.estimated.usd <= first.estimated.high
    assert first.pattern == "single_venue"
    assert first.lead is None, "one venue leads nobody"


async def test_how_an_alert_came_about_can_be_followed():
    street = await squeeze()
    first = next(alert for alert in street.told.alerts if alert.asset == ALL)
    explain = first.explain
    by_name = {fired.rule: fired for fired in explain.rules}

    assert explain.inputs["early"] >= explain.levels["early"]
    assert explain.inputs["burst_short_usd"] == first.burst_usd
    assert explain.levels["hour_floor_usd"] == RULES.floor(ALL)
    assert by_name["early"].fired
    assert not by_name["hour"].fired
    assert f"{explain.inputs['early']:.2f}" in by_name["early"].because


async def test_prices_that_go_the_other_way_keep_signals_quiet(caplog: pytest.LogCaptureFixture):
    street = await squeeze(rising=False)

    confirmed = {alert.price.confirms for alert in street.told.alerts if alert.price}
    assert True not in confirmed


async def test_what_ebbs_away_says_nothing_of_price_and_venues_and_a_line_little():
    street = await squeeze()
    closed = [alert for alert in street.told.alerts if alert.phase is Phase.CLOSED]
    lines = [alert for alert in street.told.alerts if alert.parent]

    assert closed
    assert {(alert.price, alert.lead) for alert in closed} == {(None, None)}
    assert {alert.asset for alert in lines} <= set(COINS)
    assert {(alert.estimated, alert.excitation) for alert in lines} <= {(None, None)}


async def test_an_opening_that_was_taken_back_does_not_stop_a_market_from_learning():
    street = await squeeze()
    markets, life = street.judge.markets, State()
    markets.gauges["BTC"].event(BEGIN)
    markets.keep("BTC", life)

    assert markets.gauges["BTC"].event_block is None


async def test_after_a_month_of_standstill_a_market_goes_on_and_knows_no_more_than_before():
    street = await squeeze()
    back = BEGIN + 30 * 24 * 60 * MINUTE
    known = street.judge.markets.gauges[ALL].scale.known
    begun = time.perf_counter()
    street.judge = street.replica()
    await street.judge.load(back)
    took = time.perf_counter() - begun
    await street.round([], back)
    gauge = street.judge.markets.gauges[ALL]

    assert gauge.scale.known <= known + 2, "a month in which nobody listened teaches nothing"
    assert gauge.second >= back // 1000 - 10
    assert took < 5, "not minute by minute"
    stored = decode_cursor((await street.ledger.states())[CURSOR])
    assert stored.at == back, "and that is written at once: it must not be made up for again"
