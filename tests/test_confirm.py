"""Open interest beside liquidations: like with like, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.context.confirm import confirm
from service.model import HOUR
from tests.leverage import AT, pair, situation

#: The evening on one venue: 97,358 coins at 22:00, 94,946 at 23:00, in a market of some 95,700 dollars.
EVENING = pair("binance", 97_358.194, 94_945.878, 95_700.0)


def test_the_evening_is_told_in_coins_with_its_share_and_whether_it_confirms():
    move = confirm("BTC", [EVENING], situation(venues={"binance": 118.9e6}))

    assert move.change_pct == pytest.approx(-2.478, abs=0.001)
    assert move.share == pytest.approx(118.9e6 / (97_358.194 * 95_700), abs=1e-6)
    assert move.ratio == pytest.approx((97_358.194 - 94_945.878) * 95_700 / 118.9e6, abs=1e-4)
    assert (move.word, move.since, move.at, move.venues) == ("confirms", AT - HOUR, AT, ("binance",))


@pytest.mark.parametrize(
    ("now", "word"),
    [(1_000.0, "none"), (1_010.0, "none"), (995.01, "none"), (995.0, "confirms"), (980.0, "confirms"), (979.0, "more")],
)
def test_between_half_and_twice_what_was_forced_confirms_above_is_more_and_below_is_none(now, word):
    assert confirm("BTC", [pair("okx", 1_000.0, now)], situation(venues={"okx": 1_000.0})).word == word


def test_what_is_lost_in_ordinary_trading_confirms_nothing():
    move = confirm("BTC", [pair("okx", 1e6, 0.9e6)], situation(venues={"okx": 1_000.0}))

    assert move.share == pytest.approx(1e-5)
    assert move.word is None


def test_a_total_of_venues_together_allows_no_share_and_the_move_stays():
    move = confirm("BTC", [EVENING], situation(venues={"coinglass(Binance+Bybit+OKX)": 118.9e6}))

    assert (move.liquidated_usd, move.share, move.ratio, move.word) == (None, None, None, None)
    assert move.change_pct == pytest.approx(-2.478, abs=0.001)


def test_a_share_is_of_venues_of_which_both_are_known_and_the_others_are_left_out_on_both_sides():
    held = [pair("binance", 1_000.0, 990.0), pair("bybit", 500.0, 400.0)]
    move = confirm("BTC", held, situation(venues={"binance": 1_000.0, "okx": 9e9}), silent=["gate"])

    assert move.venues == ("binance",)
    assert (move.usd, move.liquidated_usd, move.share) == (100_000.0, 1_000.0, 0.01)
    assert move.change_pct == pytest.approx(-1.0)
    assert move.missing == ("bybit", "gate")


def test_a_venue_that_was_heard_and_had_no_order_counts_with_nothing():
    held = [pair("binance", 1_000.0, 990.0), pair("bybit", 1_000.0, 1_000.0)]
    move = confirm("BTC", held, situation(venues={"binance": 1_000.0, "bybit": 0.0}))

    assert (move.venues, move.share) == (("binance", "bybit"), 0.005)


def test_where_the_dollars_since_the_onset_are_not_known_nothing_is_confirmed():
    move = confirm("BTC", [EVENING], situation(venues={"binance": 118.9e6}, since_onset=None))

    assert (move.ratio, move.word) == (None, None)
    assert move.share is not None


def test_what_was_liquidated_before_the_onset_confirms_and_denies_nothing():
    """Two flushes in an hour: $20M of open interest is gone since the second began, which had $20M."""
    held = [pair("okx", 1_000_000.0, 800_000.0)]
    move = confirm("BTC", held, situation(venues={"okx": 220e6}, since_onset={"okx": 20e6, "gate": 5e6}))

    assert (move.ratio, move.word, move.share) == (1.0, "confirms", 2.2)


def test_a_move_is_as_old_as_its_oldest_figure():
    held = [pair("okx", 10.0, 9.0, at=AT - 50_000), pair("gate", 10.0, 9.0, at=AT - 10_000)]
    assert confirm("BTC", held, situation()).at == AT - 50_000


@pytest.mark.parametrize("held", [[], [pair("okx", 0.0, 5.0)]])
def test_without_open_interest_at_both_times_there_is_no_move(held):
    assert confirm("BTC", held, situation(venues={"okx": 1e6})) is None


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(1, 1e6), st.floats(0, 1e6)), min_size=1),
    st.none() | st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1e9)),
)
def test_no_share_is_ever_of_another_set_than_its_open_interest(coins, liquidated):
    held = [pair(name, before, now) for name, (before, now) in coins.items()]
    move = confirm("BTC", held, situation(venues=liquidated))
    both = set(coins) & set(liquidated or ())

    assert (move.share is None) is (not both)
    if both:
        assert set(move.venues) == both
        assert move.liquidated_usd == pytest.approx(sum(liquidated[name] for name in both))
        assert move.usd == pytest.approx(sum(coins[name][0] * 100 for name in both), abs=0.01)
    assert set(move.venues) | set(move.missing) == set(coins)
