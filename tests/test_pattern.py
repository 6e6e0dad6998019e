"""One word for where the dollars fell, and the facts behind it."""

import pytest

from service.detector.pattern import Facts, facts, pattern
from service.model import Liquidation
from tests.orders import T0, order

MINUTE = 60_000


def deal(venues: dict[str, float], assets: dict[str, float], orders: int = 100) -> list[Liquidation]:
    """Equal orders: each part of each venue's dollars in each asset, one a second."""
    rows = []
    for venue, share in venues.items():
        for asset, part in assets.items():
            for _ in range(orders):
                at = T0 + len(rows) * 1_000
                rows.append(order(1e6 * share * part / orders, at, venue=venue, asset=asset, id=str(len(rows))))
    return rows


def word(rows: list[Liquidation], asset: str = "ALL", above: tuple[str, ...] = ()) -> str:
    found = facts(rows, T0, T0 + 10**9)
    assert found is not None
    return pattern(found, asset, above)


FIVE = ("BTC", "ETH", "SOL", "XRP", "DOGE")
EVEN = dict.fromkeys(FIVE, 0.2)


@pytest.mark.parametrize(
    ("venues", "assets", "asset", "above", "said"),
    [
        ({"binance": 0.8, "okx": 0.2}, EVEN, "ALL", FIVE, "single_venue"),
        ({"binance": 0.79, "okx": 0.21}, EVEN, "ALL", FIVE, "mixed"),
        ({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, {"BTC": 0.8, "ETH": 0.2}, "ALL", FIVE, "single_asset"),
        ({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, {"BTC": 0.79, "ETH": 0.21}, "ALL", (), "mixed"),
        ({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, EVEN, "ALL", FIVE, "market_wide"),
        ({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, EVEN, "ALL", FIVE[:4], "mixed"),
        ({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, EVEN, "ALL", (*FIVE[:4], "ALL"), "mixed"),
        ({"binance": 0.6, "okx": 0.3, "bybit": 0.1}, EVEN, "ALL", FIVE, "mixed"),
        ({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, {"BTC": 1.0}, "BTC", FIVE, "mixed"),
        ({"binance": 0.9, "okx": 0.1}, {"BTC": 1.0}, "BTC", (), "single_venue"),
    ],
)
def test_the_word_follows_from_the_shares(venues, assets, asset, above, said):
    assert word(deal(venues, assets), asset, above) == said


def test_one_order_of_a_third_of_the_dollars_is_a_whale_before_anything_else():
    rows = deal({"binance": 0.9, "okx": 0.1}, EVEN)
    assert word([*rows, order(1e6 * 0.351 / 0.649, T0, venue="binance", id="whale")]) == "whale"
    assert word([*rows, order(1e6 * 0.349 / 0.651, T0, venue="binance", id="large")]) == "single_venue"


def test_four_equal_orders_are_too_few_to_be_anything_but_a_whale():
    four = [order(1e6, T0 + number, venue=venue, asset=venue) for number, venue in enumerate("abcd")]
    assert word(four) == "whale"
    assert word([*four, order(1e6, T0 + 9, venue="e", asset="e")]) == "mixed"


def test_the_facts_are_the_sums_they_say():
    found = facts(deal({"binance": 0.5, "okx": 0.3, "bybit": 0.2}, {"BTC": 0.75, "ETH": 0.25}), T0, T0 + 10**9)
    assert isinstance(found, Facts)
    assert found.usd == pytest.approx(1e6)
    assert (found.top_venue, found.top_asset) == ("binance", "BTC")
    assert found.hhi_venue == pytest.approx(0.25 + 0.09 + 0.04)
    assert found.hhi_asset == pytest.approx(0.5625 + 0.0625)
    assert found.largest_share == pytest.approx(0.5 * 0.75 / 100)
    weights = [share * part for share in (0.5, 0.3, 0.2) for part in (0.75, 0.25)]
    assert found.n_eff == pytest.approx(100 / sum(weight**2 for weight in weights))


def test_the_tenth_half_and_nine_tenths_are_moments_of_dollars_and_not_of_orders():
    rows = [order(usd, T0 + minute * MINUTE, id=str(minute)) for minute, usd in enumerate([5, 5, 40, 30, 10, 10])]
    found = facts([*rows[::-1], order(1e9, T0 - 1), order(1e9, T0 + 6 * MINUTE)], T0, T0 + 5 * MINUTE)
    assert found is not None
    assert [(at - T0) // MINUTE for at in (found.p10_at, found.p50_at, found.p90_at)] == [1, 2, 4]
    assert found.usd == 100


def test_nothing_has_no_facts():
    assert facts([], T0, T0 + MINUTE) is None
    assert facts([order(1e6, T0 - 1)], T0, T0 + MINUTE) is None
