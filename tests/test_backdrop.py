"""How an alert of the real judge asks for its context, and what a bug there costs."""

import logging

import msgspec
import pytest

from service.model import ALL, Context, Coverage, Divergence, Side, Situation
from service.pipeline import Recent
from tests.court import judge_over
from tests.streams import BEGIN, RULES, Street, Stretch, orders_of, warmed

MINUTE = 60_000
TOLD = Divergence(rule="aligned_up", diverges=False, flow_usd=753.8e6, date="2026-01-13", forced_usd=None, ratio=None)


class Asked(Street):
    """A street whose alerts ask `answer` for their context; the questions are kept."""

    answer = staticmethod(lambda told: Context(asset=told.asset, divergence=TOLD))
    cover = None

    def replica(self):
        self.recent = Recent(self.ledger)
        self.questions: list[Situation] = []

        def ask(told: Situation) -> Context | None:
            self.questions.append(told)
            return self.answer(told)

        return judge_over(self.ledger, self.rules, self.cover, self.recent, context=ask)

    async def round(self, arrived, now):
        await self.recent.refresh(now)
        await super().round(arrived, now)


async def squeeze(kind: type[Asked] = Asked) -> Asked:
    street = kind(await warmed(), RULES)
    await street.lead(street.judge, BEGIN)
    stream = [Stretch("swell", minutes=4, side=Side.SHORT), Stretch("lull", minutes=2)]
    await street.play(orders_of(stream), BEGIN, BEGIN + 6 * MINUTE)
    return street


async def test_an_alert_asks_with_what_it_knows_and_carries_the_answer():
    street = await squeeze()
    first = next(alert for alert in street.told.alerts if alert.asset == ALL)
    asked = next(told for told in street.questions if told.asset == ALL)

    assert first.context == Context(asset=ALL, divergence=TOLD)
    assert (asked.at, asked.onset, asked.side) == (first.at, first.course.onset, Side.SHORT)
    assert asked.at_least, "nobody says what these orders missed"
    assert asked.forced_24h_usd is None, "fewer than 24 hours are remembered"


async def test_of_all_coins_the_venues_dollars_are_those_of_bitcoin_whose_leverage_it_is():
    street = await squeeze()
    asked = next(told for told in street.questions if told.asset == ALL)
    alert = next(one for one in street.told.alerts if one.asset == ALL)

    assert sum(asked.venues.values()) == pytest.approx(alert.assets["BTC"])
    assert sum(asked.venues.values()) < alert.long_usd + alert.short_usd


async def test_a_venue_that_was_heard_without_an_order_had_none_and_one_that_was_not_is_unknown():
    class Covered(Asked):
        cover = staticmethod(
            lambda *_: Coverage(
                venues_live=2, venues=3, seconds_share=1.0, by_venue={"bybit": 1.0, "okx": 0.97, "gate": 0.0}
            )
        )

    asked = (await squeeze(Covered)).questions[0]

    assert asked.venues["bybit"] > 0
    assert asked.venues["okx"] == 0
    assert "gate" not in asked.venues
    assert not asked.at_least


async def test_the_explanation_holds_the_figures_and_the_rule_of_the_context():
    street = await squeeze()
    explain = next(alert for alert in street.told.alerts if alert.asset == ALL).explain

    assert explain.inputs["etf_usd"] == 753.8e6
    assert explain.inputs["etf_date"] == "2026-01-13"
    assert explain.inputs["oi_change_pct"] is None
    assert [fired.because for fired in explain.rules if fired.rule == "divergence"] == [
        "ETFs 753,800,000 USD on 2026-01-13, aligned_up"
    ]


async def test_without_somebody_to_ask_alerts_have_no_context_and_explain_none():
    class Silent(Asked):
        answer = staticmethod(lambda _told: None)

    alerts = (await squeeze(Silent)).told.alerts

    assert alerts
    assert {alert.context for alert in alerts} == {None}
    assert not any("etf_usd" in alert.explain.inputs for alert in alerts)


BUGS = [KeyError("BTC"), ZeroDivisionError(), AttributeError("x"), AssertionError(), RecursionError(), OSError()]


@pytest.mark.parametrize("error", BUGS, ids=repr)
async def test_a_bug_in_context_costs_the_context_and_is_said_once(error, caplog):
    def raises(_told: Situation) -> Context:
        raise error

    class Broken(Asked):
        answer = staticmethod(raises)

    with caplog.at_level(logging.ERROR):
        street = await squeeze(Broken)

    assert len(street.questions) == len(street.told.alerts) > 1
    assert {alert.context for alert in street.told.alerts} == {None}
    assert [record.message for record in caplog.records if "context" in record.message] == [
        f"the context of {street.questions[0].asset} is lost, and alerts go on without; this is said once"
    ]


async def test_a_figure_that_is_no_number_costs_the_context_and_not_the_alert_that_is_kept():
    class Odd(Asked):
        answer = staticmethod(
            lambda _told: Context(asset="BTC", divergence=msgspec.structs.replace(TOLD, flow_usd=float("nan")))
        )

    street = await squeeze(Odd)
    kept = [alert for _, alert in await street.ledger.alerts(None, 100)]

    assert {alert.context for alert in street.told.alerts} == {None}
    assert [alert.id for alert in kept] == [alert.id for alert in street.told.alerts]


async def test_marks_are_shown_where_orders_tell_no_price_and_veto_no_episode():
    """The price halves while shorts are bought back: by marks alone nobody doubts what the feeds call a side."""

    class Marked(Asked):
        def replica(self):
            self.recent, self.questions = Recent(self.ledger), []
            return judge_over(self.ledger, self.rules, self.cover, self.recent, moves=lambda *_: (100_000.0, 50_000.0))

    marked, plain = await squeeze(Marked), await squeeze()
    assert [(one.id, one.at) for one in marked.told.alerts] == [(one.id, one.at) for one in plain.told.alerts]
    prices = [one.price for one in marked.told.alerts if one.price]
    assert prices
    assert {(price.start, price.now, price.move_pct) for price in prices} == {(100_000.0, 50_000.0, -50.0)}


async def test_what_was_liquidated_since_the_onset_is_told_by_venue():
    street = await squeeze()
    first = next(told for told in street.questions if told.asset == ALL)

    assert 0 < sum(first.since_onset.values()) <= sum(first.venues.values())


async def test_a_venue_that_was_hardly_heard_is_unknown_and_not_without_orders():
    class Covered(Asked):
        cover = staticmethod(
            lambda *_: Coverage(venues_live=2, venues=2, seconds_share=1.0, by_venue={"okx": 0.95, "gate": 0.2})
        )

    asked = (await squeeze(Covered)).questions[0]
    assert "okx" in asked.venues
    assert "gate" not in asked.venues
