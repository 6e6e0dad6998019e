"""What stands beside an alert: every piece is there, or its absence is named with the reason."""

import msgspec
import pytest

from service.context.beside import Known, beside, funding_now
from service.model import ALL, Context, Rates, Risk, Side
from tests.leverage import AT, flow, leverage, pair, paying, situation

RATES = Rates(
    target_low=3.5,
    target_high=3.75,
    sofr=None,
    three_month=None,
    two_year=3.5,
    dates={},
    implied=-0.125,
    word="unchanged",
    next_meeting="2026-01-28",
    days_to_meeting=15,
    source="treasury",
    told_at=AT,
    fresh=True,
)
RISK = Risk(asset="BTC", side=Side.SHORT, now=AT, score=71.0, word="raised", parts=())
WHOLE = Known(
    leverage=leverage(),
    held=[pair("binance", 1_000.0, 990.0)],
    risk=RISK,
    flows=[flow(), flow("ETH", 130e6), flow("SOL", 5.9e6)],
    marks={"BTC": 95_400.0},
    rates=RATES,
)


def known(**changes: object) -> Known:
    return msgspec.structs.replace(WHOLE, **changes)


def test_with_everything_known_nothing_is_missing():
    context = beside(situation(asset=ALL, venues={"binance": 1_000.0}, forced_24h_usd=577e6), WHOLE)

    assert context.missing == {}
    assert (context.asset, context.oi.share, context.risk, context.rates) == ("BTC", 0.01, RISK, RATES)
    assert [one.asset for one in context.flows] == ["BTC", "ETH", "SOL"]
    assert context.divergence.flow_usd == pytest.approx(889.7e6)
    assert context.funding.crowded is Side.SHORT


def test_a_coins_alert_has_its_own_flows_and_a_coin_without_etfs_misses_none():
    assert [one.asset for one in beside(situation(asset="ETH"), WHOLE).flows] == ["ETH"]
    other = beside(situation(asset="DOGE"), known(leverage=leverage(asset="DOGE")))
    assert (other.asset, other.flows, other.divergence) == ("DOGE", (), None)
    assert not [name for name in other.missing if name.startswith("etf")]


def test_with_nothing_known_every_piece_is_named_with_a_reason_and_nothing_is_guessed():
    context = beside(situation(asset=ALL), Known(missing={"etf BTC": "farside answered 403"}))

    assert context == Context(asset="BTC", missing=context.missing)
    assert set(context.missing) == {"open_interest", "funding", "risk", "etf BTC", "etf ETH", "etf SOL", "rates"}
    assert context.missing["etf BTC"] == "farside answered 403"
    assert all(context.missing.values())


def test_what_is_switched_off_is_not_missing():
    context = beside(situation(asset=ALL), Known(unasked=frozenset({"etf", "rates", "risk"})))

    assert set(context.missing) == {"open_interest", "funding"}


@pytest.mark.parametrize(
    ("changes", "name", "why"),
    [
        ({"flows": [flow(fresh=False, reason="no figure for 2026-01-14 yet")]}, "etf BTC", "no figure for 2026-01-14 yet"),
        ({"flows": [flow(fresh=False)]}, "etf BTC", "nothing is published since 2026-01-13"),
        ({"flows": [flow(complete=False)]}, "etf BTC", "not all funds have reported 2026-01-13"),
        ({"rates": msgspec.structs.replace(RATES, fresh=False, reason="FRED is 20 days old")}, "rates", "FRED is 20 days old"),
        ({"held": []}, "open_interest", "not known before the onset"),
        ({"held": [], "leverage": leverage(missing={"okx": "429"})}, "open_interest", "okx: 429"),
        ({"risk": msgspec.structs.replace(RISK, score=None, reason="funding is unknown")}, "risk", "funding is unknown"),
        ({"leverage": leverage(funding_8h=None, venues=())}, "funding", "no source has told it"),
        ({"flows": [flow(units=1.0)]}, "etf BTC units", "753,800,000 dollars of 2026-01-13 make 753,800,000.00 dollars a coin, more than 5 % from the mark 95,400.00"),
    ],
)  # fmt: skip
def test_what_is_old_or_lies_is_named_and_why(changes, name, why):
    assert beside(situation(), known(**changes)).missing[name] == why


def test_an_old_flow_stays_beside_the_alert_with_its_date_and_makes_no_rule():
    context = beside(situation(), known(flows=[flow(fresh=False, reason="late")]))

    assert context.flows[0].date == "2026-01-13"
    assert context.divergence is None


def test_a_flow_of_another_day_than_the_rules_is_named():
    flows = [flow(date="2026-01-12"), flow("ETH", 1e6, usual_usd=90e6), flow("SOL", 1e6, "2026-01-12")]
    context = beside(situation(asset=ALL), known(flows=flows))

    assert context.missing["etf ETH"] == "2026-01-13 is published, and the others' 2026-01-12"
    assert context.divergence.date == "2026-01-12"


@pytest.mark.parametrize(
    ("venues", "why"),
    [
        (None, "liquidations are not known by venue"),
        ({}, "nothing was liquidated in the hour"),
        (
            {"coinglass(Binance+Bybit+OKX)": 1e6},
            "liquidations are counted of coinglass(Binance+Bybit+OKX), open interest is known of binance",
        ),
    ],
)
def test_why_there_is_no_share_is_said(venues, why):
    assert beside(situation(venues=venues), WHOLE).missing["share"] == why


@pytest.mark.parametrize(
    ("rate", "rank", "days", "crowded"),
    [
        (-0.0002, 0.05, 90.0, Side.SHORT),
        (-0.0002, 0.11, 90.0, None),
        (0.0001, 0.05, 90.0, None),
        (0.0009, 0.95, 90.0, Side.LONG),
        (0.0009, 0.89, 90.0, None),
        (-0.0001, 0.95, 90.0, None),
        (-0.0002, 0.05, 29.0, None),
        (-0.0002, None, 90.0, None),
    ],
)
def test_crowded_is_who_pays_in_the_outer_tenth_of_a_past_that_is_long_enough(rate, rank, days, crowded):
    told = leverage(funding_8h=rate, funding_pct=rank, funding_days=days)
    assert funding_now(told).crowded is crowded


def test_funding_is_as_old_as_the_oldest_venue_with_weight_in_it():
    venues = (paying("binance", 1e-4, at=AT - 60_000), paying("okx", 2e-4), paying("htx", 9e-4, None, AT - 3_600_000))
    told = funding_now(leverage(venues=venues))

    assert (told.venues, told.at) == (("binance", "okx"), AT - 60_000)
    assert funding_now(leverage(venues=(paying("okx", None),))) is None
