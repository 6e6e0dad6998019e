"""Slow money beside forced orders: which rule holds, of which day, and of which figures it is not told."""

import pytest

from service.context.divergence import divergence, of_one_day, unit_checked, way
from service.model import Side
from tests.leverage import flow


@pytest.mark.parametrize(
    ("side", "usd", "found", "rule", "diverges"),
    [
        (Side.SHORT, 753.8e6, "in", "aligned_up", False),
        (Side.SHORT, -394.7e6, "out", "hollow_squeeze", True),
        (Side.SHORT, 5.1e6, "flat", "leverage_only_up", False),
        (Side.LONG, 753.8e6, "in", "absorption", True),
        (Side.LONG, -394.7e6, "out", "aligned_down", False),
        (Side.LONG, -5.1e6, "flat", "leverage_only_down", False),
    ],
)
def test_each_side_has_a_rule_for_money_that_comes_goes_and_stays(side, usd, found, rule, diverges):
    told = divergence(side, [flow(usd=usd, way=found)], 577e6)

    assert (told.rule, told.diverges, told.flow_usd, told.date) == (rule, diverges, usd, "2026-01-13")
    assert told.ratio == pytest.approx(abs(usd) / 577e6, abs=1e-4)


def test_the_founding_day_is_told_with_its_published_ratio():
    """What was in print then: 849.92 (BTC) and 1,037.65 M$ (all three) beside 577 of shorts."""
    assert divergence(Side.SHORT, [flow(usd=849.92e6)], 577e6).ratio == pytest.approx(1.47, abs=0.005)
    assert divergence(Side.SHORT, [flow(usd=1_037.65e6)], 577e6).ratio == pytest.approx(1.80, abs=0.005)


@pytest.mark.parametrize("forced", [None, 0.0])
def test_forced_dollars_that_are_not_whole_or_none_give_no_ratio(forced):
    assert divergence(Side.SHORT, [flow()], forced).ratio is None


@pytest.mark.parametrize("changes", [{"fresh": False}, {"complete": False}])
def test_an_old_day_or_one_some_funds_have_not_reported_makes_no_rule(changes):
    assert divergence(Side.SHORT, [flow(**changes)], 577e6) is None
    assert divergence(Side.SHORT, [], 577e6) is None


def test_all_coins_are_the_sum_of_what_was_published_of_one_day():
    flows = [flow(), flow("ETH", 130e6, usual_usd=90e6), flow("SOL", 5.9e6, usual_usd=9e6)]

    assert divergence(Side.SHORT, flows, None).flow_usd == pytest.approx(889.7e6)


def test_days_are_never_added_to_each_other_and_the_weightier_one_stands():
    """ETH is published first: its small inflow must not stand for BTC's outflow of the day before."""
    early = [flow("BTC", -394.7e6, "2026-01-12"), flow("ETH", 30e6, "2026-01-13", usual_usd=90e6)]
    told = divergence(Side.SHORT, early, None)

    assert (told.flow_usd, told.date, told.rule) == (-394.7e6, "2026-01-12", "hollow_squeeze")
    assert [one.asset for one in of_one_day(early)] == ["BTC"]


def test_flows_that_go_different_ways_are_judged_by_the_usual_size_of_their_sum():
    out, small = flow("BTC", -40e6), flow("ETH", 10e6, usual_usd=90e6)

    assert way([out, small]) == "flat"
    assert way([flow("BTC", -140e6), small]) == "out"
    assert way([flow("BTC", 140e6), flow("ETH", -10e6, usual_usd=None)]) == "in"
    assert way([flow("BTC", 10e6, usual_usd=None), flow("ETH", -10e6, usual_usd=None)]) == "flat"


@pytest.mark.parametrize(("units", "mark"), [(7_900.0, 95_400.0), (-4_100.0, 96_000.0)])
def test_coins_that_fit_their_dollars_are_told(units, mark):
    told = flow(usd=753.8e6 if units > 0 else -394.7e6, units=units)

    assert unit_checked(told, mark) == (told, "")


@pytest.mark.parametrize("units", [7_000.0, -7_900.0, 0.0, 7_900_000.0])
def test_coins_that_make_another_price_are_left_out_and_the_reason_said(units):
    checked, why = unit_checked(flow(units=units), 95_400.0)

    assert checked.units is None
    assert checked.usd == 753.8e6
    assert why.startswith("753,800,000 dollars of 2026-01-13 make ")
    assert why.endswith("more than 5 % from the mark 95,400.00")


def test_no_coins_for_no_dollars_fit_at_any_price():
    told = flow(usd=0.0, units=0.0)

    assert unit_checked(told, 95_400.0) == unit_checked(told, None) == (told, "")
    assert unit_checked(flow(usd=0.0, units=5.0), 95_400.0)[0].units is None
    assert unit_checked(flow(units=0.0), 95_400.0)[1].startswith(
        "753,800,000 dollars of 2026-01-13 make no coins, more"
    )


def test_how_far_coins_may_be_off_is_the_callers_to_say_and_is_said():
    told = flow(usd=753.8e6, units=7_200.0)

    assert unit_checked(told, 95_400.0, slack=0.1) == (told, "")
    assert unit_checked(told, 95_400.0, name="the price of 2026-01-13")[1].endswith(
        "more than 5 % from the price of 2026-01-13 95,400.00"
    )


def test_coins_without_a_mark_price_cannot_be_checked_and_are_not_told():
    assert unit_checked(flow(units=7_900.0), None)[0].units is None
    assert unit_checked(flow(), None) == (flow(), "")
